"""The site: built from what was run, whole or not at all, and looked at in a real browser."""

import json
import re
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.cli import main
from musiclib.listening.player import Player
from musiclib.music.note_states import read_note_states
from musiclib.paper import figures, notebooks, readme
from musiclib.paper.claims import CLAIMS, judged
from musiclib.paper.published import published
from musiclib.paper.results import numbers_of
from musiclib.paper.site import build as building
from musiclib.paper.site import layout, shown_figures
from musiclib.paper.site.build import build
from musiclib.paper.site.check import problems

EXECUTED = "04-figure-3", "05-compose"
MEGABYTE = 1_000_000


def html_output(html, kind="text/html"):
    return nbformat.v4.new_output("display_data", {kind: html, "text/plain": "no words"})


def executed(name):
    """A notebook as papermill would leave it: a figure, a wide table, two players, a widget."""
    notebook = nbformat.read(notebooks.FOLDER / f"{name}.ipynb", as_version=4)
    figure, axes = plt.subplots(figsize=(11, 3))
    axes.plot([1, 3, 2])
    states = read_note_states(ROOT / "figures" / "quick" / "before.mid")[:64]
    players = [html_output(Player(states, title)._repr_html_()) for title in ("one", "two")]
    wide = "".join(f"<td>column {i}</td>" for i in range(40))
    table = html_output(f'<table border="1" class="dataframe"><tr>{wide}</tr></table>')
    told = nbformat.v4.new_output("stream", name="stderr", text="left out: 1 not readable\n" * 2)
    words = nbformat.v4.new_output("execute_result", {"text/plain": repr("x " * 200)})
    widget = html_output({"model_id": "1"}, "application/vnd.jupyter.widget-view+json")
    outputs = iter([[html_output(figures.picture(figure, "a line").data)], [table], players])
    for cell in notebook.cells:
        if cell.cell_type == "code" and "folded" not in cell.metadata.get("tags", []):
            cell.outputs = next(outputs, [told, words, widget])
    links = "[other](06-figure-4-and-table-1.ipynb), [next](05-compose.ipynb), [d](../docs/keys.md)"
    notebook.cells.append(nbformat.v4.new_markdown_cell(f"{links}, ![gone](gone.png)"))
    return notebook


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder as after `make paper`, of which two notebooks were executed."""
    root = tmp_path_factory.mktemp("root")
    skip = shutil.ignore_patterns("notebooks", "*.pdf", "*.wav")
    for kind in ("results", "figures"):
        shutil.copytree(ROOT / kind / "quick", root / kind / "quick", ignore=skip)
    (root / "results" / "quick" / "notebooks").mkdir()
    for name in EXECUTED:
        nbformat.write(executed(name), root / "results" / "quick" / "notebooks" / f"{name}.ipynb")
    return root


@pytest.fixture(scope="module")
def site(root):
    """The site that is made of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readme, "ROOT", root)
        build("quick", root)
    return root / "site"


@pytest.fixture(scope="module")
def first(site):
    return BeautifulSoup((site / "quick" / "index.html").read_text(), "html.parser")


@pytest.fixture(scope="module")
def notebook(site):
    return BeautifulSoup((site / "quick" / f"{EXECUTED[0]}.html").read_text(), "html.parser")


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    assert problems(site) == []
    assert len(list(site.rglob("*.html"))) == 4


def test_the_site_is_light(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 25 * MEGABYTE
    assert (site / "quick" / "index.html").stat().st_size < MEGABYTE


def test_the_check_finds_what_leads_nowhere(tmp_path):
    (tmp_path / "b.html").write_text('<p id="here"><a name="old">x</a>')
    good = '<a href="b.html#here">x</a><a href="#top">x</a><a href="b.html#old">x</a><h1 id="top">'
    good += '<a href="https://example.org/">x</a><img src="data:image/png;base64,AA">'
    (tmp_path / "a.html").write_text(good)
    assert problems(tmp_path) == []
    bad = ["c.html", "b.html#there", "#nowhere", "../outside.html", "javascript:x()", "."]
    loaded = ["http://example.org/x.js", "//example.org/x.js", "gone.png"]
    text = "".join(f'<a href="{a}">x</a>' for a in bad) + "".join(
        f'<img src="{a}">' for a in loaded
    )
    (tmp_path / "a.html").write_text(text)
    found = problems(tmp_path)
    assert len(found) == len(bad) + len(loaded)
    assert found[0] == "a.html links to c.html: no such file"
    assert found[-3] == "a.html loads http://example.org/x.js: another machine"


def test_the_first_page_tells_the_result_in_five_sentences(first):
    told = [item.get_text() for item in first.select(".findings li")]
    plain = [line.partition(". ")[2] for line in readme.findings("quick").splitlines()]
    assert told == [sentence.replace("**", "") for sentence in plain] and len(told) == 5


def test_table_1_stands_beside_the_published_one(first):
    rows = [[c.get_text() for c in row.select("td")] for row in first.select("#table1 tbody tr")]
    numbers = numbers_of(ROOT / "results" / "quick")
    theirs = published()["table1"]
    assert [row[:2] for row in rows] == [
        [str(epoch), str(isl).replace("-", "−")]
        for epoch, isl in zip(theirs["epochs"], theirs["isl"], strict=True)
    ]
    for row in rows:
        values = numbers["lstm", "plain", "ISL", int(row[0])]["per_seed"]
        mean, spread = np.mean(values), np.std(values, ddof=1)
        assert row[2] == f"{mean:.1f} ± {spread:.1f}".replace("-", "−")


def test_every_claim_has_its_verdict_numbers_and_notebook(first):
    numbers = numbers_of(ROOT / "results" / "quick")
    cards = first.select(".claim")
    assert len(cards) == len(CLAIMS)
    for card, claim in zip(cards, CLAIMS, strict=True):
        found = judged(claim, numbers)
        assert card.select_one(".verdict").get_text().lower().startswith(found.verdict)
        assert card.blockquote.get_text() == claim.quote
        for row in found.rows:
            assert all(part in card.get_text() for part in row)
        link = card.select_one(".where a")
        assert (link and link["href"]) == (
            f"{claim.notebook}.html" if claim.notebook in EXECUTED else None
        )
    counts = [int(b.get_text()) for b in first.select(".tally b")]
    assert sum(counts) == len(CLAIMS)


def test_figures_have_captions_words_and_the_notebook_that_made_them(first):
    names = [figure["id"] for figure in first.select("figure.shown")]
    there = {path.stem for path in (ROOT / "figures" / "quick").glob("*.png")}
    theirs = [name for name in names if name in shown_figures.OF_THE_PAPER]
    assert theirs == [name for name in shown_figures.OF_THE_PAPER if name in there]
    assert {"thinning", "restoration", "section4", "figure2-weights"} < set(names)
    for figure in first.select("figure.shown"):
        assert len(figure.img["alt"]) > 30 or figure["id"].startswith("figure3")
        assert len(figure.figcaption.get_text()) > 60 and "notebook" in figure.figcaption.get_text()
    linked = first.select_one("#figure3a figcaption a")
    assert linked["href"].startswith("04-figure-3.html#")


def test_players_have_a_sound_each_that_lies_beside_the_page(first, site):
    sources = [audio["src"] for audio in first.select(".mlp audio")]
    assert len(sources) == len(set(sources)) >= 2
    assert all((site / "quick" / source).stat().st_size > 10_000 for source in sources)


def test_a_notebook_page_folds_its_code_and_brings_scripts_once(notebook):
    folds = notebook.select("details.source")
    assert len(folds) >= 5 and not any(fold.has_attr("open") for fold in folds)
    text = notebook.get_text()
    assert "NBVAL_CHECK_OUTPUT" not in text and "left out: 1 not readable" in text
    assert len(notebook.select(".mlp")) == 2
    scripts = [s.get_text() for s in notebook.select("script") if "json" not in s.get("type", "")]
    assert len(scripts) == len(set(scripts)) == 2  # the page's and the players'
    assert not notebook.select("script[type*=widget]")


def test_links_to_pages_that_are_there_lead_to_them_and_others_are_words(notebook):
    last = notebook.select(".cell.text")[-1]
    assert [link["href"] for link in last.select("a")] == ["05-compose.html"]
    assert last.get_text().strip() == "other, next, d, gone"
    listed = notebook.select("#pages ol li")
    assert len(listed) == len(notebooks.names())
    assert [li.a["href"] for li in listed if li.a] == ["05-compose.html"]
    assert notebook.select_one("#pages [aria-current]").get_text().startswith("04 Figure 3")


def test_a_build_that_fails_leaves_the_old_site(site, root, monkeypatch):
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "first_page", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build("quick", root)
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_the_command_says_what_is_missing_and_what_to_run(root, monkeypatch, capsys):
    monkeypatch.setattr(building, "ROOT", root)
    monkeypatch.setattr(building.build, "__defaults__", (root,))
    monkeypatch.setattr(readme, "ROOT", root)
    main(["site", "--profile", "quick"])
    said = capsys.readouterr().out
    assert said.startswith("site/quick/index.html: 2 notebooks, ")
    assert "without a page: 00-listen, 01-corpus, 02-train-lstm" in said
    assert "04-figure-3," not in said and said.endswith("make paper site PROFILE=quick\n")


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        ("smoke", "nothing was run in profile smoke: make paper site PROFILE=smoke"),
        ("large", "unknown profile 'large': choose one of smoke, quick, paper"),
    ],
)
def test_without_results_there_is_one_sentence_and_no_site(profile, sentence, tmp_path):
    with pytest.raises(InputError) as error:
        build(profile, tmp_path)
    assert str(error.value) == sentence
    assert not (tmp_path / "site").exists()


def test_half_of_the_notebooks_make_half_a_page(root, tmp_path, monkeypatch):
    results = tmp_path / "results" / "smoke"
    results.mkdir(parents=True)
    for suffix in (".csv", ".json"):
        shutil.copy(root / "results" / "quick" / f"04-figure-3{suffix}", results)
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    built = build("smoke", tmp_path)
    assert built.pages == [] and built.missing == notebooks.names()
    page = BeautifulSoup((built.folder / "index.html").read_text(), "html.parser")
    assert "Not all notebooks were run" in page.select_one("#result").get_text()
    assert [td.get_text() for td in page.select("#table1 td")][1:3] == ["−425.1", "not run"]
    verdicts = {
        card["id"]: card.select_one(".verdict").get_text() for card in page.select(".claim")
    }
    assert verdicts["claim-silence"] == "Open: not run"
    assert verdicts["claim-lower"] == "Partly"
    assert problems(tmp_path / "site") == []


def test_no_notebook_needs_formulas_drawn():
    """Pages bring no MathJax: $...$ would stand there as it is typed."""
    for name in notebooks.names():
        cells = nbformat.read(notebooks.FOLDER / f"{name}.ipynb", as_version=4).cells
        assert not [c for c in cells if c.cell_type == "markdown" and "$" in c.source], name


def test_style_and_script_name_no_other_machine():
    for name in ("style.css", "page.js"):
        assert not re.search(r"https?:|@import|url\(|fetch\(|import ", layout.text(name))


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_what_is_there(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["jobs"] and workflow[True]  # YAML reads the key `on` as true
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    targets = set(re.findall(r"^([a-z][\w -]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {target for line in targets for target in line.split()}
    commands = [step["run"] for step in steps if "run" in step]
    assert commands
    for command in commands:
        program, *arguments = command.split()
        if program == "make":
            assert {a for a in arguments if "=" not in a} <= known
        else:
            assert (ROOT / program).exists()


def test_pages_are_published_with_the_rights_that_this_needs():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "pages.yml").read_text())
    assert workflow["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    [deploy] = [job for job in workflow["jobs"].values() if "environment" in job]
    assert deploy["needs"] == "build" and deploy["environment"]["name"] == "github-pages"


# In a browser

PAGES = "index", EXECUTED[0]
LOOKS = [(width, scheme) for width in (390, 1400) for scheme in ("light", "dark")]
CONTRASTS = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => {
    const [r, g, b] = rgb(text).map((v) => (v /= 255) <= 0.04045 ? v / 12.92
      : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if ((rgb(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  document.querySelectorAll("details").forEach((fold) => (fold.open = true));
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const says = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!says || !element.getClientRects().length || element.closest("script, .skip")) continue;
    const look = getComputedStyle(element);
    if (look.opacity === "0") continue;
    const [a, b] = [light(look.color), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push([element.tagName, element.className, element.textContent.slice(0, 40),
      look.color, behind(element), ratio.toFixed(2)].join(" | "));
  }
  return low;
}"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_pages_load_fit_and_can_be_read(open_page, site, name, width, scheme):
    opened = open_page(site / "quick" / f"{name}.html", width=width, scheme=scheme)
    page = opened.page
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert opened.overflow == 0
    assert page.evaluate(CONTRASTS) == []
    assert opened.overflow == 0  # with all code unfolded
    dark = "rgb(20, 24, 29)"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == dark) == (scheme == "dark")
    size = page.evaluate("Math.min(...[...document.querySelectorAll('p, li')]"
                         ".map((e) => parseFloat(getComputedStyle(e).fontSize)))")  # fmt: skip
    assert size >= 14
    assert (opened.complaints, opened.outside) == ([], [])


@pytest.mark.parametrize("name", PAGES)
def test_every_player_plays(open_page, site, name):
    opened = open_page(site / "quick" / f"{name}.html")
    players = opened.page.locator(".mlp")
    assert players.count() >= 2
    for i in range(players.count()):
        players.nth(i).locator(".mlp-play").click()
        opened.page.wait_for_function(
            "i => document.querySelectorAll('.mlp audio')[i].currentTime > 0.1", arg=i
        )
    playing = "[...document.querySelectorAll('audio')].filter((a) => !a.paused).length"
    assert opened.page.evaluate(playing) == 1
    assert (opened.complaints, opened.outside) == ([], [])


def test_code_unfolds_one_by_one_and_all_at_once(open_page, site):
    page = open_page(site / "quick" / f"{EXECUTED[0]}.html").page
    code = page.locator(".highlight")
    assert not any(code.nth(i).is_visible() for i in range(code.count()))
    page.locator("details.source summary").nth(1).click()
    assert code.nth(1).is_visible() and not code.nth(2).is_visible()
    page.get_by_role("button", name="Show all code").click()
    assert all(code.nth(i).is_visible() for i in range(code.count()))
    page.get_by_role("button", name="Fold all code").click()
    assert not code.nth(1).is_visible()


def test_the_theme_is_chosen_and_remembered_between_pages(open_page, site):
    page = open_page(site / "quick" / "index.html").page
    page.get_by_role("button", name="Dark", exact=True).click()
    colour = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(colour) == "rgb(20, 24, 29)"
    page.goto((site / "quick" / f"{EXECUTED[0]}.html").as_uri())
    assert page.evaluate(colour) == "rgb(20, 24, 29)"
    page.get_by_role("button", name="Light", exact=True).click()
    assert page.evaluate(colour) == "rgb(255, 255, 255)"


def test_pages_work_where_nothing_may_be_remembered(open_page, site):
    opened = open_page(Path("about:blank").name)
    refuse = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})"
    opened.page.add_init_script(refuse)
    opened.page.goto((site / "quick" / "index.html").as_uri())
    opened.page.get_by_role("button", name="Dark", exact=True).click()
    assert opened.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert opened.complaints == []


def test_a_small_picture_grows_inside_its_box_at_a_tap(open_page, site):
    opened = open_page(site / "quick" / "index.html", width=390)
    box = opened.page.locator("#figure3a .figure-box")
    small = box.locator("img").bounding_box()["width"]
    box.click()
    assert box.locator("img").bounding_box()["width"] > 2.5 * small > 750
    assert opened.overflow == 0
    box.click()
    assert box.locator("img").bounding_box()["width"] == small


def test_the_site_begins_at_its_index_and_one_reaches_every_page(open_page, site):
    opened = open_page(site / "index.html")
    opened.page.wait_for_url("**/quick/index.html")
    opened.page.locator("#pages").get_by_role("link", name="04 Figure 3").click()
    opened.page.get_by_role("link", name="05 Composing →").click()
    opened.page.get_by_role("link", name="A paper you can run").click()
    assert opened.page.url.endswith("/quick/index.html")
    assert (opened.complaints, opened.outside) == ([], [])


def test_without_script_all_is_there(open_page, site):
    opened = open_page(site / "quick" / f"{EXECUTED[0]}.html", java_script_enabled=False)
    opened.page.locator("details.source summary").first.click()
    assert opened.page.locator(".highlight").first.is_visible()
    assert opened.page.locator("audio[controls]").count() == 2


def test_what_is_printed_is_light_and_has_no_buttons(open_page, site):
    page = open_page(site / "quick" / "index.html", scheme="dark").page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("button.theme").is_visible() and not page.locator("#pages").is_visible()
    assert page.locator(".claim").first.is_visible()


def test_results_that_are_kept_make_a_whole_first_page():
    """Of a fresh clone, where no notebook was executed: nothing but results and figures."""
    for profile in ("quick",):
        record = json.loads((ROOT / "results" / profile / "11-results.json").read_text())
        assert record["profile"] == profile
    found = [judged(claim, numbers_of(ROOT / "results" / "quick")) for claim in CLAIMS]
    assert all(one.rows for one in found) and "not run" not in {one.why for one in found}
