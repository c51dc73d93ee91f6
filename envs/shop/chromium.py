"""A Chromium that Playwright drives: how it is run, and one page of it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worldschool.errors import WorldError

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-pings",
)
"""Chromium is to fetch nothing but the shop's pages, and to live in a container's small /dev/shm."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_OF_THREAD = threading.local()
"""A thread's Playwright, and how many environments use it."""


@dataclass(frozen=True)
class BrowserSettings:
    """How the browser is run.

    Raises:
        WorldError: a value is not accepted.
    """

    url: str | None = None
    """Where a site is, like "http://127.0.0.1:8000"; None opens one for this environment, on a free port."""
    executable_path: str | None = None
    """The browser's program; None takes Playwright's own Chromium, or the system's where there is none."""
    headless: bool = True
    """Whether no window is shown."""
    timeout_s: float = 30.0
    """How long a page may take, in seconds."""

    def __post_init__(self) -> None:
        if self.url is not None and not str(self.url).startswith(("http://", "https://")):
            raise WorldError(
                f"found {self.url!r}", where="ShopBrowser: url", mend="Give one like http://127.0.0.1:8000."
            )
        if self.executable_path is not None and not os.access(str(self.executable_path), os.X_OK):
            raise WorldError(
                f"there is no program {str(self.executable_path)!r}",
                where="ShopBrowser: executable_path",
                mend="Give the path of a Chromium.",
            )
        if not isinstance(self.timeout_s, int | float) or not self.timeout_s > 0:
            raise WorldError(
                f"found {self.timeout_s!r}", where="ShopBrowser: timeout_s", mend="Give seconds above 0."
            )


def open_page(settings: BrowserSettings, held: ExitStack) -> Page:
    """Start a browser and return an empty page of it; closing `held` ends it.

    Raises:
        WorldError: Playwright (extra `browser`) is missing, or the browser cannot be started.
    """
    try:
        from playwright.sync_api import Error
    except ImportError:
        raise WorldError(
            "Playwright is missing", where="ShopBrowser", mend="Install worldschool[browser]."
        ) from None
    playwright = held.enter_context(_playwright())
    program = settings.executable_path or _program(playwright.chromium.executable_path)
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]  # Chromium has no sandbox for root
    try:
        browser = playwright.chromium.launch(executable_path=program, headless=settings.headless, args=flags)
    except Error as error:
        raise WorldError(
            f"the browser cannot be started ({error.message.splitlines()[0]})",
            where="ShopBrowser: executable_path",
            mend="Run `playwright install chromium`, or give the path of a Chromium.",
        ) from None
    held.callback(_close_quietly, browser)
    page = browser.new_context(java_script_enabled=True).new_page()
    page.set_default_timeout(1000 * settings.timeout_s)
    return page


@contextmanager
def _playwright() -> Iterator[Playwright]:
    """Give this thread's Playwright, of which there can be one; the last environment that closes ends it."""
    from playwright.sync_api import Error, sync_playwright

    if not getattr(_OF_THREAD, "users", 0):
        try:
            _OF_THREAD.opened = sync_playwright()
            _OF_THREAD.playwright = _OF_THREAD.opened.__enter__()
        except Error as error:
            raise WorldError(
                f"Playwright cannot be started ({error.message.splitlines()[0]})",
                where="ShopBrowser",
                mend="In a notebook, make the environment in a thread of its own.",
            ) from None
        _OF_THREAD.users = 0
    _OF_THREAD.users += 1
    try:
        yield _OF_THREAD.playwright
    finally:
        _OF_THREAD.users -= 1
        if not _OF_THREAD.users:
            _OF_THREAD.opened.__exit__(None, None, None)


def _close_quietly(browser: Any) -> None:
    from playwright.sync_api import Error

    with suppress(Error):  # it may be gone already
        browser.close()


def _program(own: str) -> str | None:
    """Return the system's browser where Playwright has not fetched its own."""
    if os.path.exists(own):
        return None
    return next(filter(None, map(shutil.which, BROWSERS)), None)
