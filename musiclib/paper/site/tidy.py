"""What notebooks' HTML needs to stand in a page of the site: links, pictures, tables, scripts."""

import re
from collections.abc import Collection
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag

NOTEBOOK = re.compile(r"^(?:.*/)?(\d\d-[\w-]+)\.ipynb(#.*)?$")
OUTSIDE = ("http:", "https:", "mailto:")


def tidied(html: str, pages: Collection[str]) -> BeautifulSoup:
    """The HTML with what would ask another machine or file taken out, what is there twice once.

    Links to notebooks lead to the pages of those in `pages`; other links to files become text.
    """
    soup = BeautifulSoup(html, "html.parser")
    _once(soup)
    _name_headings(soup)
    for link in soup.find_all("a", href=True):
        _relink(link, pages)
    for script in soup.find_all(["script", "iframe", "link"]):
        if script.name != "script" or script.get("src"):
            script.decompose()
    for picture in soup.find_all("img"):
        _boxed(picture, soup)
    for table in soup.find_all("table"):
        table.wrap(soup.new_tag("div", attrs={"class": "scroll"}))
    return soup


def sections(soup: BeautifulSoup) -> list[tuple[str, str]]:
    """The anchors and words of the second headings."""
    heads = soup.find_all("h2", id=True)
    return [(head["id"], head.get_text().removesuffix("¶").strip()) for head in heads]


def _once(soup: BeautifulSoup) -> None:
    """Keep styles and scripts that outputs bring along only the first time; notes are data."""
    seen = set()
    for part in soup.find_all(["style", "script"]):
        if part.get("type", "text/javascript") != "text/javascript":
            continue
        if part.string in seen:
            part.decompose()
        else:
            seen.add(part.string)


def _name_headings(soup: BeautifulSoup) -> None:
    """Anchors of plain letters: `what-we-find`."""
    for head in soup.find_all(re.compile("h[1-6]"), id=True):
        head["id"] = _slug("#" + head["id"])[1:]


def _slug(fragment: str) -> str:
    """ "#What-we-find%3F" as "#what-we-find"; nothing of nothing."""
    words = re.findall(r"[a-z0-9]+", unquote(fragment).lower())
    return "#" + "-".join(words) if words else ""


def _relink(link: Tag, pages: Collection[str]) -> None:
    notebook = NOTEBOOK.match(link["href"])
    if notebook and notebook[1] in pages:
        link["href"] = f"{notebook[1]}.html" + _slug(notebook[2] or "")
    elif link["href"].startswith("#"):
        link["href"] = _slug(link["href"])
    elif not link["href"].startswith(("data:", *OUTSIDE)):
        link.unwrap()


def _boxed(picture: Tag, soup: BeautifulSoup) -> None:
    """A picture in a white box, or its words where it is a file that is not here."""
    if not picture.get("src", "").startswith("data:"):
        picture.replace_with(picture.get("alt", ""))
        return
    picture.wrap(soup.new_tag("span", attrs={"class": "figure-box"}))
