"""Chainlit as it comes, beside which Kinora is measured: its import, and its own command with the
smallest app.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.place import AS_A_PERSON
from settings import child_environment
from tests.house import END_S, READY_S, free_port

#: It says as many words at the same pace as the demo model does for `[[slow: N words]]`.
APP = """
import asyncio
import chainlit as cl

@cl.on_message
async def on_message(message: cl.Message) -> None:
    answer = cl.Message("")
    for number in range({words}):
        await answer.stream_token(f"word{{number}} ")
        await asyncio.sleep({pause_s})
    await answer.send()
"""
IMPORT = """
import chainlit.server, time
rss = next(line for line in open("/proc/self/status") if line.startswith("VmRSS:"))
print(time.process_time(), rss.split()[1])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A bare `import chainlit.server`, the process included."""

    took_s: float
    cpu_s: float
    rss_mib: float


async def import_chainlit(folder: Path) -> Imported:
    """Import Chainlit's server in a fresh process."""
    write_app(folder, words=0, pause_s=0)
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", IMPORT),
        cwd=folder,
        env=child_environment() | AS_A_PERSON | {"CHAINLIT_APP_ROOT": str(folder)},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    took_s = time.perf_counter() - began
    if process.returncode != 0:
        raise RuntimeError("Chainlit cannot be imported")
    cpu_s, rss_kib = said.split()[-2:]
    return Imported(took_s=took_s, cpu_s=float(cpu_s), rss_mib=int(rss_kib) / 1024)


def write_app(folder: Path, words: int, pause_s: float) -> Path:
    """Put the small app into a folder of its own, into which Chainlit writes too."""
    folder.mkdir(exist_ok=True)
    app = folder / "app.py"
    app.write_text(APP.format(words=words, pause_s=pause_s), "utf-8")
    return app


@contextlib.asynccontextmanager
async def serve_stock(folder: Path, words: int, pause_s: float) -> AsyncIterator[str]:
    """Run `chainlit run` on the small app until the block ends; yields its address."""
    app = write_app(folder, words, pause_s)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "chainlit"),
        *("run", str(app), "--headless", "--port", str(port)),
        cwd=folder,
        env=child_environment() | AS_A_PERSON | {"CHAINLIT_APP_ROOT": str(folder)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(READY_S), httpx.AsyncClient(trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{url}/health")).status_code == 200:
                        break
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        async with asyncio.timeout(END_S):
            await process.wait()
