"""A generation enters: its row and number, its first attempt, the news and its first drive, all in
one statement, since every request for a picture waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Select, bindparam, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import jobs
from db.generation_row import COLUMNS, Row, known, told
from db.tables import attempts, generations, inputs, threads, users


class UserGone(Exception):
    """The user was disabled meanwhile, or is no more: nothing new begins in their name."""


async def insert_generation(
    connection: AsyncConnection,
    values: Mapping[str, Any],
    input_roles: Sequence[tuple[str, UUID]],
    *,
    drive: bool = False,
) -> Row:
    """Insert a queued generation with its inputs and first attempt; a thread's next handle is taken
    under its lock. With `drive` the engine calls for it once this transaction commits.

    Raises: UserGone.
    """
    said = {"thread_id": None, **values}
    query = _acceptance(tuple(said), drive)
    parameters = {_parameter(name): value for name, value in said.items()}
    record = (await connection.execute(query, parameters)).mappings().one_or_none()
    if record is None:
        raise UserGone
    row = known(record)
    if input_roles:
        rows = [
            {"generation_id": row.id, "position": i, "role": role, "asset_id": asset_id}
            for i, (role, asset_id) in enumerate(input_roles)
        ]
        await connection.execute(insert(inputs), rows)
    return row


@cache
def _acceptance(names: tuple[str, ...], drive: bool) -> Select[Any]:
    """The statement for these columns: made once, so that it is compiled once."""
    said = {
        name: bindparam(_parameter(name), type_=generations.c[name].type, required=True)
        for name in names
    }
    count = threads.c.generation_count
    numbered = (
        update(threads)
        .where(threads.c.id == said["thread_id"])
        .values(generation_count=count + 1)
        .returning(count)
        .cte("numbered")
    )
    number = select(numbered.c.generation_count).scalar_subquery()
    new = select(*said.values(), number, literal("queued"))
    allowed = new.where(users.c.id == said["user_id"], users.c.disabled_at.is_(None))
    made = (
        insert(generations)
        .from_select([*names, "number", "status"], allowed.select_from(users))
        .returning(*COLUMNS)
        .cte("made")
    )
    news = [told(made), jobs.first_drive(made.c.id)] if drive else [told(made)]
    return select(made, *news).add_cte(_first_attempt(made))


def _first_attempt(made: CTE) -> CTE:
    columns = ("attempt", "user_id", "provider", "cost_estimated_usd")
    begun = select(made.c.id, *(made.c[name] for name in columns))
    return insert(attempts).from_select(["generation_id", *columns], begun).cte("begun")


def _parameter(name: str) -> str:
    return f"new_{name}"
