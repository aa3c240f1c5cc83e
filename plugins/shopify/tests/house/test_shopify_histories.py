"""Long histories in little time: the house's clock and the simulator's leap together over every wait."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT

from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.model.process import State
from omnichannel_core.storage.hub import Found
from omnichannel_core.testing import simulator
from omnichannel_core.testing.leaping import LeapingClock

pytestmark = pytest.mark.anyio
TOKEN, NUMBERS = "shpat_of-the-shop-0123456789", count(1)
WORKER, PATIENCE = Path(__file__).with_name("killable.py"), 60.0
FILTERS = {
    "financial": sorted(FINANCIAL), "fulfillment": sorted(FULFILLMENT), "archived": True, "cancelled": True,
    "test": True,
}  # fmt: skip
NO_BULK = {"field": ["query"], "message": "not here", "code": "INVALID"}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both loops."""
    return request.param


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """One simulator, whose clock leaps."""
    with simulator.running("shopify") as found:
        yield found


@pytest.fixture
async def house(tmp_path: Path, address: str) -> AsyncIterator[Omnichannel]:
    """A house with the driver in account acme, whose clock leaps."""
    private, public = vendor.keygen()
    clock = LeapingClock(address)
    async with Omnichannel(
        tmp_path / "x.db", trust=vendor.key_set(public), endpoints={"shopify": address}, clock=clock, work=False
    ) as opened:
        await opened.accounts.add("acme")
        text = vendor.issue(
            private, account="acme", driver="shopify", distribution="omnichannel-shopify", now=clock.now()
        )
        await opened.licenses.add("acme", text)
        await opened.drivers.install("acme", "shopify")
        yield opened


def opened(address: str, orders: int, **options: Any) -> str:
    """A shop with so many orders; its name."""
    name = f"shop-{next(NUMBERS)}"
    simulator.control(address, "stores", {"shop": name, "token": TOKEN, "orders": orders, **options})
    return name


async def imported(house: Omnichannel, shop: str) -> int:
    """The orders that are stored after the first synchronize."""
    typed = {"shop": shop, "access": {"way": "token", "access_token": TOKEN}}
    saved = await house.connections.create("acme", "shopify", "Shop", typed, settings={"orders": FILTERS})
    assert saved.process is not None
    found = await house.processes.run_to_end("acme", saved.process.id)
    assert (found.state, found.error) == (State.SUCCEEDED, "")
    assert await house.hub.errors("acme", saved.connection.id) == []
    return await house.hub.count("acme", Found(kind="Order", connection=saved.connection.id))


@pytest.mark.parametrize(
    "troubles",
    [
        [{"fail": "TIMEOUT", "fail_after": 50}],
        [{"miscount": 7}],
        [{"fail": "INTERNAL_SERVER_ERROR", "fail_after": 20}, {"fail": "INTERNAL_SERVER_ERROR", "fail_after": 0}],
    ],
)
async def test_s13_bulk_that_fails(house: Omnichannel, address: str, troubles: list[dict[str, Any]]):
    """S13: operations that fail, again and again, and files that hold less than they say, lose nothing."""
    shop = opened(address, 300)
    for trouble in troubles:
        simulator.control(address, f"stores/{shop}/bulk", trouble)
    assert await imported(house, shop) == 300
    assert simulator.control(address, f"stores/{shop}/figures")["requests"]["BulkRun"] == 2


async def test_s14_all_slots_taken(house: Omnichannel, address: str):
    """S14: where Shopify runs no more operations at once, the history waits for a place and then goes on by bulk."""
    shop = opened(address, 260)
    full = {**NO_BULK, "code": "LIMIT_REACHED"}
    fault = {"kind": "user_errors", "times": 2, "operation": "bulkOperationRunQuery", "errors": [full], "shop": shop}
    simulator.control(address, "faults", fault)
    assert await imported(house, shop) == 260
    assert simulator.control(address, f"stores/{shop}/figures")["requests"]["BulkRun"] == 3


async def test_the_rate_is_used_and_never_exceeded(house: Omnichannel, address: str):
    """Page by page under the standard plan, nothing is throttled and hardly anything of what is permitted is left."""
    shop = opened(address, 1500, plan="standard")
    fault = {"kind": "user_errors", "times": -1, "operation": "bulkOperationRunQuery", "errors": [NO_BULK]}
    simulator.control(address, "faults", {**fault, "shop": shop})
    assert await imported(house, shop) == 1500
    (bucket,) = simulator.control(address, f"stores/{shop}/figures")["buckets"].values()
    assert bucket["throttled"] == 0
    assert bucket["share_of_all"] > 0.9, "also of what was there at the beginning"


@pytest.mark.parametrize(
    ("operation", "kind", "skip", "bulk"),
    [
        ("BulkRun", "hang_after", 0, True),  # Shopify has begun it, and nobody was told
        ("bulk_file", "hang_before", 0, True),
        ("OrdersRefunds", "hang_before", 1, True),  # in the midst of its parts
        ("OrdersPage", "hang_after", 4, False),
    ],
)
def test_killed_in_the_midst(address: str, tmp_path: Path, operation: str, kind: str, skip: int, bulk: bool):
    """A worker killed in the midst of a history is followed by another one: nothing is lost, nothing is twice there."""
    orders = 700 if bulk else 240
    shop = opened(address, orders)
    fault = {"kind": kind, "times": 1, "skip": skip, "operation": operation, "shop": shop}
    simulator.control(address, "faults", fault)
    command = [sys.executable, str(WORKER), address, shop, TOKEN, str(tmp_path)]
    with subprocess.Popen(command) as first:
        until = time.monotonic() + PATIENCE
        while not hit(address, shop):
            assert time.monotonic() < until
            with pytest.raises(subprocess.TimeoutExpired):
                first.wait(0.1)
        os.kill(first.pid, signal.SIGKILL)
    assert held(tmp_path)[0] < orders
    subprocess.run(command, check=True, timeout=PATIENCE)
    assert held(tmp_path) == (orders, orders, orders)
    runs = simulator.control(address, f"stores/{shop}/figures")["requests"].get("BulkRun", 0)
    assert runs == int(bulk), "an operation that runs already is found again"


def hit(address: str, shop: str) -> bool:
    """Whether the fault of that shop has come about."""
    faults = simulator.control(address, "faults")["faults"]
    return any(one["hits"] for one in faults if one["shop"] == shop)


def held(folder: Path) -> tuple[int, int, int]:
    """Orders stored, rows of the host, and different ones among them."""
    with closing(sqlite3.connect(folder / "x.db")) as db:
        (stored,) = db.execute("SELECT count(*) FROM omni_record WHERE kind = 'Order'").fetchone()
        return (stored, *db.execute("SELECT count(*), count(DISTINCT id) FROM host_order").fetchone())
