"""Files of an old system for tests: rows as an import leaves them, and a server that still has the
bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from db.ids import new_id
from tests.providers.servers import Exchange, Server, serving

_USER = """
    insert into kinora.users (id, identifier) values (%s, %s)
    on conflict (identifier) do update set identifier = excluded.identifier returning id
"""
_GENERATION = """
    insert into kinora.generations
        (id, user_id, legacy_id, kind, status, prompt, model, provider, endpoint)
    values (%s, %s, %s, %s, 'completed', 'a red fox', 'comfyui/flux', 'superduper', 'import')
"""
_ASSET = """
    insert into kinora.assets (id, user_id, generation_id, position, media_type)
    values (%s, %s, %s, %s, %s)
"""
_REMOTE = "insert into kinora.remote_files (asset_id, url) values (%s, %s)"
_LOOK = """
    select a.*, g.kind, g.version, g.notes, r.url, r.tries, r.failure, r.is_gone
    from kinora.assets a
    left join kinora.generations g on g.id = a.generation_id
    left join kinora.remote_files r on r.asset_id = a.id where a.id = %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """What was imported: the first file, and all of its generation."""

    asset_id: UUID
    generation_id: UUID
    user_id: UUID
    asset_ids: tuple[UUID, ...]


def an_import(
    database_url: str,
    *urls: str,
    user_id: UUID | None = None,
    kind: str = "image",
    media_type: str = "image/png",
) -> Old:
    """A generation as an import leaves it, with a file at each of these addresses."""
    generation_id, ids = new_id(), tuple(new_id() for _ in urls)
    with psycopg.connect(database_url) as connection:
        if user_id is None:
            owner = connection.execute(_USER, [new_id(), "superduper:somebody"]).fetchone()
            assert owner is not None
            user_id = owner[0]
        legacy_id = f"superduper:file:{generation_id}"
        connection.execute(_GENERATION, [generation_id, user_id, legacy_id, kind])
        for position, (asset_id, url) in enumerate(zip(ids, urls, strict=True)):
            connection.execute(_ASSET, [asset_id, user_id, generation_id, position, media_type])
            connection.execute(_REMOTE, [asset_id, url])
    assert user_id is not None
    return Old(asset_id=ids[0], generation_id=generation_id, user_id=user_id, asset_ids=ids)


def an_upload(database_url: str, url: str, user_id: UUID) -> UUID:
    """A picture that a person had given to the old system."""
    asset_id = new_id()
    with psycopg.connect(database_url) as connection:
        connection.execute(_ASSET, [asset_id, user_id, None, 0, "image/png"])
        connection.execute(_REMOTE, [asset_id, url])
    return asset_id


def look(database_url: str, asset_id: UUID) -> dict[str, Any]:
    """The row of a file, with its generation's kind and version and what is known of elsewhere."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        found = connection.execute(_LOOK, [asset_id]).fetchone()
    assert found is not None
    return found


def is_left(database_url: str, asset_id: UUID) -> bool:
    """Whether a file still has its row."""
    with psycopg.connect(database_url) as connection:
        query = "select 1 from kinora.assets where id = %s"
        return connection.execute(query, [asset_id]).fetchone() is not None


def run(database_url: str, statement: str, *values: Any) -> None:
    """Change something by hand."""
    with psycopg.connect(database_url) as connection:
        connection.execute(statement.encode(), values)


@dataclass(slots=True)
class OldStorage:
    """A server with files by path; what is held is begun and not ended until it is let go."""

    server: Server
    files: dict[str, bytes] = field(default_factory=dict)
    #: Status and further headers, by path.
    odd: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    #: Told of each request that has come.
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return self.server.url

    def count(self, path: str) -> int:
        """How often a file was asked for."""
        return sum(one.path.partition("?")[0] == path for one in self.server.seen)

    async def asked(self, times: int = 1) -> None:
        """Wait until so many requests have come in all."""
        async with asyncio.timeout(5), self.came:
            await self.came.wait_for(lambda: len(self.server.seen) >= times)

    def keep(self, path: str, data: bytes) -> str:
        """Have a file; returns its address."""
        self.files[path] = data
        return self.url + path

    def redirect(self, path: str, to: str) -> str:
        """Have nothing but the word that it is elsewhere."""
        self.odd[path] = (302, {"Location": to})
        return self.url + path

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        async with self.came:
            self.came.notify_all()
        path = exchange.path.partition("?")[0]
        if path in self.odd:
            status, headers = self.odd[path]
            await exchange.reply(b"", status, headers=headers)
            return
        data = self.files.get(path)
        if data is None:
            await exchange.reply(b"", 404)
            return
        # Whatever it is: what it says of itself does not count.
        head = f"HTTP/1.1 200 X\r\nContent-Type: text/x\r\nContent-Length: {len(data)}\r\n\r\n"
        await exchange.send(head.encode(), data[: len(data) // 2])
        if path in self.held:
            await self.held[path].wait()
        await exchange.send(data[len(data) // 2 :])


@asynccontextmanager
async def old_storage() -> AsyncIterator[OldStorage]:
    """Run such a server."""
    kept: list[OldStorage] = []

    async def answer(exchange: Exchange) -> None:
        await kept[0].answer(exchange)

    async with serving(answer) as server:
        kept.append(OldStorage(server))
        yield kept[0]
