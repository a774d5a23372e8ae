"""Whole collections in data/: what is there is verified, what is missing is downloaded."""

import hashlib
import sys
from pathlib import Path

from filelock import FileLock

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.base.progress import waiting
from musiclib.base.writing import write_text
from musiclib.corpus.collections import Collection, Registered

DATA = ROOT / "data"
LICENCE = "LICENCE.txt"


def folder_of(collection: Collection) -> Path:
    """Where a collection's files lie, downloaded or put there by hand."""
    return DATA / collection.name


@waiting("checking what is there")
def wanting(collection: Collection) -> list[str]:
    """The paths of the files that are not there with the registered bytes, in order."""
    folder = folder_of(collection)
    return [path for path, file in collection.files.items() if not _is_right(folder / path, file)]


def _is_right(path: Path, file: Registered) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def bring(collection: Collection, **limits: float) -> Path:
    """The folder with all files of a collection, each verified; what is missing is downloaded.

    `limits` are those of `transfer.Limits`. Raises InputError where files are missing still, which
    says how many, why, and what to put where by hand.
    """
    folder = folder_of(collection)
    if wanting(collection):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{collection.name}.lock")):  # who waited finds all there
            _download(collection, folder, limits)
    return folder


def _download(collection: Collection, folder: Path, limits: dict[str, float]) -> None:
    from musiclib.corpus.crew import Crew  # here: what is there already needs neither pooch
    from musiclib.corpus.transfer import Limits  # nor requests, which take a while to import

    if not (missing := wanting(collection)):
        return
    told = f"{len(missing)} files, from {collection.origin}; {collection.licence}"
    print(f"downloading {collection.name}: {told}", file=sys.stderr)
    crew = Crew(collection, folder, Limits(**limits))
    crew.fetch(missing)
    still = wanting(collection)
    if len(still) < len(missing) and not (folder / LICENCE).exists():
        write_text(folder / LICENCE, licence_text(collection))
    if still:
        raise InputError(_sentence(collection, still, crew.reason))


def licence_text(collection: Collection) -> str:
    """What lies beside the files: whose they are, from where, under which licence."""
    return f"{collection.name}: {collection.licence}.\n\nFrom {collection.origin}.\n"


def _sentence(collection: Collection, missing: list[str], reason: str) -> str:
    folder = folder_of(collection)
    other = [path for path in missing if (folder / path).exists()]
    bytes_ = f" ({len(other)} there with other bytes, the first {other[0]})" if other else ""
    return (
        f"{len(missing)} of {len(collection.files)} files of {collection.name} are missing{bytes_},"
        f" the first {missing[0]}, and could not be downloaded ({reason}): put the files of"
        f" {collection.origin} into {folder}, as {folder / missing[0]}, and run it again"
    )
