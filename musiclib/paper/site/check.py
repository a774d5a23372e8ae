"""What is wrong with a site: links and sources that lead nowhere, or to another machine."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"src", "srcset", "poster", "data", "background", "action"}  # attributes
ELSEWHERE = {"http", "https", "mailto"}
EMBEDDED = {"data", "blob", "about"}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[str, str]] = []  # what kind, and the address

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the anchors and addresses of an element."""
        for name, value in attrs:
            if name in ("id", "name") and tag != "meta":
                self.anchors.add(value or "")
            elif name in LOADS or (name == "href" and tag != "a"):
                self.links.append(("loads", value or ""))
            elif name == "href":
                self.links.append(("links to", value or ""))


def problems(folder: Path) -> list[str]:
    """What is wrong with the pages in a folder, a sentence each; empty where all is well.

    Every link and source must lead to a file in the folder, and if it names one to an anchor;
    nothing may be loaded from another machine. Links that a reader follows may lead there.
    """
    pages = {page: _parsed(page) for page in sorted(folder.resolve().rglob("*.html"))}
    return [
        f"{page.relative_to(folder.resolve())} {how} {address[:200]}: {wrong}"
        for page, parsed in pages.items()
        for how, address in parsed.links
        if (wrong := _wrong(page, how, address, pages))
    ]


def _wrong(page: Path, how: str, address: str, pages: dict[Path, _Page]) -> str:
    if address.partition(":")[0] in EMBEDDED:
        return ""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return "" if how == "links to" and parts.scheme in ELSEWHERE else "another machine"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return "no such file"
    if parts.fragment and (
        target not in pages or unquote(parts.fragment) not in pages[target].anchors
    ):
        return "no such anchor"
    return ""


def _parsed(page: Path) -> _Page:
    parsed = _Page()
    parsed.feed(page.read_text(encoding="utf-8"))
    return parsed
