"""An executed notebook as a page for reading: code folded, no other machine asked."""

from typing import Any

from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from traitlets.config import Config

from musiclib.paper.site import layout
from musiclib.paper.site.sources import Sources, heading
from musiclib.paper.site.tidy import sections, tidied

HIDDEN = ["folded", "parameters"]  # tags of cells that stay out: checks, what was given is shown


def page(notebook: Any, name: str, sources: Sources, home: bool = True) -> str:
    """The page of a notebook; cells tagged folded stay out.

    It links to the pages of those that were executed, and if `home` to the first page.
    """
    links = sources.links(current=name)
    soup = tidied(cells(notebook), {link.name for link in links if link.href})
    number, title, about = heading(notebook)
    body = layout.rendered("notebook.html.j2", cells=markup(str(soup)), **_beside(links))
    return layout.whole(
        f"{number} · {title}",
        body,
        links,
        kind="notebook",
        sections=sections(soup),
        home=home,
        description=about,
    )


def cells(notebook: Any) -> str:
    """The cells of a notebook as HTML, without a page around them."""
    hide = {"enabled": True, "remove_cell_tags": HIDDEN}
    exporter = HTMLExporter(
        config=Config({"TagRemovePreprocessor": hide}),
        template_name="cells",
        extra_template_basedirs=[str(layout.TEMPLATES)],
    )
    return exporter.from_notebook_node(notebook)[0]


def prose(text: str) -> layout.Markup:
    """Markdown as HTML."""
    return markup(markdown2html(text).strip())


def inline(text: str) -> layout.Markup:
    """Markdown of one paragraph as HTML without the paragraph."""
    return markup(prose(text).removeprefix("<p>").removesuffix("</p>"))


def markup(html: str) -> layout.Markup:
    """HTML that a template is not to escape."""
    return layout.Markup(html)


def _beside(links: list) -> dict[str, Any]:
    """The pages before and after the current one, where there are any."""
    readable = [link for link in links if link.href]
    at = next((i for i, link in enumerate(readable) if link.current), None)
    if at is None:
        return {"before": None, "after": None}
    return {
        "before": readable[at - 1] if at else None,
        "after": readable[at + 1] if at + 1 < len(readable) else None,
    }
