"""The statements that write a conversation. Each names the owner, and each may come in any order.

Chainlit writes a message, its thread and its elements at the same time and never waits. So every
write brings the thread's row along (`own`): it is made when it is missing, locked when it is there,
and yields nothing when it is somebody else's or was deleted. A write that selects from nothing
writes nothing, which its caller sees by the id that does not come back. What was deleted is decided
by the row under its lock: a write that comes late waits for the one who deletes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Delete,
    FromClause,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.sql.dml import ReturningInsert

from db.ids import new_id
from db.tables import assets, elements, feedbacks, generations, steps, threads, users
from db.thread_rows import mirrored

#: A statement whose id comes back when something was written, and its parameters.
Write = tuple[ReturningInsert[tuple[Any]], dict[str, Any]]
#: Building a statement costs more than running it, and Chainlit knows a dozen shapes of a step.
STATEMENTS_KEPT = 64


def upsert_user(identifier: str, metadata: Mapping[str, Any]) -> ReturningInsert[Any]:
    """Make the user, or overwrite the metadata of the one who is there: each login does."""
    new = insert(users).values(id=new_id(), identifier=identifier, metadata=dict(metadata))
    return new.on_conflict_do_update(
        index_elements=[users.c.identifier], set_={"metadata": new.excluded.metadata}
    ).returning(users)


def _living(new: Insert) -> ColumnElement[bool]:
    return and_(threads.c.user_id == new.excluded.user_id, threads.c.deleted_at.is_(None))


def _own() -> CTE:
    """The thread as a table of one row, or of none; a name is for a thread that has none yet."""
    new = insert(threads).values(
        id=bindparam("own_thread"), user_id=bindparam("own_user"), name=bindparam("own_name")
    )
    return (
        new.on_conflict_do_update(
            index_elements=[threads.c.id],
            set_={
                "updated_at": func.now(),
                "name": func.coalesce(threads.c.name, new.excluded.name),
            },
            where=_living(new),
        )
        .returning(threads.c.id)
        .cte("own")
    )


def _parameters(
    thread_id: UUID, user_id: UUID, name: str | None, record: Mapping[str, Any]
) -> dict[str, Any]:
    owner = {"own_thread": thread_id, "own_user": user_id, "own_name": name}
    return {**owner, **{f"new_{column}": value for column, value in record.items()}}


def _new(table: Table, columns: Iterable[str]) -> list[ColumnElement[Any]]:
    return [bindparam(f"new_{name}", type_=table.c[name].type).label(name) for name in columns]


def theirs(user_id: UUID) -> Select[tuple[Any]]:
    """The ids of the user's threads, for `in_`."""
    return select(threads.c.id).where(threads.c.user_id == user_id, threads.c.deleted_at.is_(None))


def upsert_thread(
    thread_id: UUID,
    user_id: UUID,
    name: str | None,
    metadata: Mapping[str, Any],
    tags: Sequence[str] | None,
) -> Write:
    """Begin a thread, or change what is given of it; no id: it is another's, or deleted."""
    kept = {key: value for key, value in metadata.items() if value is not None}
    new = insert(threads).values(id=thread_id, user_id=user_id, name=name, metadata=kept, tags=tags)
    query = new.on_conflict_do_update(
        index_elements=[threads.c.id],
        set_=_thread_changes(name, metadata, tags),
        where=_living(new),
    )
    return query.returning(threads.c.id), {}


def update_thread(
    thread_id: UUID,
    user_id: UUID | None,
    name: str | None,
    metadata: Mapping[str, Any],
    tags: Sequence[str] | None,
) -> Update:
    """Change what is given of a thread that is there; no user: the caller sees to whose it is."""
    query = update(threads).where(threads.c.id == thread_id, threads.c.deleted_at.is_(None))
    if user_id is not None:
        query = query.where(threads.c.user_id == user_id)
    return query.values(**_thread_changes(name, metadata, tags))


def _thread_changes(
    name: str | None, metadata: Mapping[str, Any], tags: Sequence[str] | None
) -> dict[str, Any]:
    """Metadata is merged key by key, and a key whose value is None goes."""
    gone = [key for key, value in metadata.items() if value is None]
    kept = {key: value for key, value in metadata.items() if value is not None}
    then = threads.c.metadata.op("-", return_type=threads.c.metadata.type)
    merged = then(literal(gone, ARRAY(Text))).op("||")(literal(kept, threads.c.metadata.type))
    changes: dict[str, Any] = {"updated_at": func.now()}
    if name is not None:
        changes["name"] = name
    if metadata:
        changes["metadata"] = merged
    if tags is not None:
        changes["tags"] = list(tags)
    return changes


def upsert_step(
    step_id: UUID, thread_id: UUID, user_id: UUID, values: Mapping[str, Any], name: str | None
) -> Write:
    """Write a step as far as this is the newest of it; no id: it, or its thread, is not theirs."""
    record = {"id": step_id, "thread_id": thread_id, **values}
    return _upsert_step(tuple(record)), _parameters(thread_id, user_id, name, record)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _upsert_step(columns: tuple[str, ...]) -> ReturningInsert[tuple[Any]]:
    source = select(*_new(steps, columns)).select_from(_own())
    new = insert(steps).from_select(columns, source)
    said = [column for column in columns if column not in ("id", "thread_id")]
    return new.on_conflict_do_update(
        index_elements=[steps.c.id],
        set_={"id": steps.c.id, **{column: _merged(new, column) for column in said}},
        where=and_(steps.c.thread_id == new.excluded.thread_id, steps.c.deleted_at.is_(None)),
    ).returning(steps.c.id)


def _merged(new: Insert, column: str) -> ColumnElement[Any]:
    """What a column becomes by another write: an end beats a start, a text beats an empty one."""
    now, then = new.excluded[column], steps.c[column]
    later = or_(new.excluded.ended_at.is_not(None), steps.c.ended_at.is_(None))
    if column in ("created_at", "started_at"):
        return func.least(then, now)
    if column == "ended_at":
        return func.greatest(then, now)
    if column in ("input", "output"):
        return case((or_(then == "", and_(later, now != "")), now), else_=then)
    if column == "metadata":
        return case((later, then.op("||")(now)), else_=now.op("||")(then))
    return case((later, now), else_=func.coalesce(then, now))


def upsert_element(
    element_id: UUID,
    thread_id: UUID,
    user_id: UUID,
    values: Mapping[str, Any],
    *,
    generation_id: UUID | None,
    asset_id: UUID | None,
) -> Write:
    """Write an element; no id: it, its thread, its generation or its asset is not theirs."""
    record = {"id": element_id, "thread_id": thread_id, **values}
    if asset_id is not None:
        # What the file is has been decided by decoding it, not by what the client calls it.
        record = {**record, "url": f"/media/{asset_id}"}
        record.pop("mime", None)
    drawn = {"generation_id": generation_id, "asset_id": asset_id}
    query = _upsert_element(tuple(record), generation_id is not None, asset_id is not None)
    return query, _parameters(thread_id, user_id, None, {**record, **drawn})


@lru_cache(maxsize=STATEMENTS_KEPT)
def _upsert_element(
    columns: tuple[str, ...], is_card: bool, is_media: bool
) -> ReturningInsert[tuple[Any]]:
    source: FromClause = _own()
    drawn: list[ColumnElement[Any]] = []
    user_id: BindParameter[UUID] = bindparam("own_user")
    if is_card:
        g = generations.c
        mine = and_(g.id == bindparam("new_generation_id"), g.user_id == user_id)
        source = source.join(generations, and_(mine, g.deleted_at.is_(None)))
        drawn.append(g.id.label("generation_id"))
    if is_media:
        a = assets.c
        mine = and_(a.id == bindparam("new_asset_id"), a.user_id == user_id)
        source = source.join(assets, and_(mine, a.deleted_at.is_(None)))
        drawn += [a.id.label("asset_id"), a.media_type.label("mime")]
    selected = select(*_new(elements, columns), *drawn).select_from(source)
    if is_media:
        # Locked, so that nobody finds the picture without a use while this gives it one.
        selected = selected.with_for_update(read=True, of=assets)
    names = selected.selected_columns.keys()
    new = insert(elements).from_select(names, selected)
    changes: dict[str, ColumnElement[Any]] = {name: new.excluded[name] for name in names}
    if "mime" in columns:
        changes["mime"] = func.coalesce(elements.c.mime, new.excluded.mime)
    return new.on_conflict_do_update(
        index_elements=[elements.c.id],
        set_=changes,
        where=and_(elements.c.thread_id == new.excluded.thread_id, elements.c.deleted_at.is_(None)),
    ).returning(elements.c.id)


def upsert_feedback(
    feedback_id: UUID, step_id: UUID, user_id: UUID, value: int, comment: str | None
) -> Write:
    """Write feedback on a step of the user's, or on the run it is shown in (`in_runs`); no id: it,
    or the step, is not theirs.
    """
    mine = and_(
        steps.c.id.in_((step_id, mirrored(step_id))),
        steps.c.thread_id.in_(theirs(user_id)),
        steps.c.deleted_at.is_(None),
    )
    said = (literal(feedback_id), steps.c.id, literal(value), literal(comment, Text))
    new = insert(feedbacks).from_select(
        ["id", "step_id", "value", "comment"],
        select(*said).where(mine).with_for_update(key_share=True, of=steps),
    )
    query = new.on_conflict_do_update(
        index_elements=[feedbacks.c.id],
        set_={"value": new.excluded.value, "comment": new.excluded.comment},
        where=feedbacks.c.step_id == new.excluded.step_id,
    )
    return query.returning(feedbacks.c.id), {}


def delete_feedback(feedback_id: UUID, user_id: UUID) -> Delete:
    """Away with feedback on a step of the user's."""
    mine = select(steps.c.id).where(steps.c.thread_id.in_(theirs(user_id)))
    return delete(feedbacks).where(feedbacks.c.id == feedback_id, feedbacks.c.step_id.in_(mine))
