"""One file over HTTP: no more bytes than it has, in bounded time, gone on with where it was cut."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

from musiclib import __version__

CHUNK = 1 << 14
FUTILE = 3  # requests for a file that is cut off again and again where it was before
REDIRECTS = 5
COME_LATER = (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)  # what a busy mirror answers


@dataclass(frozen=True)
class Limits:
    """How long to wait, in seconds.

    `connect` is for a connection, `read` for the next bytes, `file` for a whole file from one
    mirror, `silence` for anything at all from any mirror.
    """

    connect: float = 3  # each of a host's addresses; a silent host must leave time for the next
    read: float = 10
    file: float = 60
    silence: float = 20


class Failed(Exception):
    """A mirror has not sent a file; the message says why."""


class Refused(Failed):
    """The mirror answers, but not with the file."""


class Unreachable(Failed):
    """The mirror does not answer, too slowly, or wants no more requests for now."""


def new_session() -> requests.Session:
    """A session that asks for files as they are, not compressed."""
    session = requests.Session()
    session.headers["User-Agent"] = f"musiclib/{__version__}"
    session.headers["Accept-Encoding"] = "identity"
    return session


class Transfer:
    """Streams a file of `size` bytes, as pooch calls its downloaders; `heard` is told of bytes.

    Raises Failed, and OSError where the file cannot be written.
    """

    def __init__(
        self, session: requests.Session, size: int, limits: Limits, heard: Callable[[], None]
    ) -> None:
        self.session, self.size, self.limits, self.heard = session, size, limits, heard
        self.ends = 0.0

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Write what `url` sends to `output_file`."""
        self.ends = time.monotonic() + self.limits.file
        with Path(output_file).open("wb") as out:
            best = futile = 0
            while futile < FUTILE:
                try:
                    self._receive(url, out)
                except (HTTPError, requests.RequestException, ValueError) as error:
                    if not _is_cut(error):
                        raise _failure(url, error) from error
                if out.tell() == self.size:
                    return
                futile = 0 if out.tell() > best else futile + 1
                best = max(best, out.tell())
            raise Refused(f"{_host(url)} cut it off after {out.tell()} of {self.size} bytes")

    def _receive(self, url: str, out: BinaryIO) -> None:
        """Go on from where `out` ends; may raise whatever requests and urllib3 do."""
        with self._answer(url, out.tell()) as response:
            if response.status_code == HTTPStatus.OK:  # all of it, asked for or not
                out.seek(0)
                out.truncate()
            self._check_length(response, self.size - out.tell())
            # read1 returns what has come: a trickle cannot hold it up until a whole chunk is there
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                self.heard()
                if out.tell() + len(chunk) > self.size:
                    raise Refused(f"{_host(url)} sends more than its {self.size} bytes")
                self._check_time(url)
                out.write(chunk)

    def _answer(self, url: str, start: int) -> requests.Response:
        """The response that holds the file from byte `start` on, or all of it."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        timeout = self.limits.connect, self.limits.read
        for _ in range(REDIRECTS):
            self._check_time(url)
            response = self.session.get(
                url, headers=headers, timeout=timeout, stream=True, allow_redirects=False
            )
            target = self.session.get_redirect_target(response)
            if not target:
                return _checked(response, url, start)
            response.close()  # unread: its body may be endless
            url = urljoin(url, target)
        raise Refused(f"{_host(url)} sends from one address to the next without end")

    def _check_length(self, response: requests.Response, expected: int) -> None:
        told = response.headers.get("Content-Length", "")
        if told.isdigit() and "Content-Encoding" not in response.headers and int(told) != expected:
            raise Refused(f"{_host(response.url)} sends {told} bytes where it has {expected}")

    def _check_time(self, url: str) -> None:
        if time.monotonic() > self.ends:
            raise Unreachable(f"{_host(url)} is too slow: over {self.limits.file:g} s for a file")


def _checked(response: requests.Response, url: str, start: int) -> requests.Response:
    """The response, if it answers what was asked."""
    status = response.status_code
    begins = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
    if status == HTTPStatus.OK or (status == HTTPStatus.PARTIAL_CONTENT and start and begins):
        return response
    response.close()
    busy = status in COME_LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    raise (Unreachable if busy else Refused)(f"{_host(url)} answers {status}")


def _is_cut(error: Exception) -> bool:
    """Whether a connection ended before the file did, so that going on may help."""
    return any(isinstance(e, ProtocolError) for e in (error, *error.args))


def _failure(url: str, error: Exception) -> Failed:
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return Unreachable(f"{_host(url)} does not answer in time")
    if isinstance(error, requests.ConnectionError):
        return Unreachable(f"{_host(url)} cannot be reached")
    return Refused(f"{_host(url)} does not speak HTTP as it should: {type(error).__name__}")


def _host(url: str) -> str:
    return urlsplit(url).netloc
