"""What a notebook writes down: numbers, tables, and what they rest on."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from musiclib.base.errors import InputError
from musiclib.base.files import ROOT, digest, expanded
from musiclib.base.writing import write_json, write_text
from musiclib.corpus.collections import MUSIC21, is_named
from musiclib.corpus.sets import Corpus
from musiclib.paper.profiles import Profile
from musiclib.paper.results import Numbers, numbers_in, read_table, table_of
from musiclib.training.precision import Precision
from musiclib.training.runs import Run


class Music(NamedTuple):
    """The music behind results: what it is called, and its checksum."""

    folder: str
    checksum: str


class Record:
    """The folders of a profile, and how the networks behind its numbers were trained."""

    corpus: Corpus

    def __init__(self, profile: Profile, folder: str, seeds: int, precision: Precision) -> None:
        self.profile, self.folder, self.seeds = profile, folder, range(seeds)
        self.precision, self.trained_with = precision, set()
        self.learned_by_run: dict[str, bool] = {}
        self.figures = ROOT / "figures" / profile.name
        self.results = ROOT / "results" / profile.name

    def note(self, run: Run, name: str | None = None) -> None:
        """Remember, for labels and results, how a run was trained and whether it learned."""
        record = run.record
        threads = " then ".join(f"{n} thread{'s' * (n > 1)}" for n in record["threads"])
        self.trained_with.add(f"{record['precision']}, {record['device']}, {threads}")
        if name and record["without_learning"]:
            self.learned_by_run[name] = run.verdict.learned

    @property
    def unlearned(self) -> list[str]:
        """Networks, of those seen so far, that did not learn: model, kind and seed."""
        return sorted(name for name, learned in self.learned_by_run.items() if not learned)

    def save_result(
        self, name: str, numbers: Numbers, music: Music | None = None, **more: Any
    ) -> Path:
        """Write a notebook's numbers and what they rest on: results/<profile>/<name>.csv, .json.

        `music` is what is behind them where it is not the study's corpus, which is then not read.
        """
        write_text(self.results / f"{name}.csv", table_of(numbers).to_csv(index=False))
        path = self.results / f"{name}.json"
        write_json(
            path,
            {
                "notebook": name,
                "profile": self.profile.name,
                "corpus": (music or Music(self.folder_name, self.corpus.checksum))._asdict(),
                "seeds": len(self.seeds),
                "configuration": digest(repr(self.profile)),
                "precision": self.precision,
                "trained_with": sorted(self.trained_with),
                "learned": self.learned_by_run,
                "did_not_learn": self.unlearned,
                **more,
            },
        )
        return path

    def numbers(self, *notebooks: str) -> Numbers:
        """What notebooks have found, by key; raises InputError for one that was not run."""
        found: Numbers = {}
        for name in notebooks:
            self.needs(name)
            new = numbers_in(read_table(self.results / f"{name}.csv"))
            assert not new.keys() & found.keys()
            found |= new
        return found

    def needs(self, *notebooks: str) -> None:
        """Raise InputError, before anything is read, for a notebook that was not run here."""
        for name in notebooks:
            if not (self.results / f"{name}.json").exists():
                place = f"results/{self.profile.name}/{name}.json"
                raise InputError(
                    f"notebook {name} was not run in profile {self.profile.name}:"
                    f" make {place} PROFILE={self.profile.name}"
                )

    def save_long_table(self) -> Path:
        """Write results/<profile>/results.csv: the numbers of all notebooks, a row for each seed.

        The column notebook says whose they are.
        """
        paths = sorted(self.results.glob("[0-9]*.csv"))
        tables = [read_table(path).assign(notebook=path.stem) for path in paths]
        target = self.results / "results.csv"
        write_text(target, pd.concat(tables).to_csv(index=False))
        return target

    @property
    def folder_name(self) -> str:
        """The corpus as results name it; not its path, which means nothing elsewhere."""
        if self.folder in ("", MUSIC21) or is_named(self.folder):
            return self.folder or MUSIC21
        return expanded(self.folder).resolve().name

    @property
    def label(self) -> str:
        """What stands under figures: the profile, the corpus, the number of seeds."""
        seeds = f"{len(self.seeds)} seed{'s' * (len(self.seeds) > 1)}"
        scale = "published size" if self.profile.name == "paper" else "scaled down"
        how = "; ".join(sorted(self.trained_with)) or self.precision
        mute = f"; {len(self.unlearned)} of {len(self.learned_by_run)} networks did not learn"
        return (
            f"profile {self.profile.name} ({scale}), corpus {self.folder_name}, {seeds}, {how}"
            + mute * bool(self.unlearned)
        )

    def save_table(self, name: str, markdown: str, csv: str) -> None:
        """Write a table as Markdown and as CSV."""
        write_text(self.figures / f"{name}.md", markdown)
        write_text(self.figures / f"{name}.csv", csv)
