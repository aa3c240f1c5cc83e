"""The simulator as the demo and the command line run it: in a child process, through its control API."""

from __future__ import annotations

import urllib.error
from typing import Any

import anyio.to_thread
import pytest

from omnichannel_core.testing import simulator

pytestmark = pytest.mark.anyio


async def test_a_till_in_a_child_process(shop: Any) -> None:
    """A till sells live, closes, and the books hold its truth."""

    def day(address: str) -> Any:
        simulator.control(address, "tills", {"exchange": str(shop.exchange), "name": "T1", "seed": 4})
        simulator.control(address, "tills/T1/work", {"receipts": 30, "live": True})
        simulator.control(address, "tills/T1/close", {"as": "folder", "liberties": {"encoding": "cp1252"}})
        return simulator.control(address, "tills/T1/truth")

    with simulator.running("pos") as address:
        truth = await anyio.to_thread.run_sync(day, address)
        assert simulator.control(address, "state")["tills"]["T1"]["closed"] == 1
        with pytest.raises(urllib.error.HTTPError, match="404"):
            simulator.control(address, "tills/none/truth")
        with pytest.raises(urllib.error.HTTPError, match="400"):
            simulator.control(address, "tills", {"exchange": "/nowhere"})
    await shop.sync()
    orders = await shop.records("Order")
    assert {one: [int(order.gross.amount * 100), order.state] for one, order in orders.items()} == truth["orders"]
    assert set(await shop.records("Return")) == set(truth["returns"])
