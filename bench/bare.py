"""Chainlit's own command on two small apps that stream as many words as they are asked for, as the
demo model does for `[[slow: N words]]`.

The smallest app makes the words up itself. The other one asks the same demo model that Kinora asks,
through the same SDK: it is what somebody has who writes no more than Chainlit's first example.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.place import AS_A_PERSON
from emulators.brain.answer import SLOW_PAUSE_S
from settings import child_environment
from tests.house import END_S, READY_S, free_port

SMALLEST = f"""
import asyncio
import re
import chainlit as cl

@cl.on_message
async def on_message(message: cl.Message) -> None:
    answer = cl.Message("")
    for number in range(int(re.search("[0-9]+", message.content)[0])):
        await answer.stream_token(f"word{{number}} ")
        await asyncio.sleep({SLOW_PAUSE_S})
    await answer.send()
"""
ASKING = """
import chainlit as cl
from openai import AsyncOpenAI

model = AsyncOpenAI(base_url="{url}/v1", api_key="demo")

@cl.on_message
async def on_message(message: cl.Message) -> None:
    answer = cl.Message("")
    pieces = await model.chat.completions.create(
        model="demo-chat", messages=[{{"role": "user", "content": message.content}}], stream=True
    )
    async for piece in pieces:
        if piece.choices and piece.choices[0].delta.content:
            await answer.stream_token(piece.choices[0].delta.content)
    await answer.send()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server, and the process whose work is counted."""

    url: str
    pid: int


def write_app(folder: Path, app: str) -> Path:
    """Put an app into a folder of its own, into which Chainlit writes too."""
    folder.mkdir()
    file = folder / "app.py"
    file.write_text(app, "utf-8")
    return file


@contextlib.asynccontextmanager
async def serve_bare(folder: Path, app: str) -> AsyncIterator[Running]:
    """Run `chainlit run` on an app of this text until the block ends."""
    file, port = write_app(folder, app), free_port()
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "chainlit"),
        *("run", str(file), "--headless", "--port", str(port)),
        cwd=folder,
        env=child_environment() | AS_A_PERSON | {"CHAINLIT_APP_ROOT": str(folder)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await until_healthy(url)
        yield Running(url=url, pid=process.pid)
    finally:
        process.terminate()
        async with asyncio.timeout(END_S):
            await process.wait()


async def until_healthy(url: str) -> None:
    """Wait until it answers. Raises: TimeoutError."""
    async with asyncio.timeout(READY_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{url}/health")).status_code == 200:
                    return
            await asyncio.sleep(0.05)
