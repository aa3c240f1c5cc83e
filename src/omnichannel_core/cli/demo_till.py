"""The demo's point of sale: a store with nothing to configure, and a simulated till that sells while the demo runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import anyio.to_thread

from omnichannel_core.cli.demo_stage import ACCOUNT, ACTOR, Stage
from omnichannel_core.records import Order, Return
from omnichannel_core.storage.hub import Found
from omnichannel_core.testing.simulator import control

DRIVER, TILL, SHOP = "pos", "TILL-1", "Corner shop"
BREAK = 0.05  # seconds between two rounds of receipts


async def opened(stage: Stage, address: str) -> int:
    """License, installation, store; the till opens at the store's directory. The store's id."""
    stage.step("A point of sale: add a store, and there is nothing to configure")
    await stage.license(DRIVER)
    saved = await stage.house.stores.add(ACCOUNT, SHOP, driver=DRIVER, actor=ACTOR)
    await stage.follow(saved.process)
    store = await stage.house.stores.get(ACCOUNT, saved.connection.id)
    begin = {
        "exchange": str(store.exchange),
        "name": TILL,
        "seed": 7,
        "at": f"{datetime.now(UTC):%Y-%m-%dT08:00:00+01:00}",
    }
    await anyio.to_thread.run_sync(lambda: control(address, "tills", begin))
    stage.tell("Store", f"{store.connection!r} exchanges files with its tills; no credentials, no settings")
    return store.id


@asynccontextmanager
async def selling(address: str) -> AsyncIterator[None]:
    """The till sells until the block ends, each receipt pushed at once."""

    async def sell() -> None:
        while not over.is_set():
            await anyio.to_thread.run_sync(
                lambda: control(address, f"tills/{TILL}/work", {"receipts": 5, "live": True})
            )
            with anyio.move_on_after(BREAK):
                await over.wait()

    over = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(sell)
        try:
            yield
        finally:
            over.set()


async def closed(stage: Stage, store: int, address: str) -> None:
    """What was pushed is there; then the day is closed, and the books are compared with the till's own truth."""
    stage.step("The till closes its day: the closing takes the place of what was pushed")
    await stage.follow(await stage.house.connections.synchronize(ACCOUNT, store))
    stage.tell("Sold at the till", f"{await stage.count(store, 'Order')} orders came in receipt by receipt")
    await anyio.to_thread.run_sync(lambda: control(address, f"tills/{TILL}/close", {}))
    await stage.follow(await stage.house.connections.synchronize(ACCOUNT, store))
    truth = await anyio.to_thread.run_sync(lambda: control(address, f"tills/{TILL}/truth"))
    orders = await _sums(stage, store, "Order", lambda one: one.gross if isinstance(one, Order) else None)
    returns = await _sums(stage, store, "Return", lambda one: one.amount if isinstance(one, Return) else None)
    same = orders == {one: cents for one, (cents, _) in truth["orders"].items()}
    same = same and returns == {one: cents for one, (cents, _) in truth["returns"].items()}
    verdict = "the till's own figures" if same else "NOT the till's own figures"
    total = Decimal(sum(orders.values())) / 100
    stage.tell("Closing", f"{len(orders)} orders over EUR {total}, {len(returns)} returns, each once: {verdict}")


async def _sums(stage: Stage, store: int, kind: str, amount: Callable[[Any], Any]) -> dict[str, int]:
    """Cents by id of all stored records of a kind."""
    found, cursor = dict[str, int](), ""
    while True:
        wanted = Found(kind=kind, connection=store, full=True)
        page = await stage.house.hub.find(ACCOUNT, wanted, cursor=cursor, limit=200)
        found |= {one.id: int(amount(one.record).amount * 100) for one in page.items}
        cursor = page.next
        if not cursor:
            return found
