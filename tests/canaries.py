"""Canaries: secrets that are planted, and the search for them wherever something is written down,
in every spelling in which one might have got there.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import psycopg
from psycopg import sql

SCHEMAS = ("kinora", "jobs")


def spellings(secret: str) -> set[bytes]:
    """The secret as it is, in hex, in addresses, in JSON, and in base64 at any place of a text."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), secret.encode("utf-16-le")}
    found |= {quote(secret, safe="").encode(), quote_plus(secret).encode()}
    found |= {secret.replace("/", "\\/").encode(), repr(secret)[1:-1].encode()}
    for before in range(3):
        # The first and the last characters depend on what stands around.
        whole = base64.b64encode(b"\0" * before + raw)
        inner = whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


@dataclass(slots=True)
class Canaries:
    """The planted secrets by name, and what has been written down so far, by place."""

    planted: dict[str, str] = field(default_factory=dict)
    written: dict[str, bytes] = field(default_factory=dict)

    def write(self, place: str, what: bytes | str) -> None:
        """Keep what stands in a place."""
        data = what if isinstance(what, bytes) else what.encode()
        self.written[place] = self.written.get(place, b"") + b"\n" + data

    def found(self) -> list[str]:
        """Which secret stands where."""
        return [
            f"{name} in {place}"
            for name, secret in self.planted.items()
            for place, data in self.written.items()
            if any(form in data for form in spellings(secret))
        ]

    async def ask(self, client: httpx.AsyncClient, method: str, path: str, **how: Any) -> Any:
        """Send a request, and keep the whole answer."""
        answer = await client.request(method, path, **how)
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
        self.write(f"answer {method} {path.split('?')[0]}", f"{head}\n\n{answer.text}")
        return answer

    def dump(self, database_url: str) -> None:
        """Keep every row of every table of ours as text."""
        with psycopg.connect(database_url) as connection:
            tables = connection.execute(
                "select table_schema, table_name from information_schema.tables"
                " where table_schema = any(%s)",
                [list(SCHEMAS)],
            ).fetchall()
            assert {schema for schema, _ in tables} == set(SCHEMAS)
            for schema, table in tables:
                query = sql.SQL("select t::text from {} t").format(sql.Identifier(schema, table))
                for (row,) in connection.execute(query):
                    self.write(f"database {schema}.{table}", row)

    async def read_files(self, folder: Path) -> None:
        """Keep the names and the bytes of all files of a folder."""
        for path in await asyncio.to_thread(lambda: sorted(folder.rglob("*"))):
            name = path.relative_to(folder).as_posix()
            data = await asyncio.to_thread(path.read_bytes) if path.is_file() else b""
            self.write(f"file {name}", name.encode() + b"\n" + data)
