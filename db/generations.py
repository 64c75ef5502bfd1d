"""The rows of generations: every move is one compare-and-set that tells the world in the same
transaction.

A move names the row it knows (id, status, attempt, claim). If that row has moved on meanwhile,
nothing changes and None comes back: somebody else owns it, and the caller stops silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from db import attempts_of, moves
from db.admitted import insert_generation
from db.generation_row import (
    CHANNEL,
    COLUMNS,
    OPEN_STATUSES,
    SETTLED_STATUSES,
    Row,
    known,
    row_or_none,
    told,
)
from db.tables import attempts, generations, inputs, users

__all__ = ["CHANNEL", "OPEN_STATUSES", "SETTLED_STATUSES", "Row", "insert_generation"]


class JobTaken(Exception):
    """The provider has named a job that is another generation's already."""


async def _change(
    connection: AsyncConnection,
    where: Sequence[ColumnElement[bool]],
    values: Mapping[str, Any],
) -> Row | None:
    """Change at most one row, count its version up and tell everybody, in one statement. Raises:
    JobTaken.
    """
    g = generations.c
    changed = (
        update(generations)
        .where(*where)
        .values(version=g.version + 1, updated_at=func.now(), **values)
        .returning(*COLUMNS)
        .cte("changed")
    )
    return await _changed(connection, select(changed, told(changed)))


async def _changed(
    connection: AsyncConnection, query: Select[Any], values: Mapping[str, Any] | None = None
) -> Row | None:
    try:
        found = await connection.execute(query, values)
    except IntegrityError as error:
        if "generations_provider_job" in str(error.orig):
            raise JobTaken from None
        raise
    return row_or_none(found.mappings().one_or_none())


async def load(connection: AsyncConnection, generation_id: UUID) -> Row | None:
    """The row as it stands now."""
    found = await connection.execute(moves.LOAD, {"known_id": generation_id})
    return row_or_none(found.mappings().one_or_none())


async def claim(connection: AsyncConnection, generation_id: UUID) -> Row | None:
    """Take a row over: from here on every older claim on it is fenced off. None also for what was
    imported from an old system, which has no provider here: nobody drives it.
    """
    found = await connection.execute(moves.CLAIM, {"known_id": generation_id})
    return row_or_none(found.mappings().one_or_none())


def _still(row: Row) -> tuple[ColumnElement[bool], ...]:
    g = generations.c
    return (
        g.id == row.id,
        g.status == row.status,
        g.attempt == row.attempt,
        g.claim == row.claim,
    )


async def move(
    connection: AsyncConnection,
    row: Row,
    status: str,
    kept: attempts_of.Kept | None = None,
    **values: Any,
) -> Row | None:
    """Move a row on (or change it within its status) if it is still as this claim knows it;
    `kept`: what else is kept of the attempt.
    """
    is_new = status != row.status
    kept = kept or attempts_of.Kept()
    is_settled = is_new and status in SETTLED_STATUSES
    if is_settled:
        values = {"queue_position": None, "waits": False, **values}
    if any(isinstance(value, ColumnElement) for value in values.values()):
        return await _move_by(connection, row, status, kept, is_settled, values)
    query = moves.moving(tuple(values), is_new, is_settled)
    said = moves.said(row, status, values, kept if is_new else None)
    return await _changed(connection, query, said)


async def _move_by(
    connection: AsyncConnection,
    row: Row,
    status: str,
    kept: attempts_of.Kept,
    is_settled: bool,
    values: dict[str, Any],
) -> Row | None:
    """The same by a statement of its own, for values that the database makes."""
    if is_settled:
        values = {"finished_at": func.now(), **values}
    moved = await _change(connection, _still(row), {"status": status, **values})
    if moved is not None and status != row.status:
        await attempts_of.note(connection, moved, values, kept)
    return moved


async def attach_late(
    connection: AsyncConnection,
    row: Row,
    provider_job: Mapping[str, Any],
    status: str = "in_progress",
    **values: Any,
) -> Row | None:
    """Store the late answer of a submit that another claim has given up as lost; `status`: where
    the row goes on with it.
    """
    g = generations.c
    where = (
        g.id == row.id,
        g.attempt == row.attempt,
        g.status.in_(("submitting", "unknown")),
        g.provider_job.is_(None),
    )
    values = {
        "provider_job": dict(provider_job),
        "claim": g.claim + 1,
        "error_code": None,
        "error_message": None,
        "error_retryable": None,
        "finished_at": None,
        **values,
    }
    attached = await _change(connection, where, {"status": status, **values})
    if attached is not None:
        await attempts_of.note(connection, attached, values, attempts_of.Kept())
    return attached


async def note_stray_job(connection: AsyncConnection, row: Row, provider_job_id: str) -> None:
    """Keep that an attempt which was given up had been accepted after all, and may be charged."""
    await connection.execute(
        update(attempts)
        .where(attempts.c.generation_id == row.id, attempts.c.attempt == row.attempt)
        .values(provider_job_id=provider_job_id, charged="maybe")
    )


async def find_call(
    connection: AsyncConnection, user_id: UUID, step_id: UUID, call_index: int
) -> UUID | None:
    """The generation that this call of this step has already started."""
    g = generations.c
    query = select(g.id).where(
        g.user_id == user_id, g.step_id == step_id, g.call_index == call_index
    )
    found: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def lock_for(connection: AsyncConnection, user_id: UUID, generation_id: UUID) -> Row | None:
    """The caller's row, locked until the transaction ends; None when it is not theirs or was
    deleted.
    """
    g = generations.c
    query = (
        select(*COLUMNS)
        .where(g.id == generation_id, g.user_id == user_id, g.deleted_at.is_(None))
        .with_for_update()
    )
    return row_or_none((await connection.execute(query)).mappings().one_or_none())


async def request_cancel(connection: AsyncConnection, row: Row) -> Row | None:
    """Put the wish on record; whoever drives the row hears of it by the notification."""
    return await _change(
        connection, _still(row), {"cancel_requested_at": row.cancel_requested_at or func.now()}
    )


async def cancel_now(connection: AsyncConnection, row: Row) -> Row | None:
    """Cancel a row that no provider works on; the bumped claim fences off a driver that was about
    to send.
    """
    return await move(
        connection,
        row,
        "cancelled",
        claim=generations.c.claim + 1,
        cancel_requested_at=row.cancel_requested_at or func.now(),
        error_code=None,
        error_message=None,
        error_retryable=None,
    )


async def retry(connection: AsyncConnection, row: Row) -> Row | None:
    """Start the next attempt of a settled row with a clean slate; None: the user was disabled, or
    the row moved on.
    """
    may = exists().where(users.c.id == row.user_id, users.c.disabled_at.is_(None))
    nothing = (
        "progress queue_position error_code error_message error_retryable intent_claim "
        "provider_job provider_outputs deadline_at cancel_requested_at submitted_at "
        "finished_at cost_actual_usd placed_at detour"
    )
    again = await _change(
        connection,
        (*_still(row), may),
        {
            "status": "queued",
            "attempt": generations.c.attempt + 1,
            "claim": generations.c.claim + 1,
            "charged": "no",
            "notes": [],
            "queued_at": func.now(),
            "waits": False,
            **dict.fromkeys(nothing.split(), None),
        },
    )
    if again is not None:
        await attempts_of.begin(connection, again)
    return again


async def mark_deleted(connection: AsyncConnection, row: Row) -> Row | None:
    """Make a row invisible; its driver cancels the provider's job and takes the files away."""
    return await _change(
        connection,
        _still(row),
        {
            "deleted_at": func.now(),
            "cancel_requested_at": row.cancel_requested_at or func.now(),
            "thread_id": None,
            "number": None,
        },
    )


async def of_thread(connection: AsyncConnection, thread_id: UUID) -> list[Row]:
    """The visible generations of a thread, locked, in the order of their handles."""
    g = generations.c
    query = (
        select(*COLUMNS)
        .where(g.thread_id == thread_id, g.deleted_at.is_(None))
        .order_by(g.number)
        .with_for_update()
    )
    found = (await connection.execute(query)).mappings().all()
    return [known(record) for record in found]


async def settle_undecided(connection: AsyncConnection, older_than_s: float) -> int:
    """Close as failed what stayed unknown for too long; returns how many."""
    g = generations.c
    age = func.make_interval(0, 0, 0, 0, 0, 0, older_than_s)
    ours = (g.status == "unknown", g.legacy_id.is_(None))
    query = select(*COLUMNS).where(*ours, g.finished_at < func.now() - age)
    found = (await connection.execute(query.with_for_update(skip_locked=True))).mappings().all()
    rows = [known(record) for record in found]
    for row in rows:
        await move(
            connection,
            row,
            "failed",
            error_code="submit_unknown",
            error_message="Nobody decided for a day; the request may have been charged.",
            error_retryable=True,
        )
    return len(rows)


async def input_assets(
    connection: AsyncConnection, generation_id: UUID
) -> list[tuple[str, UUID | None]]:
    """Role and asset of each input, in order; None for a picture that was deleted meanwhile."""
    query = (
        select(inputs.c.role, inputs.c.asset_id)
        .where(inputs.c.generation_id == generation_id)
        .order_by(inputs.c.position)
    )
    return [(role, asset_id) for role, asset_id in (await connection.execute(query)).all()]
