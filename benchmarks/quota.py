"""How much of a marketplace's quota is used, by the marketplace's own count: two processes, one budget, real time.

Two readers, each a process with a house's client of its own on one store, read as fast as the BigCommerce driver's
declared limits let them. In one shop they are alone, in the other somebody else takes requests too.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import anyio
from omnichannel_bigcommerce.api import API, HOME
from omnichannel_bigcommerce.credentials import BigCommerceCredentials
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.connections import budgets
from omnichannel_core.connections.clock import SystemClock
from omnichannel_core.driver import Session
from omnichannel_core.remote.addresses import Allowed
from omnichannel_core.remote.buckets import Plan
from omnichannel_core.remote.client import Client
from omnichannel_core.remote.guard import AddressGuard
from omnichannel_core.remote.limits import Limiter
from omnichannel_core.remote.transport import Transport
from omnichannel_core.storage import migrations
from omnichannel_core.storage.limit_files import LimitFiles
from omnichannel_core.storage.store import Store
from omnichannel_core.testing.simulator import control, running

QUOTA, WINDOW, TOKEN = 150, 30, "benchmark-token-0123456789abcdef"
SHOPS: Mapping[str, float] = {"aloneshop": 0.0, "sharedshop": 20.0}  # requests a second of somebody else
READERS, TASKS, LATENCY = 2, 3, 0.05
SHARE = 0.97
STEP_MS = 0.5  # what sharing may add to a request


class _NoTokens:
    """The driver signs with its credentials."""

    async def get(self, name: str = "access") -> None:
        """None."""

    async def refused(self, name: str, token: Any) -> None:
        """None."""


def run(windows: int = 3) -> list[dict[str, Any]]:
    """Figures of each shop: the least share of the permitted requests in a window, and the requests refused.

    Takes `windows` times 30 seconds. `limit` is the least share, and the most refused ones a window.
    """
    with tempfile.TemporaryDirectory() as folder, running("bigcommerce") as address:
        path = Path(folder) / "quota.db"
        store = Store(str(path))
        store.open()
        migrations.ensure(store)
        store.close()
        for shop, foreign in SHOPS.items():
            control(address, "stores", {"hash": shop, "token": TOKEN, "quota": QUOTA, "latency": LATENCY})
            control(address, f"stores/{shop}/quota", {"foreign_rate": foreign, "window_ms": WINDOW * 1000}, "PUT")
        _read_for(str(path), address, windows * WINDOW - 0.3)
        rows = {shop: control(address, f"stores/{shop}/figures")["windows"][:windows] for shop in SHOPS}
    return [figure for shop in SHOPS for figure in _figures(shop, rows[shop], windows)]


def step() -> float:
    """Milliseconds that sharing a budget adds to a request which nobody competes with, the best of five times 100."""

    async def taken(shared: budgets.FileBudgets, plan: Plan) -> None:
        for _ in range(100):
            _, turn = await shared.take("a", plan, 1.0, 5.0)
            await shared.settle("a", plan, 1.0, turn, None, 5.0)

    async def best() -> float:
        with tempfile.TemporaryDirectory() as folder:
            shared, plan, least = budgets.FileBudgets(LimitFiles(Path(folder))), Plan(1e9, 1e9, None), 1.0
            for _ in range(5):
                begin = time.perf_counter()
                await taken(shared, plan)
                least = min(least, time.perf_counter() - begin)
            shared.close()
            return least * 10  # 100 of them, in ms

    return anyio.run(best)


def _read_for(path: str, address: str, seconds: float) -> None:
    until = time.time() + seconds
    command = [sys.executable, "-m", "benchmarks.quota", path, address, str(until)]
    readers = [subprocess.Popen(command) for _ in range(READERS)]
    try:
        for reader in readers:
            if reader.wait(seconds + 60):
                raise RuntimeError("A reader failed; its words are above.")
    finally:
        for reader in readers:
            if reader.poll() is None:
                reader.kill()
                reader.wait()


def _figures(shop: str, rows: list[dict[str, float]], windows: int) -> list[dict[str, Any]]:
    share = min((row["share"] for row in rows), default=0.0)
    refused = max((row["refused"] for row in rows), default=0.0)
    most = 1 if SHOPS[shop] else 0
    complete = len(rows) == windows
    said = {"windows": len(rows), "used": [row["used"] for row in rows], "foreign": [row["foreign"] for row in rows]}
    figures: list[dict[str, Any]] = [
        {"figure": f"quota_{shop}_refused", "value": refused, "limit": most, "ok": complete and refused <= most, **said}
    ]
    if not SHOPS[shop]:
        figures.insert(
            0,
            {
                "figure": f"quota_{shop}_share",
                "value": share,
                "limit": SHARE,
                "ok": complete and share >= SHARE,
                **said,
            },
        )
    else:
        figures.insert(0, {"figure": f"quota_{shop}_share", "value": share, "limit": None, "ok": complete, **said})
    return figures


async def _reader(path: str, address: str, until: float) -> None:
    """One process: a store, a limiter, a client a shop; several requests under way."""
    store, clock = Store(path), SystemClock()
    store.open()
    shared = budgets.shared(store, clock)
    limiter = Limiter(clock, shared)
    async with anyio.create_task_group() as group:
        for shop in SHOPS:
            client = _client(limiter, clock, shop, address)
            for _ in range(TASKS):
                group.start_soon(_read, client, shop, until)
    shared.close()
    store.close()


def _client(limiter: Limiter, clock: SystemClock, shop: str, address: str) -> Client:
    credentials = BigCommerceCredentials(store_hash=shop, access_token=SecretStr(TOKEN))
    session = cast("Session", {BigCommerceCredentials: credentials})
    return Client(
        api=API, session=session, tokens=_NoTokens(), limiter=limiter.scoped(driver="bigcommerce", account=shop),
        transport=Transport(AddressGuard([Allowed.parse("127.0.0.0/8")])), clock=clock, override=address,
    )  # fmt: skip


async def _read(client: Client, shop: str, until: float) -> None:
    with anyio.move_on_after(max(0.0, until - time.time())):
        while True:
            try:
                await client.send("getTime", "GET", f"{HOME}/stores/{shop}/v2/time")
            except errors.RateLimited as problem:
                await anyio.sleep(problem.wait or 1.0)


if __name__ == "__main__":
    anyio.run(_reader, sys.argv[1], sys.argv[2], float(sys.argv[3]))
