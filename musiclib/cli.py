"""The command line: `python -m musiclib COMMAND --help`."""

import argparse
import errno
import json
import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

from musiclib.errors import NO_SPACE, InputError
from musiclib.files import ROOT

PRECISIONS = ("fp32", "tf32", "bf16")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; faults of input or machine end in one sentence and status 1."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except InputError as error:
        sys.exit(f"musiclib: {error}")
    except OSError as error:
        sys.exit(f"musiclib: {_machine_fault(error)}")
    except BrokenProcessPool:
        sys.exit("musiclib: a worker process was killed, or out of memory; run the command again")
    except KeyboardInterrupt:
        sys.exit("musiclib: stopped; the same command goes on from here")


def _machine_fault(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return NO_SPACE
    return f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="python -m musiclib", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands)
    _add_compose(commands)
    _add_mend(commands)
    _add_isl(commands)
    _add_evaluate(commands)
    _add_corpus(commands)
    _add_notebook(commands)
    readme = commands.add_parser("readme", help="make the README's numbers from the result files")
    readme.set_defaults(command=_readme)
    return top


def _add_train(commands) -> None:  # noqa: ANN001
    train = commands.add_parser("train", help="train a model; killed and started again it goes on")
    train.set_defaults(command=_train)
    train.add_argument("model", choices=("lstm", "biaxial", "rbm", "conditional-rbm"))
    _add_music(train)
    train.add_argument("--curriculum", action="store_true", help="train on the levels first")
    train.add_argument("--seed", type=_count, default=0)
    train.add_argument("--iterations", type=_positive, help="on the main corpus")
    train.add_argument("--level-iterations", type=_positive, help="on each level (--curriculum)")
    train.add_argument("--loss", choices=("categorical", "bernoulli"), help="of the LSTM")
    train.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="fp32",
        help="of products (default: fp32)",
    )
    train.add_argument("--learning-rate", type=float, help="of either network")
    train.add_argument(
        "--form",
        choices=("default", "published"),
        default="default",
        help="of either network: what learns best, or start, cell and windows as published",
    )
    train.add_argument("--mode", choices=("all", "major", "minor"), default="all")
    train.add_argument("--reverse", action="store_true", help="train on music played backwards")
    train.add_argument("--no-key-normalisation", action="store_true")
    train.add_argument("--runs", type=Path, default=ROOT / "runs", help="folder of runs")


def _add_compose(commands) -> None:  # noqa: ANN001
    compose = commands.add_parser("compose", help="compose MIDI files with trained weights")
    compose.set_defaults(command=_compose)
    compose.add_argument("weights", type=Path, help="weights-*.safetensors of a run")
    compose.add_argument("folder", type=Path, help="a new folder for 1.mid, 2.mid, ...")
    compose.add_argument("--pieces", type=_positive, default=25)
    compose.add_argument("--steps", type=_positive, default=1280, help="sixteenths a piece")
    compose.add_argument("--seed", type=_count, default=0)
    compose.add_argument("--conservativity", help="paper, off or a number (default: as published)")
    compose.add_argument("--temperature", type=float, default=1.0)
    compose.add_argument("--primer", default="none", help="none, corpus, or a MIDI file")
    compose.add_argument("--primer-steps", type=_positive, default=16, help="of a MIDI file")
    compose.add_argument(
        "--postprocess", type=Path, help="weights of a conditional RBM that mends the pieces"
    )
    _add_music(compose)


def _add_mend(commands) -> None:  # noqa: ANN001
    mend = commands.add_parser(
        "mend",
        help="mend small dissonances and gaps of MIDI files with a conditional RBM",
        description="Weights are those of `train conditional-rbm`.",
    )
    mend.set_defaults(command=_mend)
    mend.add_argument("weights", type=Path, help="weights-*.safetensors of a run")
    mend.add_argument("folder", type=Path, help="folder of MIDI files")
    mend.add_argument("new", type=Path, help="a new folder for the mended files")


def _add_isl(commands) -> None:  # noqa: ANN001
    isl = commands.add_parser(
        "isl",
        help="likelihood of held-out music under generated music, as published or repaired",
        description="Files are scored as they are. Models trained on key-normalised music compose"
        " in C major and A minor: held-out files in other keys score lower for that alone.",
    )
    isl.set_defaults(command=_isl)
    _add_folders(isl)
    isl.add_argument(
        "--estimator",
        choices=("paper", "mixture"),
        default="paper",
        help="paper: published ISL, nats a measure; mixture: bits saved a note, nothing dropped",
    )
    isl.add_argument("--json", action="store_true", help="print one JSON object")


def _add_evaluate(commands) -> None:  # noqa: ANN001
    evaluate = commands.add_parser(
        "evaluate",
        help="all measures of generated music beside what real music reaches",
        description="Files are scored as they are, in the keys that they are in.",
    )
    evaluate.set_defaults(command=_evaluate)
    _add_folders(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")


def _add_folders(command: argparse.ArgumentParser) -> None:
    command.add_argument("generated", type=Path, help="folder of MIDI files")
    command.add_argument("held_out", type=Path, help="folder of real MIDI files")
    command.add_argument(
        "--reference",
        type=Path,
        help="folder of training MIDI files, which independent notes and plagiarism refer to"
        " (default: the held-out ones; published ISL needs none)",
    )
    command.add_argument("--seed", type=_count, default=0, help="of fits, draws and intervals")


def _add_corpus(commands) -> None:  # noqa: ANN001
    corpus = commands.add_parser("corpus", help="read a corpus and say what is in it")
    corpus.set_defaults(command=_corpus)
    _add_music(corpus)
    corpus.add_argument("--save", type=Path, help="write it to one .npz, for other machines")


def _add_notebook(commands) -> None:  # noqa: ANN001
    notebook = commands.add_parser("notebook", help="run a numbered notebook")
    notebook.set_defaults(command=_notebook)
    notebook.add_argument("name", help="such as 01-corpus; 'check' only checks the options")
    notebook.add_argument("--seeds", default="1")
    notebook.add_argument("--precision", choices=PRECISIONS, default="fp32")
    notebook.add_argument("--stamp", type=Path, help="with 'check': file to note the options in")
    _add_music(notebook)


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 up")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 up")
    return int(text)


def _add_music(command: argparse.ArgumentParser) -> None:
    command.add_argument("--profile", default="smoke", help="smoke, quick or paper")
    command.add_argument("--corpus", default="", help="MIDI folder or .npz (default: music21's)")


def _train(options: argparse.Namespace) -> None:
    from musiclib.corpus import read_corpus
    from musiclib.models import computed_in
    from musiclib.profiles import profile
    from musiclib.runs import RunConfig, train_runs
    from musiclib.training import check_precision

    check_precision(options.precision)
    chosen = profile(options.profile)
    model = replace(chosen.config(options.model), **_changes(options))
    if computed_in(model, options.precision) != options.precision:
        raise InputError(f"--precision {options.precision}: RBMs and the published cell know fp32")
    config = RunConfig(
        model,
        curriculum=options.curriculum,
        seed=options.seed,
        normalise=not options.no_key_normalisation,
        mode=options.mode,
        reverse=options.reverse,
        precision=options.precision,
        held_out_every=chosen.held_out_every[options.model],
        held_out_batches=chosen.held_out_batches,
    )
    print(f"profile {chosen.name}: {chosen.cost}", file=sys.stderr)
    corpus = read_corpus(options.corpus, chosen.scores_per_group)
    print("\n".join(corpus.complaints()), file=sys.stderr)
    [run] = train_runs([config], corpus, options.runs)
    print(f"{run.weights()}\nlast loss {run.losses['loss'].iloc[-1]:.4f}")
    if options.model in ("lstm", "biaxial"):
        print(("learned: " if run.verdict.learned else "did not learn: ") + run.verdict.why)


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    """What the options change of the model's configuration."""
    from musiclib.models import PUBLISHED

    if options.loss and options.model != "lstm":
        raise InputError("--loss is the LSTM's: the biaxial RNN's likelihood is always Bernoulli")
    if options.form == "published" and options.model not in PUBLISHED:
        raise InputError("--form is the networks': leave it out for an RBM")
    if options.learning_rate is not None and options.model not in ("lstm", "biaxial"):
        raise InputError("--learning-rate is the networks': leave it out for an RBM")
    names = ("iterations", "level_iterations", "loss", "learning_rate")
    given = {name: getattr(options, name) for name in names}
    form = PUBLISHED[options.model] if options.form == "published" else {}
    return form | {name: value for name, value in given.items() if value is not None}


def _compose(options: argparse.Namespace) -> None:
    from musiclib.compositions import compose_to_folder

    compose_to_folder(
        options.weights,
        options.folder,
        pieces=options.pieces,
        steps=options.steps,
        seed=options.seed,
        conservativity=_conservativity(options.conservativity),
        temperature=options.temperature,
        primer=_primer(options),
        primer_steps=options.primer_steps,
        postprocess=options.postprocess,
    )
    print(options.folder)


def _mend(options: argparse.Namespace) -> None:
    from musiclib.postprocessing import load_machine, mend_folder

    print(mend_folder(load_machine(options.weights), options.folder, options.new))


def _conservativity(text: str | None) -> str | float | None:
    if text in (None, "paper", "off"):
        return text
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--conservativity {text}: give paper, off or a number") from None


def _primer(options: argparse.Namespace):  # noqa: ANN202
    from musiclib.corpus import prepare, read_corpus
    from musiclib.profiles import profile
    from musiclib.runs import load_weights

    if options.primer == "none":
        return None
    if options.primer != "corpus":
        return Path(options.primer)
    corpus = read_corpus(options.corpus, profile(options.profile).scores_per_group)
    _, run = load_weights(options.weights)
    return prepare(corpus, normalise=run["normalise"], reverse=run["reverse"]).main


def _isl(options: argparse.Namespace) -> None:
    generated, held_out, reference = _folders(options)
    if options.estimator == "mixture":
        score, unit = _bits_saved(generated, held_out, reference, options.seed)
    else:
        from musiclib.isl import isl_of_pieces

        score, unit = isl_of_pieces(generated, held_out), "nats a measure"
    if options.json:
        print(json.dumps(score._asdict()))
        return
    value = "none: every held-out measure was dropped" if score.isl is None else f"{score.isl:.4f}"
    print(f"ISL {value} {unit}; {score.held_out_measures} held-out measures, of which"
          f" {score.dropped} dropped; {score.generated_measures} generated measures")  # fmt: skip


def _bits_saved(generated: list, held_out: list, reference: list | None, seed: int) -> tuple:
    from musiclib.bits_saved import bits_saved_of_pieces
    from musiclib.isl import Score
    from musiclib.measures import cell_frequencies, piece_measures

    given = None if reference is None else cell_frequencies(reference)
    value, low, high, _ = bits_saved_of_pieces(generated, held_out, given, seed)
    counts = len(piece_measures(generated)), len(piece_measures(held_out))
    spread = "one held-out piece" if low is None else f"95 % interval {low:.4f} to {high:.4f}"
    return Score(value, *counts, dropped=0), f"bits saved a note ({spread})"


def _folders(options: argparse.Namespace) -> list[list | None]:
    from musiclib.sources import read_folder

    folders = options.generated, options.held_out, options.reference
    return [None if folder is None else list(read_folder(folder).values()) for folder in folders]


def _evaluate(options: argparse.Namespace) -> None:
    from musiclib.evaluation import evaluate, table
    from musiclib.sources import read_folder

    reference = None if options.reference is None else read_folder(options.reference)
    generated, held_out = read_folder(options.generated), read_folder(options.held_out)
    result = evaluate(generated, held_out, reference, options.seed)
    print(json.dumps(result, allow_nan=False) if options.json else table(result))


def _corpus(options: argparse.Namespace) -> None:
    from musiclib.corpus import read_corpus, save
    from musiclib.profiles import profile

    corpus = read_corpus(options.corpus, profile(options.profile).scores_per_group)
    for line in corpus.summary():
        print(line)
    if options.save:
        save(corpus, options.save)


def _notebook(options: argparse.Namespace) -> None:
    from musiclib import notebooks
    from musiclib.profiles import profile

    values = {
        "profile": options.profile,
        "corpus": options.corpus,
        "seeds": _seeds(options.seeds),
        "precision": options.precision,
    }
    if options.name != "check":
        notebooks.run(options.name, values)
        return
    settings = notebooks.settings(values)
    if options.stamp:
        notebooks.stamp(settings, options.stamp)
    print(f"profile {options.profile}: {profile(options.profile).cost}")


def _seeds(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"SEEDS={text}: give a whole number of at least 1")
    return int(text)


def _readme(_options: argparse.Namespace) -> None:
    from musiclib import readme

    readme.refresh()
