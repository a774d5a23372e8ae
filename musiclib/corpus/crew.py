"""Files of a collection fetched side by side, each verified before it is put in its place."""

import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

import pooch
import requests

from musiclib.base.progress import Progress
from musiclib.corpus.collections import Collection
from musiclib.corpus.transfer import Failed, Limits, Refused, Transfer, Unreachable, new_session

THREADS = 4
ASIDE = ".downloading"  # a folder in the collection's own: renaming never leaves the disk
PATIENCE = 30  # strikes in a row after which a mirror is asked no more
STRIKES = {Refused: 1, Unreachable: 10}


class Crew:
    """Threads that fetch a collection's files into `folder`, and why they could not (`reason`)."""

    def __init__(self, collection: Collection, folder: Path, limits: Limits) -> None:
        self.collection, self.folder, self.limits = collection, folder, limits
        self.todo: SimpleQueue[str] = SimpleQueue()
        self.ended: SimpleQueue[Exception | None] = SimpleQueue()
        self.strikes: Counter[str] = Counter()
        self.reason = "no mirror is known"
        self.stopped = Event()
        self.heard_at = time.monotonic()

    def fetch(self, paths: Iterable[str]) -> None:
        """Fetch the files of these paths, as far as the mirrors go.

        Raises OSError where a file cannot be written.
        """
        pooch.get_logger().setLevel(logging.WARNING)
        shutil.rmtree(self.folder / ASIDE, ignore_errors=True)  # of a try that was killed
        wanted = list(paths)
        for path in wanted:
            self._aside(path).parent.mkdir(parents=True, exist_ok=True)
            self.todo.put(path)
        # threads that hang in the resolver or a connection must not hold up the end of the process
        threads = [Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        try:
            for thread in threads:
                thread.start()
            self._wait(len(wanted))
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join(timeout=0.5)
            shutil.rmtree(self.folder / ASIDE, ignore_errors=True)

    def _wait(self, count: int) -> None:
        """Until all files ended well or not, or no mirror has sent a byte for a while."""
        self.heard_at = time.monotonic()
        with Progress(count, f"downloading {self.collection.name}") as progress:
            progress.note = "nothing has come yet"
            while progress.done < count:
                try:
                    error = self.ended.get(timeout=0.2)
                except Empty:
                    if time.monotonic() - self.heard_at > self.limits.silence:
                        self.reason = f"no answer for {self.limits.silence:g} s"
                        return
                    continue
                if error is not None and not isinstance(error, Failed):
                    raise error
                progress.note = ""
                progress.add()

    def _work(self) -> None:
        session = new_session()
        while not self.stopped.is_set():
            try:
                path = self.todo.get_nowait()
            except Empty:
                return
            try:
                self._from_any_mirror(path, session)
            except Exception as error:  # raised again by the thread that waits
                self.ended.put(error)
            else:
                self.ended.put(None)

    def _from_any_mirror(self, path: str, session: requests.Session) -> None:
        for mirror in self.collection.mirrors:
            if self.strikes[mirror] >= PATIENCE:
                continue
            try:
                self._place(path, mirror, session)
            except Failed as error:
                self.strikes[mirror] += STRIKES[type(error)]
                self.reason = str(error)
            else:
                self.strikes[mirror] = 0
                return
        raise Failed(self.reason)

    def _place(self, path: str, mirror: str, session: requests.Session) -> None:
        """Download a file from a mirror and put it in its place once it is known to be right."""
        file, aside = self.collection.files[path], self._aside(path)
        url = mirror.format(path=path, file=aside.name)
        try:
            pooch.retrieve(
                url,
                f"sha256:{file.sha256}",
                aside.name,
                aside.parent,
                downloader=Transfer(session, file.size, self.limits, self._heard),
            )
        except ValueError as error:  # pooch's, of the hash
            raise Refused(f"{url} holds other bytes than registered") from error
        aside.chmod(0o644)
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.replace(target)

    def _aside(self, path: str) -> Path:
        return self.folder / ASIDE / path

    def _heard(self) -> None:
        if self.stopped.is_set():
            raise Refused("stopped")
        self.heard_at = time.monotonic()
