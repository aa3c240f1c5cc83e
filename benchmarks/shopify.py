"""Shopify's order history against its simulator, under the standard plan: by bulk operation, page by page, and killed.

The reader's clock and the simulator's leap together over every wait, so that a history of hours takes minutes; what
work takes is real. Shares are those of the simulator's own bucket.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from benchmarks.figures import Figure
from benchmarks.peers import ROOT
from benchmarks.running import ContenderFailed, run
from omnichannel_core.testing.simulator import control, running

Way = Literal["bulk", "paged"]
WAYS: tuple[Way, ...] = ("bulk", "paged")
SHOP, TOKEN = "benchstore", "shpat_benchmark-0123456789abcdef"
SHARE = 0.97  # with few orders, what is unused before the first and after the last costs more
MEMORY_MB = 200.0
KILLS = 10
PATIENCE = 7200.0  # seconds: a history of 100,000 orders is long where other work has the machine's cores
BLINK = 0.01  # seconds
READER = "benchmarks.shopify_reader"
NO_BULK = {
    "kind": "user_errors", "times": -1, "operation": "bulkOperationRunQuery",
    "errors": [{"field": ["query"], "message": "not here", "code": "INVALID"}],
}  # fmt: skip


@dataclass(frozen=True)
class Held:
    """What the reader stored, beside what the shop has."""

    orders: int
    lost: int
    doubled: int
    lines: int


@contextmanager
def _shop(way: Way, orders: int) -> Iterator[tuple[str, int]]:
    """A simulator with one shop of the standard plan; its address, and the number of its first order."""
    with running("shopify") as address:
        options = {"shop": SHOP, "token": TOKEN, "orders": orders, "plan": "standard", "order_step": 30}
        control(address, "stores", options)
        if way == "paged":
            control(address, "faults", NO_BULK)
        yield address, int(control(address, f"stores/{SHOP}")["first_order_id"])


def _held(folder: Path, first: int, orders: int) -> Held:
    """By the database's own client; what came twice is there twice in the host's table."""
    with closing(sqlite3.connect(folder / "result.db")) as db:
        stored = {row[0] for row in db.execute("SELECT remote_id FROM omni_record WHERE kind = 'Order'")}
        host = [row[0] for row in db.execute("SELECT id FROM host_order")]
        (lines,) = db.execute("SELECT count(*) FROM omni_line").fetchone()
    should = {f"gid://shopify/Order/{number}" for number in range(first, first + orders)}
    lost = len(should - stored) + len(should - set(host))
    return Held(len(stored), lost, len(host) - len(set(host)) + len(stored - should), lines)


def figures(count: int) -> Iterable[Figure]:
    """A first import of so many orders both ways, each also with workers that are killed."""
    lines = set[int]()
    for way in WAYS:
        with _shop(way, count) as (address, first), TemporaryDirectory(prefix="bench-shopify-") as name:
            folder, at = Path(name), control(address, "clock")["now"]
            try:
                seen = run([sys.executable, "-m", READER, address, SHOP, TOKEN], folder, patience=PATIENCE)
            except ContenderFailed as failed:
                yield Figure(f"shopify {way}: orders", None, "records/s", note=str(failed))
                continue
            passed, told = control(address, "clock")["now"] - at, control(address, f"stores/{SHOP}/figures")
            seconds = json.loads((folder / "output.txt").read_text().splitlines()[-1])["seconds"]
            held = _held(folder, first, count)
            lines.add(held.lines)
        yield from _imported(way, count, held, seconds, seen.memory)
        yield from _permitted(way, count, told, passed)
    for way in WAYS:
        try:
            held, kills = killed(way, count, KILLS)
        except ContenderFailed as failed:
            yield Figure(f"shopify {way}: kills", None, "", limit=KILLS, note=str(failed))
            continue
        lines.add(held.lines)
        yield Figure(f"shopify {way}: kills", kills, "", limit=KILLS, note=f"{held.orders:,} orders")
        yield Figure(f"shopify {way}: lost over kills", held.lost, "records", limit=0, side="most")
        yield Figure(f"shopify {way}: doubled over kills", held.doubled, "records", limit=0, side="most")
    note = f"lines {sorted(lines)}"
    yield Figure("shopify: different numbers of lines", len(lines) - 1, "", limit=0, side="most", note=note)


def _imported(way: Way, count: int, held: Held, seconds: float, memory: float) -> Iterable[Figure]:
    yield Figure(f"shopify {way}: orders", count / seconds, "records/s", note=f"{count:,} orders in {seconds:.0f} s")
    yield Figure(f"shopify {way}: lost", held.lost, "records", limit=0, side="most")
    yield Figure(f"shopify {way}: doubled", held.doubled, "records", limit=0, side="most")
    yield Figure(f"shopify {way}: memory", memory, "MB", limit=MEMORY_MB, side="most")


def _permitted(way: Way, count: int, told: dict[str, Any], passed: float) -> Iterable[Figure]:
    """What the shop's own bucket says; the full bucket at the beginning counts as permitted too."""
    (bucket,) = told["buckets"].values() if isinstance(told["buckets"], dict) else told["buckets"]
    asked = told["total"]
    note = f"{asked:,} requests, {bucket['used']:,.0f} points, {bucket['seconds']:,.0f} s of the bucket's time"
    yield Figure(f"shopify {way}: throttled", bucket["throttled"], "requests", limit=0, side="most", note=note)
    yield Figure(f"shopify {way}: points per order", bucket["used"] / count, "points", note=note)
    yield Figure(f"shopify {way}: time in the shop", passed, "s", note="on the simulated clock")
    limit = SHARE if way == "paged" else None  # in a bulk operation most of the time is Shopify's own
    yield Figure(f"shopify {way}: share of the rate", bucket["share_of_all"], "", limit=limit, note=note)


# --- workers that are killed
def killed(way: Way, count: int, kills: int, seed: int = 1) -> tuple[Held, int]:
    """Readers that are killed somewhere in the history, each followed by another one, until one comes to the end."""
    chance, done = random.Random(seed), 0
    with _shop(way, count) as (address, first), TemporaryDirectory(prefix="bench-shopify-kill-") as name:
        folder = Path(name)
        moments: list[Callable[[], bool]] = []
        if way == "bulk":
            moments += [partial(_begun, address), partial(_split, folder)]
        marks = sorted(chance.sample(range(max(1, count * 95 // 100)), kills - len(moments)))
        moments += [partial(_past, folder, mark) for mark in marks]
        for moment in [*moments, lambda: False]:
            done += _until(folder, address, moment)
        return _held(folder, first, count), done


def _until(folder: Path, address: str, moment: Callable[[], bool]) -> bool:
    """A reader until that moment; whether it was killed then.

    Raises:
        ContenderFailed: it ended by itself, and not well; or neither it ended nor the moment came in `PATIENCE`.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", READER, address, SHOP, TOKEN]
    with (folder / "output.txt").open("wb") as output:
        child = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    until, gone = time.monotonic() + PATIENCE, False
    try:
        while not gone and not moment():
            if time.monotonic() > until:
                raise ContenderFailed(f"a reader is not through after {PATIENCE:g} s")
            time.sleep(BLINK)
            gone = child.poll() is not None
    finally:
        if not gone:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
    if child.returncode not in (0, -signal.SIGKILL):
        raise ContenderFailed((folder / "output.txt").read_bytes()[-3000:].decode(errors="replace"))
    return not gone


def _begun(address: str) -> bool:
    """Shopify runs a bulk operation; the reader may not have noted it yet."""
    return "BulkRun" in control(address, f"stores/{SHOP}/figures")["requests"]


def _split(folder: Path) -> bool:
    """The file is being fetched or split."""
    return any(folder.glob("**/scratch/bulk-*"))


def _past(folder: Path, mark: int) -> bool:
    """More orders than that are stored."""
    try:
        with closing(sqlite3.connect(f"file:{folder / 'result.db'}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT coalesce(max(rowid), 0) FROM host_order").fetchone()[0]) > mark
    except sqlite3.OperationalError:
        return False  # there is no table yet
