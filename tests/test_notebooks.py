"""The notebooks' structure: what papermill, nbval and readers rely on."""

import ast
import re

import nbformat
import pytest

from musiclib import notebooks
from musiclib.errors import InputError
from musiclib.files import ROOT
from musiclib.study import Study

NAMES = notebooks.names()
CHECK = "# NBVAL_CHECK_OUTPUT"


def read(name):
    return nbformat.read(notebooks.FOLDER / f"{name}.ipynb", as_version=4)


def code(name):
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def test_notebooks_are_numbered_without_gaps():
    assert [int(name[:2]) for name in NAMES] == list(range(1, len(NAMES) + 1))


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
    assert notebooks.settings(values) != first != notebooks.settings(values | {"seeds": 2})


def test_a_failing_cell_ends_in_one_sentence_and_leaves_no_notebook(tmp_path, monkeypatch):
    cell = nbformat.v4.new_code_cell(
        "from musiclib.errors import InputError\nraise InputError('no')"
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
