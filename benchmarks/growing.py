"""What does not grow: the engine's memory with the orders, and the requests of a synchronize with nothing new."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure
from benchmarks.running import Run, run
from benchmarks.serving import serving

TIMES = 10
MOST = 1.1  # of the smaller run's peak


def memory(total: int) -> Iterable[Figure]:
    """Peak memory with ten times as many orders, beside that of `total`."""
    small = _engine(total, total)
    large = _engine(total * TIMES, total)  # ten tenants' worth of pages; the later ones are newer words of known orders
    note = f"{total:,} and {total * TIMES:,} orders: {small.memory:.1f} and {large.memory:.1f} MB"
    note += f"; {small.wall:.0f} and {large.wall:.0f} s"
    yield Figure(
        "memory with ten times the orders", large.memory, "MB peak", f"{total:,} orders", large.memory / small.memory,
        MOST, "most", note,
    )  # fmt: skip


def nothing_new(total: int) -> Iterable[Figure]:
    """Requests of the second synchronize, per stream (there is one), by the server's own count."""
    with serving(total) as server, TemporaryDirectory(prefix="bench-again-") as folder:
        run([sys.executable, "-m", "benchmarks.contenders.again", server.url], Path(folder))
        told = json.loads((Path(folder) / "output.txt").read_text().splitlines()[-1])
    note = f"{total:,} orders; {told['first']} requests the first time"
    yield Figure("nothing new: requests per stream", told["again"], "requests", limit=1, side="most", note=note)


def _engine(total: int, rendered: int) -> Run:
    with serving(total, rendered=rendered) as server, TemporaryDirectory(prefix="bench-memory-") as folder:
        return run([sys.executable, "-m", "benchmarks.contenders.engine", server.url], Path(folder))
