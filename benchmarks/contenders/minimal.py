"""The least that does the job: the engine's wire shapes, records, tables and durability in one flat loop.

The same HTTP client and decoder; no driver contract, processes, fences, limits, guard, quarantine or second connection.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import httpx2
import msgspec

from benchmarks.shop.wire import WirePage
from benchmarks.shop.wire import order as canonical
from omnichannel_core.records import Order

SCHEMA = """
CREATE TABLE omni_record (
  connection_id INTEGER NOT NULL, kind TEXT NOT NULL, remote_id TEXT NOT NULL, revision TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT '', number TEXT NOT NULL DEFAULT '', parent TEXT NOT NULL DEFAULT '', at INTEGER,
  complete INTEGER NOT NULL DEFAULT 1, run INTEGER NOT NULL DEFAULT 0, retired_at INTEGER,
  changed_at INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL, PRIMARY KEY (connection_id, kind, remote_id)
);
CREATE INDEX omni_record_at ON omni_record (connection_id, kind, at, remote_id);
CREATE TABLE omni_line (
  connection_id INTEGER NOT NULL, order_id TEXT NOT NULL, line_id TEXT NOT NULL, sku TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL DEFAULT '', quantity TEXT NOT NULL DEFAULT '', price TEXT NOT NULL DEFAULT '',
  gross TEXT NOT NULL DEFAULT '', currency TEXT NOT NULL DEFAULT '', PRIMARY KEY (connection_id, order_id, line_id)
) WITHOUT ROWID;
CREATE TABLE omni_stream (connection_id INTEGER NOT NULL, stream TEXT NOT NULL, cursor BLOB,
  PRIMARY KEY (connection_id, stream));
"""
PRAGMAS = ("page_size=8192", "journal_mode=WAL", "synchronous=FULL", "cache_size=-16000", "wal_autocheckpoint=1000")
UPSERT = (
    "INSERT INTO omni_record (connection_id, kind, remote_id, revision, state, number, at, changed_at, body) "
    "VALUES (?, 'Order', ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (connection_id, kind, remote_id) DO UPDATE SET "
    "revision=excluded.revision, state=excluded.state, number=excluded.number, at=excluded.at, "
    "changed_at=excluded.changed_at, body=excluded.body"
)
LINE = "INSERT INTO omni_line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
FOUND = "SELECT remote_id, revision FROM omni_record WHERE connection_id = ? AND kind = 'Order' AND remote_id IN "
decode = msgspec.json.Decoder(WirePage).decode
encode = msgspec.json.Encoder(decimal_format="string").encode


def store(db: sqlite3.Connection, number: int, content: bytes, shop: int = 1) -> int:
    """One page of a shop in one transaction; how many orders it had."""
    page = decode(content).data
    newest: dict[str, Order] = {}
    for record in map(canonical, page):
        if record.id not in newest or newest[record.id].revision <= record.revision:
            newest[record.id] = record
    bodies = {one: encode(record) for one, record in newest.items()}
    now = time.time_ns() // 1000
    db.execute("BEGIN IMMEDIATE")
    there = dict(db.execute(FOUND + f"({','.join('?' * len(newest))})", [shop, *newest]))
    won = [record for one, record in newest.items() if there.get(one, "") <= record.revision]
    db.executemany(UPSERT, [row(shop, record, now, bodies[record.id]) for record in won])
    if there:
        db.executemany(
            "DELETE FROM omni_line WHERE connection_id = ? AND order_id = ?", [(shop, one.id) for one in won]
        )
    db.executemany(LINE, [line for record in won for line in lines(shop, record)])
    db.execute(
        "INSERT OR REPLACE INTO omni_stream VALUES (?, 'orders', ?)",
        (
            shop,
            encode({"page": number + 1}),
        ),
    )
    db.execute("COMMIT")
    return len(page)


def row(shop: int, record: Any, now: int, body: bytes) -> tuple[object, ...]:
    """An order as its table has it."""
    at = round(record.placed_at.timestamp() * 1_000_000)
    return (shop, record.id, record.revision, record.status, record.number, at, now, body)


def lines(shop: int, record: Any) -> Iterable[tuple[object, ...]]:
    """Its lines as their table has them."""
    for line in record.lines.values():
        price, gross = line.price, line.gross
        yield (
            shop, record.id, line.id, line.sku, line.name, str(line.quantity), str(price.amount), str(gross.amount),
            price.currency,
        )  # fmt: skip


def prepare(db: sqlite3.Connection) -> None:
    """The engine's tables, page size and durability."""
    for pragma in PRAGMAS:
        db.execute(f"PRAGMA {pragma}")
    db.executescript(SCHEMA)


async def fetch(client: httpx2.AsyncClient, page: int) -> bytes:
    """One page's bytes."""
    answer = await client.get("/orders", params={"page": page, "limit": 250})
    answer.raise_for_status()
    return answer.content


async def main(url: str) -> None:
    """From the first page to the last; the next one is on its way while this one is stored."""
    with closing(sqlite3.connect("result.db", isolation_level=None, check_same_thread=False)) as db:
        prepare(db)
        async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
            page, full = 1, True
            ahead = asyncio.create_task(fetch(client, page))
            while full:
                content = await ahead
                ahead = asyncio.create_task(fetch(client, page + 1))
                full = await asyncio.to_thread(store, db, page, content) == 250
                page += 1
            ahead.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
