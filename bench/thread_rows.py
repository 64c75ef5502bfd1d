"""A person with many conversations, in our schema and, row by row the same, in the stock layer's.

Conversations are made by Postgres itself. Each has ten steps, a question and an answer in turn, of
a dozen words each; no cards, whose cost `bench.cards` tells. The ids follow from the numbers.

The stock layer's schema is what its statements name. The documented one has no index but its keys;
this one gets those that anybody would add, so that it is beaten by its queries alone.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import psycopg

#: In every answer, and in three conversations.
COMMON, RARE = "picture", "zanzibar"
STEPS = 10
OWNER = "bench"
_VOCABULARY = (
    "amber birch cloud dune ember fjord glade harbour iris juniper kettle lagoon meadow nimbus "
    "orchard pebble quartz river saffron tundra umber valley willow yarrow zenith anchor bramble "
    "cinder delta estuary fern grove"
)

_OURS = """
    insert into kinora.users (id, identifier) values (md5('user')::uuid, 'bench');
    insert into kinora.threads (id, user_id, name, created_at, updated_at)
    select md5('thread' || n)::uuid, md5('user')::uuid, 'Conversation ' || n, moment, moment
    from generate_series(1, {threads}) n,
         lateral (select timestamptz '2026-01-01 00:00:00.123456Z'
                         + n * interval '1 minute' as moment) t;
    insert into kinora.steps
        (id, thread_id, name, type, output, created_at, started_at, ended_at)
    select md5('step' || n || '.' || k)::uuid, md5('thread' || n)::uuid,
           case when k % 2 = 1 then 'User' else 'Kinora' end,
           case when k % 2 = 1 then 'user_message' else 'assistant_message' end,
           case when k % 2 = 1 then 'Please draw ' else 'Here is your {common} of ' end
               || words || case when k = 4 and n in ({rare}) then ' in {rare_word}' else '' end,
           moment, moment, moment
    from generate_series(1, {threads}) n, generate_series(1, {steps}) k,
         lateral (select timestamptz '2026-01-01 00:00:00.123456Z' + n * interval '1 minute'
                         + k * interval '1 second' as moment) t,
         lateral (select string_agg(
                      (string_to_array('{vocabulary}', ' '))[1 + (hashint4(n * 1000 + k * 50 + i)
                          & 31)], ' ') as words
                  from generate_series(1, 12) i) w;
"""
_STOCK_TABLES = """
    create schema stock;
    set search_path = stock;
    create table users (
        "id" uuid primary key, "identifier" text not null unique, "metadata" jsonb not null,
        "createdAt" text);
    create table threads (
        "id" uuid primary key, "createdAt" text, "name" text,
        "userId" uuid references users ("id") on delete cascade, "userIdentifier" text,
        "tags" text[], "metadata" jsonb);
    create table steps (
        "id" uuid primary key, "name" text not null, "type" text not null,
        "threadId" uuid not null references threads ("id") on delete cascade, "parentId" uuid,
        "streaming" boolean not null, "waitForAnswer" boolean, "isError" boolean, "metadata" jsonb,
        "tags" text[], "input" text, "output" text, "command" text, "modes" jsonb,
        "createdAt" text, "start" text, "end" text, "generation" jsonb, "showInput" text,
        "language" text, "icon" text, "defaultOpen" boolean, "autoCollapse" boolean);
    create table elements (
        "id" uuid primary key, "threadId" uuid references threads ("id") on delete cascade,
        "type" text, "url" text, "chainlitKey" text, "name" text not null, "display" text,
        "objectKey" text, "size" text, "page" int, "language" text, "forId" uuid, "mime" text,
        "props" jsonb, "autoPlay" boolean, "playerConfig" jsonb);
    create table feedbacks (
        "id" uuid primary key, "forId" uuid not null, "threadId" uuid, "value" int not null,
        "comment" text);
    create index on threads ("userId");
    create index on steps ("threadId");
    create index on elements ("threadId");
    create index on feedbacks ("forId");
"""
_STAMP = "to_char({0} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_STOCK_ROWS = f"""
    insert into stock.users
    select id, identifier, metadata, {_STAMP.format("created_at")} from kinora.users
    where identifier = 'bench';
    insert into stock.threads
    select t.id, {_STAMP.format("t.created_at")}, t.name, t.user_id, u.identifier, t.tags,
           t.metadata
    from kinora.threads t join kinora.users u on u.id = t.user_id;
    insert into stock.steps
        ("id", "name", "type", "threadId", "streaming", "waitForAnswer", "isError", "metadata",
         "input", "output", "createdAt", "start", "end", "generation")
    select id, name, type, thread_id, false, false, false, metadata, input, output,
           {_STAMP.format("created_at")}, {_STAMP.format("started_at")},
           {_STAMP.format("ended_at")}, '{{}}'
    from kinora.steps;
"""


def user_id() -> UUID:
    """Whose conversations they are."""
    return _id("user")


def thread_id(number: int) -> UUID:
    """The conversation of this number; 1 is the oldest."""
    return _id(f"thread{number}")


def _id(name: str) -> UUID:
    return UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())


def fill(url: str, threads: int) -> None:
    """Make so many conversations in a migrated database, and the same in the schema `stock`."""
    rare = ", ".join(str(max(1, threads * part // 4)) for part in (1, 2, 3))
    ours = _OURS.format(
        threads=threads,
        steps=STEPS,
        common=COMMON,
        rare=rare,
        rare_word=RARE,
        vocabulary=_VOCABULARY,
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for script in (ours, _STOCK_TABLES, _STOCK_ROWS):
            connection.execute(script.encode())
        connection.execute("vacuum analyze")
