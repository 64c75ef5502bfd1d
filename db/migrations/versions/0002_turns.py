"""Turns of the agent: which message is being answered, and by which process."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nothing of before has turns."""
    op.execute(
        """
        CREATE TABLE kinora.turns (
            step_id UUID NOT NULL,
            thread_id UUID NOT NULL,
            instance INTEGER NOT NULL,
            started_at TIMESTAMPTZ DEFAULT now() NOT NULL,
            ended_at TIMESTAMPTZ,
            PRIMARY KEY (step_id),
            FOREIGN KEY(thread_id) REFERENCES kinora.threads (id) ON DELETE CASCADE
        )
        """
    )
    op.execute("CREATE INDEX turns_open ON kinora.turns (thread_id) WHERE ended_at IS NULL")
