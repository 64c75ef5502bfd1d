"""What an import writes of generations and owners, many rows a statement; and its ledger, which
knows every row of the old systems that has become one of ours, by all its names there.

Everything here may be done again: what is there already stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ids import new_id

#: Held by an import for as long as it runs: two would do everything twice and report half.
IMPORT_LOCK = 546678


@dataclass(frozen=True, slots=True)
class Known:
    """What a name of an old system stands for here; not `is_read`: it was only named so far."""

    target_id: UUID
    is_read: bool


@dataclass(slots=True, kw_only=True)
class Imported:
    """A generation as an import writes it; the field names are the columns'."""

    id: UUID
    user_id: UUID
    legacy_id: str
    kind: str
    status: str
    prompt: str
    model: str
    provider: str
    params: dict[str, Any]
    error_code: str | None
    error_message: str | None
    notes: list[str]
    created_at: datetime
    thread_id: UUID | None = None
    number: int | None = None
    #: How many files it has.
    files: int = 0
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that lies elsewhere still, of a generation or, without one, given by a person."""

    user_id: UUID
    generation_id: UUID | None
    position: int
    url: str
    media_type: str
    name: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    duration_s: float | None = None
    created_at: datetime
    id: UUID = field(default_factory=new_id)


_TRY_LOCK = text(f"select pg_try_advisory_lock({IMPORT_LOCK})")
_KNOWN = text(
    "select legacy_id, target_id, is_read from kinora.imported where legacy_id = any(:names)"
)
#: Only a row that says more than before is touched, so that a second run changes nothing.
_NOTE = text(
    """
    insert into kinora.imported as old (legacy_id, target_id, is_read)
    select n.legacy_id, n.target_id, n.is_read from jsonb_to_recordset(cast(:rows as jsonb))
        as n(legacy_id text, target_id uuid, is_read boolean)
    on conflict (legacy_id) do update
        set target_id = excluded.target_id, is_read = old.is_read or excluded.is_read
        where (old.target_id, old.is_read)
            is distinct from (excluded.target_id, old.is_read or excluded.is_read)
    """
)
_USERS = text(
    """
    with wanted as (
        select id, identifier from jsonb_to_recordset(cast(:rows as jsonb))
            as n(id uuid, identifier text)
    ), made as (
        insert into kinora.users (id, identifier) select id, identifier from wanted
        on conflict (identifier) do nothing returning identifier, id
    )
    select identifier, id, true as is_new from made
    union all
    select u.identifier, u.id, false from kinora.users u join wanted using (identifier)
    """
)
_USERS_THERE = text("select identifier from kinora.users where identifier = any(:identifiers)")
_IDENTIFIERS = text("select id, identifier from kinora.users where id = any(:ids)")
_GENERATIONS = text(
    """
    select id, user_id, legacy_id, kind, status, prompt, model, provider, params, error_code,
        error_message, notes, created_at, thread_id, number, deleted_at is not null as is_deleted,
        (select count(*) from kinora.assets a where a.generation_id = g.id) as files
    from kinora.generations g where id = any(:ids) order by id for no key update
    """
)
_IN_PROGRESS = text(
    """
    select id from kinora.generations
    where id = any(:ids) and status = 'in_progress' and legacy_id is not null
    """
)
_COLUMNS = """
    id uuid, user_id uuid, legacy_id text, kind text, status text, prompt text, model text,
    provider text, params jsonb, error_code text, error_message text, notes text[],
    created_at timestamptz, thread_id uuid, number int
"""
_INSERT = text(
    f"""
    insert into kinora.generations (
        id, user_id, legacy_id, kind, status, prompt, model, provider, endpoint, params,
        error_code, error_message, error_retryable, notes, created_at, updated_at, queued_at,
        finished_at, progress, thread_id, number)
    select id, user_id, legacy_id, kind, status, prompt, model, provider, 'import', params,
        error_code, error_message, case when error_code is not null then false end, notes,
        created_at, created_at, created_at,
        case when status <> 'in_progress' then created_at end,
        case when status = 'completed' then 1.0 end, thread_id, number
    from jsonb_to_recordset(cast(:rows as jsonb)) as n({_COLUMNS})
    """
)
_UPDATE = text(
    f"""
    update kinora.generations g set
        user_id = n.user_id, legacy_id = n.legacy_id, provider = n.provider, kind = n.kind,
        status = n.status, prompt = n.prompt, model = n.model,
        params = n.params, error_code = n.error_code, error_message = n.error_message,
        error_retryable = case when n.error_code is not null then false end, notes = n.notes,
        created_at = n.created_at, thread_id = n.thread_id, number = n.number,
        finished_at = case when n.status <> 'in_progress'
            then coalesce(g.finished_at, n.created_at) end,
        progress = case when n.status = 'completed' then 1.0 end,
        version = g.version + 1, updated_at = now()
    from jsonb_to_recordset(cast(:rows as jsonb)) as n({_COLUMNS}) where g.id = n.id
    """
)
_OWN_ASSETS = text(
    """
    update kinora.assets a set user_id = g.user_id from kinora.generations g
    where a.generation_id = g.id and g.id = any(:ids) and a.user_id <> g.user_id
    """
)
_ASSETS = text(
    """
    with files as (
        select * from jsonb_to_recordset(cast(:rows as jsonb)) as n(
            id uuid, user_id uuid, generation_id uuid, position int, url text, media_type text,
            name text, width_px int, height_px int, duration_s float8, created_at timestamptz)
    ), made as (
        insert into kinora.assets (id, user_id, generation_id, position, media_type, name,
            width_px, height_px, duration_s, created_at)
        select id, user_id, generation_id, position, media_type, name,
            width_px, height_px, duration_s, created_at from files
    )
    insert into kinora.remote_files (asset_id, url) select id, url from files
    """
)


async def lock(connection: AsyncConnection) -> bool:
    """Be the one import of this database, for as long as the connection lives."""
    return bool((await connection.execute(_TRY_LOCK)).scalar_one())


async def known(connection: AsyncConnection, names: Iterable[str]) -> dict[str, Known]:
    """Those of these names that stand for something here."""
    rows = (await connection.execute(_KNOWN, {"names": list(names)})).all()
    return {row.legacy_id: Known(row.target_id, row.is_read) for row in rows}


def is_read(ledger: Mapping[str, Known], name: str) -> bool:
    """Whether the row of this name has been read, not only named."""
    return name in ledger and ledger[name].is_read


async def note(connection: AsyncConnection, rows: Mapping[str, Known]) -> None:
    """Put names into the ledger; what was read stays read."""
    if rows:
        said = [
            {"legacy_id": name, "target_id": str(known.target_id), "is_read": known.is_read}
            for name, known in sorted(rows.items())
        ]
        await connection.execute(_NOTE, {"rows": json.dumps(said)})


async def ensure_users(
    connection: AsyncConnection, identifiers: Iterable[str]
) -> tuple[dict[str, UUID], set[str]]:
    """The users of these identifiers, made where there are none, and which were."""
    rows = [{"id": str(new_id()), "identifier": identifier} for identifier in sorted(identifiers)]
    if not rows:
        return {}, set()
    found = (await connection.execute(_USERS, {"rows": json.dumps(rows)})).all()
    users = {row.identifier: row.id for row in found}
    return users, {row.identifier for row in found if row.is_new}


async def users(connection: AsyncConnection, identifiers: Iterable[str]) -> set[str]:
    """Those of these identifiers that somebody has."""
    found = await connection.execute(_USERS_THERE, {"identifiers": list(identifiers)})
    return set(found.scalars())


async def identifiers(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What these users are called."""
    rows = (await connection.execute(_IDENTIFIERS, {"ids": list(ids)})).all()
    return {row.id: row.identifier for row in rows}


async def generations(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Imported]:
    """Generations as they stand, locked until the transaction ends."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = (await connection.execute(_GENERATIONS, {"ids": wanted})).mappings()
    return {row["id"]: Imported(**row) for row in rows}


async def in_progress(connection: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    """Those of these generations that were taken without their end."""
    return set((await connection.execute(_IN_PROGRESS, {"ids": list(ids)})).scalars())


async def add_generations(connection: AsyncConnection, rows: Sequence[Imported]) -> None:
    """Insert new ones; their names are new in the ledger, so nobody has them."""
    if rows:
        await connection.execute(_INSERT, {"rows": as_json(rows)})


async def change_generations(connection: AsyncConnection, rows: Sequence[Imported]) -> None:
    """Write what another row of an old system has added; its files follow a new owner."""
    if rows:
        await connection.execute(_UPDATE, {"rows": as_json(rows)})
        await connection.execute(_OWN_ASSETS, {"ids": [row.id for row in rows]})


async def add_files(connection: AsyncConnection, files: Sequence[NewFile]) -> None:
    """Insert assets of which we have the address only."""
    if files:
        await connection.execute(_ASSETS, {"rows": as_json(files)})


def as_json(rows: Sequence[Any]) -> str:
    """Rows of one kind, for `jsonb_to_recordset`; `asdict` would copy all that is within them."""
    names = [field.name for field in fields(rows[0])]
    said = [{name: getattr(row, name) for name in names} for row in rows]
    return json.dumps(said, ensure_ascii=False, default=str)
