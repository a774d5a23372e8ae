"""The figures that notebooks save, with their captions and words for who cannot see them."""

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from musiclib.paper.site.sources import Sources

SAVED = re.compile(r'figures\.save\(.*?study\.figures,\s*"([\w-]+)"', re.DOTALL)
ALT = re.compile(r'<img[^>]*\balt="([^"]*)"')
OF_THE_PAPER = ("figure1", "figure2", "figure3a", "figure3b", "figure4", "figure5")
SUFFIXES = (".svg", ".png")  # the first that is there is shown


@dataclass(frozen=True)
class Shown:
    """A figure as the first page shows it: `size` is width and height in pixels, if known.

    `cell` is the anchor of what made it on the page of its notebook.
    """

    name: str
    path: Path
    caption: str
    alt: str
    notebook: str
    cell: str
    size: tuple[int, int] | None

    @property
    def wide(self) -> bool:
        """Whether it needs the whole width to be read."""
        return self.size is None or self.size[0] > 1.3 * self.size[1]


def shown_figures(sources: Sources) -> tuple[list[Shown], list[Shown]]:
    """The paper's figures in its order and ours in that of the notebooks, those that are there."""
    every = [
        figure
        for name, notebook in sources.notebooks.items()
        for figure in figures_of(notebook, name, sources.figures)
    ]
    paper = sorted(
        (figure for figure in every if figure.name in OF_THE_PAPER), key=lambda figure: figure.name
    )
    return paper, [figure for figure in every if figure.name not in OF_THE_PAPER]


def figures_of(notebook: Any, name: str, folder: Path) -> Iterator[Shown]:
    """The figures that a notebook saves to `folder`, where they are there."""
    following = [*notebook.cells[1:], None]
    for cell, after in zip(notebook.cells, following, strict=True):
        saved = SAVED.search(cell.source) if cell.cell_type == "code" else None
        path = saved and _file(folder, saved[1])
        if path:
            caption = _caption(after)
            alt = _alt(cell) or caption or f"Figure {saved[1]}"
            yield Shown(saved[1], path, caption, alt, name, cell.id, _size(path))


def _file(folder: Path, name: str) -> Path | None:
    paths = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    return next((path for path in paths if path.exists()), None)


def _caption(cell: Any) -> str:
    """The caption below a figure: the first paragraph of the next cell, if it is in italics."""
    if cell is None or cell.cell_type != "markdown":
        return ""
    first = cell.source.split("\n\n")[0].strip()
    return first[1:-1] if re.fullmatch(r"\*[^*].*\*", first, re.DOTALL) else ""


def _alt(cell: Any) -> str:
    """The words that the cell has shown with the figure, or those that stand in its code."""
    for output in cell.get("outputs", []):
        if found := ALT.search(output.get("data", {}).get("text/html", "")):
            return unescape(found[1])
    return next(_literals(cell.source), "")


def _literals(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["alt"]:
            try:
                yield str(ast.literal_eval(node.value))
            except ValueError:  # put together from numbers
                return


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height of a PNG, from its header."""
    head = path.read_bytes()[:24]
    return struct.unpack(">II", head[16:24]) if head.startswith(b"\x89PNG") else None
