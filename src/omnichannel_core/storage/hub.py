"""The hub: stored records found, opened and counted; what failed, retried and dismissed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.records import Record
from omnichannel_core.storage import receipts
from omnichannel_core.storage.bodies import decode
from omnichannel_core.storage.erasure import Erased, erase, retain
from omnichannel_core.storage.outbox import failed
from omnichannel_core.storage.schema import connection, line, outbox, record, trouble
from omnichannel_core.storage.sending import OF_AN_ORDER
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import maybe_micros, maybe_moment, micros, moment

R, T = record.c, trouble.c
ORDERS = ("Order", "Return")
GONE = "Gone at the remote when it was asked for again. Before: "
__all__ = ["Erased", "erase", "retain", "Found", "Entry", "OrderLine", "Trouble", "Position", "search", "get", "lines",
           "troubles", "retry_troubles", "dismiss_troubles", "troubles_to_retry", "settle_gone",
           "refresh_flags"]  # fmt: skip


@attrs.frozen(kw_only=True)
class Entry:
    """A stored record as a list shows it. `record` only where it was asked for in full."""

    connection: int
    kind: str
    id: str
    number: str
    state: str
    parent: str
    at: datetime | None
    changed_at: datetime
    complete: bool
    retired_at: datetime | None
    record: Record | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class OrderLine:
    """A line as lists show it; amounts as exact text, '' where the remote does not say."""

    order: str
    id: str
    sku: str
    name: str
    quantity: str
    price: str
    gross: str
    currency: str


@attrs.frozen(kw_only=True)
class Trouble:
    """A record that could not be taken in. `retrying`: the next synchronize asks for it again."""

    id: int
    connection: int
    stream: str
    kind: str
    remote_id: str
    reason: str
    retrying: bool
    attempts: int
    created_at: datetime
    changed_at: datetime


@attrs.frozen
class Position:
    """The last one of a page: when (None: those without time come last), where, which."""

    at: int | None
    connection: int
    id: str


@attrs.frozen(kw_only=True)
class Found:
    """What to look for. Times: `since` <= at < `until`. `number`: part of the number, or the id itself."""

    kind: str
    connection: int | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    number: str = ""
    retired: bool = False
    full: bool = False


# --- looking
def search(tx: Tx, account: str, found: Found, after: Position | None, limit: int) -> list[Entry]:
    """A page, newest first; those without a time come last."""
    entries: list[Entry] = []
    if after is None or after.at is not None:
        entries = _page(tx, account, found, _timed(found, after), limit, timed=True)
        after = None
    if len(entries) < limit and found.since is None and found.until is None:
        entries += _page(tx, account, found, _untimed(after), limit - len(entries), timed=False)
    return entries


def count(tx: Tx, account: str, found: Found) -> int:
    """How many there are."""
    query = sa.select(sa.func.count()).select_from(record).where(R.kind == found.kind, *_narrowed(found))
    if found.since is not None or found.until is not None:
        query = query.where(*_timed(found, None))
    if found.connection is not None:
        query = query.where(R.connection_id == found.connection, _own(account, found.connection))
    else:
        query = query.where(R.connection_id.in_(sa.select(connection.c.id).where(connection.c.account_id == account)))
    return int(tx.execute(query).scalar() or 0)


def _timed(found: Found, after: Position | None) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = [R.at.is_not(None)]
    since, until = maybe_micros(found.since), maybe_micros(found.until)
    if since is not None:
        wanted.append(R.at >= since)
    if until is not None:
        wanted.append(R.at < until)
    if after is not None:
        same = sa.and_(R.connection_id == after.connection, R.remote_id < after.id)
        tied = sa.and_(R.at == after.at, sa.or_(R.connection_id < after.connection, same))
        wanted += [R.at <= after.at, sa.or_(R.at < after.at, tied)]
    return wanted


def _untimed(after: Position | None) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = [R.at.is_(None)]
    if after is not None:
        same = sa.and_(R.connection_id == after.connection, R.remote_id < after.id)
        wanted.append(sa.or_(R.connection_id < after.connection, same))
    return wanted


def _page(
    tx: Tx, account: str, found: Found, where: list[sa.ColumnElement[bool]], limit: int, *, timed: bool
) -> list[Entry]:
    columns = [R.connection_id, R.kind, R.remote_id, R.number, R.state, R.parent, R.at, R.changed_at, R.complete,
               R.retired_at, *([R.body] if found.full else [])]  # fmt: skip
    query = sa.select(*columns).where(R.kind == found.kind, *_narrowed(found), *where)
    if found.connection is not None:
        query = query.where(R.connection_id == found.connection, _own(account, found.connection))
        order = [R.remote_id.desc()]
    else:
        mine = sa.select(connection.c.id).where(connection.c.account_id == account)
        query = query.where(R.connection_id.in_(mine))
        order = [R.connection_id.desc(), R.remote_id.desc()]
    rows = tx.execute(query.order_by(*([R.at.desc()] if timed else []), *order).limit(limit))
    return [_entry(row._mapping, found.full) for row in rows]


def _narrowed(found: Found) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if found.state is not None:
        wanted.append(R.state == found.state)
    if not found.retired:
        wanted.append(R.retired_at.is_(None))
    if found.number:
        part = sa.func.lower(R.number).contains(found.number.lower(), autoescape=True)
        wanted.append(sa.or_(part, R.remote_id == found.number))
    return wanted


def _own(account: str, connection_id: int) -> sa.ColumnElement[bool]:
    return sa.exists().where(connection.c.id == connection_id, connection.c.account_id == account)


def _entry(row: Mapping[Any, Any], full: bool) -> Entry:
    return Entry(
        connection=row["connection_id"], kind=row["kind"], id=row["remote_id"], number=row["number"],
        state=row["state"], parent=row["parent"], at=maybe_moment(row["at"]), changed_at=moment(row["changed_at"]),
        complete=bool(row["complete"]), retired_at=maybe_moment(row["retired_at"]),
        record=decode(row["kind"], row["body"]) if full else None,
    )  # fmt: skip


def get(tx: Tx, account: str, connection_id: int, kind: str, remote_id: str) -> Record:
    """One in full.

    Raises:
        NotFound: not in this account, or not stored.
    """
    found = receipts.one(tx, account, connection_id, kind, remote_id)
    if found is None:
        raise errors.NotFound(f"Connection {connection_id} of account {account!r} has no {kind} {remote_id!r}.")
    return found


def lines(tx: Tx, account: str, connection_id: int, order_id: str) -> list[OrderLine]:
    """Lines of one order, by id."""
    query = sa.select(line).filter_by(connection_id=connection_id, order_id=order_id)
    rows = tx.execute(query.where(_own(account, connection_id)).order_by(line.c.line_id))
    return [
        OrderLine(order=row.order_id, id=row.line_id, sku=row.sku, name=row.name, quantity=row.quantity,
                  price=row.price, gross=row.gross, currency=row.currency)
        for row in rows
    ]  # fmt: skip


# --- what failed
def troubles(tx: Tx, account: str, connection_id: int | None, limit: int) -> list[Trouble]:
    """Records that could not be taken in and are neither retried well nor dismissed, newest first."""
    query = sa.select(trouble).where(T.account_id == account, T.state.in_(("open", "retry")))
    if connection_id is not None:
        query = query.where(T.connection_id == connection_id)
    return [
        Trouble(id=row.id, connection=row.connection_id, stream=row.stream, kind=row.kind, remote_id=row.remote_id,
                reason=row.reason, retrying=row.state == "retry", attempts=row.attempts,
                created_at=moment(row.created_at), changed_at=moment(row.changed_at))
        for row in tx.execute(query.order_by(T.id.desc()).limit(limit))
    ]  # fmt: skip


def retry_troubles(tx: Tx, account: str, connection_id: int, now: datetime, ids: Iterable[int] | None = None) -> int:
    """The next synchronize asks for these (None: all) again by id; how many."""
    return _turn(tx, account, connection_id, now, ids, "retry")


def dismiss_troubles(tx: Tx, account: str, connection_id: int, now: datetime, ids: Iterable[int] | None = None) -> int:
    """Let go: they count as errors no more; how many."""
    return _turn(tx, account, connection_id, now, ids, "dismissed")


def _turn(tx: Tx, account: str, connection_id: int, now: datetime, ids: Iterable[int] | None, state: str) -> int:
    change = sa.update(trouble).where(T.account_id == account, T.connection_id == connection_id)
    change = change.where(T.state.in_(("open", "retry")))
    if ids is not None:
        change = change.where(T.id.in_(list(ids)))
    return tx.execute(change.values(state=state, changed_at=micros(now))).rowcount


def troubles_to_retry(tx: Tx, account: str, connection_id: int) -> dict[str, list[str]]:
    """Ids to fetch by stream. One that had no id of its own cannot be asked for; it comes again with its page."""
    query = sa.select(T.stream, T.remote_id).where(T.account_id == account, T.connection_id == connection_id)
    wanted: dict[str, list[str]] = {}
    for stream, remote_id in tx.execute(query.where(T.state == "retry", ~T.remote_id.like("raw:%")).order_by(T.id)):
        wanted.setdefault(stream, []).append(remote_id)
    return wanted


def settle_gone(tx: Tx, account: str, connection_id: int, stream: str, ids: Iterable[str], now: datetime) -> int:
    """The remote has these no longer: asked for again, they are settled, with the reason before them kept; how many."""
    change = sa.update(trouble).where(T.account_id == account, T.connection_id == connection_id, T.stream == stream)
    change = change.where(T.state == "retry", T.remote_id.in_(list(ids)))
    return tx.execute(change.values(state="gone", reason=GONE + T.reason, changed_at=micros(now))).rowcount


def refresh_flags(tx: Tx, account: str, connection_id: int) -> None:
    """Count anew what has failed: orders, returns and what is told about them apart from all else.

    A push fails when it is rejected, or unknown where only a person can decide.
    """
    count = sa.select(sa.func.count())
    kept = count.select_from(trouble).where(T.connection_id == connection_id, T.state.in_(("open", "retry")))
    pushed = count.select_from(outbox).where(outbox.c.connection_id == connection_id, failed())
    ours, theirs = T.kind.in_(ORDERS), outbox.c.kind.in_(sorted(OF_AN_ORDER))
    of_orders = kept.where(ours).scalar_subquery() + pushed.where(theirs).scalar_subquery()
    others = kept.where(~ours).scalar_subquery() + pushed.where(~theirs).scalar_subquery()
    tx.execute(
        sa.update(connection)
        .where(connection.c.account_id == account, connection.c.id == connection_id)
        .values(order_return_errors=of_orders, other_errors=others)
    )
