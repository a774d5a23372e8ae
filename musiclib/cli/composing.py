"""`compose` and `mend`: from weights to music."""

from pathlib import Path
from typing import Any

import click

from musiclib.base.errors import InputError
from musiclib.cli import options

EXAMPLES = (
    "# a first piece of 8 bars, and how it sounds",
    "compose --out piece.mid --audio piece.mp3",
    "# another one, longer, slower to surprise, in another key",
    'compose --out piece.mid --seed 7 --bars 24 --temperature 0.9 --key "D major"',
    "# go on from the first bar of a file of yours, and mend the result",
    "compose --primer song.mid --out piece.mid --mend conditional-rbm",
    "# the music that leads to an ending: by name, or a file's last two bars",
    "compose --ending authentic --out piece.mid",
    "# weights of your own: 25 pieces of 80 bars to judge by `evaluate`",
    "compose --weights runs/RUN/weights-final.safetensors --out pieces",
)
SOUND = {".mp3": 8_000, ".ogg": 8_000, ".wav": 90_000}  # bytes of a second, about
AUDIO = tuple(SOUND)
NO_FOLDER = (*AUDIO, ".flac", ".kar", ".xml", ".musicxml", ".mxl", ".pdf")  # ends of files' names
SLOWEST_STEP = 0.15  # seconds of a sixteenth, at the tempo of the LSTM
FORWARDS, BACKWARDS = "biaxial", "biaxial-backwards"
WEIGHTS = (
    f"Shipped ones by name ({FORWARDS}, {BACKWARDS}, lstm), or a file."
    f"  [default: {FORWARDS}, with --ending {BACKWARDS}]"
)
OUT = "A file, .mid: one piece. Else a new folder for 1.mid, 2.mid, ..."
BARS = "How long a piece is.  [default: 8, in a folder 80]"
PRIMER = "What begins it: none, corpus, or the first bar of a MIDI file."
ENDING = (
    "What ends it: authentic, plagal, half, deceptive, minor, picardy, or the last two bars of a"
    " MIDI file; for weights trained backwards."
)
BAR = "Sixteenths in a bar, 12 for 3/4 or 6/8: for what was trained with --metre all."
DENSITY = "Notes that sound at once, on average, say 4.  [default: as it comes]"
CORPUS = "What --primer corpus draws from, as in `train --corpus`.  [default: shipped chorales]"


@click.command(epilog=options.example(*EXAMPLES))
@click.option("--weights", type=options.NAME, help=WEIGHTS)
@click.option("--out", type=options.PATH, required=True, help=OUT)
@click.option("--audio", type=options.PATH, help="The piece as sound, too: .mp3, .ogg or .wav.")
@click.option("--bars", type=options.UNLIMITED, help=BARS)
@click.option("--key", default="", help='"D major", "F# minor", ...  [default: as composed]')
@click.option("--primer", type=options.NAME, default="none", show_default=True, help=PRIMER)
@click.option("--ending", type=options.NAME, default="", help=ENDING)
@click.option("--density", type=float, help=DENSITY)
@click.option("--temperature", type=float, default=1.0, show_default=True, help="Lower is safer.")
@click.option("--conservativity", help="paper, off or a number.  [default: as published]")
@click.option("--seed", type=options.SEED, default=0, show_default=True, help="Another, another.")
@click.option(
    "--mend",
    type=options.NAME,
    default="",
    help="Weights of a conditional RBM: conditional-rbm, or a file.",
)
@click.option("--pieces", type=options.UNLIMITED, help="In a folder.  [default: 25]")
@click.option("--bar", type=options.UNLIMITED, default=16, show_default=True, help=BAR)
@click.option("--corpus", type=options.NAME, default="", help=CORPUS)
@options.profile
@options.metre
def compose(
    out: Path,
    audio: Path | None,
    pieces: int | None,
    bars: int | None,
    corpus: str,
    profile: str,
    metre: Any,
    **wished: Any,
) -> None:
    """Compose a piece of music, or a folder of them, as MIDI."""
    from musiclib.base.files import expanded
    from musiclib.base.writing import must_be_writable, replacing_all
    from musiclib.exploring.wish import compose_folder, compose_wish
    from musiclib.exploring.wishes import Wish

    out, audio = expanded(out), expanded(audio) if audio else None
    one = _places(out, audio, pieces)
    wished["primer"] = wished["primer"] or "none"
    wished["weights"] = wished["weights"] or (BACKWARDS if wished["ending"] else FORWARDS)
    wished["conservativity"] = _conservativity(wished["conservativity"])
    wish = Wish(**wished, bars=bars or (8 if one else 80))
    if audio:
        _must_be_short(wish)
        must_be_writable(audio, int(wish.steps * SLOWEST_STEP * SOUND[audio.suffix.lower()]))
    music = _corpus(wish.primer, corpus, profile, metre)
    if not one:
        print(compose_folder(wish, out, pieces or 25, music))
        return
    with replacing_all(out, *filter(None, [audio])) as [aside, *aside_audio]:
        composed = compose_wish(wish, corpus=music)
        composed.write(aside)
        sounds = [composed.write_sound(path) for path in aside_audio]
    for path in (out, *(audio.with_name(sound.name) for sound in sounds)):
        print(path)
    click.echo(f"{composed.title}, {composed.key or 'silent'}", err=True)


def _places(out: Path, audio: Path | None, pieces: int | None) -> bool:
    """Whether one piece is asked for; raises InputError for what cannot be written."""
    from musiclib.base.writing import must_be_new, must_be_writable
    from musiclib.music.midi_folder import midi_suffix

    one = bool(midi_suffix(out.suffix))
    if out.suffix.lower() in NO_FOLDER:
        raise InputError(
            f"--out {out}: name it .mid; its sound goes to --audio, {', '.join(AUDIO)}"
        )
    if not one and audio:
        raise InputError(f"--audio {audio}: goes with one piece; name a file, .mid, in --out")
    if one and (pieces or 1) > 1:
        raise InputError(f"--pieces {pieces}: name a folder in --out, not {out}")
    if audio and audio.suffix.lower() not in AUDIO:
        raise InputError(f"--audio {audio}: name it {', '.join(AUDIO[:-1])} or {AUDIO[-1]}")
    if not one:
        must_be_new(out)
    for place in filter(None, (out, audio)):
        must_be_writable(place)
    return one


def _must_be_short(wish: Any) -> None:
    """Raise InputError for a piece that is too long to be rendered, before it is composed."""
    from musiclib.listening.sound import LONGEST

    most = int(LONGEST / SLOWEST_STEP) // wish.bar
    if wish.bars > most:
        raise InputError(f"--bars {wish.bars}: with --audio {most:,} are the most, an hour")


def _conservativity(text: str | None) -> str | float | None:
    if text in (None, "paper", "off"):
        return text
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--conservativity {text}: give paper, off or a number") from None


def _corpus(primer: str, corpus: str, profile: str, metre: Any) -> Any:
    """What a beginning is drawn from, if not from the shipped chorales."""
    from musiclib.corpus.assemble import read_corpus
    from musiclib.paper import profiles

    if not corpus:
        return None
    if primer != "corpus":
        raise InputError(f"--corpus {corpus}: goes with --primer corpus")
    music = read_corpus(corpus, profiles.profile(profile).scores_per_group, metre)
    music.say_complaints()
    return music


@click.command(epilog=options.example("mend conditional-rbm pieces mended"))
@click.argument("weights", type=options.PATH)
@click.argument("folder", type=options.PATH)
@click.argument("new", type=options.PATH)
def mend(weights: Path, folder: Path, new: Path) -> None:
    """Mend small dissonances and gaps of a FOLDER of MIDI files into a NEW one.

    WEIGHTS are those of `train conditional-rbm`, or conditional-rbm, which is shipped.
    """
    from musiclib.base.files import expanded
    from musiclib.base.writing import must_be_new, must_be_writable
    from musiclib.exploring.shipped import weights_of
    from musiclib.mending.folders import load_machine, mend_folder

    folder, new = expanded(folder), expanded(new)
    must_be_new(new)
    must_be_writable(new)
    print(mend_folder(load_machine(weights_of(weights)), folder, new))
