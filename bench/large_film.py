"""A provider whose film weighs a gibibyte: what a server has to pass on without keeping it.

It speaks just enough of the demo provider's wire. A prompt is the size of the film in MiB; the film
itself is a small real one, and behind it a box of that size which players skip.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from settings import ROOT, child_environment
from tests.providers.servers import Exchange, Server, serving

MIB = 1 << 20
PIECE = bytes(range(256)) * 1024
BOX_HEAD = struct.Struct(">I4sQ")  # 1 says that the length follows the name, in 8 bytes


async def draw_film(folder: Path) -> bytes:
    """Have the demo provider's painter make a small film."""
    path = folder / "small.mp4"
    order = {
        "input": {"prompt": "a red fox"},
        "job_id": "bench",
        "file": str(path),
        "quick": True,
    }
    painter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulators.film"),
        cwd=ROOT,
        env=child_environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    await painter.communicate(json.dumps(order).encode())
    return path.read_bytes()


def filled_up(film: bytes, size_bytes: int) -> Iterator[bytes]:
    """The film in pieces, as large as it should be, or as it is when that is larger."""
    left = size_bytes - len(film) - BOX_HEAD.size
    yield film
    if left < 0:
        return
    yield BOX_HEAD.pack(1, b"free", BOX_HEAD.size + left)
    while left > 0:
        yield PIECE[: min(left, len(PIECE))]
        left -= len(PIECE)


@asynccontextmanager
async def provider_of(film: bytes) -> AsyncIterator[Server]:
    """Run the provider until the block ends: /run, /status, and the films at /films/<MiB>.mp4."""

    async def answer(exchange: Exchange) -> None:
        last = exchange.path.rpartition("/")[2]
        if exchange.path.endswith("/run"):
            prompt = json.loads(exchange.body)["input"]["prompt"]
            await exchange.reply(json.dumps({"id": prompt, "status": "IN_QUEUE"}).encode())
        elif "/status/" in exchange.path:
            output = {"video_url": f"{server.url}/films/{last}.mp4"}
            status = {"id": last, "status": "COMPLETED", "output": output}
            await exchange.reply(json.dumps(status).encode())
        elif exchange.path.startswith("/films/"):
            size_bytes = max(len(film), int(last.removesuffix(".mp4")) * MIB)
            head = {"Content-Type": "video/mp4", "Content-Length": str(size_bytes)}
            await exchange.reply(b"", headers=head)
            await exchange.send(*filled_up(film, size_bytes))
        else:
            await exchange.reply(status=404)

    async with serving(answer) as server:
        yield server
