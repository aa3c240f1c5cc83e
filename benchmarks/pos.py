"""A year of one busy store: closings imported by the house, beside a bare csv and sqlite3 loop over the same zips.

`python -m benchmarks.pos house|bare FOLDER` is one contender; it says seconds and what it holds as one JSON line.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
import sys
import time
import zipfile
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Figure
from benchmarks.running import ContenderFailed, Run, run

RECEIPTS, DAYS, LEAST = 250_000, 365, 0.5
GROWTH_MB = 40.0  # a whole year may take so much more memory than a tenth of it
READ = ("transactions.csv", "lines.csv", "lines_vat.csv", "datapayment.csv", "references.csv")


def fill(folder: Path, receipts: int, days: int) -> dict[str, int]:
    """So many receipts of one till in daily zips, half a year ago; the till's own truth, in cents."""
    from omnichannel_pos_simulator.till import Till
    from omnichannel_pos_simulator.writing import as_zip, drop

    till, truth, done = Till(seed=1), {"orders": 0, "gross": 0, "receipts": 0}, 0
    for day in range(1, days + 1):
        upto = receipts * day // days
        till.work(upto - done)
        done = upto
        closed = till.close()
        truth["receipts"] += len(closed.receipts)
        truth["orders"] += len(closed.truth.orders)
        truth["gross"] += sum(gross for gross, _ in closed.truth.orders.values())
        drop(as_zip([closed]), folder, f"z{day:05}.zip")
    return truth


# --- the contenders
def bare(folder: Path) -> dict[str, Any]:
    """What one writes in an afternoon: orders with their lines as JSON and as rows; nothing is checked.

    A closing is one transaction that is on disk when it ends, as in the house.
    """
    db = sqlite3.connect("result.db", isolation_level=None)
    db.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE orders (id TEXT PRIMARY KEY, at TEXT, gross TEXT, body TEXT) WITHOUT ROWID;"
        "CREATE TABLE returns (id TEXT PRIMARY KEY, at TEXT, gross TEXT, body TEXT) WITHOUT ROWID;"
        "CREATE TABLE lines (order_id TEXT, id TEXT, sku TEXT, name TEXT, quantity TEXT, price TEXT, gross TEXT, "
        "PRIMARY KEY (order_id, id)) WITHOUT ROWID;"
    )
    began = time.perf_counter()
    for file in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(file) as archive:
            _bare_day(db, {name: _rows(archive, name) for name in READ})
    seconds = time.perf_counter() - began
    count = db.execute("SELECT count(*) FROM orders").fetchone()[0]
    db.close()
    return {"seconds": seconds, "orders": count}


def _rows(archive: zipfile.ZipFile, name: str) -> Iterable[dict[str, str]]:
    with archive.open(name) as raw:
        reader = csv.reader(io.TextIOWrapper(raw, "utf-8", newline=""), delimiter=";")
        columns = next(reader)
        return [dict(zip(columns, row, strict=True)) for row in reader]


def _bare_day(db: sqlite3.Connection, tables: dict[str, Iterable[dict[str, str]]]) -> None:
    receipts = {row["BON_ID"]: {**row, "lines": {}, "payments": [], "refs": []} for row in tables["transactions.csv"]}
    for row in tables["lines.csv"]:
        receipts[row["BON_ID"]]["lines"][row["POS_ZEILE"]] = row
    for row in tables["lines_vat.csv"]:
        receipts[row["BON_ID"]]["lines"][row["POS_ZEILE"]].update(row)
    for row in tables["datapayment.csv"]:
        receipts[row["BON_ID"]]["payments"].append(row)
    for row in tables["references.csv"]:
        receipts[row["BON_ID"]]["refs"].append(row)
    orders, returns, lines = [], [], []
    for one in receipts.values():
        if one["BON_TYP"] != "Beleg":
            continue
        key = f"{one['Z_KASSE_ID']}/{one['Z_NR']}/{one['BON_ID']}"
        made = (key, one["BON_ENDE"], one["UMS_BRUTTO"].replace(",", "."), json.dumps(one))
        (returns if one["UMS_BRUTTO"].startswith("-") else orders).append(made)
        lines += [(key, line["POS_ZEILE"], line["ART_NR"], line["ARTIKELTEXT"], line["MENGE"].replace(",", "."),
                   line["STK_BR"].replace(",", "."), line["POS_BRUTTO"].replace(",", "."))
                  for line in one["lines"].values()]  # fmt: skip
    db.execute("BEGIN")
    db.executemany("INSERT OR REPLACE INTO orders VALUES (?,?,?,?)", orders)
    db.executemany("INSERT OR REPLACE INTO returns VALUES (?,?,?,?)", returns)
    db.executemany("INSERT OR REPLACE INTO lines VALUES (?,?,?,?,?,?,?)", lines)
    db.execute("COMMIT")


async def house(folder: Path) -> dict[str, Any]:
    """The driver in a whole house: reconciled, booked once, archived."""
    from benchmarks.contenders.engine import ACCOUNT, ended
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.gate import vendor

    private, public = vendor.keygen()
    async with Omnichannel("result.db", trust=vendor.key_set(public), work=False) as opened:
        await opened.accounts.add(ACCOUNT)
        now = datetime.now(UTC)
        text = vendor.issue(private, account=ACCOUNT, driver="pos", distribution="omnichannel-pos", now=now, days=30)
        await opened.licenses.add(ACCOUNT, text)
        await opened.drivers.install(ACCOUNT, "pos")
        saved = await opened.stores.add(ACCOUNT, "Bench")
        await ended(opened, saved.process)
        store = await opened.stores.get(ACCOUNT, saved.connection.id)
        _copy(folder, store.exchange / "in")
        process = await opened.connections.synchronize(ACCOUNT, store.id)
        began = time.perf_counter()
        await ended(opened, process)
        return {"seconds": time.perf_counter() - began, "left": _left(store.exchange / "in")}


def _left(inbox: Path) -> int:
    return len(list(inbox.iterdir()))


def _copy(folder: Path, inbox: Path) -> None:
    for file in folder.glob("*.zip"):
        (inbox / file.name).hardlink_to(file)


# --- the figures
def _held(folder: Path) -> dict[str, int]:
    """What the house's books say, in cents."""
    with closing(sqlite3.connect(folder / "result.db")) as db:
        count, gross = 0, Decimal(0)
        for (body,) in db.execute("SELECT body FROM omni_record WHERE kind = 'Order'"):
            count, gross = count + 1, gross + Decimal(json.loads(body)["gross"]["amount"])
    return {"orders": count, "gross": int(gross * 100)}


def _contend(which: str, exports: Path, folder: Path) -> tuple[dict[str, Any], Run]:
    folder.mkdir()
    seen = run([sys.executable, "-m", "benchmarks.pos", which, str(exports)], folder)
    return json.loads((folder / "output.txt").read_text().splitlines()[-1]), seen


def figures(receipts: int = RECEIPTS, days: int = DAYS) -> Iterable[Figure]:
    """Receipts a second of both, their ratio, and memory against a tenth of the year."""
    with TemporaryDirectory(prefix="bench-pos-") as base:
        folder = Path(base)
        for name in ("year", "tenth"):
            (folder / name).mkdir()
        truth = fill(folder / "year", receipts, days)
        fill(folder / "tenth", receipts // 10, days // 10)
        try:
            ours, big = _contend("house", folder / "year", folder / "house")
            _, small = _contend("house", folder / "tenth", folder / "house-tenth")
            theirs, _ = _contend("bare", folder / "year", folder / "bare")
        except ContenderFailed as failed:
            yield Figure("pos: receipts", None, "receipts/s", note=str(failed)[-300:])
            return
        held = _held(folder / "house")
    wrong = {name: (held[name], truth[name]) for name in held if held[name] != truth[name]} | (
        {"left": ours["left"]} if ours["left"] else {}
    )
    if wrong:
        yield Figure("pos: receipts", None, "receipts/s", note=f"not the till's truth: {wrong}")
        return
    speed, loop = truth["receipts"] / ours["seconds"], truth["receipts"] / theirs["seconds"]
    yield Figure("pos: receipts", speed, "receipts/s", "bare csv + sqlite3", speed / loop, LEAST,
                 note=f"{truth['receipts']:,} receipts in {days} closings; bare {loop:,.0f}/s")  # fmt: skip
    yield Figure("pos: memory of a year", big.memory - small.memory, "MB more", limit=GROWTH_MB, side="most",
                 note=f"peak {big.memory:.0f} MB, of a tenth {small.memory:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    where = Path(sys.argv[2])
    print(json.dumps(bare(where) if sys.argv[1] == "bare" else asyncio.run(house(where))))
