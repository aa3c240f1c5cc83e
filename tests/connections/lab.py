"""A house with the scripted driver, and the short ways that tests of pulls take."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from omnichannel_core.app import Omnichannel
from omnichannel_core.model.process import Process
from omnichannel_core.records import Order
from omnichannel_core.storage.hub import Found

TYPED = {"shop": "a", "secret": "hush-lab"}


@asynccontextmanager
async def opened(open_house: Any, **more: Any) -> AsyncIterator[tuple[Omnichannel, Any]]:
    """The house with the lab in account acme, and a clean bench."""
    open_house.plug.ready("lab")
    bench = importlib.import_module("omnichannel_lab.bench")
    bench.BENCH = bench.Bench()
    async with open_house(**more) as house:
        await house.accounts.add("acme")
        await open_house.buy(house, driver="lab")
        await house.drivers.install("acme", "lab")
        yield house, bench.BENCH


async def made(house: Omnichannel, **typed: Any) -> int:
    """A connection whose first sync is queued."""
    saved = await house.connections.create("acme", "lab", "Lab", {**TYPED, **typed})
    return saved.connection.id


async def synced(house: Omnichannel, connection: int) -> Process:
    """Synchronized to the end."""
    process = await house.connections.synchronize("acme", connection)
    return await house.processes.run_to_end("acme", process.id)


async def order(house: Omnichannel, connection: int, number: str) -> Order:
    """A stored one."""
    return await house.hub.order("acme", connection, number)


async def count(house: Omnichannel, connection: int, kind: str = "Order") -> int:
    """Stored and not retired."""
    return await house.hub.count("acme", Found(kind=kind, connection=connection))
