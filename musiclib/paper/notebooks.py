"""Running the numbered notebooks with papermill: whole results or none, one sentence on failure."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from musiclib.base.errors import NO_SPACE, InputError
from musiclib.base.files import ROOT, expanded
from musiclib.base.pace import PROGRESS
from musiclib.base.typed import shown
from musiclib.base.writing import replacing, write_text

FOLDER = ROOT / "notebooks"


def names() -> list[str]:
    """The notebooks in order, without suffix."""
    return sorted(path.stem for path in FOLDER.glob("[0-9]*.ipynb"))


def settings(parameters: dict[str, Any]) -> str:
    """What the results of a run rest on: its parameters and the corpus's files, as one text.

    Raises InputError for an unknown profile, or a corpus that is missing or empty.
    """
    from musiclib.paper.profiles import profile  # here: running a notebook needs no torch

    profile(parameters["profile"])
    return json.dumps({**parameters, "files": _files(parameters["corpus"])}, indent=0)


def _files(corpus: str) -> list[tuple]:
    """What changes when a corpus does: name, size and time of its files, or checksums.

    Files of a collection are verified whenever they are read, so that they need not be there yet.
    """
    from musiclib.corpus.collections import MUSIC21, collections_of, is_named
    from musiclib.corpus.shards import INDEX, SUFFIX
    from musiclib.corpus.sources import folder_sources

    if is_named(corpus):
        return [(collection.name, collection.checksum) for collection in collections_of(corpus)]
    if corpus in ("", MUSIC21):
        return []
    path = expanded(corpus)
    if path.suffix in (".npz", SUFFIX):
        files = [path / INDEX if path.suffix == SUFFIX else path]
    else:
        files = [source.path for sources in folder_sources(path).values() for source in sources]
    return [(str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in files]


def stamp(text: str, path: Path) -> None:
    """Write the settings to `path` unless they stand there already, so that make sees a change."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def stamped_corpus(path: Path) -> str:
    """The corpus that was chosen when the settings were written to `path`.

    Raises InputError for another file.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))["corpus"]
    except (ValueError, LookupError, TypeError, OSError) as error:
        raise InputError(f"{path}: no settings ({error}); write them by `notebook check`") from None


def run(name: str, parameters: dict[str, Any]) -> Path:
    """Run a notebook; if all went well the executed copy lands in results/<profile>/notebooks.

    A page for reading, site/<profile>/<name>.html, is made of it. Raises InputError with the
    failing cell's message.
    """
    if name not in names():
        raise InputError(f"no notebook {shown(name)}: choose one of {', '.join(names())}")
    import nbformat
    import papermill
    from nbclient.exceptions import DeadKernelError

    os.environ["MUSICLIB_LOG"] = "1"
    target = ROOT / "results" / parameters["profile"] / "notebooks" / f"{name}.ipynb"
    with replacing(target) as temporary:
        try:
            papermill.execute_notebook(
                FOLDER / f"{name}.ipynb",
                temporary,
                parameters=parameters,
                kernel_name="python3",
                progress_bar=False,
                log_output=False,
                stderr_file=sys.stderr,
                cwd=str(ROOT),
                extra_arguments=["--IPKernelApp.log_level=40"],
            )
        except papermill.PapermillExecutionError as error:
            raise InputError(f"notebook {name} stopped: {_reason(error)}") from error
        except DeadKernelError as error:
            raise InputError(f"notebook {name} stopped: killed, or out of memory") from error
        notebook = nbformat.read(temporary, as_version=4)
        without_progress(notebook)
        nbformat.write(notebook, temporary)
    _write_page(notebook, name, parameters["profile"])
    return target


def _write_page(notebook: Any, name: str, profile: str) -> None:
    from musiclib.paper.site.layout import FIRST_PAGE
    from musiclib.paper.site.pages import page  # here: nbconvert takes a second to import
    from musiclib.paper.site.sources import Sources

    sources = Sources(profile, ROOT)
    home = (sources.target / FIRST_PAGE).exists()
    write_text(sources.target / f"{name}.html", page(notebook, name, sources, home))


def without_progress(notebook: Any) -> None:
    """Take the progress lines out of an executed notebook: they were for who waited."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                lines = output["text"].splitlines(keepends=True)
                output["text"] = "".join(line for line in lines if not PROGRESS.fullmatch(line))
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell["outputs"] if o.get("text") != ""]


def _reason(error: Any) -> str:
    """The cell's own message for a fault of input or machine, else with the kind of error."""
    if "[Errno 28]" in error.evalue:
        return NO_SPACE.format("")
    expected = ("InputError", "OSError", "FileNotFoundError", "PermissionError")
    return error.evalue if error.ename in expected else f"{error.ename}: {error.evalue}"
