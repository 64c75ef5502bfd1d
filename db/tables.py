"""The tables of schema `kinora`, as SQLAlchemy sees them. `migrations/` makes them; a test holds
the two against each other.

Chainlit's words (users, threads, steps, elements, feedbacks) stand beside ours (generations,
attempts, inputs, assets) in one database, so that a conversation and what was made in it live and
go together.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, JSONB, TSVECTOR
from sqlalchemy.dialects.postgresql import UUID as PgUUID

SCHEMA = "kinora"
metadata = MetaData(schema=SCHEMA)

_ID = PgUUID(as_uuid=True)
_TIME = DateTime(timezone=True)
_USD = Numeric(12, 6)
_SEARCHED = text("search IS NOT NULL")
#: What came from an old system is never driven, whatever its status says.
_OPEN = text("status IN ('queued', 'submitting', 'in_progress', 'storing') AND legacy_id IS NULL")


def _now(name: str) -> Column[object]:
    return Column(name, _TIME, nullable=False, server_default=text("now()"))


def _of(name: str, table: str) -> Column[object]:
    """What a row belongs to, and goes with."""
    return Column(name, _ID, ForeignKey(f"kinora.{table}.id", ondelete="CASCADE"), nullable=False)


def _json(name: str, default: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text(f"'{default}'::jsonb"))


def _search(said: str) -> Column[object]:
    """What full-text search knows of a text; Postgres keeps it, and nobody reads it."""
    return Column("search", TSVECTOR, Computed(said, persisted=True))


users = Table(
    "users",
    metadata,
    Column("id", _ID, primary_key=True),
    # Namespaced by where it was proved: `local`, `password:anna@example.org`.
    Column("identifier", Text, nullable=False, unique=True),
    _json("metadata", "{}"),
    # Null for whoever does not come in by a password.
    Column("password_hash", Text),
    Column("is_admin", Boolean, nullable=False, server_default=text("false")),
    Column("disabled_at", _TIME),
    _now("created_at"),
    # What the page says of itself in which the widget stands, for turns of its user.
    Column("page_context", JSONB),
)

logins = Table(
    "logins",
    metadata,
    # Stands in the cookie's signed token; the row says whether that token still holds.
    Column("id", _ID, primary_key=True),
    Column("user_id", _ID, ForeignKey("kinora.users.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", _TIME, nullable=False),
    Column("ended_at", _TIME),
    _now("created_at"),
    Index("logins_by_user", "user_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("user_id", _ID, ForeignKey("kinora.users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("prefix", Text, nullable=False, unique=True),
    # Of a secret with 256 random bits, so no slow hash is needed.
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("last_used_at", _TIME),
    Column("revoked_at", _TIME),
    _now("created_at"),
    Index("api_keys_by_user", "user_id", text("created_at DESC")),
)

threads = Table(
    "threads",
    metadata,
    Column("id", _ID, primary_key=True),
    _of("user_id", "users"),
    Column("name", Text),
    _json("metadata", "{}"),
    Column("tags", ARRAY(Text)),
    # Handles (#1, #2, ...) are handed out from here, under the row's lock.
    Column("generation_count", Integer, nullable=False, server_default=text("0")),
    _now("created_at"),
    _now("updated_at"),
    # A tombstone: it holds nothing any more, and takes nothing in.
    Column("deleted_at", _TIME),
    _search("kinora.lexemes(name)"),
    Index("threads_by_user", "user_id", text("created_at DESC"), text("id DESC")),
    Index("threads_search", "search", postgresql_using="gin"),
)

steps = Table(
    "steps",
    metadata,
    Column("id", _ID, primary_key=True),
    _of("thread_id", "threads"),
    # No foreign key: Chainlit writes a child before its parent.
    Column("parent_id", _ID),
    # The order of arrival, for steps of one instant.
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("type", Text, nullable=False, server_default=text("'undefined'")),
    Column("input", Text, nullable=False, server_default=text("''")),
    Column("output", Text, nullable=False, server_default=text("''")),
    Column("is_error", Boolean, nullable=False, server_default=text("false")),
    Column("streaming", Boolean, nullable=False, server_default=text("false")),
    Column("wait_for_answer", Boolean),
    _json("metadata", "{}"),
    Column("tags", ARRAY(Text)),
    Column("generation", JSONB),
    Column("show_input", Text),
    Column("language", Text),
    Column("icon", Text),
    Column("command", Text),
    Column("modes", JSONB),
    Column("default_open", Boolean),
    Column("auto_collapse", Boolean),
    _now("created_at"),
    Column("started_at", _TIME),
    Column("ended_at", _TIME),
    # A tombstone, like a thread's; it goes with its thread.
    Column("deleted_at", _TIME),
    _search("kinora.message_lexemes(type, output)"),
    Index("steps_by_thread", "thread_id", "created_at", "seq"),
    Index("steps_search", "search", postgresql_using="gin", postgresql_where=_SEARCHED),
)

feedbacks = Table(
    "feedbacks",
    metadata,
    Column("id", _ID, primary_key=True),
    _of("step_id", "steps"),
    Column("value", Integer, nullable=False),
    Column("comment", Text),
    _now("created_at"),
    Index("feedbacks_by_step", "step_id"),
)

generations = Table(
    "generations",
    metadata,
    Column("id", _ID, primary_key=True),
    _of("user_id", "users"),
    Column("thread_id", _ID, ForeignKey("kinora.threads.id", ondelete="SET NULL")),
    # Its handle inside the thread: 3 is shown as #3.
    Column("number", Integer),
    # Which call of which of our steps asked for it: a turn that runs again finds it instead of
    # buying another.
    Column("step_id", _ID),
    Column("call_index", Integer),
    Column("parent_id", _ID, ForeignKey("kinora.generations.id", ondelete="SET NULL")),
    # What it was called in the system it was imported from: `superduper:<id>`. It is over there, or
    # never ends: nobody here drives it.
    Column("legacy_id", Text),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("model", Text, nullable=False),
    # The route: at whom, and which of the model's endpoints there.
    Column("provider", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("pinned", Boolean, nullable=False, server_default=text("false")),
    _json("params", "{}"),
    Column("progress", DOUBLE_PRECISION),
    Column("queue_position", Integer),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("error_retryable", Boolean),
    Column("notes", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("charged", Text, nullable=False, server_default=text("'no'")),
    Column("cost_estimated_usd", _USD),
    Column("cost_actual_usd", _USD),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    # The fencing number: whoever takes the row over bumps it, and a move with an older one changes
    # nothing.
    Column("claim", BigInteger, nullable=False, server_default=text("0")),
    # The claim that wrote the intent to submit; another claim that finds the row submitting must
    # not send.
    Column("intent_claim", BigInteger),
    # Counts every change; a reader drops news that is not newer than what it holds.
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("provider_job", JSONB),
    Column("provider_outputs", JSONB),
    Column("deadline_at", _TIME),
    Column("cancel_requested_at", _TIME),
    Column("deleted_at", _TIME),
    Column("submitted_at", _TIME),
    Column("finished_at", _TIME),
    # When this attempt began to wait; the day it may wait is counted from here.
    _now("queued_at"),
    # It stands in line: nobody drives it until a place comes free.
    Column("waits", Boolean, nullable=False, server_default=text("false")),
    # Why it is made at another provider than the one that was chosen first.
    Column("detour", Text),
    # Since when it has had a place among those that may be at its provider.
    Column("placed_at", _TIME),
    _now("created_at"),
    _now("updated_at"),
    _search("kinora.lexemes(prompt)"),
    UniqueConstraint("thread_id", "number", name="generations_handle"),
    UniqueConstraint("user_id", "step_id", "call_index", name="generations_call"),
    Index("generations_by_user", "user_id", text("created_at DESC"), text("id DESC")),
    Index("generations_open", "status", postgresql_where=_OPEN),
    # A provider that names one job to two of ours is not believed.
    Index(
        "generations_provider_job",
        *("provider", text("(provider_job ->> 'id')")),
        unique=True,
        postgresql_where=text("provider_job IS NOT NULL"),
    ),
    Index("generations_under_way", "user_id", postgresql_where=_OPEN),
    Index("generations_waiting", "provider", "queued_at", "id", postgresql_where=text("waits")),
    Index(
        "generations_placed",
        *("provider", "placed_at"),
        postgresql_where=text("placed_at IS NOT NULL"),
    ),
    Index("generations_parent", "parent_id"),
    Index(
        "generations_legacy_id",
        "legacy_id",
        unique=True,
        postgresql_where=text("legacy_id IS NOT NULL"),
    ),
    Index("generations_deleted", "id", postgresql_where=text("deleted_at IS NOT NULL")),
    Index("generations_search", "search", postgresql_using="gin"),
    Index("generations_unknown", "finished_at", postgresql_where=text("status = 'unknown'")),
)

attempts = Table(
    "attempts",
    metadata,
    _of("generation_id", "generations"),
    Column("attempt", Integer, nullable=False),
    # Whose money: the sums of a day are taken over this table.
    Column("user_id", _ID, ForeignKey("kinora.users.id", ondelete="CASCADE"), nullable=False),
    Column("provider", Text, nullable=False),
    _now("created_at"),
    Column("submitted_at", _TIME),
    Column("finished_at", _TIME),
    Column("outcome", Text),
    Column("provider_job_id", Text),
    Column("request_id", Text),
    Column("error_code", Text),
    Column("message", Text),
    Column("charged", Text, nullable=False, server_default=text("'no'")),
    Column("cost_estimated_usd", _USD),
    Column("cost_actual_usd", _USD),
    # What takes about equally long has the same word here; and how long this one took from its
    # submit until the provider had it.
    Column("alike", Text),
    Column("duration_s", DOUBLE_PRECISION),
    PrimaryKeyConstraint("generation_id", "attempt"),
    Index(
        "attempts_alike",
        *("alike", text("finished_at DESC")),
        postgresql_where=text("duration_s IS NOT NULL"),
    ),
    Index("attempts_by_day", "created_at"),
    Index("attempts_by_user", "user_id", "created_at"),
)

provider_pauses = Table(
    "provider_pauses",
    metadata,
    Column("provider", Text, primary_key=True),
    # Until then nothing is sent there; after it one request goes first, to try.
    Column("until", _TIME, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    # How often in a row; the pauses grow with it.
    Column("streak", Integer, nullable=False, server_default=text("1")),
    _now("since"),
)

webhook_notes = Table(
    "webhook_notes",
    metadata,
    _of("generation_id", "generations"),
    Column("attempt", Integer, nullable=False),
    # What tells one piece of news from another: it may be told twice.
    Column("event", Text, nullable=False),
    Column("provider_job_id", Text),
    _now("received_at"),
    # Of an older attempt: since when its cost has been asked for.
    Column("read_at", _TIME),
    PrimaryKeyConstraint("generation_id", "attempt", "event"),
    Index("webhook_notes_by_age", "received_at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", _ID, ForeignKey("kinora.users.id", ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    # Of the tool's name and its arguments: the same key with another request is a mistake.
    Column("request_sha256", LargeBinary, nullable=False),
    Column("generation_id", _ID, nullable=False),
    _now("created_at"),
    PrimaryKeyConstraint("user_id", "key"),
    Index("idempotency_keys_by_age", "created_at"),
)

assets = Table(
    "assets",
    metadata,
    Column("id", _ID, primary_key=True),
    _of("user_id", "users"),
    # The generation that made it; null for a picture a person gave.
    Column("generation_id", _ID, ForeignKey("kinora.generations.id", ondelete="CASCADE")),
    Column("position", Integer, nullable=False, server_default=text("0")),
    Column("name", Text),
    Column("media_type", Text, nullable=False),
    Column("width_px", Integer),
    Column("height_px", Integer),
    Column("duration_s", DOUBLE_PRECISION),
    Column("size_bytes", BigInteger),
    Column("sha256", Text),
    # Null as long as only a place elsewhere is known: `remote_files`.
    Column("storage_key", Text),
    Column("thumbnail_key", Text),
    _now("created_at"),
    # Of a picture a person gave: since when it only waits for its last user to go.
    Column("released_at", _TIME),
    # Nobody sees it any more; the row goes when the files are gone.
    Column("deleted_at", _TIME),
    UniqueConstraint("generation_id", "position", name="assets_position"),
    Index("assets_by_user", "user_id"),
    Index("assets_deleted", "id", postgresql_where=text("deleted_at IS NOT NULL")),
)

remote_files = Table(
    "remote_files",
    metadata,
    # The row goes when the bytes are ours.
    Column("asset_id", _ID, ForeignKey("kinora.assets.id", ondelete="CASCADE"), primary_key=True),
    # Where the old system kept it, or the bytes themselves as a data URI.
    Column("url", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("tried_at", _TIME),
    # Why it did not come the last time, in words for a person.
    Column("failure", Text),
    # It will never come: nobody asks again.
    Column("is_gone", Boolean, nullable=False, server_default=text("false")),
)

imported = Table(
    "imported",
    metadata,
    # A row of an old system, by all names under which it is known there.
    Column("legacy_id", Text, primary_key=True),
    # What it became here; also when that was deleted since, so that it does not come again.
    Column("target_id", _ID, nullable=False),
    # False: another row only named it, and what it says itself has not been read yet.
    Column("is_read", Boolean, nullable=False, server_default=text("true")),
    _now("created_at"),
    Index("imported_by_target", "target_id"),
)

inputs = Table(
    "inputs",
    metadata,
    _of("generation_id", "generations"),
    Column("position", Integer, nullable=False),
    Column("role", Text, nullable=False),
    # Null when the picture was deleted meanwhile.
    Column("asset_id", _ID, ForeignKey("kinora.assets.id", ondelete="SET NULL")),
    PrimaryKeyConstraint("generation_id", "position"),
    Index("inputs_by_asset", "asset_id"),
)

turns = Table(
    "turns",
    metadata,
    # The person's message that the agent answers.
    Column("step_id", _ID, primary_key=True),
    _of("thread_id", "threads"),
    # Which process answers; it holds a session lock of this number for as long as it lives.
    Column("instance", Integer, nullable=False),
    _now("started_at"),
    Column("ended_at", _TIME),
    Index("turns_open", "thread_id", postgresql_where=text("ended_at IS NULL")),
)

elements = Table(
    "elements",
    metadata,
    Column("id", _ID, primary_key=True),
    _of("thread_id", "threads"),
    # Chainlit's forId; no foreign key, since an element may be written before its step.
    Column("step_id", _ID),
    # Cards of one message stand in the order in which they were made, live and after a reload.
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=text("''")),
    Column("display", Text, nullable=False, server_default=text("'inline'")),
    Column("mime", Text),
    Column("url", Text),
    Column("object_key", Text),
    Column("chainlit_key", Text),
    _json("props", "{}"),
    Column("size", Text),
    Column("language", Text),
    Column("page", Integer),
    Column("auto_play", Boolean),
    Column("player_config", JSONB),
    Column("generation_id", _ID, ForeignKey("kinora.generations.id", ondelete="SET NULL")),
    Column("asset_id", _ID, ForeignKey("kinora.assets.id", ondelete="SET NULL")),
    _now("created_at"),
    # A tombstone, like a step's.
    Column("deleted_at", _TIME),
    Index("elements_by_thread", "thread_id", "seq"),
    Index("elements_by_generation", "generation_id"),
    Index("elements_by_asset", "asset_id", postgresql_where=text("asset_id IS NOT NULL")),
)
