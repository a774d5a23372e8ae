"""The paper's claims in its own words, what tests each, and our verdict, computed from the numbers.

The claims are data, claims.json: a quotation, its section, the names of the comparisons that test
it, of those that only stand beside it, and the notebook that shows it.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from musiclib.paper.comparisons import COLUMNS, COMPARISONS
from musiclib.paper.results import WHY_OPEN, Markdown, Numbers, footnoted, learned_of, markdown

HELD, PARTLY, NOT_HELD, OPEN = VERDICTS = ("held", "partly", "not held", "open")
ENOUGH = 3  # seeds; fewer cannot show that something always holds, or never
NOT_RUN, TOO_FEW = "not run", f"fewer than {ENOUGH} seeds"
NO_PROOF = "so few seeds cannot show that there is no difference, or that there is one"
SURE = 6  # seeds of one sign, which chance alone gives in 3 of 100 cases
HEADER = [
    "claim",
    "verdict",
    "why",
    "its first comparison",
    *COLUMNS[1:4],
    "standardised",
    COLUMNS[4],
]


@dataclass(frozen=True)
class Claim:
    """A claim as quoted, in our words, and how it is tested.

    The verdict is that of the comparisons `tests` together; those `beside` it are ours, shown but
    not counted. With `equal` the claim is that there is no difference.
    """

    name: str
    title: str
    quote: str
    section: str
    notebook: str
    tests: list[str]
    beside: list[str] = field(default_factory=list)
    note: str = ""
    equal: bool = False


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict, why it is open where it is, and the rows of its comparisons."""

    claim: Claim
    verdict: str
    why: str
    rows: list[list[str]]
    beside: list[list[str]]


def judged(claim: Claim, numbers: Numbers) -> Judged:
    """The verdict on a claim: `together` of those of its tests, and their rows."""
    each = [_of_one(name, claim.equal, numbers) for name in claim.tests]
    verdict = together([verdict for verdict, _ in each])
    why = next((why for _, why in each if why), "") if verdict == OPEN else ""
    return Judged(claim, verdict, why, _rows(claim.tests, numbers), _rows(claim.beside, numbers))


def table(numbers: Numbers) -> Markdown:
    """A row a claim: verdict, why, and the first of its tests whose numbers are there.

    The standardised difference is the mean over the standard deviation of the seeds' differences.
    """
    return footnoted(markdown(HEADER, [_in_short(claim, numbers) for claim in CLAIMS]))


def _in_short(claim: Claim, numbers: Numbers) -> list[str]:
    found = judged(claim, numbers)
    why = found.why or "; ".join(row[-1] for row in found.rows)
    start = [f"{claim.title} ({claim.section})", found.verdict, why]
    first = next((c for n in claim.tests if (c := COMPARISONS[n]).known(numbers)), None)
    if first is None:
        nothing = ["–"] * (len(HEADER) - len(start) - 1)
        return [*start, *nothing, COMPARISONS[claim.tests[0]].said]
    *compared, theirs, _ = first.row(numbers)
    return [*start, *compared, first.effect(numbers).size, theirs]


def verdict_of(holds: np.ndarray) -> str:
    """One comparison's verdict from the seeds in which it holds: (n,) bool, those with values.

    Held in every one of at least three seeds, not held in none of at least three, partly in some;
    open with fewer than three.
    """
    if len(holds) < ENOUGH:
        return OPEN
    if holds.any() and not holds.all():
        return PARTLY
    return HELD if holds.all() else NOT_HELD


def together(verdicts: list[str]) -> str:
    """The verdict of several comparisons: theirs if they agree, partly if some hold and some not.

    Where one is open the claim is, unless another one is partly true already.
    """
    found = set(verdicts)
    if len(found) == 1:
        return verdicts[0]
    return PARTLY if PARTLY in found or {HELD, NOT_HELD} <= found else OPEN


def _of_one(name: str, equal: bool, numbers: Numbers) -> tuple[str, str]:
    comparison = COMPARISONS[name]
    if not comparison.known(numbers):
        return OPEN, NOT_RUN
    differences = comparison.differences(numbers)
    differences = differences[~np.isnan(differences)]
    verdict = verdict_of(differences > 0)
    if equal and len(differences) >= ENOUGH:
        one_sign = (differences > 0).all() or (differences < 0).all()
        return (NOT_HELD, "") if one_sign and len(differences) >= SURE else (OPEN, NO_PROOF)
    learned = learned_of(*(numbers[key] for key in comparison.keys(numbers)))
    return verdict, "" if verdict != OPEN else TOO_FEW if learned.all() else WHY_OPEN


def _rows(names: list[str], numbers: Numbers) -> list[list[str]]:
    known = (COMPARISONS[name] for name in names if COMPARISONS[name].known(numbers))
    return [comparison.row(numbers) for comparison in known]


def _read() -> list[Claim]:
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    return [Claim(**claim) for claim in json.loads(text)]


CLAIMS = _read()
