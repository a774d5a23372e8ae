"""The system's chromium, driven by playwright: pages that record what they ask for and complain of.

`open_page` is a fixture (through conftest): it is skipped, with the reason, where there is no
chromium or no playwright.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
WITHIN = {"file", "data", "blob", "about"}  # schemes that ask nothing of any network
HERE = {"localhost", "127.0.0.1"}
SANDBOXLESS = ["--no-sandbox", "--mute-audio"]  # containers and root have no sandbox


def chromium():
    """The path of the system's chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Opened:
    """A page, what its console and scripts complained of, and every address that it asked for."""

    page: object
    complaints: list = field(default_factory=list)
    requests: list = field(default_factory=list)

    def __post_init__(self):
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _heard(self, message):
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')[:80]})")

    @property
    def outside(self):
        """The addresses asked for that are neither in the page nor on this machine."""
        split = [(address, urlsplit(address)) for address in self.requests]
        return [
            a for a, parts in split if parts.scheme not in WITHIN and parts.hostname not in HERE
        ]

    @property
    def overflow(self):
        """By how many pixels the page is wider than its window: 0 where nothing sticks out."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window, for the tests of one module.

    No longer than that: playwright's loop, while it runs, lets no one else call asyncio.run.
    """
    if not chromium():
        pytest.skip(f"there is no {', '.join(NAMES[:-1])} nor {NAMES[-1]} on the path")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as drives:
        opened = drives.chromium.launch(executable_path=chromium(), args=SANDBOXLESS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser):
    """Open a file or an address: open_page(path, width=1400, scheme="light", **context options)."""
    contexts = []

    def opening(address, width=1400, height=900, scheme="light", **options):
        look = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
        contexts.append(browser.new_context(**look, **options))
        opened = Opened(contexts[-1].new_page())
        whole = Path(address).resolve().as_uri() if isinstance(address, Path) else address
        opened.page.goto(whole)
        return opened

    yield opening
    for context in contexts:
        context.close()
