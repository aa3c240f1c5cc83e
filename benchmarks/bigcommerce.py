"""BigCommerce's own pull against its simulator: orders a second, and requests per order."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure
from benchmarks.running import run
from omnichannel_core.testing.simulator import control, running

ORDERS, PAGE = 5000, 250
SHOP, TOKEN = "benchstore", "benchmark-token-0123456789abcdef"
COMPLETED = 10
QUOTA = 1_000_000  # requests a window: what is measured here is not the waiting
SPARE = 10  # order requests beyond the pages: the check, the newest change, what changed meanwhile, the ends


def _fill(address: str, count: int) -> None:
    """Orders of past days and a single newest one: what changed about then is looked at twice."""
    now = time.time()
    for batch in range(count // PAGE):
        many = PAGE if (batch + 1) * PAGE < count else PAGE - 1
        at = now - 86400 * (count // PAGE - batch)
        control(address, f"stores/{SHOP}/orders", {"count": many, "status_id": COMPLETED, "at": at})
    control(address, f"stores/{SHOP}/orders", {"count": 1, "status_id": COMPLETED, "at": now - 3600})


def figures(count: int = ORDERS) -> Iterable[Figure]:
    """So many finished, plain orders: one request a page of 250 and a handful besides."""
    with running("bigcommerce") as address, TemporaryDirectory(prefix="bench-bigcommerce-") as folder:
        control(address, "apps", {"client_id": "bench", "client_secret": "bench-secret"})
        control(address, "stores", {"hash": SHOP, "token": TOKEN, "orders": 0, "products": 40, "quota": QUOTA})
        _fill(address, count)
        control(address, "log", method="DELETE")
        run([sys.executable, "-m", "benchmarks.contenders.store", address, SHOP, TOKEN], Path(folder))
        told = json.loads((Path(folder) / "output.txt").read_text().splitlines()[-1])
        asked = control(address, f"log?store={SHOP}&last=100000")["requests"]
        with closing(sqlite3.connect(Path(folder) / "result.db")) as db:
            (held,) = db.execute("SELECT count(*) FROM omni_record WHERE kind = 'Order'").fetchone()
    by_operation = Counter(one["operation"] for one in asked)
    note = ", ".join(f"{name} {times}" for name, times in by_operation.most_common())
    if held != count:
        yield Figure("bigcommerce: orders", None, "records/s", note=f"{held} of {count} orders are there")
        return
    yield Figure("bigcommerce: orders", held / told["seconds"], "records/s", note=f"{count:,} orders; data model too")
    orders = sum(times for name, times in by_operation.items() if "order" in name.lower())
    most = (count / PAGE + SPARE) / count
    yield Figure("bigcommerce: requests per order", orders / count, "requests", limit=most, side="most", note=note)
