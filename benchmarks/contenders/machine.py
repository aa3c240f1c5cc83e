"""One machine of several: a house on a PostgreSQL that all share. What differs is its data directory.

`python -m benchmarks.contenders.machine settle STORE SHOP COUNT` makes the tables and so many connections, each with
its first synchronize queued. `... work STORE SHOP SLOTS` works until SIGTERM. Both run in the folder that they share.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from importlib import metadata
from pathlib import Path

from benchmarks.contenders.engine import ACCOUNT, DRIVER, install, plugged
from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.storage.keys import KeyRing

AT_ONCE = 16
KEYS = KeyRing({"bench": bytes(32)})
TRUST, SITE = Path("trust.json"), Path("site")


def opened(store: str, shop: str, *, slots: int = 0) -> Omnichannel:
    """A house of this process; it works when it has slots."""
    catalog = Catalog(lambda: metadata.distributions(path=[str(SITE)])) if SITE.exists() else plugged(SITE)
    return Omnichannel(
        store, data=f"data-{os.getpid()}", keys=KEYS, trust=json.loads(TRUST.read_text()), catalog=catalog,
        endpoints={DRIVER: shop}, work=slots > 0, slots=slots or 1,
    )  # fmt: skip


async def settle(store: str, shop: str, count: int) -> None:
    """The tables, an account, its license, and connections."""
    private, public = vendor.keygen()
    TRUST.write_text(json.dumps(vendor.key_set(public)))  # noqa: ASYNC240 - nothing else goes on yet
    house = opened(store, shop)
    await house.migrate()
    async with house:
        await install(house, private)
        gate = asyncio.Semaphore(AT_ONCE)

        async def create(tenant: int) -> None:
            async with gate:
                await house.connections.create(ACCOUNT, DRIVER, f"Shop {tenant}", {"tenant": tenant})

        await asyncio.gather(*(create(tenant) for tenant in range(count)))


async def work(store: str, shop: str, slots: int) -> None:
    """Says "working" once it does."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    async with opened(store, shop, slots=slots):
        print("working", flush=True)
        await over.wait()


if __name__ == "__main__":
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    asyncio.run({"settle": settle, "work": work}[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4])))
