"""A body that never ends, from nobody, at every door that takes one: refused, unread, and the
server stays as small as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from chainlit.server import app as chainlit

import api
from tests.api.conftest import PasswordServer
from tests.api.test_framework import routes_of

GIB = 1 << 30
MIB = 1 << 20
#: What may be on its way in buffers of the kernel, both sides, beside what a route takes.
BUFFERED = 16 * MIB
WAIT_S = 20.0
PIECE = b"x" * 65536
TAKES_BODY = {"POST", "PUT", "PATCH", "DELETE"}


def doors() -> Iterator[tuple[str, str]]:
    """Every route of ours and of Chainlit's that may be sent a body."""
    found = {*routes_of(api.routes().routes), *routes_of(chainlit.routes)}
    found |= {("POST", "/ws/socket.io/?EIO=4&transport=polling"), ("POST", "/")}
    for method, path in sorted(found):
        if method in TAKES_BODY:
            yield method, re.sub(r"\{[^}]*\}", str(uuid4()), path)


def peak_bytes(pid: int) -> int:
    """The most memory the process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


def pour(url: str, method: str, path: str, length: str, media_type: str) -> tuple[int, int]:
    """Send a GiB until somebody objects; the status, and how much was taken."""
    address = urlsplit(url)
    head = f"{method} {path} HTTP/1.1\r\nHost: {address.netloc}\r\n{length}\r\n{media_type}\r\n\r\n"
    piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if "chunked" in length else PIECE
    sent = 0
    with socket.create_connection((str(address.hostname), address.port or 0), WAIT_S) as open_one:
        with contextlib.suppress(ConnectionError):
            open_one.sendall(head.encode())
            while sent < GIB and not select.select([open_one], [], [], 0)[0]:
                open_one.sendall(piece)
                sent += len(PIECE)
        try:
            answer = open_one.recv(4096)
        except ConnectionError:
            answer = b""
    return int(answer.split()[1]) if answer else 0, sent


FORMS = (
    f"Content-Length: {GIB}",
    "Transfer-Encoding: chunked",
)
TYPES = ("Content-Type: application/json", "Content-Type: multipart/form-data; boundary=x")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells memory by /proc")
async def test_a_gib_from_nobody_is_refused_everywhere_and_costs_no_memory(
    password_server: PasswordServer,
) -> None:
    served = password_server.served
    for media_type in TYPES:  # whatever is loaded at the first use
        await asyncio.to_thread(pour, served.url, "POST", "/api/uploads", FORMS[0], media_type)
    await served.client.post("/login", data={"username": "nobody", "password": "wrong" * 4})
    before = peak_bytes(served.process.pid)
    wrong: list[Any] = []
    for method, path in doors():
        for length in FORMS:
            for media_type in TYPES:
                status, sent = await asyncio.to_thread(
                    pour, served.url, method, path, length, media_type
                )
                # Logging out takes no body: it is answered, and the connection closed.
                is_said = status in (400, 401, 404, 405, 413, 422) or path == "/logout"
                if not is_said or sent > 21 * MIB + BUFFERED:
                    wrong.append((method, path, length, status, sent >> 20))
    assert wrong == []
    grown = peak_bytes(served.process.pid) - before
    assert grown < 20 * MIB, f"{grown >> 20} MiB"
    assert (await served.client.get("/healthz")).status_code == 200
