"""Numbers given by the system, never reused."""

from __future__ import annotations

import sqlalchemy as sa

from omnichannel_core.storage.schema import number
from omnichannel_core.storage.store import Tx


def next_number(tx: Tx, name: str) -> int:
    """The next number of that name, from 1."""
    taken = tx.execute(
        sa.update(number).where(number.c.name == name).values(next=number.c.next + 1).returning(number.c.next)
    ).scalar()
    if taken is None:
        tx.execute(number.insert().values(name=name, next=2))
        return 1
    return int(taken) - 1
