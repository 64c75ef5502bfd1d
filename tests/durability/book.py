"""The database as a witness: what it holds after a kill, and every move it has seen, with times.

Triggers of the test's own note the moves, so nobody has to look in the right moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from db import jobs
from tests.journeys.cards import outage

WATCH = """
create table if not exists public.seen (
    id uuid, what text, old text, new text, at timestamptz default clock_timestamp());
create or replace function public.note_seen() returns trigger language plpgsql as $$
begin
    if old.status <> new.status then
        insert into public.seen values (new.id, 'status', old.status, new.status); end if;
    if old.claim <> new.claim then
        insert into public.seen values (new.id, 'claim', old.claim, new.claim); end if;
    if old.cost_actual_usd is distinct from new.cost_actual_usd then
        insert into public.seen values (
            new.id, 'cost', old.cost_actual_usd, new.cost_actual_usd); end if;
    perform pg_notify('seen', '');
    return null;
end $$;
create or replace trigger note_seen after update on kinora.generations
    for each row execute function public.note_seen();
"""
OPEN = "('queued', 'submitting', 'in_progress', 'storing')"
LOOK_EVERY_S = 0.25
RECONNECT_S = 60.0


class Book:
    """One connection to the database, opened again whenever the database comes back."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: psycopg.AsyncConnection[TupleRow] | None = None

    async def __aenter__(self) -> Book:
        await self.fetch(WATCH)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._leave()

    async def _leave(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _connected(self) -> psycopg.AsyncConnection[TupleRow]:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(self.url, autocommit=True)
            await self._connection.execute("listen seen")
        return self._connection

    async def fetch(self, query: str, values: Sequence[Any] = ()) -> list[TupleRow]:
        """The rows of a query, as soon as the database answers."""
        async with asyncio.timeout(RECONNECT_S):
            while True:
                try:
                    found = await (await self._connected()).execute(
                        query.encode(), list(values) or None
                    )
                    return await found.fetchall() if found.description else []
                except psycopg.OperationalError:
                    await self._leave()
                    await outage(0.1)

    async def until(self, is_true: Callable[[], Awaitable[bool]], within_s: float) -> None:
        """Return when it is true; asked again when something has moved."""
        async with asyncio.timeout(within_s):
            while not await is_true():
                try:
                    news = (await self._connected()).notifies(timeout=LOOK_EVERY_S, stop_after=10)
                    async for _ in news:
                        pass
                except psycopg.OperationalError:
                    await self._leave()

    async def settled(self, ids: Sequence[str], within_s: float) -> None:
        """Return when all of these are settled."""

        async def none_open() -> bool:
            return await self.count(f"id = any(%s) and status in {OPEN}", [list(ids)]) == 0

        await self.until(none_open, within_s)

    async def all_are(self, ids: Sequence[str], status: str, within_s: float = 30.0) -> None:
        """Return when all of these have this status."""

        async def there() -> bool:
            found = await self.count("id = any(%s) and status = %s", [list(ids), status])
            return found == len(ids)

        await self.until(there, within_s)

    async def count(self, where: str, values: Sequence[Any] = ()) -> int:
        """How many generations are like this."""
        found = await self.fetch(f"select count(*) from kinora.generations where {where}", values)
        return int(found[0][0])

    async def claims(self, ids: Sequence[str]) -> dict[str, int]:
        """Who owns them: the fencing number of each."""
        query = "select id::text, claim from kinora.generations where id = any(%s)"
        return {str(one): int(claim) for one, claim in await self.fetch(query, [list(ids)])}

    async def newer_claims(self, before: dict[str, int], since_s: float) -> list[float]:
        """Seconds from a moment (Unix time) until each of these was first taken over, sorted; of
        those that were.
        """
        query = """
            select id::text, extract(epoch from min(at)) from public.seen
            where what = 'claim' and at > to_timestamp(%s) and id = any(%s) group by id
        """
        found = await self.fetch(query, [since_s, list(before)])
        return sorted(float(at) - since_s for _, at in found)

    async def all_taken_over(
        self, before: dict[str, int], since_s: float, within_s: float
    ) -> list[float]:
        """The seconds until each was taken over, once all of them were."""

        async def all_are() -> bool:
            return len(await self.newer_claims(before, since_s)) == len(before)

        await self.until(all_are, within_s)
        return await self.newer_claims(before, since_s)

    async def cut_worker_locks(self) -> list[TupleRow]:
        """Terminate the connections that hold a worker's session lock."""
        query = """
            select pg_terminate_backend(pid) from pg_locks
            where locktype = 'advisory' and classid = %s and granted and database =
                (select oid from pg_database where datname = current_database())
        """
        return await self.fetch(query, [jobs.WORKER_LOCK])
