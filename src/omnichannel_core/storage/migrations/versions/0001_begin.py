"""All tables of the first version."""

from __future__ import annotations

from alembic import op

from omnichannel_core.storage.schema import metadata

revision, down_revision = "0001", None


def upgrade() -> None:
    """Everything at once; later versions spell out their changes."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Everything goes."""
    metadata.drop_all(op.get_bind())
