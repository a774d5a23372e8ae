"""What of some files is not used, and how much music that costs: in the same words everywhere.

A line a kind, none where nothing is left out: unreadable files by name up to a limit and counted,
then what a metre cuts short, what is too short, what is out of range, and so on, in steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from musiclib.base.errors import InputError
from musiclib.base.progress import say
from musiclib.music.bars import STEPS_PER_BAR
from musiclib.music.midi_events import MidiError
from musiclib.music.note_states import LOWEST_PITCH, NOTES

MOST_NAMED = 20  # unreadable files
FIRST = 3  # reasons in an error
UNREADABLE = "skipped, not readable"
CUT, TOO_SHORT = "cut short at a metre that is not 2 or 4", "too short"
END = "last bar not whole", f"with an end that no bar of {STEPS_PER_BAR} steps holds"
PITCHES = f"{LOWEST_PITCH} to {LOWEST_PITCH + NOTES - 1}"

Steps = dict[str, int | None]  # of files by name; None: not known


@dataclass
class LeftOut:
    """What became of files, as they are read.

    - where: what lines begin with, a folder say
    - files, steps, notes: of all files, how many were found, of those read, what they hold in
      whatever metre; 0 where it is not known
    - skipped: why files were not read, by name; each reason names its file
    - cut: steps after a metre that stops reading, outside: notes out of range, by file
    - unused: what else is not used, by what it is and what its files are: their steps
    - remedy: what reads on where a metre cuts files short
    """

    where: str = ""
    files: int = 0
    steps: int = 0
    notes: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    outside: dict[str, int] = field(default_factory=dict)
    unused: dict[tuple[str, str], Steps] = field(default_factory=dict)
    remedy: str = "--metre all reads them"

    def not_used(self, kind: str, how: str, files: Steps) -> None:
        """Note files of a kind, "too short", of which it is said how: "under 128 steps"."""
        if files:
            self.unused[kind, how] = files

    def check(self) -> None:
        """Raise InputError, with the first reasons, where files were found and none can be read."""
        if not self.files or len(self.skipped) < self.files:
            return
        reasons = list(self.skipped.values())
        first = [reason.partition("; ")[0] for reason in reasons[:FIRST]]
        more = f", and {self.files - FIRST:,} more" * (self.files > FIRST)
        none = f"none of {_files(self.files)} can be read: {', '.join(first)}{more}"
        raise InputError(plain(f"{self._begun(none)}; replace them, or name another folder"))

    def lines(self) -> list[str]:
        """All of it in words."""
        kinds = (*self._unreadable(), *self._cut(), *self._unused(), *self._outside())
        return [plain(line) for line in kinds]

    def say(self) -> None:
        """Write the lines to stderr."""
        for line in self.lines():
            say(line)

    def _begun(self, line: str) -> str:
        return f"{self.where}: {line}" if self.where else line

    def _unreadable(self) -> Iterator[str]:
        reasons = list(self.skipped.values())
        for reason in reasons[:MOST_NAMED]:
            yield f"{UNREADABLE}: {reason}"  # which names where the file is
        if len(reasons) > MOST_NAMED:
            yield self._begun(f"{UNREADABLE}: ... {len(reasons) - MOST_NAMED:,} more")
        if reasons:
            whose = "their music is" if len(reasons) > 1 else "its music is"
            count = f"{len(reasons):,} not readable{self._of_all()}"
            yield self._begun(f"left out: {count}; {whose} not known")

    def _cut(self) -> Iterator[str]:
        if self.cut:
            lost, whole = sum(self.cut.values()), max(self.steps, 1)
            told = f"{CUT}: {self._some(self.cut)}: {lost:,} of {self.steps:,} steps are not read"
            remedy = f"; {self.remedy}" * bool(self.remedy)
            yield self._begun(f"{told} ({100 * lost / whole:.0f} %){remedy}")

    def _unused(self) -> Iterator[str]:
        for (kind, how), files in self.unused.items():
            known = [steps for steps in files.values() if steps is not None]
            cost = f": {counted(sum(known), 'step')}" * (len(known) == len(files))
            yield self._begun(f"{kind}: {_files(len(files))} {how}, as {min(files)}{cost}")

    def _outside(self) -> Iterator[str]:
        if self.outside:
            lost = sum(self.outside.values())
            notes = f"{lost:,} of {counted(self.notes, 'note')}"
            yield self._begun(
                f"out of range: {notes}, outside the pitches {PITCHES}: {self._some(self.outside)}"
            )

    def _some(self, files: dict) -> str:
        """As "2 of 60 files, as a.mid"."""
        some = f"{len(files):,}{self._of_all()}" if self.files else _files(len(files))
        return f"{some}, as {min(files)}"

    def _of_all(self) -> str:
        return f" of {_files(self.files)}" if self.files else ""


def bars_left_out(left_out: LeftOut, lengths: dict[str, int]) -> None:
    """Note what of pieces of so many steps no bar of 16 holds, each cut into bars by itself."""
    under = {name: steps for name, steps in lengths.items() if steps < STEPS_PER_BAR}
    ends = {name: steps % STEPS_PER_BAR for name, steps in lengths.items() if name not in under}
    left_out.not_used(TOO_SHORT, f"under a bar of {STEPS_PER_BAR} steps", under)
    left_out.not_used(*END, {name: steps for name, steps in ends.items() if steps})


def end_left_out(left_out: LeftOut, lengths: dict[str, int], *, first_twice: bool) -> None:
    """Note the same of pieces that are laid end to end, the first of them twice, say."""
    first, *_, last = *lengths, *lengths  # there is one at least
    rest = (sum(lengths.values()) + first_twice * lengths[first]) % STEPS_PER_BAR
    left_out.not_used(*END, {last: rest} if rest else {})


def why(path: object, error: Exception) -> str:
    """Why a file cannot be read, and what to do: "PATH: reason; remedy"."""
    if isinstance(error, MidiError):
        return str(MidiError(error.reason, str(path), error.remedy))
    if isinstance(error, InputError):
        return f"{path}: {str(error).removeprefix(f'{path}: ')}"
    if isinstance(error, FileNotFoundError):
        return f"{path}: it is not there, or is a link that leads nowhere; leave it out"
    if isinstance(error, OSError):
        reason = f"it cannot be opened ({error.strerror or error})"
        return f"{path}: {reason}; make it readable, or leave it out"
    if isinstance(error, MemoryError):
        return f"{path}: reading it takes too much memory; leave it out"
    return f"{path}: reading it failed ({type(error).__name__}: {error}); leave it out"


def _files(count: int) -> str:
    return counted(count, "file")


def counted(count: int, what: str) -> str:
    """As "1 file", "1,200 files"."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def plain(line: str) -> str:
    """A line that stays one, whatever is in the names of files."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return "".join(shown)
