"""The marked blocks of the README and of docs/, made from the result files."""

import json
import re
from statistics import mode

from musiclib.base.files import ROOT
from musiclib.base.writing import write_text
from musiclib.corpus.collections import MUSIC21
from musiclib.paper import claims
from musiclib.paper.benchmark_kept import kept
from musiclib.paper.likelihood_table import in_a_sentence
from musiclib.paper.measured import MEASURED
from musiclib.paper.results import numbers_in, numbers_of, read_table, seeds_for, shown

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def shown_profile() -> str:
    """The profile whose results are shown: `paper` once it exists."""
    return "paper" if (ROOT / "results" / "paper" / "11-results.json").exists() else "quick"


def run(profile: str) -> str:
    """What was run: how large, which networks did not learn, how they were trained, on what."""
    paths = sorted((ROOT / "results" / profile).glob("[0-9]*.json"))
    every = [json.loads(path.read_text()) for path in paths]
    corpus = mode(record["corpus"]["folder"] for record in every)  # that of the paper's notebooks
    records = [record for record in every if record["corpus"]["folder"] == corpus]
    mute = sorted({name for record in records for name in record["did_not_learn"]})
    how = sorted({way for record in records for way in record["trained_with"]})
    verdict = (
        f"Did not learn more than what needs no learning, and get no verdict: {', '.join(mute)}."
        if mute
        else "Every network behind them learned more than what needs no learning, but for"
        " the trials of notebook 12, which are too short to be judged."
    )
    corpora = {record["corpus"]["checksum"] for record in records}
    return (
        f"Profile `{profile}`. {CAVEAT[profile]}\n\n{verdict} Trained with: {'; '.join(how)}."
        f" Corpus checksum: `{'`, `'.join(sorted(corpora))}`.\n"
    )


def findings(profile: str) -> str:
    """What came out, in five sentences, the caveat first."""
    numbers = numbers_in(read_table(ROOT / "results" / profile / "results.csv"))

    def value(*key: str | int, digits: int = 2) -> str:
        return shown(numbers[key], digits).split(" ± ")[0]

    def lower_with_curriculum(model: str) -> str:
        return seeds_for(
            *(numbers[model, kind, "held-out loss"] for kind in ("curriculum", "plain"))
        )

    started = numbers["plateau", "published, nothing", "left at"]["per_seed"]
    mended = numbers["plateau", f"published, {CURES}", "left at"]["per_seed"]
    pieces = numbers["corpus", "main", "pieces"]["value"]
    sentences = (
        f"**Scale.** {CAVEAT[profile]} Main is {pieces:.0f} pieces.",
        "**Curriculum.** It ends lower on held-out music in"
        f" {lower_with_curriculum('biaxial')} for the biaxial RNN and in"
        f" {lower_with_curriculum('lstm')} for the LSTM.",
        "**ISL.** More should be better: deleting nine notes of ten from real music takes it from"
        f" {value('thinned', 'real, 100 %', 'ISL', digits=0)} to"
        f" {value('thinned', 'real, 10 %', 'ISL', digits=0)} nats per bar; bits saved per note, our"
        f" repair, goes from {value('thinned', 'real, 100 %', 'bits saved')} to"
        f" {value('thinned', 'real, 10 %', 'bits saved')}.",
        "**Learning.** Started as published, the biaxial RNN stays on the plateau of one constant"
        f" rate: {sum(map(bool, started))} of {len(started)} seeds leave it within a short trial."
        f" With few notes at first and a note index from 0 to 1, {sum(map(bool, mended))} of"
        f" {len(mended)} do.",
        f"**Benchmark.** {in_a_sentence(kept())}",
    )
    return "".join(f"{i}. {sentence}\n" for i, sentence in enumerate(sentences, start=1))


CURES = "few notes at first and index from 0 to 1"
CAVEAT = {
    "smoke": "This shows that everything runs; its numbers mean nothing.",
    "quick": "Networks and training are many times smaller than published: signs may hold, levels"
    " do not.",
    "paper": "These are runs of published size, on other music than the paper's.",
}


def block(name: str, profile: str) -> str:
    """What stands between the marks of a name: made here, or the table of figures/<profile>/."""
    if name in MADE:
        return MADE[name](profile)
    if name in MEASURED:
        return MEASURED[name]()
    table = ROOT / "figures" / profile / f"{name}.md"
    return (
        table.read_text(encoding="utf-8") if table.exists() else "Not made in this profile yet.\n"
    )


def verdicts(profile: str) -> str:
    """The table of the paper's claims, from what numbers there are."""
    return claims.table(numbers_of(ROOT / "results" / profile))


MADE = {"claims": verdicts, "findings": findings, "run": run}
BLOCK = re.compile(r"(<!-- ([\w -]+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)
PROFILE = re.compile(r"figures/quick/")  # those of paper are of runs that are kept


def refreshed(text: str, profile: str) -> str:
    """A page's text with its blocks made anew, its pictures and sounds those of the profile."""
    text = PROFILE.sub(f"figures/{profile}/", text)
    return BLOCK.sub(lambda match: match[1] + block(match[2], profile) + match[3], text)


def refresh() -> None:
    """Bring the pages up to date with the results of the default corpus, where there are any."""
    profile = shown_profile()
    record = ROOT / "results" / profile / "11-results.json"
    if record.exists() and json.loads(record.read_text())["corpus"]["folder"] == MUSIC21:
        for page in PAGES:
            write_text(page, refreshed(page.read_text(encoding="utf-8"), profile))
