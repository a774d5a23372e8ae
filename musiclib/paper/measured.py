"""The blocks of docs/ that are made from what the benchmarks wrote."""

import json

import pandas as pd

from musiclib.base.files import ROOT
from musiclib.paper import claims, experiment_rows
from musiclib.paper.benchmark_kept import kept
from musiclib.paper.experiment_rows import HEADER as EXPERIMENTS
from musiclib.paper.kept import how, kept_runs
from musiclib.paper.kept_findings import findings
from musiclib.paper.kept_numbers import numbers_of_kept
from musiclib.paper.kept_tables import table_1
from musiclib.paper.likelihood_table import table
from musiclib.paper.profiles import PAPER
from musiclib.paper.results import markdown

BENCHMARKS = ROOT / "results"


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


def at_published_size() -> str:
    """The tables of notebook 16: the runs, Table 1, the experiments, the claims."""
    runs = kept_runs(PAPER.name)
    numbers, rows = numbers_of_kept(runs), [how(run) for run in runs.values()]
    ended = [name for name, run in runs.items() if run.finished]
    tables = {
        "What was trained": markdown(list(rows[0]), [list(row.values()) for row in rows]),
        "Table 1": table_1(runs)[0],
        "The experiments": markdown(EXPERIMENTS, experiment_rows.rows(numbers, ended, runs)),
        "The paper's claims, from these runs alone": claims.table(numbers),
    }
    return "\n".join(f"**{title}**\n\n{text}" for title, text in tables.items())


def findings_at_published_size() -> str:
    """What the kept runs show, in sentences."""
    return "".join(f"- {sentence}\n" for sentence in findings(kept_runs(PAPER.name)))


def peers() -> str:
    """The table of how other libraries read, from what `make bench-peers` wrote."""
    table = pd.read_csv(BENCHMARKS / "bench-peers.csv", dtype=str, keep_default_na=False)
    shown = table.drop(columns="version")
    return markdown(list(shown), shown.to_numpy().tolist())


def data() -> str:
    """The table on large collections, from what `make bench-data` wrote."""
    record = json.loads((BENCHMARKS / "bench-data.json").read_text())
    rows = [(k, f"{v:.3g}" if isinstance(v, float) else v) for k, v in record.items()]
    return markdown(["what", "value"], rows)


def likelihood() -> str:
    """The benchmark's table, of the runs that are kept."""
    return table(kept())


MEASURED = {
    "likelihood": likelihood,
    "data": data,
    "keys": keys,
    "peers": peers,
    "published size": at_published_size,
    "published findings": findings_at_published_size,
    "speed": speed,
    "wrong keys": wrong_keys,
}
