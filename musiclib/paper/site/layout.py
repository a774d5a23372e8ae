"""What every page has: its head with style and script, the bar on top, the contents."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from musiclib.paper.site.sources import Link

TEMPLATES = Path(str(files("musiclib.paper.site").joinpath("templates")))
FIRST_PAGE = "index.html"


def whole(
    title: str,
    body: str,
    pages: list[Link],
    *,
    kind: str,
    sections: list[tuple[str, str]] = (),
    home: bool = True,
    head: str = "",
    description: str = "",
) -> str:
    """A whole page around the HTML `body`, which asks no other machine and no other file.

    `kind` is the class of what is inside, `sections` are anchors and words for the contents; `home`
    says whether there is a first page to go to, `head` is more for the page's head.
    """
    parts = {name: Markup(text(name)) for name in ("style.css", "page.js")}
    return rendered(
        "layout.html.j2",
        title=title,
        body=Markup(body),
        pages=pages,
        kind=kind,
        sections=sections,
        home=FIRST_PAGE if home else "",
        head=Markup(head),
        description=description or title,
        style=parts["style.css"],
        script=parts["page.js"],
    )


def rendered(template: str, **values: Any) -> str:
    """A template of this package with values put in, escaped unless they are Markup."""
    return _environment().get_template(template).render(values)


@cache
def text(name: str) -> str:
    """A file beside the templates."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
