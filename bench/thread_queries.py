"""The same reads and writes as our data layer's, each as one statement written by hand.

They bring what Chainlit needs and refuse what is not the person's, as ours do; they go through the
same pool, one transaction each. What they leave out is what makes a layer: writes in any order,
fields nobody gave, texts Postgres cannot keep, generations drawn by cards, turns cut off.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

PAGE = 20
_STAMP = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
_PAGE = """
    select t.id, t.created_at, t.name, t.user_id, u.identifier, t.tags, t.metadata
    from kinora.threads t join kinora.users u on u.id = t.user_id
    where t.user_id = :user_id and t.deleted_at is null {where}
    order by t.created_at desc, t.id desc
    limit :limit
"""
_FIRST_PAGE = text(_PAGE.format(where=""))
_LATER_PAGE = text(_PAGE.format(where="and (t.created_at, t.id) < (:created_at, :thread_id)"))
#: One query for any word: nobody knows beforehand how many say it.
_FOUND = text(
    _PAGE.format(
        where="""and (t.search @@ kinora.wanted(:words) or exists (
            select from kinora.steps s where s.thread_id = t.id and s.deleted_at is null
            and s.search @@ kinora.wanted(:words)))"""
    )
)
_THREAD = text(
    f"""
    select json_build_object(
        'id', t.id, 'createdAt', to_char(t.created_at at time zone 'UTC', '{_STAMP}'),
        'name', t.name, 'userId', t.user_id, 'userIdentifier', u.identifier, 'tags', t.tags,
        'metadata', t.metadata,
        'steps', coalesce((select json_agg(json_build_object(
            'id', s.id, 'threadId', s.thread_id, 'parentId', s.parent_id, 'name', s.name,
            'type', s.type, 'output', s.output, 'isError', s.is_error, 'streaming', s.streaming,
            'input', case when coalesce(s.show_input, 'false') = 'false' then '' else s.input end,
            'waitForAnswer', s.wait_for_answer, 'metadata', s.metadata, 'tags', s.tags,
            'generation', s.generation, 'showInput', s.show_input, 'language', s.language,
            'icon', s.icon, 'command', s.command, 'modes', s.modes, 'defaultOpen', s.default_open,
            'autoCollapse', s.auto_collapse,
            'createdAt', to_char(s.created_at at time zone 'UTC', '{_STAMP}'),
            'start', to_char(s.started_at at time zone 'UTC', '{_STAMP}'),
            'end', to_char(s.ended_at at time zone 'UTC', '{_STAMP}'),
            'feedback', (select json_build_object(
                'id', f.id, 'forId', f.step_id, 'value', f.value, 'comment', f.comment)
                from kinora.feedbacks f where f.step_id = s.id
                order by f.created_at desc limit 1)
            ) order by s.created_at, s.seq)
            from kinora.steps s where s.thread_id = t.id and s.deleted_at is null), '[]'),
        'elements', coalesce((select json_agg(to_json(e) order by e.seq)
            from kinora.elements e where e.thread_id = t.id and e.deleted_at is null), '[]'))
    from kinora.threads t join kinora.users u on u.id = t.user_id
    where t.id = :thread_id and t.user_id = :user_id and t.deleted_at is null
    """
)
_WRITE = text(
    """
    with own as (
        insert into kinora.threads (id, user_id) values (:thread_id, :user_id)
        on conflict (id) do update set updated_at = now()
        where threads.user_id = excluded.user_id and threads.deleted_at is null
        returning id
    )
    insert into kinora.steps (id, thread_id, name, type, output, created_at, started_at, ended_at)
    select :step_id, own.id, :name, :type, :output, :created_at, :started_at, :ended_at from own
    on conflict (id) do update
    set output = excluded.output, ended_at = excluded.ended_at
    where steps.thread_id = excluded.thread_id and steps.deleted_at is null
    returning id
    """
)
Thread = dict[str, Any]


def _thread(row: Any) -> Thread:
    return {
        "id": str(row.id),
        "createdAt": row.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "name": row.name,
        "userId": str(row.user_id),
        "userIdentifier": row.identifier,
        "tags": row.tags,
        "metadata": row.metadata,
        "steps": [],
        "elements": [],
    }


async def page(
    engine: AsyncEngine, user_id: UUID, after: tuple[datetime, UUID] | None = None
) -> list[Thread]:
    """A page of threads, the newest first, behind the one with this moment and id."""
    known: dict[str, Any] = {"user_id": user_id, "limit": PAGE + 1}
    query = _FIRST_PAGE
    if after is not None:
        query, known = _LATER_PAGE, {**known, "created_at": after[0], "thread_id": after[1]}
    async with engine.connect() as connection:
        rows = (await connection.execute(query, known)).all()
    return [_thread(row) for row in rows[:PAGE]]


async def found(engine: AsyncEngine, user_id: UUID, word: str) -> list[Thread]:
    """The first page of the threads in which a word is said."""
    known = {"user_id": user_id, "limit": PAGE + 1, "words": word}
    async with engine.connect() as connection:
        rows = (await connection.execute(_FOUND, known)).all()
    return [_thread(row) for row in rows[:PAGE]]


async def thread(engine: AsyncEngine, user_id: UUID, thread_id: UUID) -> Thread:
    """A whole thread of the person's."""
    known = {"user_id": user_id, "thread_id": thread_id}
    async with engine.connect() as connection:
        whole: Thread = (await connection.execute(_THREAD, known)).scalar_one()
    return whole


async def write(engine: AsyncEngine, user_id: UUID, step: dict[str, Any]) -> None:
    """Write a step as it begins or as it ends; `step` in Chainlit's words."""
    known = {
        "user_id": user_id,
        "thread_id": UUID(step["threadId"]),
        "step_id": UUID(step["id"]),
        "name": step["name"],
        "type": step["type"],
        "output": step["output"],
        "created_at": datetime.fromisoformat(step["createdAt"]),
        "started_at": datetime.fromisoformat(step["start"]),
        "ended_at": datetime.fromisoformat(step["end"]) if step["end"] else None,
    }
    async with engine.begin() as connection:
        (await connection.execute(_WRITE, known)).one()
