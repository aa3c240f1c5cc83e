"""A first import from Amazon: 90 days and 50,000 orders of one seller, four worker processes, one of them killed.

A single call in three minutes is permitted, so the import takes more than a day: of simulated time. The simulator's
clock runs so many times as fast as the machine's and says where it began; every worker follows it by that alone
(`Following`), without asking, and what the house waits for by its clock is over as much sooner. Nothing leaps and
nothing is skipped: buckets on both sides drip by the same clock, tokens age by it, orders go on coming in by it. What
is real stays as long as it is, and so weighs more than it would: a request of 50 ms takes 12 simulated seconds at
speed 250, and the runner's half a second between two looks at its queue two minutes. Neither costs a
share of the permitted rate, as a bucket of twenty holds an hour of it; and a limiter that counted on requests arriving
at once would be refused here much sooner than by the real Amazon. A worker's lease is a minute of the machine's.
A machine that is busy with other things needs a lower speed: the rate then permits a call in 0.7 real seconds.

Four connections (Germany, France, Italy, Spain) of one seller share one grant, one bucket and one poll; each has a
process of its own, and four workers with a house each on one SQLite store take turns at them. When half of the orders
are in, the worker that is at work is killed (SIGKILL), and another one takes its place among the four.

The figures are the simulator's own. The share is counted from when the burst is used up: requests beyond what the
bucket then held, of those that dripped in up to the last one. Whatever was answered 429, of any operation and at any
time, counts.

`python -m benchmarks.amazon ORDERS DAYS SPEED` runs it at another size.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio

from benchmarks.figures import Figure
from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.testing.simulator import control, running

ORDERS, DAYS, SPEED, WORKERS = 50_000, 90.0, 250.0, 4
STREAMS = ("orders", "fba", "returns", "product-types")  # scheduled once an hour, beside the first import
TRAFFIC = 20.0  # new orders an hour while the old ones are imported
SETTLED = 2 * 3600.0  # simulated seconds after which an order that came in last is no longer pending, and is in lists
SHARE, PATIENCE = 0.97, 3600.0
ACCOUNT, SELLER, STORE = "bench", "A1BENCHSELLER", "result.db"
PLACES = {"A1PA6795UKMFR9": "Germany", "A13V1IB3VIYZZH": "France", "APJ6JRA9NG5V4": "Italy", "A1RKKUPIHCS9HS": "Spain"}
APP = {"client_id": "amzn1.application-oa2-client.bench", "client_secret": "amzn1.oa2-cs.v1.bench",
       "application_id": "amzn1.sellerapps.app.bench"}  # fmt: skip


class Following:
    """The simulator's clock, known from where it began, when, and how fast it runs."""

    def __init__(self, start: float, since: float, speed: float) -> None:
        self.start, self.since, self.speed = start, since, speed

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.fromtimestamp(self.start + (time.time() - self.since) * self.speed, UTC)

    async def sleep(self, seconds: float) -> None:
        """So many simulated seconds."""
        await anyio.sleep(seconds / self.speed)


def house(folder: Path, address: str, clock: dict[str, float], *, work: bool) -> Omnichannel:
    """One of several on the store."""
    trust = json.loads((folder / "trust.json").read_text())
    following = Following(clock["start"], clock["since"], clock["speed"])
    return Omnichannel(
        folder / STORE, trust=trust, endpoints={"amazon": address}, clock=following, work=work,
        lease=60 * clock["speed"],
    )  # fmt: skip


# --- a worker
async def working(folder: Path, address: str, clock: dict[str, float]) -> None:
    """Takes whatever is due until its standard input ends."""
    async with house(folder, address, clock, work=True):
        await anyio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)


@contextmanager
def crew(folder: Path, address: str, clock: dict[str, float]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Four of them; whoever is appended ends with them."""
    workers = [hired(folder, address, clock) for _ in range(WORKERS)]
    try:
        yield workers
    finally:
        for one in workers:
            if one.stdin is not None:
                one.stdin.close()
        for one in workers:
            try:
                one.wait(20)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def hired(folder: Path, address: str, clock: dict[str, float]) -> subprocess.Popen[bytes]:
    """One more worker process."""
    command = [sys.executable, "-m", "benchmarks.amazon", "work", str(folder), address, json.dumps(clock)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


# --- before and after
async def connected(folder: Path, address: str, clock: dict[str, float], refresh: str) -> None:
    """An account with the driver, its application and four connections; their first synchronize is queued."""
    private, public = vendor.keygen()
    (folder / "trust.json").write_text(json.dumps(vendor.key_set(public)))
    values = {**APP, "client_secrets": [APP["client_secret"]]}
    del values["client_secret"]
    async with house(folder, address, clock, work=False) as opened:
        await opened.accounts.add(ACCOUNT)
        text = vendor.issue(
            private, account=ACCOUNT, driver="amazon", distribution="omnichannel-amazon", application="app",
            now=datetime.now(UTC), days=90,
        )  # fmt: skip
        await opened.licenses.add(ACCOUNT, text)
        await opened.licenses.add_application(
            ACCOUNT, {"name": "app", "driver": "amazon", "version": 1, "values": values}
        )
        await opened.drivers.install(ACCOUNT, "amazon")
        for place, name in PLACES.items():
            form = {"seller_id": SELLER, "marketplace": place, "own_refresh_token": refresh}
            saved = await opened.connections.create(ACCOUNT, "amazon", f"Amazon {name}", form)
            for stream in STREAMS:
                await opened.connections.schedule(ACCOUNT, saved.connection.id, stream, 60)


def asked(folder: Path, question: str) -> list[tuple[Any, ...]]:
    """What the store says."""
    with closing(sqlite3.connect(folder / STORE, timeout=30)) as db:
        return db.execute(question).fetchall()


def cursors(folder: Path) -> list[dict[str, Any]]:
    """Where the polls of orders are."""
    rows = asked(folder, "SELECT cursor FROM omni_stream WHERE stream = 'orders' AND cursor IS NOT NULL")
    return [json.loads(cursor) for (cursor,) in rows]


def until(what: str, found: Any, workers: list[subprocess.Popen[bytes]], pause: float = 0.5) -> None:
    """Looks until it is found.

    Raises:
        RuntimeError: a worker ended, or it took too long.
    """
    ends = time.monotonic() + PATIENCE
    while not found():
        if any(one.poll() not in (None, -signal.SIGKILL) for one in workers):
            raise RuntimeError(f"a worker ended before {what}")
        if time.monotonic() > ends:
            raise RuntimeError(f"{what}: not within {PATIENCE:.0f} seconds")
        time.sleep(pause)


def killed(folder: Path, workers: list[subprocess.Popen[bytes]]) -> None:
    """SIGKILL for whichever is in the middle of a synchronize."""
    by_pid = {one.pid: one for one in workers}
    busy: list[int] = []

    def found() -> bool:
        rows = asked(folder, "SELECT worker FROM omni_process WHERE state = 'running' AND kind = 'synchronize'")
        busy[:] = [pid for (name,) in rows if (pid := int(name.split("-")[0])) in by_pid]
        return bool(busy)

    until("a worker is at work", found, workers, pause=0.002)
    os.kill(busy[0], signal.SIGKILL)
    by_pid[busy[0]].wait()


# --- the figures
def imported(folder: Path, address: str, clock: dict[str, float], orders: int) -> dict[str, Any]:
    """The whole import; the simulator's figures at its end."""
    with crew(folder, address, clock) as workers:
        until("the burst is used up", lambda: spent(address), workers, pause=0.01)
        before = control(address, f"sellers/{SELLER}/figures")["requests"]
        control(address, f"sellers/{SELLER}/figures", method="DELETE")
        half = "SELECT count(*) FROM omni_record WHERE kind = 'Order'"
        until("half of the orders are in", lambda: asked(folder, half)[0][0] >= orders / 2, workers)
        killed(folder, workers)
        workers.append(hired(folder, address, clock))
        until(
            "the import is over",
            lambda: (
                len(cursors(folder)) == len(PLACES)
                and not any(one.get("history") or one.get("window") for one in cursors(folder))
            ),
            workers,
        )
        figures: dict[str, Any] = control(address, f"sellers/{SELLER}/figures")
        control(address, f"sellers/{SELLER}/traffic", {"per_hour": 0})
        wanted = datetime.fromtimestamp(control(address, "clock")["now"] + SETTLED, UTC)
        until("the last changes are in", lambda: all(
            datetime.fromisoformat(one["changes"]) > wanted and not one.get("window") for one in cursors(folder)
        ), workers)  # fmt: skip
        after = control(address, f"sellers/{SELLER}/figures")["requests"]
        return {**figures, "requests": Counter(before) + Counter(after)}


def spent(address: str) -> bool:
    """Whether the bucket of the orders has been empty, and the rest is the rate's."""
    buckets = control(address, f"sellers/{SELLER}/figures")["buckets"]
    return any(one["operation"] == "searchOrders" and one["level"] < 1 for one in buckets)


def compared(folder: Path, address: str) -> tuple[int, int, int]:
    """(orders there, lost, doubled): by marketplace and id, with their lines, against the simulator's book."""
    book = control(address, f"sellers/{SELLER}/orders")["orders"]
    first = min(datetime.fromisoformat(one["begun"]) for one in cursors(folder)) - timedelta(days=90)
    there = {
        (one["marketplace"], one["id"]): one["lines"]
        for one in book
        if one["sales"] == "AMAZON" and not one["status"].startswith("PENDING") and one["created"] >= first.timestamp()
    }
    names = asked(folder, "SELECT id, channel FROM omni_connection")
    place = dict(names)
    rows = asked(folder, "SELECT connection_id, remote_id FROM omni_record WHERE kind = 'Order'")
    held = Counter((place[connection], ident) for connection, ident in rows)
    lines = Counter(
        (place[connection], ident)
        for connection, ident in asked(folder, "SELECT connection_id, order_id FROM omni_line")
    )
    lost = sum(1 for key, count in there.items() if not held[key] or lines[key] < count)
    doubled = sum(1 for key in held if key not in there) + sum(1 for key, n in there.items() if lines[key] > n)
    return len(there), lost, doubled


def figures(orders: int = ORDERS, days: float = DAYS, speed: float = SPEED) -> Iterable[Figure]:
    """The import, and what it used."""
    options = {"clock": "real", "speed": 1.0}
    with TemporaryDirectory(prefix="bench-amazon-") as base, running("amazon", options=options) as address:
        folder = Path(base)
        words = {"seller_id": SELLER, "marketplaces": list(PLACES), "orders": orders, "days": days, "types": 12}
        control(address, "apps", APP)
        control(address, "sellers", words)
        refresh = control(address, f"sellers/{SELLER}/authorize", {"client_id": APP["client_id"]})["refresh_token"]
        slow = control(address, "clock")
        anyio.run(connected, folder, address, slow, refresh)
        control(address, f"sellers/{SELLER}/traffic", {"per_hour": TRAFFIC})
        clock = control(address, "clock", {"speed": speed})
        began = time.monotonic()
        try:
            said = imported(folder, address, clock, orders)
        except RuntimeError as trouble:
            yield Figure("amazon: orders lost", None, "orders", note=str(trouble))
            return
        there, lost, doubled = compared(folder, address)
    yield from judged(said, there, lost, doubled, time.monotonic() - began)


def judged(said: dict[str, Any], there: int, lost: int, doubled: int, seconds: float) -> Iterable[Figure]:
    """As figures with their limits."""
    bucket = next(one for one in said["buckets"] if one["operation"] == "searchOrders")
    took = timedelta(seconds=bucket["last"] - bucket["since"])
    refused = {name: count for name, count in said["requests"].items() if name.endswith(" 429")}
    calls = sum(count for name, count in said["requests"].items() if name.startswith("searchOrders "))
    note = f"{there:,} orders, {calls} calls, {WORKERS} workers, one killed; {seconds:.0f} s real"
    yield Figure("amazon: orders lost", lost, "orders", limit=0, side="most", note=note)
    yield Figure("amazon: orders doubled", doubled, "orders", limit=0, side="most")
    yield Figure("amazon: share of the rate", bucket["share"], "of permitted", limit=SHARE, note=f"{bucket}")
    yield Figure("amazon: answered 429", sum(refused.values()), "requests", limit=0, side="most", note=f"{refused}")
    yield Figure("amazon: calls per 100 orders", calls * 100 / there, "requests", limit=1.5, side="most")
    yield Figure("amazon: simulated days", took / timedelta(days=1), "days")


def main() -> None:
    """A worker, or a run at another size."""
    if sys.argv[1:2] == ["work"]:
        anyio.run(working, Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4]))
        return
    given = sys.argv[1:4]
    for figure in figures(*(convert(text) for convert, text in zip((int, float, float), given, strict=False))):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
