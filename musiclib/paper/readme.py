"""The marked blocks of the README and of docs/, made from the result files."""

import json
import re

import pandas as pd

from musiclib.base.files import ROOT, write_text
from musiclib.corpus.collections import MUSIC21
from musiclib.paper.results import markdown, numbers_in, read_table, seeds_for, shown

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BENCHMARKS = ROOT / "results"


def shown_profile() -> str:
    """The profile whose results are shown: `paper` once it exists."""
    return "paper" if (ROOT / "results" / "paper" / "11-results.json").exists() else "quick"


def run(profile: str) -> str:
    """What was run: how large, which networks did not learn, how they were trained, on what."""
    paths = sorted((ROOT / "results" / profile).glob("[0-9]*.json"))
    records = [json.loads(path.read_text()) for path in paths]
    mute = sorted({name for record in records for name in record["did_not_learn"]})
    how = sorted({way for record in records for way in record["trained_with"]})
    verdict = (
        f"Did not learn more than what needs no learning, and get no verdict: {', '.join(mute)}."
        if mute
        else "Every network behind them learned more than what needs no learning, but for"
        " the trials of notebook 12, which are too short to be judged."
    )
    corpora = sorted({record["corpus"]["checksum"] for record in records})
    return (
        f"Profile `{profile}`. {CAVEAT[profile]}\n\n{verdict} Trained with: {'; '.join(how)}."
        f" Corpus checksum: `{'`, `'.join(corpora)}`.\n"
    )


def speed() -> str:
    """The block on speed, from what `make bench` wrote."""
    record = json.loads((BENCHMARKS / "bench-speed.json").read_text())
    tables = {
        "Training, one iteration": record["training"],
        "Composing with the biaxial network, float32": record["composing"],
        "How cost grows with size, 1 being in proportion": record["growth"],
    }
    rates = ", ".join(f"{k} {v}" for k, v in record["GFLOP/s of large products"].items())
    machine = f"{record['machine']}, {record['device']}, torch {record['torch']}"
    parts = [f"Machine: {machine}; large products run at {rates} GFLOP/s."]
    for title, rows in tables.items():
        parts.append(f"**{title}**:\n\n{markdown(list(rows[0]), [r.values() for r in rows])}")
    return "\n\n".join(part.strip() for part in parts) + "\n\n"


KEY_TABLES = {
    "right": "Right, per cent of n pieces",
    "wrong": "Wrong, per cent of all pieces",
    "modes": "Major and minor, per cent",
    "confidence": "Right by confidence, per cent of each quarter of the pieces",
    "profiles": "Published profiles, per cent right",
    "openings": "Bars of the opening, per cent right",
}


def keys() -> str:
    """The tables on keys, from what benchmarks/keys.py wrote."""
    record, parts = json.loads((BENCHMARKS / "bench-keys.json").read_text()), []
    for name, title in KEY_TABLES.items():
        rows = [["–" if v is None else v for v in row.values()] for row in record[name]]
        parts.append(f"**{title}**:\n\n{markdown(list(record[name][0]), rows).strip()}")
    return "\n\n".join(parts) + "\n\n"


def wrong_keys() -> str:
    """What the tables on keys say of pieces in a wrong key, in sentences."""
    record = json.loads((BENCHMARKS / "bench-keys.json").read_text())
    of = {
        (table, row["pieces"], row.get("way")): row
        for table in ("right", "wrong", "modes", "changes")
        for row in record[table]
    }
    tunes, titles, piano = "nottingham, first key", "piano-midi, title", "piano-midi, signature"
    sentences = []
    for way in ("paper", "opening"):
        right, wrong = of["right", tunes, way], of["wrong", tunes, way]
        sentences.append(
            f"`{way}` puts {100 - right['key']:.1f} % of Nottingham's {right['n']} tunes into a"
            f" wrong key: {wrong['fifth']} % a fifth away, {wrong['relative']} % into the relative"
            f" key, {wrong['parallel']} % into the parallel one, {wrong['other']} % elsewhere."
            f" It transposes {100 - right['signature']:.1f} % wrongly, and"
            f" {100 - of['right', piano, way]['signature']:.1f} % of piano-midi. Of the wrong"
            f" tunes {wrong[LEAST_SURE]} % are in the least sure quarter. Of the pieces that it"
            f" takes for major, {of['modes', tunes, way][MINOR]} % are in minor, in piano-midi's"
            f" titles {of['modes', titles, way][MINOR]} %."
        )
    steady = [100 - of["changes", name, None]["of one signature"] for name in (tunes, piano)]
    sentences.append(
        f"The signature changes in {steady[0]:.1f} % of Nottingham and {steady[1]:.1f} % of"
        " piano-midi."
    )
    return "".join(f"- {sentence}\n" for sentence in sentences)


LEAST_SURE = "of the wrong, in the least sure quarter"
MINOR = "minor among those taken for major"


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
    tune = "plain, 1 rounds, same noise, whole"
    ages = sorted(k[3] for k in numbers if k[:3] == ("windowed RBM", tune, "to each other"))
    pieces = numbers["corpus", "main", "pieces"]["value"]
    sentences = (
        f"**Scale.** {CAVEAT[profile]} Main is {pieces:.0f} pieces, mostly chorales.",
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
        "**RBM.** Its one tune is its random numbers: with the same ones outputs are"
        f" {value('windowed RBM', tune, 'to each other', ages[0])} alike after {ages[0]}"
        f" iterations, {value('windowed RBM', tune, 'to each other', ages[-1])} after {ages[-1]},"
        " and inputs"
        f" {value('windowed RBM', 'inputs', 'to each other')}. A conditional RBM mends by"
        f" {value('mending', 'conditional RBM, anywhere', 'gain', digits=3)} of F1.",
    )
    return "".join(f"{i}. {sentence}\n" for i, sentence in enumerate(sentences, start=1))


CURES = "few notes at first and index from 0 to 1"
CAVEAT = {
    "quick": "Networks and training are many times smaller than published: signs may hold, levels"
    " do not.",
    "paper": "These are runs of published size, on other music than the paper's.",
}


def at_published_size() -> str:
    """What came of the runs of published size that results/paper keeps, a row a checkpoint."""
    scores = pd.read_csv(ROOT / "results" / "paper" / "scores.csv", dtype=str)
    return markdown(list(scores), scores.to_numpy().tolist())


def peers() -> str:
    """The table of how other libraries read, from what `make bench-peers` wrote."""
    table = pd.read_csv(BENCHMARKS / "bench" / "peers.csv", dtype=str, keep_default_na=False)
    shown = table.drop(columns="version")
    return markdown(list(shown), shown.to_numpy().tolist())


def block(name: str, profile: str) -> str:
    """What stands between the marks of a name: made here, or the table of figures/<profile>/."""
    if name in MADE:
        return MADE[name](profile)
    table = ROOT / "figures" / profile / f"{name}.md"
    return (
        table.read_text(encoding="utf-8") if table.exists() else "Not made in this profile yet.\n"
    )


MADE = {"findings": findings, "run": run, "speed": lambda profile: speed()}
MADE |= {"keys": lambda profile: keys(), "wrong keys": lambda profile: wrong_keys()}
MADE |= {"peers": lambda profile: peers()}
MADE |= {"published size": lambda profile: at_published_size()}
BLOCK = re.compile(r"(<!-- ([\w -]+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)
PROFILE = re.compile(r"figures/(?:quick|paper)/")


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
