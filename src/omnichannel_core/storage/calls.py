"""Calls already taken: the same twice is once."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from omnichannel_core.storage.schema import seen_call
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros


def first_time(tx: Tx, connection_id: int, key: str, now: datetime, remember: timedelta) -> bool:
    """Whether this key is new for the connection; old keys are forgotten on the way."""
    tx.execute(
        seen_call.delete().where(seen_call.c.connection_id == connection_id, seen_call.c.at < micros(now - remember))
    )
    if tx.execute(sa.select(seen_call.c.at).filter_by(connection_id=connection_id, key=key)).scalar() is not None:
        return False
    tx.execute(seen_call.insert().values(connection_id=connection_id, key=key, at=micros(now)))
    return True
