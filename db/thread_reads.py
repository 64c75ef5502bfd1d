"""Reading conversations: a page of titles, and a whole thread by one statement of one snapshot.

The rows of steps and elements come as JSON made by Postgres, so one statement brings them all, the
turns that were cut off too; a second one brings the readings of the generations that the thread's
cards draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BindParameter,
    ColumnElement,
    Integer,
    RowMapping,
    Select,
    Subquery,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from db import readings, search, turns
from db.ids import parse_id
from db.tables import elements, feedbacks, imported, steps, threads, users
from db.thread_rows import element_dict, in_runs, interruption, step_dict, thread_dict

PAGE_MAX = 100
_ID = threads.c.id.type
_UNREAD = ("search", "deleted_at")
_STEP = tuple(column for column in steps.c if column.name not in _UNREAD)
_ELEMENT = tuple(column for column in elements.c if column.name not in _UNREAD)


@dataclass(frozen=True, slots=True)
class Page:
    """Threads without their steps, and where they begin and end."""

    threads: list[dict[str, Any]]
    first: str | None
    last: str | None
    has_next: bool


NO_PAGE = Page([], None, None, has_next=False)


async def user(connection: AsyncConnection, identifier: str) -> RowMapping | None:
    """The row of the user who is called so."""
    query = select(users).where(users.c.identifier == identifier)
    return (await connection.execute(query)).mappings().one_or_none()


def _encode(created_at: datetime, thread_id: UUID) -> str:
    """A cursor holds the key itself: the thread it names may be gone when it comes back."""
    return f"{created_at.isoformat()}_{thread_id}"


def _decode(cursor: str) -> tuple[datetime, UUID] | None:
    moment, _, text = cursor.partition("_")
    thread_id = parse_id(text)
    try:
        created_at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (created_at, thread_id) if thread_id and created_at.tzinfo else None


def _threads() -> Select[Any]:
    t = threads.c
    shown = (t.id, t.user_id, t.name, t.metadata, t.tags, t.created_at, users.c.identifier)
    return select(*shown).join(users, users.c.id == t.user_id).where(t.deleted_at.is_(None))


async def page(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    limit: int,
    cursor: str | None,
    words: str | None,
    feedback: int | None,
) -> Page:
    """The user's threads, the newest first; a cursor that is not ours stands behind all of them."""
    limit, words = min(max(limit, 1), PAGE_MAX), search.asked(words)
    known: dict[str, Any] = {"user": user_id, "limit": limit + 1}
    if cursor:
        after = _decode(cursor)
        if after is None:
            return NO_PAGE
        known |= {"moment": after[0], "id": after[1]}
    if words:
        known["words"] = words
    if feedback is not None:
        known["value"] = feedback
    query = _page(frozenset(known))
    rows = (await connection.execute(query, known)).mappings().all()
    shown = rows[:limit]
    ends = [_encode(row["created_at"], row["id"]) for row in shown]
    return Page(
        [thread_dict(row) for row in shown],
        ends[0] if ends else None,
        ends[-1] if ends else None,
        has_next=len(rows) > limit,
    )


@cache
def _page(given: frozenset[str]) -> Select[Any]:
    """Built once for each way of asking: that takes longer than running it."""
    t = threads.c
    query = _threads().where(t.user_id == bindparam("user", type_=_ID))
    if "moment" in given:
        after = (bindparam("moment", type_=t.created_at.type), bindparam("id", type_=_ID))
        query = query.where(tuple_(t.created_at, t.id) < tuple_(*after))
    if "value" in given:
        query = query.where(_rated(bindparam("value", type_=Integer)))
    if "words" not in given:
        return _newest(query, t)
    matching = search.matching_threads(query, lambda among: _newest(among, t))
    return _newest(select(matching), matching.c)


def _newest(query: Select[Any], columns: Any) -> Select[Any]:
    order = (columns.created_at.desc(), columns.id.desc())
    return query.order_by(*order).limit(bindparam("limit", type_=Integer))


def _rated(value: BindParameter[int]) -> ColumnElement[bool]:
    rated = select(feedbacks.c.id).join(steps, steps.c.id == feedbacks.c.step_id)
    return rated.where(steps.c.thread_id == threads.c.id, feedbacks.c.value == value).exists()


def _steps(*where: ColumnElement[bool]) -> Subquery:
    rating = (
        select(feedbacks)
        .where(feedbacks.c.step_id == steps.c.id)
        .order_by(feedbacks.c.created_at.desc())
        .limit(1)
        .correlate(steps)
        .subquery("rating")
    )
    feedback = select(_json(rating)).scalar_subquery()
    said = select(*_STEP, feedback.label("feedback")).where(steps.c.deleted_at.is_(None), *where)
    return said.subquery("step")


def _elements(*where: ColumnElement[bool]) -> Subquery:
    """An element may come after the delete of its step, in whose memory it is not shown."""
    gone = and_(steps.c.id == elements.c.step_id, steps.c.deleted_at.is_not(None))
    shown = select(*_ELEMENT).where(elements.c.deleted_at.is_(None), *where)
    return shown.where(~select(steps.c.id).where(gone).exists()).subquery("element")


def _json(rows: Subquery) -> ColumnElement[Any]:
    return func.to_json(rows.table_valued(), type_=JSON)


def _all(rows: Subquery, *order: ColumnElement[Any]) -> ColumnElement[Any]:
    every = func.json_agg(aggregate_order_by(_json(rows), *order), type_=JSON)
    return select(every).scalar_subquery()


async def whole_thread(
    connection: AsyncConnection, thread_id: UUID, viewer_id: UUID | None
) -> dict[str, Any] | None:
    """Chainlit's thread, with a notice for each turn that was cut off, if it is the viewer's; no
    viewer: the caller sees to who may read it.
    """
    known = {"thread": thread_id, "viewer": viewer_id}
    row = (await connection.execute(_whole_thread(), known)).mappings().one_or_none()
    if row is None:
        return None
    drawn = await _drawn(connection, row["user_id"], row["elements"] or [])
    notices = [
        interruption(UUID(cut["step_id"]), thread_id, cut["started_at"])
        for cut in row["interrupted"] or []
    ]
    said = [step_dict(step) for step in row["steps"] or []]
    said = in_runs(said) if row["is_imported"] else said
    shown = [element_dict(element, drawn) for element in row["elements"] or []]
    return {
        **thread_dict(row),
        "steps": said + [step for step, _ in notices],
        "elements": shown + [element for _, element in notices],
    }


@cache
def _whole_thread() -> Select[Any]:
    """Built once: that takes longer than running it."""
    thread_id, viewer_id = bindparam("thread", type_=_ID), bindparam("viewer", type_=_ID)
    said = _steps(steps.c.thread_id == thread_id)
    shown = _elements(elements.c.thread_id == thread_id)
    return (
        _threads()
        .where(threads.c.id == thread_id)
        .where(or_(viewer_id.is_(None), threads.c.user_id == viewer_id))
        .add_columns(
            _all(said, said.c.created_at, said.c.seq).label("steps"),
            _all(shown, shown.c.seq).label("elements"),
            turns.interrupted().label("interrupted"),
            exists().where(imported.c.target_id == threads.c.id).label("is_imported"),
        )
    )


async def one_element(
    connection: AsyncConnection, thread_id: UUID, element_id: UUID
) -> dict[str, Any] | None:
    """Chainlit's element; the caller sees to who may read its thread."""
    one = _elements(elements.c.thread_id == thread_id, elements.c.id == element_id)
    query = select(_json(one).label("element"), threads.c.user_id).join(
        threads, threads.c.id == one.c.thread_id
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return element_dict(row.element, await _drawn(connection, row.user_id, [row.element]))


async def _drawn(
    connection: AsyncConnection, user_id: UUID, rows: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The readings of the generations these elements draw, by id; the owner's, whoever looks."""
    ids = [UUID(row["generation_id"]) for row in rows if row["generation_id"]]
    return {reading["id"]: reading for reading in await readings.read(connection, user_id, ids)}


async def author(connection: AsyncConnection, thread_id: UUID) -> str | None:
    """The identifier of the thread's owner."""
    known = (threads.c.id == thread_id, threads.c.deleted_at.is_(None))
    query = select(users.c.identifier).join(threads).where(*known)
    found: str | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def favorite_steps(connection: AsyncConnection, user_id: UUID) -> list[dict[str, Any]]:
    """The user's steps with `favorite` in their metadata, the newest first."""
    mine = select(threads.c.id).where(threads.c.user_id == user_id)
    liked = _steps(steps.c.thread_id.in_(mine), steps.c.metadata.contains({"favorite": True}))
    query = select(_json(liked)).order_by(liked.c.created_at.desc(), liked.c.seq.desc())
    return [step_dict(row) for row in (await connection.execute(query)).scalars()]
