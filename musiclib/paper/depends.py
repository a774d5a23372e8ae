"""What each notebook rests on, as rules for make: the modules that it imports, and theirs.

Run as a script, before anything is installed: `python3 musiclib/paper/depends.py`.
"""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imported(source: str) -> Iterator[str]:
    """The modules of musiclib that Python source imports, wherever it does, and their packages."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "musiclib":
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("musiclib"))


def files(module: str) -> list[Path]:
    """The files of a module: itself, the packages around it, and a package's data."""
    path = ROOT.joinpath(*module.split("."))
    around = [package / "__init__.py" for package in (path, *path.parents[: module.count(".")])]
    found = [p for p in (path.with_suffix(".py"), *around) if p.exists()]
    return [*found, *path.parent.glob(f"{path.name}.json")] if found else []


@cache
def imports_of(path: Path) -> set[str]:
    """`imported` of a file; data imports nothing."""
    return set(imported(path.read_text(encoding="utf-8"))) if path.suffix == ".py" else set()


def rests_on(notebook: Path) -> list[Path]:
    """All files of musiclib that a notebook imports, and those that these import."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    waiting, seen = {m for source in code for m in imported(source)}, set()
    while waiting:
        new = {path for module in waiting for path in files(module)} - seen
        seen |= new
        waiting = {module for path in new for module in imports_of(path)}
    return sorted(path.relative_to(ROOT) for path in seen)


if __name__ == "__main__":
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        print(f"$(RESULTS)/{path.stem}.json:", *(p.as_posix() for p in rests_on(path)))
