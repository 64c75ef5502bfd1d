"""What the page around a widget says of itself, for the turns of its user."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for what the page says; null where there is none."""
    op.execute("ALTER TABLE kinora.users ADD COLUMN page_context JSONB")
