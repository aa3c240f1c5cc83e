"""A page of records into the hub: the hot path. Rows go as tuples; preparing them needs no transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import msgspec
from msgspec import UNSET

from omnichannel_core.records import Address, Bad, Line, Order, Record, Return
from omnichannel_core.records.catalog import Attribute, AttributeSet, Choices
from omnichannel_core.storage.blanking import blanked
from omnichannel_core.storage.bodies import decode, encode
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros

_UPSERT = (
    "INSERT INTO omni_record (connection_id, kind, remote_id, revision, state, number, parent, at, complete, run, "
    "changed_at, body) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (connection_id, kind, remote_id) DO UPDATE SET "
    "revision=excluded.revision, state=excluded.state, number=excluded.number, parent=excluded.parent, "
    "at=excluded.at, complete=excluded.complete, run=excluded.run, retired_at=NULL, changed_at=excluded.changed_at, "
    "body=excluded.body"
)
_LINE = (
    "INSERT INTO omni_line (connection_id, order_id, line_id, sku, name, quantity, price, gross, currency) "
    "VALUES (?,?,?,?,?,?,?,?,?)"
)
_NO_LINES = "DELETE FROM omni_line WHERE connection_id = ? AND order_id = ?"
_SEEN = "UPDATE omni_record SET run = ?, retired_at = NULL WHERE connection_id = ? AND kind = ? AND remote_id = ?"
_TROUBLE = (
    "INSERT INTO omni_trouble (account_id, connection_id, stream, kind, remote_id, reason, raw, state, attempts, "
    "created_at, changed_at) VALUES (?,?,?,?,?,?,?,'open',1,?,?) ON CONFLICT (connection_id, kind, remote_id) "
    "DO UPDATE SET reason=excluded.reason, raw=excluded.raw, state='open', stream=excluded.stream, "
    "attempts=omni_trouble.attempts+1, changed_at=excluded.changed_at"
)
_REVISIONS = "SELECT remote_id, revision FROM omni_record WHERE connection_id=? AND kind=? AND remote_id IN "
_TROUBLED = "SELECT 1 FROM omni_trouble WHERE connection_id = ? LIMIT 1"
_ANY_ERASED = "SELECT 1 FROM omni_erased WHERE connection_id = ? LIMIT 1"
_ERASED = "SELECT remote_id FROM omni_erased WHERE connection_id=? AND kind=? AND remote_id IN "
_ERASED_TOO = (
    "INSERT INTO omni_erased (connection_id, kind, remote_id, at) VALUES (?,?,?,?) "
    "ON CONFLICT (connection_id, kind, remote_id) DO NOTHING"
)
_WELL = "DELETE FROM omni_trouble WHERE connection_id = ? AND kind = ? AND remote_id = ?"
_RECEIPT = (
    "INSERT INTO omni_receipt (connection_id, stream, kind, remote_id, receipt, done, attempts, due_at) "
    "VALUES (?,?,?,?,?,0,0,?) ON CONFLICT (connection_id, stream, kind, remote_id) DO UPDATE SET "
    "receipt=excluded.receipt, done=0, attempts=0, due_at=excluded.due_at "
    "WHERE omni_receipt.receipt <> excluded.receipt"
)


@attrs.frozen
class Prepared:
    """A page ready to be written: the newest of each id, by kind, with its bytes."""

    by_kind: dict[str, dict[str, tuple[Record, bytes]]]
    bad: Sequence[Bad] = ()

    def of(self, kind: str, ids: Iterable[str]) -> list[Record]:
        """The records of these ids."""
        return [self.by_kind[kind][one][0] for one in ids]


@attrs.frozen(kw_only=True)
class Stored:
    """What became of a page. `ids`: what is new or changed, by kind, for sinks and listeners."""

    new: int = 0
    changed: int = 0
    stale: int = 0
    bad: int = 0
    troubled: bool = False  # something of the connection had failed before
    ids: Mapping[str, Sequence[str]] = {}


def prepare(records: Iterable[Record | Bad]) -> Prepared:
    """Encode and keep the newest of each id. Pure: runs in the writers' lane without a transaction."""
    by_kind: dict[str, dict[str, tuple[Record, bytes]]] = {}
    bad: list[Bad] = []
    for one in records:
        if isinstance(one, Bad):
            bad.append(one)
            continue
        same = by_kind.setdefault(type(one).__name__, {})
        newest = _newest(same[one.id][0], one) if one.id in same else one
        same[one.id] = (newest, encode(newest))
    for same in by_kind.values():
        for gone in [old for record, _ in list(same.values()) for old in record.replaces if old != record.id]:
            same.pop(gone, None)
    return Prepared(by_kind, bad)


def _newest(before: Record, one: Record) -> Record:
    """Of two of the same id in one page."""
    if one.partial:
        return _merge(before, one)
    if before.revision <= one.revision:
        return one
    return _merge(one, before) if before.partial else before


def store(tx: Tx, account: str, connection: int, stream: str, page: Prepared, *, run: int, now: datetime) -> Stored:
    """Write a prepared page in the caller's transaction. What was erased before is blanked, in `page` too."""
    raw = Raw(tx)
    if raw.rows(_ANY_ERASED, (connection,)):
        page = _stay_erased(raw, connection, page, micros(now))
    at, new, changed, stale, ids = micros(now), 0, 0, 0, dict[str, Sequence[str]]()
    troubled = raw.rows(_TROUBLED, (connection,))
    for kind, records in page.by_kind.items():
        found = raw.revisions(connection, kind, list(records))
        rows, known = _decide(raw, connection, kind, records, found)
        if run:
            raw.many(_SEEN, ((run, connection, kind, one) for one in found if one not in rows))
        _write(raw, connection, stream, kind, rows, known, run, at)
        new += len(rows) - known
        changed += known
        stale += len(records) - len(rows)
        ids[kind] = tuple(rows)
        if troubled:
            raw.many(_WELL, ((connection, kind, one) for one in rows))
            raw.many(_WELL, ((connection, kind, old) for record, _ in rows.values() for old in record.replaces))
    if page.bad:
        raw.many(_TROUBLE, [_bad_row(account, connection, stream, one, at) for one in page.bad])
    return Stored(new=new, changed=changed, stale=stale, bad=len(page.bad), troubled=bool(troubled), ids=ids)


def _stay_erased(raw: Raw, connection: int, page: Prepared, at: int) -> Prepared:
    """The records of a page whose personal data was erased, or that of records they take the place of, without it."""
    for kind, records in page.by_kind.items():
        told = {one: (one, *record.replaces) for one, (record, _) in records.items()}
        erased = raw.among(_ERASED, connection, kind, [one for some in told.values() for one in some])
        mine = [one for one, some in told.items() if not erased.isdisjoint(some)]
        for one in mine:
            record = blanked(records[one][0])
            records[one] = (record, encode(record))
        raw.many(_ERASED_TOO, [(connection, kind, one, at) for one in mine if one not in erased])
    erased_bad = {
        kind: raw.among(_ERASED, connection, kind.__name__, [one.id for one in page.bad if one.kind is kind])
        for kind in {one.kind for one in page.bad}
    }
    bad = [msgspec.structs.replace(one, raw=b"") if one.id in erased_bad[one.kind] else one for one in page.bad]
    return attrs.evolve(page, bad=bad)


def retire(tx: Tx, connection: int, kinds: Iterable[str], run: int, now: datetime) -> int:
    """After a complete run of a snapshot: what it did not contain is retired, not deleted; how many."""
    gone = 0
    for kind in kinds:
        gone += Raw(tx).one(
            "UPDATE omni_record SET retired_at = ? "
            "WHERE connection_id = ? AND kind = ? AND run < ? AND retired_at IS NULL",
            (micros(now), connection, kind, run),
        )
    return gone


class Raw:
    """The driver's own cursor: no cost per row but the database's."""

    def __init__(self, tx: Tx) -> None:
        self._driver: Any = tx.connection.driver_connection
        self._sqlite = isinstance(self._driver, sqlite3.Connection)

    def many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """One statement for many rows, which may be made one by one: then none outlives its own turn."""
        self._driver.cursor().executemany(self._in_style(sql), rows if self._sqlite else map(_without_nul, rows))

    def one(self, sql: str, values: tuple[Any, ...]) -> int:
        """One statement; how many rows it changed."""
        return int(self._driver.cursor().execute(self._in_style(sql), self._plain(values)).rowcount)

    def rows(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """One question."""
        cursor = self._driver.cursor().execute(self._in_style(sql), self._plain(values))
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _plain(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values if self._sqlite else _without_nul(values)

    def among(self, question: str, connection: int, kind: str, ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids a question finds."""
        found: set[str] = set()
        for at in range(0, len(ids), 500):
            part = ids[at : at + 500]
            marks = ",".join("?" * len(part))
            found.update(row[0] for row in self.rows(question + f"({marks})", (connection, kind, *part)))
        return frozenset(found)

    def revisions(self, connection: int, kind: str, ids: Sequence[str]) -> dict[str, str]:
        """Revision of those of these ids that are stored."""
        found: dict[str, str] = {}
        for at in range(0, len(ids), 500):
            part = ids[at : at + 500]
            marks = ",".join("?" * len(part))
            found.update(self.rows(_REVISIONS + f"({marks})", (connection, kind, *part)))
        return found

    def body(self, connection: int, kind: str, remote_id: str) -> bytes:
        """The stored bytes of one that is there."""
        sql = "SELECT body FROM omni_record WHERE connection_id=? AND kind=? AND remote_id=?"
        return bytes(self.rows(sql, (connection, kind, remote_id))[0][0])

    def _in_style(self, sql: str) -> str:
        return sql if self._sqlite else sql.replace("?", "%s")


def _decide(
    raw: Raw, connection: int, kind: str, records: Mapping[str, tuple[Record, bytes]], found: dict[str, str]
) -> tuple[dict[str, tuple[Record, bytes]], int]:
    """What is to be written, and how many of it are known already."""
    rows: dict[str, tuple[Record, bytes]] = {}
    known = 0
    for remote_id, (record, body) in records.items():
        stored = found.get(remote_id)
        if record.replaces:
            _replace(raw, connection, kind, record.replaces)
        if stored is None:
            if not record.known_only:
                rows[remote_id] = (record, body)
            continue
        if stored <= record.revision and not record.partial:
            rows[remote_id] = (record, body)
            known += 1
            continue
        old = decode(kind, raw.body(connection, kind, remote_id))
        if record.partial or old.partial:  # an older whole one fills in what a newer part did not say
            merged = _merge(old, record)
            rows[remote_id] = (merged, encode(merged))
            known += 1
    return rows, known


def _write(
    raw: Raw,
    connection: int,
    stream: str,
    kind: str,
    rows: Mapping[str, tuple[Record, bytes]],
    known: int,
    run: int,
    at: int,
) -> None:
    raw.many(
        _UPSERT,
        (
            (connection, kind, one, record.revision, *_keys(record), run, at, body)
            for one, (record, body) in rows.items()
        ),
    )
    if kind == "Order":
        if known:
            raw.many(_NO_LINES, ((connection, one) for one in rows))
        raw.many(_LINE, (row for record, _ in rows.values() for row in _lines(connection, record)))
    receipts = [
        (connection, stream, kind, one, record.receipt, at) for one, (record, _) in rows.items() if record.receipt
    ]
    if receipts:
        raw.many(_RECEIPT, receipts)


def _without_nul(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """PostgreSQL's text has no NUL, and a remote's has: one such record must not stop its stream."""
    return tuple(one.replace("\0", "\ufffd") if type(one) is str and "\0" in one else one for one in values)


_text = str.__str__  # refuses what is no text: a database's driver may find a column for it


def _keys(record: Record) -> tuple[str, str, str, int | None, int]:
    """state, number, parent, at, complete: what lists filter and sort by."""
    if isinstance(record, Order):
        at = None if record.placed_at is UNSET else micros(record.placed_at)
        return (
            "" if record.status is UNSET else str(record.status),
            _text(record.number),
            "",
            at,
            int(record.complete),
        )
    if isinstance(record, Return):
        at = None if record.at is UNSET else micros(record.at)
        return (
            "" if record.status is UNSET else str(record.status),
            _text(record.number),
            _text(record.order_id),
            at,
            1,
        )
    if isinstance(record, Attribute | AttributeSet | Choices):
        return (_text(record.type) if isinstance(record, Attribute) else "", _text(record.label), "", None, 1)
    return ("", "", "", None, 1)


def _lines(connection: int, order: Record) -> Iterable[tuple[Any, ...]]:
    if not isinstance(order, Order) or order.lines is UNSET:
        return
    lines: Mapping[str, Line] = order.lines
    for line_id, line in lines.items():
        price, gross = line.price, line.gross
        yield (
            connection, order.id, line_id,
            "" if line.sku is UNSET else line.sku, "" if line.name is UNSET else line.name,
            "" if line.quantity is UNSET else str(line.quantity),
            "" if price is UNSET else str(price.amount),
            "" if gross is UNSET else str(gross.amount),
            "" if price is UNSET else price.currency,
        )  # fmt: skip


def _bad_row(account: str, connection: int, stream: str, bad: Bad, at: int) -> tuple[Any, ...]:
    one = bad.id or "raw:" + hashlib.blake2b(bad.raw, digest_size=12).hexdigest()
    return (account, connection, stream, bad.kind.__name__, one, bad.reason, bad.raw, at, at)


def _replace(raw: Raw, connection: int, kind: str, gone: Sequence[str]) -> None:
    rows = [(connection, kind, one) for one in gone]
    raw.many("DELETE FROM omni_record WHERE connection_id = ? AND kind = ? AND remote_id = ?", rows)
    if kind == "Order":
        raw.many(_NO_LINES, [(connection, one) for one in gone])


def _merge(old: Record, new: Record) -> Record:
    """Field by field: UNSET keeps what is there, mappings merge by key; where both speak, the newer revision wins."""
    under, over = (old, new) if old.revision <= new.revision or not new.revision else (new, old)
    changed: dict[str, Any] = {"partial": old.partial and new.partial, "revision": max(old.revision, new.revision)}
    for name in over.__struct_fields__:
        if name in changed or name == "known_only":
            continue
        was, now = getattr(under, name), getattr(over, name)
        if now is UNSET or (over.partial and now == _default(over, name)):
            changed[name] = was
        elif isinstance(was, Mapping) and isinstance(now, Mapping):
            changed[name] = {**was, **{key: _filled(was.get(key), part, over.partial) for key, part in now.items()}}
        elif isinstance(now, Address):
            changed[name] = _filled(was, now, over.partial)
    return msgspec.structs.replace(over, **changed)


def _filled(was: Any, now: Any, partial: bool) -> Any:
    """A line or charge in which what it leaves out stays as it was; an address of which a partial order says less."""
    if type(was) is not type(now) or not isinstance(now, msgspec.Struct):
        return now
    if isinstance(now, Address):
        less = partial and all(not text or text == getattr(was, one) for one, text in _texts(now))
        return msgspec.structs.replace(was, extra={**was.extra, **now.extra}) if less else now
    absent = [name for name in now.__struct_fields__ if getattr(now, name) is UNSET]
    return msgspec.structs.replace(now, **{name: getattr(was, name) for name in absent}) if absent else now


def _texts(address: Address) -> Iterable[tuple[str, str]]:
    """Its fields, of which an empty one says nothing."""
    return ((name, getattr(address, name)) for name in address.__struct_fields__ if name != "extra")


_DEFAULTS: dict[type[Record], dict[str, Any]] = {}


def _default(record: Record, name: str) -> Any:
    kind = type(record)
    if kind not in _DEFAULTS:
        _DEFAULTS[kind] = {
            field.name: {} if field.default_factory is not msgspec.NODEFAULT else field.default
            for field in msgspec.structs.fields(kind)
        }
    return _DEFAULTS[kind][name]
