"""What comes from the old systems: which of their rows became which of ours, and files of which we
have only the address so far.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE kinora.imported (
        legacy_id TEXT NOT NULL PRIMARY KEY,
        target_id UUID NOT NULL,
        is_read BOOLEAN NOT NULL DEFAULT true,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX imported_by_target ON kinora.imported (target_id)",
    "ALTER TABLE kinora.assets ALTER COLUMN storage_key DROP NOT NULL",
    """
    CREATE TABLE kinora.remote_files (
        asset_id UUID NOT NULL PRIMARY KEY REFERENCES kinora.assets (id) ON DELETE CASCADE,
        url TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        tried_at TIMESTAMP WITH TIME ZONE,
        failure TEXT,
        is_gone BOOLEAN NOT NULL DEFAULT false
    )
    """,
    """
    CREATE UNIQUE INDEX generations_legacy_id ON kinora.generations (legacy_id)
        WHERE legacy_id IS NOT NULL
    """,
    # Driven are only our own; the sweep looks for those of them that are open, and nothing else.
    "DROP INDEX kinora.generations_open",
    """
    CREATE INDEX generations_open ON kinora.generations (status)
        WHERE status IN ('queued', 'submitting', 'in_progress', 'storing') AND legacy_id IS NULL
    """,
    "DROP INDEX kinora.generations_under_way",
    """
    CREATE INDEX generations_under_way ON kinora.generations (user_id)
        WHERE status IN ('queued', 'submitting', 'in_progress', 'storing') AND legacy_id IS NULL
    """,
)


def upgrade() -> None:
    """Make room."""
    for statement in STATEMENTS:
        op.execute(statement)
