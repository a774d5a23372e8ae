"""What comes with the package: small trained weights, the chorales behind them, pieces to hear.

The folder `musiclib/shipped` has a card that says of each what it is, where it comes from and under
which licence it may be passed on.
"""

from pathlib import Path

import musiclib
from musiclib.base.errors import InputError
from musiclib.base.files import expanded
from musiclib.corpus import saved
from musiclib.corpus.sets import Corpus

FOLDER = Path(musiclib.__file__).parent / "shipped"
CHORALES = FOLDER / "chorales.npz"
PIECES = FOLDER / "pieces"
SUFFIX = ".safetensors"


def names() -> list[str]:
    """The names of the shipped weights: biaxial, biaxial-backwards, conditional-rbm, lstm."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def weights_of(name: str | Path) -> Path:
    """The file of shipped weights by name, or the file that is meant by a path.

    Raises InputError where there is neither.
    """
    if str(name) in names():
        return FOLDER / f"{name}{SUFFIX}"
    path = expanded(str(name))
    if not _is_file(path):
        raise InputError(
            f"{name}: no file of weights, nor shipped ones: choose one of {', '.join(names())}"
        )
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, say
        return False


def chorales() -> Corpus:
    """Bach's chorales in all voices, main and held out, with their true bars."""
    return saved.load(CHORALES)


def pieces() -> dict[str, Path]:
    """The MIDI files to hear, by name."""
    return {path.stem: path for path in sorted(PIECES.glob("*.mid"))}
