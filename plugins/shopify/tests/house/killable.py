"""A worker that a test kills: `python killable.py ADDRESS SHOP TOKEN FOLDER`. The next one goes on where it stood."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT

from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import vendor
from omnichannel_core.model.process import State
from omnichannel_core.testing.leaping import LeapingClock

FILTERS = {
    "financial": sorted(FINANCIAL), "fulfillment": sorted(FULFILLMENT), "archived": True, "cancelled": True,
    "test": True,
}  # fmt: skip


def sink(tx: Any, connection: Any, stream: str, records: Any) -> None:
    """What comes twice stands in the host's table twice."""
    rows = [(record.id,) for record in records if type(record).__name__ == "Order"]
    tx.connection.driver_connection.executemany("INSERT INTO host_order VALUES (?)", rows)


async def main(address: str, shop: str, token: str, store: Path, public: Any, private: Any) -> None:
    """The first synchronize, to its end."""
    clock = LeapingClock(address)
    async with Omnichannel(
        store, trust=vendor.key_set(public), endpoints={"shopify": address}, clock=clock, sink=sink, work=False
    ) as house:
        if private is not None:
            with closing(sqlite3.connect(store)) as db:
                db.execute("CREATE TABLE host_order (id TEXT NOT NULL)")
            await house.accounts.add("acme")
            text = vendor.issue(
                private, account="acme", driver="shopify", distribution="omnichannel-shopify", now=clock.now()
            )
            await house.licenses.add("acme", text)
            await house.drivers.install("acme", "shopify")
            typed = {"shop": shop, "access": {"way": "token", "access_token": token}}
            settings = {"orders": FILTERS}
            process = (await house.connections.create("acme", "shopify", "Shop", typed, settings=settings)).process
        else:
            (one,) = await house.connections.list("acme")
            process = await house.connections.synchronize("acme", one.id)
        assert process is not None
        ended = await house.processes.run_to_end("acme", process.id)
        assert ended.state is State.SUCCEEDED, ended.error


def run(address: str, shop: str, token: str, folder: Path) -> None:
    """The vendor's key outlives the worker."""
    key = folder / "public.json"
    private, public = (None, json.loads(key.read_text())) if key.exists() else vendor.keygen()
    if private is not None:
        key.write_text(json.dumps(public))
    anyio.run(main, address, shop, token, folder / "x.db", public, private)


if __name__ == "__main__":
    run(*sys.argv[1:4], Path(sys.argv[4]))
