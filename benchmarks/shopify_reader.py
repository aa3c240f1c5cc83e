"""The Shopify driver in a whole house against its simulator: the first synchronize of one shop, to its end.

`python -m benchmarks.shopify_reader ADDRESS SHOP TOKEN`; says seconds as one JSON line.
Begun again in the same folder it goes on where the one before was killed.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT

from benchmarks.contenders.engine import ACCOUNT, ended
from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.model.process import Process
from omnichannel_core.testing.leaping import LeapingClock
from omnichannel_core.testing.simulator import control

DRIVER, STORE, TRUST = "shopify", Path("result.db"), Path("trust.json")
EVERYTHING = {
    "financial": sorted(FINANCIAL), "fulfillment": sorted(FULFILLMENT), "archived": True, "cancelled": True,
    "test": True,
}  # fmt: skip


def sink(tx: Any, connection: Any, stream: str, records: Any) -> None:
    """The host's rows, in the page's transaction: an order that comes twice stands there twice."""
    rows = [(record.id,) for record in records if type(record).__name__ == "Order"]
    tx.connection.driver_connection.executemany("INSERT INTO host_order VALUES (?)", rows)


async def begun(house: Omnichannel, private: dict[str, Any], now: datetime, shop: str, token: str) -> Process | None:
    """An account with a license and a connection; its first synchronize."""
    await house.accounts.add(ACCOUNT)
    text = vendor.issue(private, account=ACCOUNT, driver=DRIVER, distribution="omnichannel-shopify", now=now)
    await house.licenses.add(ACCOUNT, text)
    await house.drivers.install(ACCOUNT, DRIVER)
    typed = {"shop": shop, "access": {"way": "token", "access_token": token}}
    return (await house.connections.create(ACCOUNT, DRIVER, "Shop", typed, settings={"orders": EVERYTHING})).process


async def main(address: str, shop: str, token: str, public: dict[str, Any], private: dict[str, Any] | None) -> float:
    """Seconds of the synchronize: from the created connection, or without a private key from where it stands."""
    clock = LeapingClock(address)
    async with Omnichannel(
        STORE, trust=vendor.key_set(public), endpoints={DRIVER: address}, clock=clock, sink=sink, work=False
    ) as house:
        if private is not None:
            with closing(sqlite3.connect(STORE)) as db:
                db.execute("CREATE TABLE host_order (id TEXT NOT NULL)")
            control(address, f"stores/{shop}/figures", method="DELETE")  # how long Python takes to start is no matter
            process = await begun(house, private, clock.now(), shop, token)
        else:
            (connection,) = await house.connections.list(ACCOUNT)
            process = await house.connections.synchronize(ACCOUNT, connection.id)
        began = time.perf_counter()
        await ended(house, process)
        return time.perf_counter() - began


def run(address: str, shop: str, token: str) -> dict[str, float]:
    """The keys of the vendor outlive a killed reader."""
    if TRUST.exists():
        public, private = json.loads(TRUST.read_text()), None
    else:
        private, public = vendor.keygen()
        TRUST.write_text(json.dumps(public))
    return {"seconds": anyio.run(main, address, shop, token, public, private)}


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:4])))
