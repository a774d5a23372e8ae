"""The house: each room imports only from the rooms below it, and no module is too large."""

import ast
from pathlib import Path
from statistics import median

import pytest

import musiclib

PACKAGE = Path(musiclib.__file__).parent
MAY_IMPORT = {
    "base": set(),
    "music": {"base"},
    "listening": {"base", "music"},
    "corpus": {"base", "music"},
    "models": {"base", "music", "corpus"},
    "training": {"base", "music", "corpus", "models"},
    "composing": {"base", "music", "corpus", "models", "training"},
    "metrics": {"base", "music"},
    "mending": {"base", "music", "metrics", "models"},
    "exploring": {
        "base",
        "music",
        "corpus",
        "models",
        "training",
        "composing",
        "metrics",
        "mending",
    },
}
MAY_IMPORT["exploring"] |= {"listening"}
MAY_IMPORT["paper"] = MAY_IMPORT["exploring"] | {"exploring"}
MAY_IMPORT["cli"] = {*MAY_IMPORT, "cli"}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def imported(path):
    """The modules of musiclib that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("musiclib."))
        if isinstance(node, ast.ImportFrom) and node.module == "musiclib":
            yield from (f"musiclib.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("musiclib."):
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_below(path):
    room = path.relative_to(PACKAGE).parts[0]
    rooms = {name.split(".")[1] for name in imported(path)} - {"__version__"}
    assert rooms - {room} <= MAY_IMPORT[room]


def test_every_room_says_what_lives_in_it_and_the_package_names_every_room():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(MAY_IMPORT)
    for room in rooms:
        assert f"``{room}``" in musiclib.__doc__
        assert ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text()))


def test_modules_are_short():
    lines = [len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")]
    assert max(lines) <= 250
    assert median(lines) < 110
