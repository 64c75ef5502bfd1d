"""A real browser: the distribution's Chromium, driven by Playwright."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    async_playwright,
    expect,
)

from tests.house import Served

#: Guards against hanging, on a busy machine too; what has to be quicker says so where it is asked.
PATIENCE_MS = 30_000
REMEDY = "no Chromium found: install the package `chromium`, or set CHROME_PATH to a browser"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


def find_browser() -> str | None:
    """The browser of this machine."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = (shutil.which(name) for name in names)
    return os.environ.get("CHROME_PATH") or next((path for path in found if path), None)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = find_browser()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(REMEDY)
        pytest.skip(REMEDY)
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield running
        await running.close()


@dataclass(kw_only=True)
class Visit:
    """A person's browser, and what they would complain about."""

    context: BrowserContext
    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note console errors, page errors, and requests to anybody else."""
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} at {urlsplit(message.location['url']).path}")

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        web = parts.scheme in ("http", "https", "ws", "wss")
        if web and parts.hostname not in ("127.0.0.1", "localhost"):
            self.foreign.append(url)

    async def open(self, path: str = "/") -> None:
        """Open a page and wait until one can type."""
        await self.page.goto(self.url + path)
        await self.page.click("#chat-input")
        # Sending stays disabled until the socket is up; before that a photo would be refused.
        await self.page.keyboard.type("?")
        await self.page.wait_for_selector("#chat-submit:not([disabled])")
        await self.page.keyboard.press("Backspace")

    async def say(self, text: str) -> None:
        """Type a message, in place of what may stand in the field, and send it."""
        await self.page.click("#chat-input")
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.insert_text(text)
        await self.page.wait_for_selector("#chat-submit:not([disabled])")
        await self.page.keyboard.press("Enter")

    def calm(self, *but: str) -> None:
        """Nothing to complain about, errors apart in which one of these texts stands."""
        assert [error for error in self.errors if not any(text in error for text in but)] == []
        assert self.foreign == []


@contextlib.asynccontextmanager
async def new_visit(browser: Browser, url: str, **options: Any) -> AsyncIterator[Visit]:
    """A browser profile of its own, closed in the end."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    visiting = Visit(context=context, page=page, url=url)
    visiting.watch(page)
    try:
        yield visiting
    finally:
        await context.close()


@pytest.fixture
async def visit(browser: Browser, server: Served, tmp_path: Path) -> AsyncIterator[Visit]:
    """A new browser profile at the run's server; its last look stays with the test's files."""
    async with new_visit(browser, server.url) as visiting:
        yield visiting
        await visiting.page.screenshot(path=tmp_path / "last.png")
