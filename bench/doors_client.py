"""A client of `bench.doors`, in a process of its own, on bare sockets: what it works is not
counted, and does not hold the server up. For each line that tells what, it asks, and answers with a
line.

    python -m bench.doors_client
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any


def head_of(wanted: dict[str, Any]) -> bytes:
    """The request, as it goes over the wire."""
    shown = f"Authorization: Bearer {wanted['key']}\r\n" if wanted.get("key") else ""
    host = f"Host: 127.0.0.1:{wanted['port']}\r\n"
    return f"GET {wanted['path']} HTTP/1.1\r\n{host}{shown}\r\n".encode()


async def ask(port: int, request: bytes, times: int) -> None:
    """The same over one connection again and again. Raises: RuntimeError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(times):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = next(
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        await reader.readexactly(length)
    writer.close()


async def round_of(wanted: dict[str, Any]) -> float:
    """How many seconds all connections together took."""
    request, each = head_of(wanted), wanted["requests"] // wanted["connections"]
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(wanted["connections"]):
            group.create_task(ask(wanted["port"], request, each))
    return time.perf_counter() - began


def main() -> None:
    """Ask for each line what it wants."""
    for line in sys.stdin:
        print(asyncio.run(round_of(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
