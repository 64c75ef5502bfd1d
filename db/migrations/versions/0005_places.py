"""Places at the providers, their pauses, what they told us by webhook, how long things took."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE kinora.generations
        ADD COLUMN waits BOOLEAN DEFAULT false NOT NULL,
        ADD COLUMN placed_at TIMESTAMPTZ
    """,
    """
    UPDATE kinora.generations SET placed_at = coalesce(submitted_at, updated_at)
    WHERE status IN ('submitting', 'in_progress', 'storing')
    """,
    """
    CREATE INDEX generations_waiting ON kinora.generations (provider, queued_at, id)
    WHERE waits
    """,
    """
    CREATE INDEX generations_placed ON kinora.generations (provider, placed_at)
    WHERE placed_at IS NOT NULL
    """,
    """
    CREATE UNIQUE INDEX generations_provider_job
    ON kinora.generations (provider, (provider_job ->> 'id'))
    WHERE provider_job IS NOT NULL
    """,
    "DROP INDEX kinora.generations_in_line",
    """
    CREATE INDEX generations_under_way ON kinora.generations (user_id)
    WHERE status IN ('queued', 'submitting', 'in_progress', 'storing')
    """,
    """
    ALTER TABLE kinora.attempts
        ADD COLUMN alike TEXT,
        ADD COLUMN duration_s DOUBLE PRECISION
    """,
    """
    CREATE INDEX attempts_alike ON kinora.attempts (alike, finished_at DESC)
    WHERE duration_s IS NOT NULL
    """,
    """
    CREATE TABLE kinora.provider_pauses (
        provider TEXT NOT NULL,
        until TIMESTAMPTZ NOT NULL,
        code TEXT NOT NULL,
        message TEXT NOT NULL,
        streak INTEGER DEFAULT 1 NOT NULL,
        since TIMESTAMPTZ DEFAULT now() NOT NULL,
        PRIMARY KEY (provider)
    )
    """,
    """
    CREATE TABLE kinora.webhook_notes (
        generation_id UUID NOT NULL,
        attempt INTEGER NOT NULL,
        event TEXT NOT NULL,
        provider_job_id TEXT,
        received_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        read_at TIMESTAMPTZ,
        PRIMARY KEY (generation_id, attempt, event),
        FOREIGN KEY(generation_id) REFERENCES kinora.generations (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX webhook_notes_by_age ON kinora.webhook_notes (received_at)",
)


def upgrade() -> None:
    """Make room for them; what is at a provider already has its place."""
    for statement in STATEMENTS:
        op.execute(statement)
