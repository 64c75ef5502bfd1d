"""Why a generation is made at another provider than the one that was chosen first."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the sentence."""
    op.execute("ALTER TABLE kinora.generations ADD COLUMN detour TEXT")
