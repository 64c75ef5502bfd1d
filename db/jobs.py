"""The engine's side of the database: SQL on procrastinate's tables in schema `jobs`.

The engine guarantees one thing: `drive(generation_id)` is called again. These statements put such a
call in the caller's own transaction, keep a worker from touching a job it no longer owns, and take
jobs over from a worker that is gone.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, String, cast, func, literal_column, null, text
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncConnection

QUEUE = "generations"
TASK = "drive"
#: First number of the workers' session locks; the second is the worker's id at the engine.
WORKER_LOCK = 546673
#: A worker that has not been heard of for so long is dead or frozen, whatever its lock says.
HEARTBEAT_MAX_S = 30

_DEFER = text(
    """
    select unnest(jobs.procrastinate_defer_jobs_v1(array[row(
        cast(:queue as varchar), cast(:task as varchar), 0, cast(:lock as text),
        cast(:lock as text), cast(:args as jsonb), null
    )::jobs.procrastinate_job_to_defer_v1]))
    where not exists (
        select from jobs.procrastinate_jobs where queueing_lock = :lock and status = 'todo'
    )
    """
)

_DEFER_MANY = text(
    """
    select jobs.procrastinate_defer_jobs_v1(array_agg(row(
        cast(:queue as varchar), cast(:task as varchar), 0, 'g:' || id, 'g:' || id,
        jsonb_build_object('generation_id', id), null
    )::jobs.procrastinate_job_to_defer_v1))
    from unnest(cast(:ids as uuid[])) as id
    where not exists (
        select from jobs.procrastinate_jobs where queueing_lock = 'g:' || id and status = 'todo'
    ) having count(*) > 0
    """
)

#: A lost job whose twin already waits (a delete or a retry has asked for another call) is finished
#: instead of put back: two waiting calls of one generation cannot be.
_TAKE_OVER = text(
    """
    with dead as (
        select w.worker_id from (
            select distinct worker_id from jobs.procrastinate_jobs
            where status = 'doing' and worker_id is not null
        ) w where pg_try_advisory_xact_lock(:lock, w.worker_id::int)
        union
        select id from jobs.procrastinate_workers
        where last_heartbeat < now() - make_interval(secs => :heartbeat)
    ), lost as (
        select j.id, exists (
            select from jobs.procrastinate_jobs twin
            where twin.queueing_lock = j.queueing_lock and twin.status = 'todo'
        ) as has_twin
        from jobs.procrastinate_jobs j
        where j.status = 'doing'
          and (j.worker_id in (select worker_id from dead) or j.worker_id is null)
    ), stolen as (
        select id, case when has_twin
            then jobs.procrastinate_finish_job_v1(id, 'succeeded', true)::text
            else jobs.procrastinate_retry_job_v2(id, now(), null, null, null)::text
        end from lost
    )
    select count(*), pg_notify(
        'procrastinate_queue_v1#' || :queue,
        json_build_object('type', 'job_inserted', 'job_id', 0)::text
    ) from stolen group by () having count(*) > 0
    """
)

_FORGOTTEN = text(
    """
    select id from (
        select id, updated_at from kinora.generations
        where status in ('queued', 'submitting', 'in_progress', 'storing')
          and legacy_id is null and not waits
        union
        select g.id, g.updated_at from kinora.generations g
        join kinora.assets a on a.generation_id = g.id
        where g.deleted_at is not null
    ) g
    where g.updated_at < now() - interval '2 s'
      and not exists (
        select from jobs.procrastinate_jobs j
        where j.queueing_lock = 'g:' || g.id and j.status in ('todo', 'doing'))
    limit 500
    """
)

#: As procrastinate's own fetch, but several at once: one round trip for each would be the pace of
#: a start with thousands in line.
FETCH_MANY = """
    with next as (
        select id from procrastinate_jobs mine
        where status = 'todo' and queue_name = any(%(queues)s)
          and (scheduled_at is null or scheduled_at <= now())
          and not exists (
            select from procrastinate_jobs other
            where other.lock = mine.lock and (
                other.status = 'doing' or (other.status = 'todo' and (
                    other.priority > mine.priority
                    or (other.priority = mine.priority and other.id < mine.id)))))
        order by priority desc, id
        limit %(count)s for update of mine skip locked
    )
    update procrastinate_jobs set status = 'doing', worker_id = %(worker_id)s
    from next where procrastinate_jobs.id = next.id
    returning procrastinate_jobs.*
"""
#: Both act only while the job is still this worker's: without that, one that lost its jobs would
#: put them back, or finish them, under their new owner.
RETRY_OURS = """
    select case when exists (
            select from procrastinate_jobs twin
            where twin.queueing_lock = ours.queueing_lock and twin.status = 'todo')
        then procrastinate_finish_job_v1(id, 'succeeded', true)::text
        else procrastinate_retry_job_v2(id, %(retry_at)s, null, null, null)::text
    end, pg_notify(
        'procrastinate_queue_v1#' || queue_name,
        json_build_object('type', 'job_inserted', 'job_id', id)::text)
    from procrastinate_jobs ours
    where id = %(job_id)s and worker_id = %(worker_id)s and status = 'doing'
"""
FINISH_OURS = """
    select procrastinate_finish_job_v1(id, %(status)s, %(delete_job)s) from procrastinate_jobs
    where id = %(job_id)s and worker_id = %(worker_id)s and status = 'doing'
"""


async def defer_drive(connection: AsyncConnection, generation_id: UUID) -> None:
    """Have a generation driven once this transaction commits; a call that already waits is enough.

    The caller holds the generation's row lock, so two callers cannot both find that none waits.
    """
    await connection.execute(
        _DEFER,
        {
            "queue": QUEUE,
            "task": TASK,
            "lock": f"g:{generation_id}",
            "args": f'{{"generation_id": "{generation_id}"}}',
        },
    )


async def defer_drives(connection: AsyncConnection, ids: list[UUID]) -> None:
    """Have several generations driven, whose rows the caller has locked."""
    await connection.execute(_DEFER_MANY, {"queue": QUEUE, "task": TASK, "ids": ids})


def first_drive(generation_id: ColumnElement[UUID]) -> ColumnElement[Any]:
    """Has a generation driven that is made in this very statement, for which no call can wait."""
    lock = func.concat("g:", generation_id)
    call = func.row(
        *(cast(QUEUE, String), cast(TASK, String), 0, lock, lock),
        *(func.jsonb_build_object("generation_id", generation_id), null()),
    )
    job = call.op("::")(literal_column("jobs.procrastinate_job_to_defer_v1"))
    return func.jobs.procrastinate_defer_jobs_v1(array([job]))


async def hold_worker_lock(connection: asyncpg.Connection, worker_id: int) -> None:
    """Live: the lock falls when this connection ends, and with it the worker's claim on its
    jobs.
    """
    await connection.execute("select pg_advisory_lock($1, $2)", WORKER_LOCK, worker_id)


async def take_over(connection: AsyncConnection) -> int:
    """Give the jobs of dead workers back to the living; returns how many."""
    found = (
        await connection.execute(
            _TAKE_OVER, {"lock": WORKER_LOCK, "heartbeat": HEARTBEAT_MAX_S, "queue": QUEUE}
        )
    ).first()
    return int(found[0]) if found else 0


async def defer_forgotten(connection: AsyncConnection) -> int:
    """Defer open generations that no job drives, should such a job ever have been lost; of those
    imported from an old system only what was deleted, whose files have to go.
    """
    ids = (await connection.execute(_FORGOTTEN)).scalars().all()
    for generation_id in ids:
        locked = await connection.execute(
            text("select id from kinora.generations where id = :id for update skip locked"),
            {"id": generation_id},
        )
        if locked.first():
            await defer_drive(connection, generation_id)
    return len(ids)


async def stalled(connection: AsyncConnection) -> int:
    """How many jobs have been waiting for a take-over for more than a minute: the sweep is not
    running.
    """
    query = text(
        """
        select count(*) from jobs.procrastinate_jobs j
        left join jobs.procrastinate_workers w on w.id = j.worker_id
        where j.status = 'doing'
          and coalesce(w.last_heartbeat, '-infinity') < now() - interval '60 s'
        """
    )
    return int((await connection.execute(query)).scalar_one())


async def workers_alive(connection: AsyncConnection) -> int:
    """How many workers were heard of in the last half minute."""
    query = text(
        """
        select count(*) from jobs.procrastinate_workers
        where last_heartbeat > now() - make_interval(secs => :heartbeat)
        """
    )
    return int((await connection.execute(query, {"heartbeat": HEARTBEAT_MAX_S})).scalar_one())
