"""Personal data has an end: blanked in what is stored, while sums, numbers and times stay."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa
from msgspec import UNSET

from omnichannel_core.model.outbox import Sending
from omnichannel_core.records import Order, Record, Return
from omnichannel_core.storage.blanking import blanked
from omnichannel_core.storage.bodies import decode, encode
from omnichannel_core.storage.pages import Raw
from omnichannel_core.storage.schema import connection, erased, outbox, record, store, trouble
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros

R, C, T = record.c, outbox.c, trouble.c
KIND_OF = {"orders": "Order", "returns": "Return"}  # streams whose records are about people
_CHUNK = 500
_BLANK = "UPDATE omni_record SET body = ? WHERE connection_id = ? AND kind = ? AND remote_id = ?"
_REMEMBER = (
    "INSERT INTO omni_erased (connection_id, kind, remote_id, at) VALUES (?,?,?,?) "
    "ON CONFLICT (connection_id, kind, remote_id) DO UPDATE SET at = excluded.at"
)
_OPEN = [one.value for one in (Sending.QUEUED, Sending.SENDING, Sending.PENDING, Sending.UNKNOWN)]
_EMPTY: dict[str, Any] = {  # a remote's reason may repeat what it was sent
    "body": b"", "reason": sa.case((C.state == Sending.REJECTED.value, "Its content was erased."), else_=""),
}  # fmt: skip
_SETTLED = (
    sa.select(C.id)
    .join_from(erased, outbox, sa.and_(erased.c.connection_id == C.connection_id, erased.c.remote_id == C.parent))
    .where(erased.c.kind == "Order", sa.text("omni_outbox.parent <> ''"), C.created_at <= erased.c.at)
    .where(C.state.not_in(_OPEN), sa.func.length(C.body) > 0)
)


@attrs.frozen(kw_only=True)
class Erased:
    """What was done. `on_the_way`: pushes still open; they lose their content by themselves once they are settled."""

    orders: int = 0
    returns: int = 0
    failed_records: int = 0
    pushes: int = 0
    on_the_way: int = 0

    def __add__(self, other: Erased) -> Erased:
        mine, theirs = attrs.astuple(self), attrs.astuple(other)
        return Erased(**{
            field.name: a + b for field, a, b in zip(attrs.fields(Erased), mine, theirs, strict=True)
        })  # fmt: skip


def erase(tx: Tx, account: str, connection_id: int, who: Sequence[str], now: datetime) -> Erased:
    """Blank a customer's personal data in one connection, or everybody's.

    Args:
        who: e-mail addresses or the remote's ids of customers; empty is the whole shop. What was pushed about their
            orders loses its content once it is settled; the orders stay without it when they are pulled again.
    """
    if not _own(tx, account, connection_id):
        return Erased()
    wanted = None if not who else frozenset(one.strip().casefold() for one in who)
    names = set(wanted or ())

    def theirs(one: Record) -> bool:
        if wanted is not None and wanted.isdisjoint(_names(one)):
            return False
        names.update(_names(one))
        return True

    orders = _blank_all(tx, connection_id, "Order", theirs, _seek(wanted))
    about = None if wanted is None else frozenset(orders)
    returns = _blank_all(tx, connection_id, "Return", lambda one: about is None or _order_of(one) in about, None)
    _remember(tx, connection_id, {"Order": orders, "Return": returns}, now)
    whose = None if wanted is None else names
    troubled = _blank_troubles(tx, connection_id, whose, frozenset(orders) | frozenset(returns), now)
    pushes, on_the_way = _blank_pushes(tx, connection_id, about, now)
    return Erased(
        orders=len(orders), returns=len(returns), failed_records=troubled, pushes=pushes, on_the_way=on_the_way
    )


def retain(tx: Tx, account: str, connection_id: int, days: Mapping[str, int], now: datetime) -> Erased:
    """Blank or remove what is older than so many days, by stream; call it daily.

    Orders and returns lose their personal data (by their own time, or when they were last stored). Settled pushes are
    removed, but for what the remote told about a thing when it last accepted it; failed records lose their bytes.
    """
    done = Erased()
    if not _own(tx, account, connection_id):
        return done
    for stream, keep in days.items():
        before = now - timedelta(days=keep)
        done += _retain_pushes(tx, connection_id, stream, before)
        kept = sa.update(trouble).where(T.connection_id == connection_id, T.stream == stream)
        kept = kept.where(T.created_at < micros(before), sa.func.length(T.raw) > 0)
        done += Erased(failed_records=tx.execute(kept.values(raw=b"")).rowcount)
        if stream in KIND_OF:
            count = _retain_records(tx, connection_id, KIND_OF[stream], before, now)
            done += Erased(orders=count) if stream == "orders" else Erased(returns=count)
    return done


def finish(tx: Tx) -> int:
    """The worker's door: pushes about erased orders that were on their way then, and are settled now; how many."""
    gone = tx.execute(_SETTLED).scalars().all()
    for some in _chunks(gone):
        tx.execute(sa.update(outbox).where(C.id.in_(some)).values(**_EMPTY))
    return len(gone)


def left(tx: Tx) -> bool:
    """The worker's door: whether `finish` would find something."""
    return tx.execute(_SETTLED.limit(1)).first() is not None


# --- where it is
def _names(one: Record) -> frozenset[str]:
    """Whose order it is: e-mail addresses and the remote's id, folded."""
    if not isinstance(one, Order):
        return frozenset()
    addresses = [] if one.addresses is UNSET else list(one.addresses.values())
    if one.bill_to is not UNSET:
        addresses.append(one.bill_to)
    said = [address.email for address in addresses]
    said += [value for value in (one.customer, one.email) if value is not UNSET]
    return frozenset(value.strip().casefold() for value in said if value)


def _order_of(one: Record) -> str:
    return one.order_id if isinstance(one, Return) else ""


def _own(tx: Tx, account: str, connection_id: int) -> bool:
    query = sa.select(connection.c.id).filter_by(account_id=account, id=connection_id)
    return tx.execute(query).scalar() is not None


def _seek(who: Collection[str] | None) -> re.Pattern[bytes] | None:
    """What a body must contain to be worth decoding; None when that cannot be told from its bytes."""
    if who is None or not all(re.fullmatch(r"[a-z0-9@._+-]+", one) for one in who):
        return None
    return re.compile("|".join(re.escape(one) for one in sorted(who)).encode(), re.IGNORECASE)


def _blank_all(
    tx: Tx, connection_id: int, kind: str, matches: Callable[[Record], bool], seek: re.Pattern[bytes] | None
) -> list[str]:
    """Ids of those that match; their bodies are blanked, in chunks of flat memory."""
    done: list[str] = []
    last = ""
    while True:
        query = sa.select(R.remote_id, R.body).where(R.connection_id == connection_id, R.kind == kind)
        rows = tx.execute(query.where(R.remote_id > last).order_by(R.remote_id).limit(_CHUNK)).all()
        if not rows:
            return done
        last = rows[-1][0]
        found = [(one, decode(kind, body)) for one, body in rows if seek is None or seek.search(body)]
        mine = [(one, record) for one, record in found if matches(record)]
        _write(tx, connection_id, kind, mine)
        done += [one for one, _ in mine]


def _remember(tx: Tx, connection_id: int, ids: Mapping[str, Sequence[str]], now: datetime) -> None:
    rows = [(connection_id, kind, one, micros(now)) for kind, some in ids.items() for one in some]
    Raw(tx).many(_REMEMBER, rows)


def _write(tx: Tx, connection_id: int, kind: str, records: Iterable[tuple[str, Record]]) -> None:
    Raw(tx).many(_BLANK, [(encode(blanked(record)), connection_id, kind, one) for one, record in records])


def _blank_troubles(
    tx: Tx, connection_id: int, who: Collection[str] | None, ids: Collection[str], now: datetime
) -> int:
    """Their raw bytes go where they are of these records, or name the customer (rather once too often)."""
    here = sa.and_(T.connection_id == connection_id, sa.func.length(T.raw) > 0)
    named = re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in who or ("",)))
    gone = [
        row.id for row in tx.execute(sa.select(T.id, T.remote_id, T.raw).where(here))
        if who is None or row.remote_id in ids or named.search(row.raw.decode(errors="replace").casefold())
    ]  # fmt: skip
    for at in range(0, len(gone), _CHUNK):
        tx.execute(sa.update(trouble).where(T.id.in_(gone[at : at + _CHUNK])).values(raw=b"", changed_at=micros(now)))
    return len(gone)


def _blank_pushes(tx: Tx, connection_id: int, orders: Collection[str] | None, now: datetime) -> tuple[int, int]:
    """(settled ones that lost their content, open ones that are left)."""
    parents = [None] if orders is None else _chunks(sorted(orders))
    done = left = 0
    for some in parents:
        about = C.parent != "" if some is None else C.parent.in_(some)
        here = sa.and_(C.connection_id == connection_id, about)
        left += int(tx.execute(sa.select(sa.func.count()).where(here, C.state.in_(_OPEN))).scalar() or 0)
        blank = sa.update(outbox).where(here, C.state.not_in(_OPEN), sa.func.length(C.body) > 0)
        done += tx.execute(blank.values(**_EMPTY, changed_at=micros(now))).rowcount
    return done, left


def _chunks(ids: Sequence[Any]) -> list[Any]:
    return [ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK)]


# --- retention
def _retain_records(tx: Tx, connection_id: int, kind: str, before: datetime, now: datetime) -> int:
    """Only what has aged or was stored since the last time is looked at."""
    name = _mark_of(connection_id, kind)
    stored = tx.execute(sa.select(store.c.value).where(store.c.key == name)).scalar()
    last_before, last_run = json.loads(stored) if stored else (None, None)
    age = sa.func.coalesce(R.at, R.changed_at)
    due = sa.select(R.remote_id, R.body).where(R.connection_id == connection_id, R.kind == kind, age < micros(before))
    if last_run is not None and last_run <= micros(now):  # else the clock was set back since then
        due = due.where(sa.or_(age >= last_before, R.changed_at >= last_run))
    done, last = 0, ""
    while rows := tx.execute(due.where(R.remote_id > last).order_by(R.remote_id).limit(_CHUNK)).all():
        last = rows[-1][0]
        found = [(one, decode(kind, body)) for one, body in rows]
        personal = [(one, record) for one, record in found if blanked(record) != record]
        _write(tx, connection_id, kind, personal)
        done += len(personal)
    mark = json.dumps([micros(before), micros(now)])
    tx.execute(store.delete().where(store.c.key == name))
    tx.execute(store.insert().values(key=name, value=mark))
    return done


def _mark_of(connection_id: int, kind: str) -> str:
    return f"retained:{connection_id}:{kind}"


def forget(tx: Tx, connection_id: int) -> None:
    """The connection is gone: how far its retention was is nobody's business any more."""
    marks = [_mark_of(connection_id, kind) for kind in KIND_OF.values()]
    tx.execute(store.delete().where(store.c.key.in_(marks)))


def _retain_pushes(tx: Tx, connection_id: int, stream: str, before: datetime) -> Erased:
    """What the remote told last is remembered without its content; the rest of what is settled and old goes."""
    old = sa.and_(
        C.connection_id == connection_id, C.stream == stream, C.state.not_in(_OPEN), C.changed_at < micros(before)
    )
    newer = outbox.alias()
    remembered = sa.and_(
        C.state == Sending.ACCEPTED.value, C.remote != "{}",
        ~sa.exists().where(
            newer.c.connection_id == C.connection_id, newer.c.stream == C.stream, newer.c.thing == C.thing,
            newer.c.id > C.id, newer.c.state == Sending.ACCEPTED.value, newer.c.remote != "{}",
        ),
    )  # fmt: skip
    gone = tx.execute(outbox.delete().where(old, C.state != Sending.REJECTED.value, ~remembered)).rowcount
    blank = sa.update(outbox).where(old, sa.func.length(C.body) > 0)
    return Erased(pushes=gone + tx.execute(blank.values(body=b"")).rowcount)
