"""What a profile's site is made from, and the names of its pages."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat

from musiclib.base.files import ROOT
from musiclib.paper import notebooks


@dataclass(frozen=True)
class Link:
    """A notebook as the contents of a page list it; without address where it has no page."""

    name: str
    number: str
    title: str
    about: str
    href: str | None
    current: bool = False


@dataclass(frozen=True)
class Sources:
    """A profile's results, figures and executed notebooks under `root`, and where its site goes."""

    profile: str
    root: Path = ROOT

    @property
    def results(self) -> Path:
        """The folder of result files."""
        return self.root / "results" / self.profile

    @property
    def figures(self) -> Path:
        """The folder of figures."""
        return self.root / "figures" / self.profile

    @property
    def target(self) -> Path:
        """The folder of the site."""
        return self.root / "site" / self.profile

    def executed(self, name: str) -> Path:
        """The executed copy of a notebook, there or not."""
        return self.results / "notebooks" / f"{name}.ipynb"

    @property
    def missing(self) -> list[str]:
        """The notebooks that were not executed here, by name."""
        return [name for name in notebooks.names() if not self.executed(name).exists()]

    @cached_property
    def notebooks(self) -> dict[str, Any]:
        """Every notebook by name, as executed, or as it is kept where it was not."""
        whole = {name: notebooks.FOLDER / f"{name}.ipynb" for name in notebooks.names()}
        paths = {n: self.executed(n) if self.executed(n).exists() else p for n, p in whole.items()}
        return {name: nbformat.read(path, as_version=4) for name, path in paths.items()}

    def links(self, current: str = "") -> list[Link]:
        """All notebooks for the contents of a page; `current` is the one whose page it is."""
        missing = set(self.missing) - {current}
        return [
            Link(
                name,
                *heading(notebook),
                None if name in missing else f"{name}.html",
                name == current,
            )
            for name, notebook in self.notebooks.items()
        ]


def heading(notebook: Any) -> tuple[str, str, str]:
    """A notebook's number, title and first sentences: its first cell is "# NN · Title" and more."""
    first, _, rest = notebook.cells[0].source.partition("\n")
    number, _, title = first.removeprefix("# ").rpartition(" · ")
    about = rest.strip().split("\n\n")[0]
    return number, title, "" if about.startswith(">") else _first_sentences(about)


def _first_sentences(text: str, most: int = 140) -> str:
    """Whole sentences from the beginning of a paragraph, until they are longer than `most`."""
    said = ""
    for sentence in text.split(". "):
        if said and len(said) + len(sentence) > most:
            break
        said += sentence.removesuffix(".") + ". "
    return said.strip()
