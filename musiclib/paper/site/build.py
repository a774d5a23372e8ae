"""Building the site: written aside, then put in the place of the old one."""

import shutil
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.base.writing import replacing_folder, write_text
from musiclib.paper import profiles
from musiclib.paper.site import layout
from musiclib.paper.site.first_page import first_page
from musiclib.paper.site.pages import page
from musiclib.paper.site.shown_figures import shown_figures
from musiclib.paper.site.sources import Sources


@dataclass(frozen=True)
class Built:
    """A site that was built: its folder, the notebooks that have a page, and those that lack it."""

    folder: Path
    pages: list[str]
    missing: list[str]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def build(profile: str, root: Path = ROOT) -> Built:
    """Build site/<profile> from what was run, and site/index.html, which leads there.

    Runs nothing: notebooks that were not executed have no page. Raises InputError for an unknown
    profile, or one of which there are no results at all.
    """
    profiles.profile(profile)
    sources = Sources(profile, root)
    if not any(sources.results.glob("[0-9]*.json")):
        raise InputError(f"nothing was run in profile {profile}: make paper site PROFILE={profile}")
    pages = [name for name in sources.notebooks if name not in sources.missing]
    with replacing_folder(sources.target) as folder:
        for name in pages:
            write_text(folder / f"{name}.html", page(sources.notebooks[name], name, sources))
        _copy_figures(sources, folder)
        write_text(folder / layout.FIRST_PAGE, first_page(sources, folder))
    write_text(sources.target.parent / layout.FIRST_PAGE, _leading_to(profile))
    return Built(sources.target, pages, sources.missing)


def _copy_figures(sources: Sources, folder: Path) -> None:
    (folder / "figures").mkdir()
    for figure in chain(*shown_figures(sources)):
        shutil.copy(figure.path, folder / "figures")


def _leading_to(profile: str) -> str:
    return layout.rendered("leading.html.j2", address=f"{profile}/{layout.FIRST_PAGE}")
