"""What the kept runs of published size show, in sentences made of their numbers."""

from collections.abc import Iterator, Sequence

from musiclib.corpus.levels import MAIN
from musiclib.paper.experiments import jobs
from musiclib.paper.kept import Kept, corpora_of, of_model
from musiclib.paper.kept_numbers import numbers_of_kept
from musiclib.paper.profiles import PAPER
from musiclib.paper.published import logged, published
from musiclib.training.runs import Run

SEEDS = 3
NEAR = 25  # iterations, up to the one that is told of, whose mean loss it is


def findings(kept: Kept) -> list[str]:
    """A sentence or two each on what there is, Table 1, the length of training and the biaxial RNN.

    What rests on a run that is not there is left out.
    """
    return [*_there(kept), *_table_1(kept), *_length(kept), *_biaxial(kept)]


def _there(kept: Kept) -> Iterator[str]:
    if not kept:
        yield "**Runs.** None is kept: `musiclib runs --profile paper` lists what to train."
        return
    ended = [name for name, run in kept.items() if run.finished]
    parts = [
        f"; {name} stands at iteration {run.record['iterations']:,} of"
        f" {sum(run.record['stages'].values()):,}"
        for name, run in kept.items()
        if not run.finished
    ]
    yield (
        f"**Runs.** {len(ended)} of {len(jobs(SEEDS))} are trained to the end{''.join(parts)}."
        f" Music: {'; '.join(corpora_of(kept).values())}."
    )


def _table_1(kept: Kept) -> Iterator[str]:
    numbers = numbers_of_kept(kept)
    epochs = [at for at in PAPER.lstm.checkpoints if ("lstm", "plain", "ISL", at) in numbers]
    if not epochs:
        return

    def row(what: str, digits: int, kind: str = "plain") -> str:
        return _listed([numbers["lstm", kind, what, at]["value"] for at in epochs], digits)

    dropped = max(numbers["lstm", "plain", "dropped", at]["value"] for at in epochs)
    [(_, run), *_] = of_model(kept, "lstm", ["plain"]).items()
    between = run.record["music"]["% of held-out bars struck between samples"]
    there = all(("lstm", "bernoulli", "density", at) in numbers for at in epochs)
    other = f"; with the Bernoulli loss {row('density', 1, 'bernoulli')}" if there else ""
    theirs = published()["table1"]
    known = dict(zip(theirs["epochs"], theirs["isl"], strict=True))
    yield (
        f"**Table 1.** The LSTM's ISL at epochs {_listed(epochs, 0)}: ours {row('ISL', 0)}, theirs"
        f" {_listed([known[at] for at in epochs], 0)}. Ours leaves out {dropped:.0f} % of the"
        f" held-out bars: {between:.0f} % strike notes between its samples. Notes per step:"
        f" {row('density', 1)}{other}; real music {run.record['music']['density']:.1f}."
    )


def _listed(values: Sequence[float | None], digits: int) -> str:
    return ", ".join("–" if v is None else f"{v:.{digits}f}".replace("-", "−") for v in values)


def _length(kept: Kept) -> Iterator[str]:
    run = of_model(kept, "lstm", finished=True).get(("plain", 0))
    if run is None:
        return
    held_out = run.held_out.set_index("iteration")["loss"]
    losses = run.losses.query("stage == @MAIN")["loss"]
    epoch = (held_out.idxmin() - _before_main(run)) / run.record["iterations_an_epoch"]
    then = losses.iloc[max(0, round(epoch) - 1)]
    apart = bool(held_out.iloc[-1] > held_out.min() and losses.iloc[-1] < then)
    yield (
        f"**Length.** The LSTM's held-out loss is lowest at epoch {epoch:.0f}, {held_out.min():.2f}"
        f" nats per sample, and {held_out.iloc[-1]:.2f} at the end; that of training is"
        f" {then:.2f} and {losses.iloc[-1]:.2f}.{' It learns its pieces by heart.' * apart}"
    )


def _before_main(run: Run) -> int:
    return sum(n for stage, n in run.record["stages"].items() if stage != MAIN)


def _biaxial(kept: Kept) -> Iterator[str]:
    run = of_model(kept, "biaxial").get(("plain", 0))
    log = logged().query("run == 'normalised'").set_index("at")["loss"]
    losses = run.losses.query("stage == @MAIN")["loss"] if run else []
    reached = [at for at in log.index if NEAR <= at <= len(losses)]
    if not reached:
        return
    at = int(reached[-1])
    ours = losses.iloc[at - NEAR : at].mean()
    as_low = losses.rolling(NEAR).mean().to_numpy() <= log[100]
    when = f"at {int(as_low.argmax()) + 1:,}" if as_low.any() else "not yet"
    verdict = "It learned" if run.verdict.learned else "It did not learn"
    yield (
        f"**Biaxial RNN.** {verdict}, without curriculum. At iteration {at:,} its loss is"
        f" {ours:,.0f} nats per batch, in the authors' log {log[at]:,.0f}; it comes down to"
        f" {log[100]:,.0f}, theirs at 100, {when}."
    )
