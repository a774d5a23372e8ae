"""The notebooks' structure: what papermill, nbval and readers rely on."""

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from strategies import hand_states

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT
from musiclib.corpus.sets import Piece
from musiclib.paper import depends, figures, notebooks
from musiclib.paper.experiments import EXPERIMENTS
from musiclib.paper.site import pages
from musiclib.paper.site.sources import Sources
from musiclib.paper.study import Study

NAMES = notebooks.names()
CHECK = "# NBVAL_CHECK_OUTPUT"


def read(name):
    return nbformat.read(notebooks.FOLDER / f"{name}.ipynb", as_version=4)


def code(name):
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def test_notebooks_are_numbered_without_gaps():
    assert [int(name[:2]) for name in NAMES] == list(range(len(NAMES)))


@pytest.mark.parametrize("name", NAMES)
def test_size_and_title(name):
    cells = read(name).cells
    assert 15 <= len(cells) <= 35
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith(f"# {name[:2]} · ")


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_those_that_make_passes_and_the_smallest_profile(name):
    [cell] = [c for c in code(name) if "parameters" in c.metadata.get("tags", [])]
    values = {
        node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(cell.source).body
    }
    assert values == {"profile": "smoke", "corpus": "", "seeds": 1, "precision": "fp32"}
    assert cell.id == code(name)[0].id
    Study(**values)


@pytest.mark.parametrize("name", NAMES)
def test_checks_keep_output_and_count_and_nothing_else_does(name):
    checks = [c for c in code(name) if CHECK in c.source]
    assert checks
    for cell in checks:
        assert cell.execution_count and cell.outputs, "run `make notebooks`"
        assert "keep_output" in cell.metadata["tags"]
        assert all(output.output_type == "stream" for output in cell.outputs)
    assert not [c for c in code(name) if CHECK not in c.source and c.outputs]


@pytest.mark.parametrize("name", NAMES)
def test_no_shell_no_magic_no_silenced_warning(name):
    for cell in code(name):
        assert not re.search(r"^\s*[%!]|filterwarnings|simplefilter", cell.source, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_last_cell_writes_the_result_file(name):
    assert f'save_result(\n    "{name}"' in code(name)[-1].source or (
        f'save_result("{name}"' in code(name)[-1].source
    )


@pytest.mark.parametrize("name", NAMES)
def test_make_knows_the_notebook(name):
    assert f"$(RESULTS)/{name}.json" in (ROOT / "Makefile").read_text()


def test_the_notebook_of_an_experiment_takes_what_it_trains_from_the_table():
    theirs = {e.notebook for e in EXPERIMENTS.values() if e.kinds}
    sources = {name: "\n".join(cell.source for cell in code(name)) for name in theirs}
    trains = {name for name, source in sources.items() if "study.train(" in source}
    assert {e.notebook for e in EXPERIMENTS.values() if e.later} <= trains
    for name in trains:
        assert "EXPERIMENTS[" in sources[name], name
        assert not re.search(r"study\.train\(\s*[\"']", sources[name]), name


def test_settings_change_with_the_corpus_and_are_written_only_then(tmp_path):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "1.mid").write_bytes(b"MThd")
    values = {"profile": "smoke", "corpus": str(tmp_path / "music"), "seeds": 1}
    first = notebooks.settings(values)
    notebooks.stamp(first, tmp_path / "settings")
    written = (tmp_path / "settings").stat().st_mtime_ns
    notebooks.stamp(notebooks.settings(values), tmp_path / "settings")
    assert (tmp_path / "settings").stat().st_mtime_ns == written
    (tmp_path / "music" / "2.mid").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no such user"):
        notebooks.settings(values | {"corpus": "~nosuchuser/x"})
    assert notebooks.settings(values) != first != notebooks.settings(values | {"seeds": 2})


def test_a_piece_whose_name_looks_like_a_formula_is_drawn(tmp_path):
    (cell,) = (cell.source for cell in code("01-corpus") if "figures.rolls" in cell.source)
    states = hand_states(40, (60, 0, 4))
    music = SimpleNamespace(main=[Piece("$x_{1$ \udcff.mid", states, states)])
    study = SimpleNamespace(figures=tmp_path, label="profile smoke")
    exec(cell, {"music": music, "study": study, "figures": figures})
    assert (tmp_path / "piece.png").exists()


def test_a_failing_cell_ends_in_one_sentence_and_leaves_no_notebook(tmp_path, monkeypatch):
    cell = nbformat.v4.new_code_cell(
        "from musiclib.base.errors import InputError\nraise InputError('no')"
    )
    whole = read(NAMES[0])
    failing = nbformat.v4.new_notebook(cells=[whole.cells[1], cell], metadata=whole.metadata)
    nbformat.write(failing, tmp_path / "01-fails.ipynb")
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setenv("MUSICLIB_LOG", "1")
    with pytest.raises(InputError, match=r"^notebook 01-fails stopped: no$"):
        notebooks.run("01-fails", {"profile": "smoke", "corpus": "", "seeds": 1})
    assert not list((tmp_path / "results").rglob("*.ipynb"))


def test_a_page_is_for_reading_and_asks_no_other_machine(tmp_path):
    """No check cells, no progress, the parameters that were given, and no address to load from."""
    v4 = nbformat.v4
    lines = "training: 1 of 9 after 3 s\nleft out: 1 not readable\ntraining: 9 of 9 after 20 s\n"
    told = v4.new_output("stream", name="stderr", text=lines)
    cells = [
        v4.new_markdown_cell("# 01 · a title"),
        v4.new_code_cell("profile = 'as stored'", metadata={"tags": ["parameters"]}),
        v4.new_code_cell("profile = 'as given'", metadata={"tags": ["injected-parameters"]}),
        v4.new_code_cell("read()", outputs=[told]),
        v4.new_code_cell("print('a check')", metadata={"tags": ["folded"]}),
    ]
    notebook = v4.new_notebook(cells=cells)
    notebooks.without_progress(notebook)
    assert notebook.cells[3].outputs[0].text == "left out: 1 not readable\n"
    html = pages.page(notebook, "01-corpus", Sources("smoke", tmp_path))
    assert "<title>01 · a title</title>" in html and "as given" in html
    assert "as stored" not in html and "a check" not in html
    loaded = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=[\"'](?!data:)([^\"']+)", html)
    assert not loaded and "http" not in html


def test_a_notebook_that_rests_on_another_says_so_before_it_reads(tmp_path):
    study = Study("smoke")
    study.results = tmp_path
    with pytest.raises(InputError, match=r"notebook 05-compose was not run in profile smoke: make"):
        study.needs("05-compose")
    (tmp_path / "05-compose.json").touch()
    study.needs("05-compose")


def test_make_knows_what_a_notebook_imports():
    rules = {name: depends.rests_on(notebooks.FOLDER / f"{name}.ipynb") for name in NAMES}
    for name, files in rules.items():
        assert all((ROOT / path).exists() for path in files)
        assert Path("musiclib/base/errors.py") in files, name
        assert not [path for path in files if path.parts[1] == "cli"], name
    assert Path("musiclib/paper/plateau.py") in rules["12-why-a-plateau"]
    assert Path("musiclib/models/cells.py") in rules["12-why-a-plateau"]  # through other modules
    assert Path("musiclib/paper/plateau.py") not in rules["04-figure-3"]
    assert Path("musiclib/paper/published.json") in rules["04-figure-3"]
