"""What goes when a connection is deleted: counted before, removed in chunks."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from omnichannel_core.storage import erasure
from omnichannel_core.storage.schema import (
    connection,
    erased,
    line,
    outbox,
    receipt,
    record,
    schedule,
    seen_call,
    stream,
    trouble,
)  # fmt: skip
from omnichannel_core.storage.settings import forget
from omnichannel_core.storage.store import Tx

_BIG = (record, line, outbox, trouble, receipt, seen_call, erased)
_SMALL = (schedule, stream)


def _is_mine(tx: Tx, account: str, connection_id: int) -> bool:
    found = tx.execute(sa.select(connection.c.id).filter_by(account_id=account, id=connection_id)).scalar()
    return found is not None


def census(tx: Tx, account: str, connection_id: int) -> Mapping[str, int]:
    """Counts by what a person calls it."""
    if not _is_mine(tx, account, connection_id):
        return {}
    kinds: dict[str, int] = {
        row[0]: row[1]
        for row in tx.execute(
            sa.select(record.c.kind, sa.func.count())
            .where(record.c.connection_id == connection_id)
            .group_by(record.c.kind)
        )
    }
    count = sa.select(sa.func.count())
    pushes = count.select_from(outbox).where(outbox.c.connection_id == connection_id)
    waiting = pushes.where(outbox.c.state == "queued")
    unsettled = pushes.where(outbox.c.state.in_(("sending", "pending", "unknown")))
    failed = count.select_from(trouble).where(trouble.c.connection_id == connection_id)
    return {
        "orders": kinds.pop("Order", 0), "returns": kinds.pop("Return", 0), "other_records": sum(kinds.values()),
        "pushes_not_sent": int(tx.execute(waiting).scalar() or 0),
        "pushes_not_settled": int(tx.execute(unsettled).scalar() or 0),
        "failed_records": int(tx.execute(failed).scalar() or 0),
    }  # fmt: skip


def some(tx: Tx, account: str, connection_id: int, at_most: int) -> int:
    """Remove up to so many rows; 0 when nothing is left."""
    if not _is_mine(tx, account, connection_id):
        return 0
    for table in _BIG:
        keys = list(table.primary_key)
        some_rows = sa.select(*keys).where(table.c.connection_id == connection_id).limit(at_most).subquery()
        gone = tx.execute(table.delete().where(sa.tuple_(*keys).in_(sa.select(*some_rows.c)))).rowcount
        if gone:
            return gone
    for small in _SMALL:
        tx.execute(small.delete().where(small.c.connection_id == connection_id))
    forget(tx, account, connection_id)
    erasure.forget(tx, connection_id)
    return 0
