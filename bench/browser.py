"""The distribution's Chromium, as the journeys drive it; None where there is none."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.journeys.conftest import ARGUMENTS, REMEDY, find_browser

#: The stock page asks foreign hosts for fonts and styles. They are not found at once, so that
#: nobody's network is measured.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
LAST_IN_LINE = 19


@contextlib.asynccontextmanager
async def open_browser(polite_in: Path | None = None) -> AsyncIterator[Browser | None]:
    """Run a browser that knows this machine only, until the block ends.

    `polite_in`: it gets only the CPU time that is left over, as if it ran on a machine of its own;
    the folder takes the script that starts it so.
    """
    path = find_browser()
    if path is None:
        print(f"{REMEDY}; what needs a browser is left out")
        yield None
        return
    if polite_in is not None:
        script = polite_in / "browser"
        script.write_text(f'#!/bin/sh\nexec nice -n {LAST_IN_LINE} {shlex.quote(path)} "$@"\n')
        script.chmod(0o755)
        path = str(script)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, ALONE])
        try:
            yield running
        finally:
            await running.close()
