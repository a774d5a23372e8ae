"""Progress: what people and logs are told of long work, by a clock that the test moves."""

import os
import pty
import select
import sys
import time
from itertools import pairwise

import pytest

from musiclib.base import progress
from musiclib.base.pace import PROGRESS, Pace, in_words
from musiclib.base.parallel import part_done, side_by_side
from musiclib.base.progress import APART, IN_LOGS, Progress, waiting, watch
from musiclib.base.screen import WIDTH, Notebook, Terminal, in_notebook, people


class Clock:
    """Seconds that pass only when told, and what is drawn then."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def pass_by(self, seconds):
        self.now += seconds
        watch.draw(self.now)


class Lines:
    """A screen that keeps what it shows."""

    def __init__(self):
        self.shown, self.ended = [], []

    def show(self, text, share):
        self.shown.append((text, share))

    def end(self, text):
        self.ended.append(text)


@pytest.fixture
def clock(monkeypatch):
    """Without the thread that draws: the test does."""
    clock = Clock()
    monkeypatch.setattr(progress, "clock", clock)
    monkeypatch.setattr(progress, "EVERY", 1e6)
    return clock


@pytest.fixture
def screen(monkeypatch):
    lines = Lines()
    monkeypatch.setattr(progress, "people", lambda: lines)
    return lines


@pytest.fixture
def log(monkeypatch, capsys):
    monkeypatch.setenv("MUSICLIB_LOG", "1")
    return lambda: capsys.readouterr().err.splitlines(keepends=True)


def work(clock, total, seconds):
    """Count to a total at a constant speed."""
    with Progress(total, "training") as bar:
        for done in range(1, total + 1):
            clock.pass_by(seconds / total)
            bar.to(done)


@pytest.mark.parametrize(("total", "seconds"), [(10, 40), (407, 12), (407, 3000), (3, 500000)])
def test_a_log_has_lines_five_seconds_apart_and_the_last_one(clock, log, total, seconds):
    began, lines = clock.now, []
    with Progress(total, "training") as bar:
        for done in range(1, total + 1):
            clock.pass_by(seconds / total)
            bar.to(done)
            lines += [(clock.now - began, line) for line in log()]
    times = [at for at, _ in lines]
    assert all(later - sooner >= APART for sooner, later in pairwise(times[:-1]))
    assert len(lines) <= 10 and all(PROGRESS.fullmatch(line) for _, line in lines)
    assert lines[-1][1] == f"training: {total} of {total} after {in_words(seconds)}\n"


def test_lines_say_what_is_done_and_what_is_left(clock, log):
    work(clock, 10, 40)
    lines = log()
    assert lines[0] == "training: 2 of 10 after 8 s, about 32 s left\n"
    assert lines[1] == "training: 4 of 10 after 16 s, about 24 s left\n"


def test_short_work_is_not_told(clock, log):
    work(clock, 100, IN_LOGS - 0.1)
    with waiting("compiling"):
        clock.pass_by(IN_LOGS - 0.1)
    assert log() == []


def test_what_is_waited_for_is_one_line_of_a_log(clock, log):
    with waiting("compiling"):
        for _ in range(20):
            clock.pass_by(1)
    lines = log()
    assert lines == ["compiling: 5 s so far\n"] and PROGRESS.fullmatch(lines[0])


def test_a_log_is_not_told_of_what_it_must_not_hold(clock, log):
    with waiting("loading", logged=False):
        clock.pass_by(60)
    assert log() == []


def test_a_log_is_told_of_the_outermost_task_alone(clock, log):
    with waiting("judging"):
        work(clock, 10, 60)
    assert log() == ["judging: 6 s so far\n"]


def test_other_lines_are_no_progress():
    for line in ("left out: 1 not readable\n", "fold 3 of 10: 0.5\n", "read 3 of 10 after 12 s x"):
        assert not PROGRESS.fullmatch(line)


@pytest.mark.parametrize("seconds", [1, 119, 121, 7199, 7201, 1e6])
def test_every_time_is_told_as_the_pattern_has_it(seconds):
    assert PROGRESS.fullmatch(f"a, b: c: 1 of 2 after {in_words(seconds)}, about 3 h 0 min left\n")


def test_people_see_nothing_at_first_and_then_the_line_in_place(clock, screen):
    with Progress(10, "training") as bar:
        clock.pass_by(0.5)
        assert not screen.shown
        clock.pass_by(1.5)
        assert screen.shown == [("training: 0 of 10 after 2 s", 0)]
        bar.to(5)
        clock.pass_by(0.5)
        assert screen.shown[-1] == ("training: 5 of 10 after 2 s, about 2 s left", 0.5)
        bar.to(10)
    assert screen.ended == ["training: 10 of 10 after 2 s"]


def test_people_see_what_is_waited_for_inside(clock, screen):
    with Progress(10, "training") as bar:
        with waiting("starting 2 workers"):
            clock.pass_by(3)
        bar.begin()
        bar.note = "loss 2.5"
        bar.to(1)
        clock.pass_by(2)
    assert [text for text, _ in screen.shown] == [
        "training: 0 of 10 after 3 s (starting 2 workers: 3 s so far)",
        "training: 1 of 10 after 5 s (loss 2.5)",
    ]
    with waiting("compiling"):
        clock.pass_by(3)
    assert screen.ended[-1] == ""


def test_short_work_shows_people_nothing(clock, screen):
    work(clock, 100, 0.9)
    assert not screen.shown and not screen.ended


def test_a_fault_leaves_no_task_behind(clock, screen):
    with pytest.raises(KeyError), Progress(10, "outer"), waiting("inner"):
        clock.pass_by(5)
        raise KeyError
    assert not watch.tasks and screen.ended == ["outer: 0 of 10 after 5 s"]


@pytest.mark.parametrize("begun_with", [0, 300])
def test_time_left_is_right_at_constant_speed(begun_with):
    """Also where most was there already, from a cache or an earlier try."""
    pace = Pace(400, 0.0)
    pace.to(begun_with, 0.1)
    for step in range(1, 51):
        pace.to(begun_with + 2 * step, 10.0 * step)
    assert pace.left(500.0) == pytest.approx((400 - begun_with - 100) * 5, rel=1e-3)


def test_time_left_counts_down_between_jobs_and_is_not_told_before_the_first():
    pace = Pace(5, 0.0)
    assert pace.left(30.0) is None
    for job in (1, 2, 3):
        pace.to(job, 40.0 * job)
    assert pace.left(120.0) == pytest.approx(80) and pace.left(130.0) == pytest.approx(70)


def test_a_terminal_shows_a_bar_and_leaves_a_line(capsys, monkeypatch):
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((60, 20)))
    terminal = Terminal()
    terminal.show("training: 5 of 10 after 12 s, about 12 s left and so on", 0.5)
    terminal.end("training: 10 of 10 after 24 s")
    shown, ended = capsys.readouterr().err.split("\r\x1b[K")[1:]
    assert shown.count("#") == WIDTH // 2 and len(shown) == 59
    assert ended == "training: 10 of 10 after 24 s\n"


def test_a_notebook_shows_one_output_that_is_updated(monkeypatch):
    outputs = []

    class Handle:
        def update(self, content, raw):
            outputs.append(content)

    def display(content, raw, display_id):
        outputs.append(content)
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    notebook = Notebook()
    notebook.show("<b> & co", 0.25)
    notebook.show("compiling", None)
    notebook.end("done")
    assert [content["text/plain"] for content in outputs] == ["<b> & co", "compiling", "done"]
    assert 'value="0.2500"' in outputs[0]["text/html"] and "&lt;b&gt;" in outputs[0]["text/html"]
    assert "progress" not in outputs[2]["text/html"]


@pytest.mark.parametrize("name", ["MUSICLIB_LOG", "CI"])
def test_logs_are_for_papermill_ci_and_pipes(name, monkeypatch):
    for variable in ("MUSICLIB_LOG", "CI"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert isinstance(people(), Terminal) and not in_notebook()
    monkeypatch.setenv(name, "true")
    assert people() is None
    monkeypatch.setenv(name, "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    assert people() is None


def half_and_half(folder):
    part_done(0.5)
    (folder / "half").touch()
    while not (folder / "seen").exists():
        time.sleep(0.01)


def test_a_job_says_how_much_of_it_is_done(tmp_path, screen, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.05)

    def note():
        if any(share == 0.25 for _, share in screen.shown):
            (tmp_path / "seen").touch()
        return "here"

    side_by_side(half_and_half, [(tmp_path,)] * 2, "halves", workers=1, note=note)
    assert ("halves: 2 of 2" in screen.ended[0]) and (tmp_path / "half").exists()
    assert any("starting 1 worker" in text for text, _ in screen.shown)
    assert any("(here)" in text for text, _ in screen.shown)


SILENT = """
import time
from musiclib.base.progress import Progress, waiting
with waiting("compiling"):
    time.sleep(4)
with Progress(3, "thinking") as bar:
    bar.to(1)
    time.sleep(4)
"""


def longest_silence(command, environment):
    """Seconds between two pieces of output on a terminal at most, from the first on, and all of it.

    From the first on: a machine that is busy starts Python slowly.
    """
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], command, environment)
    heard, silences, last = b"", [], None
    while select.select([terminal], [], [], 60)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the end, on Linux
            break
        if not data:
            break
        now = time.monotonic()
        silences += [now - last] if last else []
        heard, last = heard + data, now
    os.close(terminal)
    os.waitpid(child, 0)
    return max(silences), heard.decode()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no pseudo-terminals on this system")
def test_a_terminal_is_not_silent_while_the_work_is():
    """Four seconds each; two would do where nothing else keeps the machine busy."""
    environment = {k: v for k, v in os.environ.items() if k not in ("CI", "MUSICLIB_LOG")}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm", "COLUMNS": "80"}
    silence, heard = longest_silence([sys.executable, "-c", SILENT], environment)
    assert silence < 3 and "compiling: 2 s so far" in heard
    assert "thinking: 1 of 3 after 2 s" in heard
