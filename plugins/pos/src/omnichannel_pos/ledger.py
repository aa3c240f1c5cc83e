"""What went out to the tills: numbers without holes, the bytes of each file, and the newest row of each thing.

A small SQLite file of the store's own exchange directory. A file is in here before it is in `out/`, so whatever
happens in between, the same number never has two contents.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import msgspec

FILE = ".outgoing.db"
SCHEMA = "omnichannel-pos/1"
KEPT = 500  # files whose bytes are kept for being sent again; what is older is answered with a snapshot
PART = 10_000  # rows of one file
_ZEROS = b"0" * 64
_TABLES = """
CREATE TABLE IF NOT EXISTS file (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
  body BLOB, snapshot INTEGER NOT NULL, made REAL NOT NULL, acked INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX IF NOT EXISTS file_key ON file (key) WHERE key <> '';
CREATE TABLE IF NOT EXISTS row (kind TEXT, id TEXT, body BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS refused (seq INTEGER, sku TEXT, reason TEXT NOT NULL, PRIMARY KEY (seq, sku));
"""


class Header(msgspec.Struct, kw_only=True):
    """How every outgoing file begins.

    Attributes:
        seq: one number after the other over all kinds, from 1, without holes.
        snapshot: everything of its kind there is; part `part` of `parts`. Else only what changed.
        sha256: of the file's bytes with these 64 characters replaced by zeros.
    """

    schema: str
    seq: int
    kind: str
    snapshot: bool
    part: int
    parts: int
    made_at: str
    sha256: str


class Outgoing(msgspec.Struct, kw_only=True):
    """An outgoing file."""

    header: Header
    rows: list[msgspec.Raw]


@attrs.frozen(kw_only=True)
class Sent:
    """A file as the ledger knows it; `body` is None once it is no longer kept."""

    seq: int
    kind: str
    name: str
    body: bytes | None
    acked: bool


class Ledger:
    """In one transaction; opened with `opened`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    # --- making files
    def put(self, kind: str, key: str, rows: Mapping[str, bytes], at: tuple[float, str]) -> Sent:
        """The file of a batch, the same when the batch comes again; the first of a kind is a snapshot."""
        known = self._one("key = ?", key)
        if known is not None:
            return known
        first = self._one("kind = ?", kind) is None
        sent = self._make(kind, key, list(rows.values()), at, snapshot=first)
        self._db.executemany(
            "INSERT OR REPLACE INTO row VALUES (?,?,?,?)",
            [(kind, one, body, sent.seq) for one, body in rows.items()],
        )
        return sent

    def snapshot(self, kind: str, at: tuple[float, str]) -> list[Sent]:
        """Everything of a kind anew, in parts."""
        (count,) = self._db.execute("SELECT count(*) FROM row WHERE kind = ?", (kind,)).fetchone()
        parts = max(1, -(-count // PART))
        found = []
        for part in range(parts):
            rows = self._db.execute(
                "SELECT body FROM row WHERE kind = ? ORDER BY id LIMIT ? OFFSET ?", (kind, PART, part * PART)
            )
            bodies = [row[0] for row in rows]
            found.append(self._make(kind, "", bodies, at, snapshot=True, part=part + 1, parts=parts))
        return found

    def _make(
        self, kind: str, key: str, rows: Sequence[bytes], at: tuple[float, str], *, snapshot: bool, part: int = 1,
        parts: int = 1,
    ) -> Sent:  # fmt: skip
        (last,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM file").fetchone()
        seq = last + 1
        header = Header(schema=SCHEMA, seq=seq, kind=kind, snapshot=snapshot, part=part, parts=parts, made_at=at[1],
                        sha256=_ZEROS.decode())  # fmt: skip
        body = msgspec.json.encode(Outgoing(header=header, rows=[msgspec.Raw(one) for one in rows]))
        body = body.replace(_ZEROS, hashlib.sha256(body).hexdigest().encode(), 1)
        name = f"{seq:08}-{kind}.json"
        self._db.execute("INSERT INTO file VALUES (?,?,?,?,?,?,?,0)", (seq, kind, key, name, body, snapshot, at[0]))
        self._db.execute("UPDATE file SET body = NULL WHERE acked = 1 AND seq < ?", (seq - KEPT,))
        return Sent(seq=seq, kind=kind, name=name, body=body, acked=False)

    # --- looking
    def of(self, seq: int) -> Sent | None:
        """By number."""
        return self._one("seq = ?", seq)

    def of_key(self, key: str) -> Sent | None:
        """By its batch."""
        return self._one("key = ?", key)

    def open(self, below: int | None = None) -> list[Sent]:
        """Not acknowledged, below a number."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM file WHERE acked = 0 AND seq < ? ORDER BY seq",  # noqa: S608 - our own columns
            (2**62 if below is None else below,),
        )
        return [_sent(row) for row in rows]

    def kinds(self) -> list[str]:
        """Kinds that anything was sent of."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT kind FROM row ORDER BY kind")]

    def last_snapshot(self, kind: str) -> float:
        """When the last one was made, seconds since 1970; 0 for never."""
        query = "SELECT coalesce(max(made), 0) FROM file WHERE kind = ? AND snapshot = 1"
        return float(self._db.execute(query, (kind,)).fetchone()[0])

    def refusals(self, seq: int) -> dict[str, str]:
        """SKU -> why; '' stands for the whole file."""
        return dict(self._db.execute("SELECT sku, reason FROM refused WHERE seq = ?", (seq,)).fetchall())

    def _one(self, where: str, value: object) -> Sent | None:
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM file WHERE {where} LIMIT 1",  # noqa: S608 - conditions of this class
            (value,),
        ).fetchone()
        return None if row is None else _sent(row)

    # --- answers
    def acked(self, seq: int, refused: Iterable[tuple[str, str]]) -> None:
        """A till has it."""
        self._db.execute("UPDATE file SET acked = 1 WHERE seq = ?", (seq,))
        self._db.executemany(
            "INSERT INTO refused VALUES (?,?,?) ON CONFLICT DO UPDATE SET reason=excluded.reason",
            [(seq, sku, reason) for sku, reason in refused],
        )


_COLUMNS = "seq, kind, name, body, acked"


def _sent(row: tuple[int, str, str, bytes | None, int]) -> Sent:
    return Sent(seq=row[0], kind=row[1], name=row[2], body=row[3], acked=bool(row[4]))


@contextmanager
def opened(exchange: Path) -> Iterator[Ledger]:
    """The ledger of a store, in one transaction. Blocking."""
    db = sqlite3.connect(exchange / FILE, timeout=30, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_TABLES)
        db.execute("BEGIN IMMEDIATE")
        try:
            yield Ledger(db)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    finally:
        db.close()
