"""A door with TLS in front of a server without: for clients that take no other."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
CHUNK_BYTES = 65536
#: One request a connection, so that there is one head to write into.
ADDED = b"X-Forwarded-Proto: https\r\nConnection: close\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """An open door; `certificate` is the file that a client has to trust."""

    host: str
    certificate: Path


def make_certificate(folder: Path) -> Path:
    """A certificate of this host that vouches for itself, its key in the same file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "door.pem"
    path.write_bytes(certificate.public_bytes(pem) + private)
    return path


@contextlib.asynccontextmanager
async def tls_door(url: str, folder: Path) -> AsyncIterator[Door]:
    """Open a door to the server at `url` for as long as the block lasts."""
    there = urlsplit(url)
    certificate = await asyncio.to_thread(make_certificate, folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(forward(reader, writer, str(there.hostname), there.port or 80))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, HOST, 0, ssl=context)
    try:
        yield Door(host=f"{HOST}:{listener.sockets[0].getsockname()[1]}", certificate=certificate)
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
) -> None:
    """Pass one request on, and its answer back."""
    inner: asyncio.StreamWriter | None = None
    try:
        first = await reader.readline()
        if not first:
            return
        answers, inner = await asyncio.open_connection(host, port)
        inner.write(first + ADDED)
        back = asyncio.create_task(pour(answers, writer))
        there = asyncio.create_task(pour(reader, inner))
        try:
            await back
        finally:
            there.cancel()
            back.cancel()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        for end in (writer, inner):
            if end is not None:
                end.close()


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
