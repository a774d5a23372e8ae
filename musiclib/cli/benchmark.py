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
    "--iterations",
    type=options.POSITIVE,
    help="How long a trial is trained.  [default: as long as the recipe]",
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
    from musiclib.paper.benchmark import NETWORKS, SETS, TRIALS, must_be_known
    from musiclib.paper.benchmark_kept import COLUMNS, kept

    for name in sets:
        must_be_known(name, SETS)
    if given["iterations"] and given["trial"] is None:
        raise InputError("--iterations is said of a --trial")
    networks = [network] if network else [*NETWORKS]
    for each in networks:
        must_be_known(each, NETWORKS)
        if given["trial"] is not None:
            must_be_known(given["trial"], TRIALS[each])
    options.must_hold_runs(runs)
    if results.exists() and not results.is_dir():
        raise InputError(f"--results {results}: it is a file; name a folder")
    for table in COLUMNS:
        if (results / table).exists():
            kept(table, results)
    for name in sets or SETS:
        for each in networks:
            _one(each, name, runs=runs, results=results, **given)


def _one(
    network: str,
    name: str,
    *,
    seeds: int,
    trial: str | None,
    iterations: int | None,
    test: bool,
    runs: Path,
    results: Path,
) -> None:
    """Train a network on a set, and print what is kept of it."""
    from musiclib.paper.benchmark import TRIALS, run_config, train
    from musiclib.paper.benchmark_kept import PARTS, RECIPE, keep

    changes = dict(TRIALS[network][trial]) if trial else {}
    if iterations:
        changes["iterations"] = iterations
    configs = [run_config(network, name, seed, **changes) for seed in range(seeds)]
    trained = train(configs, name, runs)
    change = f"trial: {trial}" if trial else RECIPE
    table = keep(network, name, trained, change, test=test, folder=results)
    for row in table.astype(dict.fromkeys(PARTS, float)).to_dict("records"):
        values = ", ".join(f"{part} {row[part]:.3f}" for part in PARTS if row[part] < 0)
        where = f"{network}, {name}, {change or 'recipe'}, seed {row['seed']}"
        print(f"{where}: {values} nats per frame")
