"""`benchmark`: both networks on the four piano-roll sets."""

from pathlib import Path
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.cli import options


@click.command(epilog=options.example("benchmark 'JSB chorales' --network 'biaxial RNN' --seeds 1"))
@click.argument("sets", nargs=-1)
@click.option("--network", help="biaxial RNN or LSTM.  [default: both]")
@click.option("--seeds", type=options.SEEDS, default=3, show_default=True)
@click.option("--trial", help="A change of a network's recipe, by its name; it is never tested.")
@click.option(
    "--long", is_flag=True, help="A trial for as long as the recipe, not 1,000 iterations."
)
@click.option("--test", is_flag=True, help="Measure on the test pieces, too: once for each run.")
@click.option("--runs", type=options.PATH, default=ROOT / "runs", help="Folder of runs.")
@click.option(
    "--results",
    type=options.PATH,
    default=ROOT / "results" / "likelihood",
    help="Folder of the tables that are kept.",
)
def benchmark(
    sets: tuple[str, ...], network: str | None, runs: Path, results: Path, **given: Any
) -> None:
    """Train on the piano-roll SETS of Boulanger-Lewandowski et al.; say the likelihood per frame.

    SETS are 'JSB chorales', MuseData, Nottingham and Piano-midi.de, by default all; what is missing
    is downloaded. Nothing is trained or measured twice.
    """
    from musiclib.paper.benchmark import NETWORKS, SETS, must_be_known, trials
    from musiclib.paper.benchmark_kept import ROWS, kept

    for name in sets:
        must_be_known(name, SETS)
    if given["long"] and given["trial"] is None:
        raise InputError("--long is said of a --trial")
    networks = [network] if network else [*NETWORKS]
    for each in networks:
        known = trials(each)
        if given["trial"] is not None:
            must_be_known(given["trial"], known)
    options.must_hold_runs(runs)
    if results.exists() and not results.is_dir():
        raise InputError(f"--results {results}: it is a file; name a folder")
    if (results / ROWS).exists():
        kept(ROWS, results)
    for name in sets or SETS:
        for each in networks:
            _one(each, name, runs=runs, results=results, **given)


def _one(
    network: str,
    name: str,
    *,
    seeds: int,
    trial: str | None,
    long: bool,
    test: bool,
    runs: Path,
    results: Path,
) -> None:
    """Train a network on a set, and print what is kept of it."""
    from musiclib.paper.benchmark import run_config, train, trials
    from musiclib.paper.benchmark_kept import PARTS, RECIPE, keep

    changes = trials(network, long)[trial] if trial else {}
    configs = [run_config(network, name, seed, **changes) for seed in range(seeds)]
    trained = train(configs, name, runs)
    change = f"trial: {trial}" if trial else RECIPE
    table = keep(network, name, trained, change, test=test and not trial, folder=results)
    for row in table.dropna(axis="columns", how="all").to_dict("records"):
        values = ", ".join(f"{part} {row[part]:.3f}" for part in PARTS if part in row)
        where = f"{network}, {name}, {change or 'recipe'}, seed {row['seed']}"
        print(f"{where}: {values} nats per frame")
