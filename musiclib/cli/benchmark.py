"""`benchmark`: both networks on the four piano-roll sets."""

from pathlib import Path
from typing import Any

import click

from musiclib.base.files import ROOT
from musiclib.cli import options


@click.command(epilog=options.example("benchmark 'JSB chorales' --network 'biaxial RNN' --seeds 1"))
@click.argument("sets", nargs=-1)
@click.option("--network", help="biaxial RNN or LSTM.  [default: both]")
@click.option("--seeds", type=options.SEEDS, default=3, show_default=True)
@click.option("--trial", help="A change of the recipe, by its name; it is never tested.")
@click.option("--test", is_flag=True, help="Measure on the test pieces, too: once for each run.")
@click.option("--runs", type=options.PATH, default=ROOT / "runs", help="Folder of runs.")
@click.option(
    "--results",
    type=options.PATH,
    default=ROOT / "results" / "likelihood",
    help="Folder of the tables that are kept.",
)
def benchmark(sets: tuple[str, ...], network: str | None, **given: Any) -> None:
    """Train on the piano-roll SETS of Boulanger-Lewandowski et al.; say the likelihood per frame.

    SETS are 'JSB chorales', MuseData, Nottingham and Piano-midi.de, by default all; what is missing
    is downloaded. Nothing is trained or measured twice.
    """
    from musiclib.paper.benchmark import NETWORKS, SETS

    for name in sets or SETS:
        for each in [network] if network else NETWORKS:
            _one(each, name, **given)


def _one(
    network: str, name: str, seeds: int, trial: str | None, test: bool, runs: Path, results: Path
) -> None:
    """Train a network on a set, and print what is kept of it."""
    from musiclib.base.errors import InputError
    from musiclib.paper.benchmark import run_config, train, trials
    from musiclib.paper.benchmark_kept import RECIPE, keep

    known = trials(network)
    if trial is not None and trial not in known:
        raise InputError(f"unknown trial {trial!r}: choose one of {', '.join(known)}")
    changes = known[trial] if trial else {}
    trained = train(
        [run_config(network, name, seed, **changes) for seed in range(seeds)], name, runs
    )
    table = keep(network, name, trained, trial or RECIPE, test=test and not trial, folder=results)
    for row in table.itertuples():
        tested = "" if table["test"].isna()[row.Index] else f", test {row.test:.3f}"
        where = f"{row.network}, {row.set}, {row.change}, seed {row.seed}"
        print(f"{where}: validation {row.validation:.3f}{tested} nats per frame, {row.minutes} min")
