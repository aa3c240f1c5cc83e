"""Shared budgets in the table, for a store on a server: one short transaction a step. A file beside it would do for
SQLite only (see limit_files).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from omnichannel_core.storage.schema import limit
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros

T = TypeVar("T")
C = limit.c
_MAKE = sa.text(
    f"INSERT INTO {limit.name} (name, state, changed_at) VALUES (:key, '', 0) ON CONFLICT (name) DO NOTHING"  # noqa: S608
)
_READ = sa.select(C.state).where(C.name == sa.bindparam("key")).with_for_update()
_WRITE = (
    sa.update(limit)
    .where(C.name == sa.bindparam("key"))
    .values(state=sa.bindparam("text"), changed_at=sa.bindparam("at"))
)


def change(tx: Tx, key: str, now: datetime, work: Callable[[bytes], tuple[bytes, T]]) -> T:
    """One step of one budget: `work` gets its state (b'' is a new one) and answers the next one and a result.

    Nobody else has the row until the transaction ends.
    """
    found = tx.execute(_READ, {"key": key}).scalar()
    if found is None:
        tx.execute(_MAKE, {"key": key})
        found = tx.execute(_READ, {"key": key}).scalar() or ""
    before = found.encode()
    after, result = work(before)
    if after != before:
        tx.execute(_WRITE, {"key": key, "text": after.decode(), "at": micros(now)})
    return result


def sweep(tx: Tx, before: datetime) -> int:
    """Forget budgets that nobody has used since; how many."""
    return tx.execute(sa.delete(limit).where(C.changed_at < micros(before))).rowcount
