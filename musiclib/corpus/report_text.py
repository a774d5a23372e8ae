"""A corpus report as lines of text, for people at a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Any

from musiclib.corpus.report import FIRST
from musiclib.corpus.report_rows import USED, File
from musiclib.music.left_out import plain

MOST = 12  # metres that are named
WIDTH, GLUE = 100, "\u00a0"


def lines(told: dict[str, Any]) -> Iterator[str]:
    """What `report.summary` says, as tables and, below, sentences."""
    yield from _tables(told)
    for sentence in ("", *_sentences(told)):
        yield from wrapped(sentence)


def wrapped(sentence: str) -> list[str]:
    """A sentence in lines; what `GLUE` holds together stays so."""
    made = wrap(sentence, WIDTH, subsequent_indent="  ", break_long_words=False)
    return [line.replace(GLUE, " ") for line in made] or [""]


def _tables(told: dict[str, Any]) -> Iterator[str]:
    left_out = told["files_found"] - told["files_used"]
    yield f"{told['files_found']:,} files: {told['files_used']:,} used, {left_out:,} left out"
    yield ""
    yield from _sets(told["sets"])
    if left_out:
        yield ""
        yield from _reasons(told["reasons"])


def _sentences(told: dict[str, Any]) -> Iterator[str]:
    yield metre_rule(told)
    yield _out_of_range(told)
    keys = [f"{name} {of['files']:,} ({of['confidence']:.2f})" for name, of in told["keys"].items()]
    yield f"keys of files used, and their median confidence: {_listed(keys)}"
    metres = [f"{name} {count:,}" for name, count in told["metres"].items()]
    more = f" and {len(metres) - MOST} others" * (len(metres) > MOST)
    unknown = "not kept in a saved .npz"
    yield f"metres that files name: {_listed(metres[:MOST]) or unknown}{more}"


def training(told: dict[str, Any] | None) -> Iterator[str]:
    """How long training would take, of what `paper.expected` measured; nothing where it did not."""
    if told is None:
        return
    yield ""
    threads = f"{told['threads']} thread{'s' * (told['threads'] > 1)}"
    yield f"training a network once in profile {told['profile']} would take, here, on {threads}:"
    body = [
        [name, of.get("in_words") or of["why_not"], of.get("in_words_with_curriculum", "")]
        for name, of in told["networks"].items()
    ]
    yield from columns(["network", "without curriculum", "with curriculum"], body, (0, 1, 2))


def rows(files: list[File]) -> Iterator[str]:
    """A line for every file."""
    numbers = "steps", "in all metres", "notes per step"
    yield from columns(
        ["file", *numbers, "key", "confidence", "difficulty", "reason"],
        [
            [
                file.file,
                _number(file.steps),
                _number(file.steps_in_all_metres),
                _number(file.notes_per_step, ".2f"),
                file.key or "-",
                _number(file.confidence, ".2f"),
                _number(file.difficulty, ".2f"),
                f"{file.reason}: {file.sentence}",
            ]
            for file in files
        ],
        left=(0, 4, 7),
    )


def columns(head: Sequence[str], body: list[Sequence[str]], left: Iterable[int]) -> Iterator[str]:
    """A table whose columns are as wide as what is in them; those of `left` begin at the left."""
    body = [[plain(cell) for cell in row] for row in body]
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    left = set(left)
    for row in (head, *body):
        cells = zip(row, widths, strict=True)
        padded = (c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(cells))
        yield "  ".join(padded).rstrip()


def _sets(sets: dict[str, dict[str, Any]]) -> Iterator[str]:
    body = [
        [
            name,
            f"{of['pieces']:,}",
            f"{of['steps']:,}",
            f"{of['notes_per_step']:.2f}",
            _number(of["difficulty"], ".2f"),
        ]
        for name, of in sets.items()
    ]
    yield from columns(["set", "pieces", "steps", "notes per step", "difficulty"], body, (0,))


def _reasons(reasons: dict[str, dict[str, Any]]) -> Iterator[str]:
    body = [
        [kind, f"{of['files']:,}", ", ".join(of["first"]) + ", ..." * (of["files"] > FIRST)]
        for kind, of in reasons.items()
        if of["files"] and kind != USED
    ]
    yield from columns(["left out", "files", "the first"], body, (0, 2))


def metre_rule(told: dict[str, Any]) -> str:
    """What the published metre rule costs, in a sentence."""
    rule = told["metre_rule"]
    if told["metre"] == "all":
        return "metre rule: read in all metres, it costs nothing"
    if rule is None:
        return "metre rule: what it costs is not kept in a saved .npz"
    lost = 100 * rule["steps_lost"] / rule["steps_in_all_metres"]
    return (
        f"metre rule (2 or 4 only): {rule['steps_lost']:,} of {rule['steps_in_all_metres']:,} steps"
        f" are not read ({lost:.0f} %); files left out for it: {rule['files_left_out']:,};"
        f" used files that it cuts: {rule['files_cut']:,}"
    )


def _out_of_range(told: dict[str, Any]) -> str:
    notes, files = told["notes_out_of_range"], told["files_with_notes_out_of_range"]
    return f"notes out of range in files used: {notes:,}, files that have some: {files:,}"


def _listed(items: Iterable[str]) -> str:
    return ", ".join(item.replace(" ", GLUE) for item in items)


def _number(value: float | None, how: str = ",") -> str:
    return "-" if value is None else format(value, how)
