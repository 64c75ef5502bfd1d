"""Accounts: passwords, logins, API keys; what a day has cost whom; keys of repeated requests."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE kinora.users
        ADD COLUMN password_hash TEXT,
        ADD COLUMN is_admin BOOLEAN DEFAULT false NOT NULL,
        ADD COLUMN disabled_at TIMESTAMPTZ
    """,
    """
    CREATE TABLE kinora.logins (
        id UUID NOT NULL,
        user_id UUID NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ,
        created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(user_id) REFERENCES kinora.users (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX logins_by_user ON kinora.logins (user_id)",
    """
    CREATE TABLE kinora.api_keys (
        id UUID NOT NULL,
        user_id UUID NOT NULL,
        name TEXT DEFAULT '' NOT NULL,
        prefix TEXT NOT NULL,
        secret_sha256 BYTEA NOT NULL,
        scopes TEXT[] NOT NULL,
        last_used_at TIMESTAMPTZ,
        revoked_at TIMESTAMPTZ,
        created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        PRIMARY KEY (id),
        UNIQUE (prefix),
        FOREIGN KEY(user_id) REFERENCES kinora.users (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX api_keys_by_user ON kinora.api_keys (user_id, created_at DESC)",
    """
    ALTER TABLE kinora.attempts
        ADD COLUMN user_id UUID REFERENCES kinora.users (id) ON DELETE CASCADE
    """,
    """
    UPDATE kinora.attempts a SET user_id = g.user_id
    FROM kinora.generations g WHERE g.id = a.generation_id
    """,
    "ALTER TABLE kinora.attempts ALTER COLUMN user_id SET NOT NULL",
    "CREATE INDEX attempts_by_day ON kinora.attempts (created_at)",
    "CREATE INDEX attempts_by_user ON kinora.attempts (user_id, created_at)",
    """
    CREATE TABLE kinora.idempotency_keys (
        user_id UUID NOT NULL,
        key TEXT NOT NULL,
        request_sha256 BYTEA NOT NULL,
        generation_id UUID NOT NULL,
        created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        PRIMARY KEY (user_id, key),
        FOREIGN KEY(user_id) REFERENCES kinora.users (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX idempotency_keys_by_age ON kinora.idempotency_keys (created_at)",
    """
    CREATE INDEX generations_in_line ON kinora.generations (user_id, queued_at, id)
    WHERE status IN ('queued', 'submitting', 'in_progress', 'storing')
    """,
)


def upgrade() -> None:
    """Make the tables; attempts of before get their generation's owner."""
    for statement in STATEMENTS:
        op.execute(statement)
