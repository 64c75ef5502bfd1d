"""Rows as an import leaves them, written past all our doors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from db.ids import new_id

#: Whatever is counted from here was over long ago.
LONG_AGO = datetime.now(UTC) - timedelta(days=900)


def insert_imported(database_url: str, user_id: UUID, status: str, **more: Any) -> UUID:
    """A generation of the old system's, of a model that is in no catalogue; `more` are columns."""
    known = new_id()
    is_settled = status in ("completed", "failed", "cancelled", "unknown")
    values: dict[str, Any] = {
        "id": known,
        "user_id": user_id,
        "legacy_id": f"superduper:{known}",
        "kind": "image",
        "status": status,
        "prompt": "a lighthouse of long ago",
        "model": "Old Painter 1.5",
        "provider": "superduper",
        "endpoint": "import",
        "finished_at": LONG_AGO if is_settled else None,
        **dict.fromkeys(("created_at", "updated_at", "queued_at"), LONG_AGO),
        **more,
    }
    if status == "failed":
        wrong = {"error_code": "provider_error", "error_retryable": False}
        values |= wrong | {"error_message": "It had failed in the old system."}
    _insert(database_url, "generations", values)
    return known


def insert_file(database_url: str, user_id: UUID, generation_id: UUID, **more: Any) -> UUID:
    """A file of it, of which only the place elsewhere is known so far; `more` are columns."""
    known = new_id()
    values = {
        "id": known,
        "user_id": user_id,
        "generation_id": generation_id,
        "position": 0,
        "media_type": "image/png",
        **more,
    }
    _insert(database_url, "assets", values)
    if not values.get("storage_key"):
        url = f"https://files.example.org/{known}.png"
        _insert(database_url, "remote_files", {"asset_id": known, "url": url})
    return known


def rows(database_url: str, ids: list[UUID]) -> dict[UUID, str]:
    """Each whole row as text: not a byte of it can change unseen."""
    query = "select id, g::text from kinora.generations g where id = any(%s)"
    with psycopg.connect(database_url) as connection:
        return dict(connection.execute(query, [ids]).fetchall())


def _insert(database_url: str, table: str, values: dict[str, Any]) -> None:
    said = [Jsonb(v, json.dumps) if isinstance(v, dict) else v for v in values.values()]
    query = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier("kinora", table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join([sql.Placeholder()] * len(values)),
    )
    with psycopg.connect(database_url) as connection:
        connection.execute(query, said)
