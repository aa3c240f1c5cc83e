"""Single records asked for while a pull runs: what is known, and which receipts are to be acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from omnichannel_core.records import Record
from omnichannel_core.storage.bodies import decode
from omnichannel_core.storage.pages import Raw
from omnichannel_core.storage.schema import connection, receipt, record
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros

AGAIN = timedelta(minutes=1)


def _mine(account: str, connection_id: int) -> sa.ColumnElement[bool]:
    return sa.exists().where(connection.c.id == connection_id, connection.c.account_id == account)


def one(tx: Tx, account: str, connection_id: int, kind: str, remote_id: str) -> Record | None:
    """A stored record, None when it is not there or retired."""
    body = tx.execute(
        sa.select(record.c.body)
        .filter_by(connection_id=connection_id, kind=kind, remote_id=remote_id)
        .where(record.c.retired_at.is_(None), _mine(account, connection_id))
    ).scalar()
    return None if body is None else decode(kind, body)


def known(tx: Tx, account: str, connection_id: int, kind: str, ids: Sequence[str]) -> frozenset[str]:
    """Which of these are stored."""
    if not tx.execute(sa.select(_mine(account, connection_id))).scalar():
        return frozenset()
    return frozenset(Raw(tx).revisions(connection_id, kind, ids))


def receipts_due(tx: Tx, account: str, connection_id: int, stream: str, now: datetime) -> list[tuple[Record, str]]:
    """Records with a receipt that is not acknowledged yet."""
    rows = tx.execute(
        sa.select(receipt.c.kind, receipt.c.remote_id, receipt.c.receipt, record.c.body)
        .join_from(
            receipt, record,
            (record.c.connection_id == receipt.c.connection_id) & (record.c.kind == receipt.c.kind)
            & (record.c.remote_id == receipt.c.remote_id),
        )
        .where(
            receipt.c.connection_id == connection_id, receipt.c.stream == stream, receipt.c.done == 0,
            receipt.c.due_at <= micros(now), _mine(account, connection_id),
        )
        .limit(500)
    )  # fmt: skip
    return [(decode(row[0], row[3]), row[2]) for row in rows]


def receipt_done(tx: Tx, connection_id: int, stream: str, about: Record, text: str, done: bool, now: datetime) -> None:
    """Acknowledged, or to be tried again later."""
    values = {"done": 1} if done else {"attempts": receipt.c.attempts + 1, "due_at": micros(now + AGAIN)}
    tx.execute(
        sa.update(receipt)
        .filter_by(
            connection_id=connection_id, stream=stream, kind=type(about).__name__, remote_id=about.id, receipt=text
        )
        .values(**values)
    )
