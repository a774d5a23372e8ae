"""The numbers of the README and of docs/, made from the result files: never typed."""

import json
import re
from pathlib import Path

from musiclib.base.files import ROOT, write_text
from musiclib.paper.results import markdown, numbers_in, read_table, seeds_for, shown

README = ROOT / "README.md"
DOCS = ROOT / "docs"
BENCHMARKS = ROOT / "results"


def shown_profile() -> str:
    """The profile whose results are shown: `paper` once it exists."""
    return "paper" if (ROOT / "results" / "paper" / "11-results.json").exists() else "quick"


def numbers(profile: str) -> str:
    """The results' block: what was run, Table 1, and the figures."""
    folder = Path("figures") / profile
    record = json.loads((ROOT / "results" / profile / "11-results.json").read_text())
    table = (ROOT / folder / "results.md").read_text()
    table1 = (ROOT / folder / "table1.md").read_text()
    controls = (ROOT / folder / "controls.md").read_text()
    statements = (ROOT / folder / "statements.md").read_text()
    mending = (ROOT / folder / "restoration.md").read_text()
    plateau = _made(folder, "plateau.md")
    section4 = _made(folder, "section4.md")
    section4_claims = _made(folder, "section4-claims.md")
    wall_time = (ROOT / folder / "wall-time.md").read_text()
    images = "\n\n".join(
        f"![{title}](../{folder}/{name}.png)"
        for name, title in FIGURES.items()
        if (ROOT / folder / f"{name}.png").exists()
    )
    scale = "The full-scale run" if profile == "paper" else SCALED_DOWN
    return (
        f"{scale}\n\n{learned(profile)}\n\n"
        f"**Table 1**, ISL of the baseline LSTM over its epochs, ours beside theirs:\n\n{table1}\n"
        f"**The paper's claims, and what it does not report**: {table}\n"
        "**When the biaxial RNN leaves the plateau** of one constant rate, each form as it is and"
        f" with one thing changed (notebook 12):\n\n{plateau}\n"
        f"**Section 4's experiments** (notebook 13):\n\n{section4}\n{section4_claims}\n"
        f"**Real music made worse**, in the order that we expect:\n\n{controls}\n"
        f"**What the paper says of ISL**, in how many seeds it holds:\n\n{statements}\n"
        "**Mending**: F1 of strikes gained on held-out excerpts with 10 % of the notes deleted and"
        f" as many wrong ones added, and on clean ones:\n\n{mending}\n{images}\n\n"
        "**Where the time went** when these results were last made; what was trained before counts"
        f" as nothing:\n\n{wall_time}\n"
        f"Corpus checksum `{record['corpus']['checksum']}`.\n\n"
    )


def _made(folder: Path, name: str) -> str:
    """A table of notebooks 12 and 13, which the others do without."""
    path = ROOT / folder / name
    return path.read_text() if path.exists() else "Not made in this profile yet.\n"


def learned(profile: str) -> str:
    """Which networks did not learn, and how the results were computed."""
    records = [
        json.loads(p.read_text()) for p in sorted((ROOT / "results" / profile).glob("*.json"))
    ]
    mute = sorted({name for record in records for name in record["did_not_learn"]})
    how = sorted({way for record in records for way in record["trained_with"]})
    verdict = (
        f"Did not learn more than what needs no learning, and get no verdict: {', '.join(mute)}."
        if mute
        else "Every network behind them learned more than what needs no learning, but for"
        " the trials of notebook 12, which are too short to be judged."
    )
    return f"{verdict} Trained with: {'; '.join(how)}."


SCALED_DOWN = (
    "No full-scale run has been made yet. These numbers are those of the profile `quick`: networks,"
    " corpus and training time many times smaller than the paper's, on other music."
)
FIGURES = {
    "figure2": "Figure 2: the RBM of windows, from the trained machine",
    "figure3a": "Figure 3a: loss of the baseline LSTM with and without curriculum",
    "beginnings": "How full the LSTM's pieces are by how they begin, in both forms",
    "figure3b": "Figure 3b: loss of the biaxial RNN with and without curriculum",
    "plateau": "When trials of the biaxial RNN leave the plateau of one constant rate",
    "escape": "Held-out loss of some of these trials",
    "figure4": "Figure 4: ISL of the biaxial RNN over training, and bits saved per note",
    "figure5": "Figure 5: PCA of training and generated bars",
    "section4": "What the biaxial RNN makes of other music: own keys, backwards, major alone",
    "thinning": "Both metrics as notes are deleted",
    "sameness": "How like the RBM's reconstructions are to each other and to their inputs",
    "restoration": "What ways of mending gain on corrupted music and lose on clean music",
    "densities": "Notes per step over the LSTM's epochs under both losses",
}


def speed() -> str:
    """The block on speed, from what `make bench` wrote."""
    record = json.loads((BENCHMARKS / "bench-speed.json").read_text())
    tables = {
        "Training, one iteration": record["training"],
        "Composing with the biaxial network, float32": record["composing"],
        "What goes before": record["preparing"],
        "How cost grows with size, 1 being in proportion": record["growth"],
        "Runs side by side": record["side_by_side"],
    }
    rates = ", ".join(f"{k} {v}" for k, v in record["GFLOP/s of large products"].items())
    machine = f"{record['machine']}, {record['device']}, torch {record['torch']}"
    parts = [f"Machine: {machine}; large products run at {rates} GFLOP/s."]
    for title, rows in tables.items():
        if rows:
            parts.append(f"**{title}**:\n\n{markdown(list(rows[0]), [r.values() for r in rows])}")
    return "\n\n".join(part.strip() for part in parts) + "\n\n" + precision()


def precision() -> str:
    """What bfloat16 costs in held-out loss."""
    models = json.loads((BENCHMARKS / "bench-precision.json").read_text())["models"]
    rows = [
        [
            name,
            result["iterations"],
            *("{:.5g} to {:.5g}".format(*result[kind]["interval"]) for kind in ("fp32", "bf16")),
            "{:+.1f} to {:+.1f}".format(*result["bf16 above fp32, %"]),
        ]
        for name, result in models.items()
    ]
    header = ["model", "iterations", "float32", "bfloat16", "bfloat16 above, same seed, %"]
    title = (
        "**Held-out loss in bfloat16 and in float32**, 95 % intervals of the mean over three seeds"
    )
    return f"{title}:\n\n{markdown(header, rows)}\n"


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
    young = min(k[3] for k in numbers if k[:2] == ("windowed RBM", tune))
    pieces = numbers["corpus", "main", "pieces"]["value"]
    sentences = (
        f"**Scale.** {CAVEAT[profile]} Main is {pieces:.0f} pieces, mostly chorales.",
        "**Curriculum.** It ends lower on held-out music in"
        f" {lower_with_curriculum('biaxial')} for the biaxial RNN and in"
        f" {lower_with_curriculum('lstm')} for the LSTM.",
        "**ISL.** It rewards silence: deleting nine notes of ten from real music raises it from"
        f" {value('thinned', 'real, 100 %', 'ISL', digits=0)} to"
        f" {value('thinned', 'real, 10 %', 'ISL', digits=0)} nats per bar; bits saved per note, our"
        f" repair, falls from {value('thinned', 'real, 100 %', 'bits saved')} to"
        f" {value('thinned', 'real, 10 %', 'bits saved')}.",
        "**Learning.** Started as published, the biaxial RNN stays on the plateau of one constant"
        f" rate: {sum(map(bool, started))} of {len(started)} seeds leave it within a short trial."
        f" With few notes at first and a note index from 0 to 1, {sum(map(bool, mended))} of"
        f" {len(mended)} do.",
        "**RBM.** Its one tune is its random numbers: with the same ones outputs are"
        f" {value('windowed RBM', tune, 'to each other', young)} alike where inputs are"
        f" {value('windowed RBM', 'inputs', 'to each other')}. A conditional RBM mends, by"
        f" {value('mending', 'conditional RBM, anywhere', 'gain', digits=3)} of F1.",
    )
    return "".join(f"{i}. {sentence}\n" for i, sentence in enumerate(sentences, start=1))


CURES = "few notes at first and index from 0 to 1"
CAVEAT = {
    "quick": "No run of published size yet: networks and training are many times smaller, so signs"
    " may hold, levels do not.",
    "paper": "These are runs of published size, on other music than the paper's.",
}


def blocks(profile: str) -> dict[Path, dict[str, str]]:
    """What stands between the marks of each page."""
    return {
        README: {"findings": findings(profile)},
        DOCS / "results.md": {"numbers": numbers(profile)},
        DOCS / "speed.md": {"speed": speed()},
    }


def refreshed(text: str, made: dict[str, str]) -> str:
    """A page's text with its blocks of numbers made anew."""
    for name, block in made.items():
        between = re.compile(f"(<!-- {name} -->\n).*(<!-- /{name} -->)", re.DOTALL)
        text = between.sub(lambda match, block=block: match[1] + block + match[2], text)
    return text


def refresh() -> None:
    """Bring the pages up to date with the result files, where there are any."""
    profile = shown_profile()
    if (ROOT / "results" / profile / "results.csv").exists():
        for page, made in blocks(profile).items():
            write_text(page, refreshed(page.read_text(encoding="utf-8"), made))
