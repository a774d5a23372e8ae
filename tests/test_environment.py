"""pyproject.toml is the one source of dependencies: the other lists agree with it."""

import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from musiclib import __version__
from musiclib.base.files import ROOT

CONDA_NAMES = {"torch": "pytorch", "soundfile": "pysoundfile", "playwright": "playwright-python"}
CONDA_ONLY = {"python", "make", "pip"}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def required():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = project["dependencies"] + project["optional-dependencies"]["dev"]
    return {canonical(r.name): r for r in map(Requirement, listed)}


@pytest.fixture(scope="module")
def locked():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_conda_environment_has_the_same_dependencies(required):
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {canonical(r.name): r.specifier for r in map(Requirement, listed)}
    expected = {canonical(CONDA_NAMES.get(n, n)): r.specifier for n, r in required.items()}
    assert {n: s for n, s in conda.items() if n not in CONDA_ONLY} == expected


def test_conda_environment_has_the_same_python():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"- python{project['requires-python']}\n" in (ROOT / "environment.yml").read_text()


def test_lock_satisfies_every_requirement(required, locked):
    pins = {canonical(r.name): str(r.specifier).removeprefix("==") for r in locked}
    assert set(required) <= set(pins)
    for name, requirement in required.items():
        assert requirement.specifier.contains(pins[name]), name


def test_lock_is_exact_and_names_no_address(locked):
    assert all(re.fullmatch(r"==[\w.]+", str(r.specifier)) and not r.url for r in locked)


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="not the environment that make made")
def test_what_is_installed_is_what_is_locked(locked):
    here = [r for r in locked if r.marker is None or r.marker.evaluate()]
    wrong = {r.name: version(r.name) for r in here if not r.specifier.contains(version(r.name))}
    assert not wrong, "delete .venv and run make again, or install requirements.lock"


def test_citation_names_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
