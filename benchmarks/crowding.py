"""A thousand connections at 200 ms a page in one process, beside a bare client-per-connection loop."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from benchmarks import orders
from benchmarks.figures import Figure, say
from benchmarks.running import ContenderFailed, run
from benchmarks.serving import serving

CONNECTIONS, EACH, LATENCY = 1000, 2 * orders.PAGE, 0.2
RENDERED = 100 * orders.PAGE  # shared out: each tenant begins elsewhere
FLOOR, MEMORY_MB, LAG_MS = 0.7, 350, 200
TICK = 0.01


class Lag:
    """How late the event loop is: sleeps of 10 ms, and how much longer they took."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._task: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _measure(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            self._late.append(time.perf_counter() - began - TICK)

    def p99(self) -> float:
        """Seconds."""
        return sorted(self._late)[int(len(self._late) * 0.99)] if self._late else 0.0


def figures(connections: int = CONNECTIONS) -> Iterable[Figure]:
    """The house's and the bare loop's records a second, their ratio, the house's memory and lag."""
    total, said = connections * EACH, {}
    note = f"{connections} connections, {EACH} orders each, {LATENCY * 1000:.0f} ms a page"
    for name in ("crowd_bare", "crowd"):
        try:
            said[name] = _once(name, connections)
        except ContenderFailed as failure:
            yield Figure(f"{name}: orders", None, "records/s", note=str(failure)[-300:])
            return
        yield Figure(f"{name}: orders", total / said[name]["seconds"], "records/s", note=note)
    if said["crowd"]["held"] != said["crowd_bare"]["held"]:
        yield Figure("crowd: result", None, "rows", note=f"{said['crowd']['held']} is not {said['crowd_bare']['held']}")
    house, bare = (total / said[name]["seconds"] for name in ("crowd", "crowd_bare"))
    yield Figure("crowd beside a bare loop", house, "records/s", "crowd_bare", house / bare, FLOOR, note=note)
    yield Figure("crowd: memory", said["crowd"]["memory"], "MB peak", limit=MEMORY_MB, side="most", note=note)
    yield Figure("crowd: loop lag p99", said["crowd"]["lag_p99_ms"], "ms", limit=LAG_MS, side="most", note=note)
    yield Figure("crowd_bare: memory", said["crowd_bare"]["memory"], "MB peak", note=note)
    yield Figure("crowd_bare: loop lag p99", said["crowd_bare"]["lag_p99_ms"], "ms", note=note)


def _once(name: str, connections: int) -> dict[str, object]:
    with serving(EACH, LATENCY, RENDERED) as server, TemporaryDirectory(prefix=f"bench-{name}-") as folder:
        once = run([sys.executable, "-m", f"benchmarks.contenders.{name}", server.url, str(connections)], Path(folder))
        told = json.loads((Path(folder) / "output.txt").read_text().splitlines()[-1])
        say(f"  {name}: {told}, {once.cpu:.1f} s CPU, {once.memory:.0f} MB")
        return {**told, "memory": once.memory, "held": _held(Path(folder) / "result.db")}


def _held(path: Path) -> tuple[object, ...]:
    """What must be equal: connections, orders, their bytes, lines, and the cents of all lines."""
    with closing(sqlite3.connect(path)) as db:
        records = db.execute(
            "SELECT count(DISTINCT connection_id), count(*), sum(length(body)) FROM omni_record WHERE kind = 'Order'"
        ).fetchone()
        lines = db.execute("SELECT count(*), sum(CAST(round(CAST(gross AS REAL) * 100) AS INTEGER)) FROM omni_line")
        return (*records, *lines.fetchone())
