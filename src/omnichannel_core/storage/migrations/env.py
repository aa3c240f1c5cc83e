"""Run by Alembic: our connection, our tables, our version table, nothing of the host's."""

from __future__ import annotations

from alembic import context

from omnichannel_core.storage.schema import VERSION_TABLE, metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    include_name=lambda name, kind, _: kind != "table" or (name or "").startswith("omni_"),
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
context.run_migrations()
