"""The first page: the result, samples, figures, Table 1, every claim with our verdict."""

from collections import Counter
from pathlib import Path
from typing import Any

from musiclib.base.writing import write_bytes
from musiclib.listening.player import Player, head
from musiclib.listening.sound import encoded, kind_of, sound
from musiclib.paper import readme
from musiclib.paper.claims import CLAIMS, VERDICTS, judged
from musiclib.paper.published import published
from musiclib.paper.results import Numbers, checkpoints, numbers_of, shown
from musiclib.paper.site import layout
from musiclib.paper.site.pages import inline, markup, prose
from musiclib.paper.site.samples import Sample, own_samples, shipped_samples
from musiclib.paper.site.shown_figures import shown_figures
from musiclib.paper.site.sources import Sources

RESULTS = "11-results"  # the notebook after which the result can be told
HERO = "thinning"  # the figure beside the result
SECTIONS = (
    ("result", "The result"),
    ("listen", "Listen"),
    ("figures", "Figures"),
    ("table1", "Table 1"),
    ("claims", "Claims"),
    ("beyond", "Beyond the paper"),
    ("run", "What was run"),
)


def first_page(sources: Sources, folder: Path) -> str:
    """The first page of a site in `folder`, to which sounds are written: audio/*.

    Figures are to lie in its folder figures/.
    """
    numbers = numbers_of(sources.results)
    links = sources.links()
    values = {
        "profile": sources.profile,
        "links": {link.name: link for link in links},
        "table": table1(numbers),
        **_told(sources),
        **_figures(sources),
        **_claims(numbers),
        **_samples(sources, folder),
    }
    body = layout.rendered("first.html.j2", **values)
    title = "Enhancing Classical Music Generation with RNN, a paper you can run"
    about = "The 2016 paper, run again: results, figures, samples, and a verdict on every claim."
    sections = [(name, words) for name, words in SECTIONS if f'id="{name}"' in body]
    return layout.whole(
        title, body, links, kind="first", sections=sections, head=head(), description=about
    )


def _told(sources: Sources) -> dict[str, Any]:
    """The result in five sentences and what was run, or what is missing."""
    whole = (sources.results / f"{RESULTS}.json").exists()
    findings = readme.findings(sources.profile) if whole else ""
    sentences = [line.partition(". ")[2] for line in findings.splitlines()]
    return {
        "findings": [inline(sentence) for sentence in sentences],
        "run": prose(readme.run(sources.profile)),
    }


def _figures(sources: Sources) -> dict[str, Any]:
    paper, ours = shown_figures(sources)
    hero = next((figure for figure in ours if figure.name == HERO), None)
    return {"hero": hero, "paper": paper, "ours": [f for f in ours if f is not hero], "md": inline}


def table1(numbers: Numbers) -> list[dict[str, str]]:
    """The rows of Table 1, ours beside the published: epoch, ISL, what it drops, bits saved."""
    epochs = checkpoints(numbers, "lstm", "plain", "ISL")
    if not epochs:
        theirs = published()["table1"]
        pairs = zip(theirs["epochs"], theirs["isl"], strict=True)
        return [{"epoch": str(e), "theirs": _signed(isl)} for e, isl in pairs]
    return [_row(numbers, epoch) for epoch in epochs]


def _row(numbers: Numbers, epoch: int) -> dict[str, str]:
    digits = {"ISL": 1, "dropped": 1, "bits saved": 2, "density": 2}
    of = {what: numbers.get(("lstm", "plain", what, epoch)) for what in digits}
    ours = {what: shown(of[what], digits[what]) if of[what] else "" for what in digits}
    return {"epoch": str(epoch), "theirs": _signed(of["ISL"]["published"]), **ours}


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:g}".replace("-", "−")


def _claims(numbers: Numbers) -> dict[str, Any]:
    found = [judged(claim, numbers) for claim in CLAIMS]
    counted = Counter(one.verdict for one in found)
    tally = [(verdict, counted[verdict]) for verdict in VERDICTS if counted[verdict]]
    return {"claims": found, "tally": tally}


def _samples(sources: Sources, folder: Path) -> dict[str, Any]:
    groups = {"shipped": shipped_samples(), "own": own_samples(sources)}
    return {name: [_player(sample, folder) for sample in group] for name, group in groups.items()}


def _player(sample: Sample, folder: Path) -> layout.Markup:
    """A sample's player; its sound is a file beside the page, which keeps the page light."""
    content = encoded(sound(sample.states, sample.tempo))
    name = f"audio/{sample.name}.{kind_of(content)}"
    write_bytes(folder / name, content)
    player = Player(sample.states, sample.title, tempo=sample.tempo, note=sample.note)
    return markup(player.html(audio_src=name))
