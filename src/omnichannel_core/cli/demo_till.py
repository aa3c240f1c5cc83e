"""The demo's point of sale: a store with nothing to configure, and a simulated till that sells while the demo runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import anyio.to_thread

from omnichannel_core.app import Omnichannel
from omnichannel_core.cli.following import to_end
from omnichannel_core.cli.output import say
from omnichannel_core.gate import vendor
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.records import Order, Return
from omnichannel_core.storage.hub import Found
from omnichannel_core.testing.simulator import control

DRIVER, TILL, SHOP = "pos", "TILL-1", "Corner shop"
BREAK = 0.05  # seconds between two rounds of receipts
Told = list[tuple[str, str]]


def there() -> bool:
    """Whether a driver for points of sale is installed beside this program."""
    return DRIVER in Catalog().listing()


async def opened(house: Omnichannel, account: str, private: Mapping[str, Any], address: str, told: Told) -> int:
    """License, installation, store; the till opens at the store's directory. The store's id."""
    say("> A point of sale: add a store, and there is nothing to configure")
    text = vendor.issue(
        private, account=account, driver=DRIVER, distribution=Catalog().listing()[DRIVER].distribution,
        now=datetime.now(UTC), days=30,
    )  # fmt: skip
    await house.licenses.add(account, text)
    await house.drivers.install(account, DRIVER)
    saved = await house.stores.add(account, SHOP, driver=DRIVER, actor="demo")
    await to_end(house, account, saved.process, quiet=False)
    store = await house.stores.get(account, saved.connection.id)
    begin = {
        "exchange": str(store.exchange),
        "name": TILL,
        "seed": 7,
        "at": f"{datetime.now(UTC):%Y-%m-%dT08:00:00+01:00}",
    }
    await anyio.to_thread.run_sync(lambda: control(address, "tills", begin))
    told.append(("Store", f"{store.connection!r} exchanges files with its tills; no credentials, no settings"))
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


async def closed(house: Omnichannel, account: str, store: int, address: str, told: Told) -> None:
    """What was pushed is there; then the day is closed, and the books are compared with the till's own truth."""
    say("> The till closes its day: the closing takes the place of what was pushed")
    await _synchronized(house, account, store)
    pushed = await house.hub.count(account, Found(kind="Order", connection=store))
    told.append(("Sold meanwhile", f"{pushed} orders came in receipt by receipt"))
    await anyio.to_thread.run_sync(lambda: control(address, f"tills/{TILL}/close", {}))
    await _synchronized(house, account, store)
    truth = await anyio.to_thread.run_sync(lambda: control(address, f"tills/{TILL}/truth"))
    orders = await _sums(house, account, store, "Order", lambda one: one.gross if isinstance(one, Order) else None)
    returns = await _sums(house, account, store, "Return", lambda one: one.amount if isinstance(one, Return) else None)
    same = orders == {one: cents for one, (cents, _) in truth["orders"].items()}
    same = same and returns == {one: cents for one, (cents, _) in truth["returns"].items()}
    verdict = "the till's own figures" if same else "NOT the till's own figures"
    total = Decimal(sum(orders.values())) / 100
    told.append(("Closing", f"{len(orders)} orders over EUR {total}, {len(returns)} returns, each once: {verdict}"))


async def _synchronized(house: Omnichannel, account: str, store: int) -> None:
    await to_end(house, account, await house.connections.synchronize(account, store), quiet=False)


async def _sums(
    house: Omnichannel, account: str, store: int, kind: str, amount: Callable[[Any], Any]
) -> dict[str, int]:
    """Cents by id of all stored records of a kind."""
    found, cursor = dict[str, int](), ""
    while True:
        page = await house.hub.find(account, Found(kind=kind, connection=store, full=True), cursor=cursor, limit=200)
        found |= {one.id: int(amount(one.record).amount * 100) for one in page.items}
        cursor = page.next
        if not cursor:
            return found
