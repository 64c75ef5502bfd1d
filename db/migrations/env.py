"""Alembic's door to the database: `db.migrate` hands in an open connection; nothing else calls
this.
"""

from __future__ import annotations

from alembic import context

from db.tables import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
