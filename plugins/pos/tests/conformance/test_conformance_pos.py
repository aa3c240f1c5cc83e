"""The driver runs the conformance kit, against a till that drops the exports of its days."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from omnichannel_pos import exchange
from omnichannel_pos_simulator.app import World
from omnichannel_pos_simulator.writing import Liberties, as_zip, drop

from omnichannel_core.records import Money, Offer, PosStore, Price, Record, StockLevel
from omnichannel_core.testing import DriverConformance, Remote
from omnichannel_core.testing.conformance import Expected


class TestPos(DriverConformance):
    """One till, one closed day of thirty receipts."""

    driver = "pos"
    without = {
        "fetch": "a till drops the exports of whole days and tells no single receipt; fetch puts back refused files"
    }
    subject = PosStore(id="store-1", name="Berlin", address="Musterweg 1", currency="EUR")

    @contextmanager
    def open_remote(self) -> Iterator[Remote]:
        """A till at an exchange directory."""
        with tempfile.TemporaryDirectory(prefix="omni-till-") as made:
            folder = Path(made) / "exchange"
            exchange.make(folder)
            world = World()
            counter = world.open_till(str(folder), "T1", 4)
            remote = Remote(app=counter, exchange=folder)
            self._day(remote)
            yield remote

    def _day(self, remote: Remote, receipts: int = 30) -> Expected:
        """A closed day of so many receipts; what it must bring."""
        counter, before = remote.app, asdict(remote.app.truth)
        counter.till.work(receipts)
        day = counter.till.close()
        counter.truth.add(day.truth)
        drop(as_zip([day], Liberties()), counter.exchange / "in", f"T1-{day.number}.zip")
        assert before != asdict(counter.truth)
        return {"receipts": {one: {} for one in counter.truth.orders if one not in before["orders"]}}

    def expected(self, remote: Remote) -> Expected:
        """Orders, returns, cash and the closing itself come in one stream."""
        return {"data-model": None, "receipts": None}

    def change(self, remote: Remote) -> Expected:
        """Another day."""
        return self._day(remote)

    def many(self, remote: Remote, count: int) -> str:
        """Days of a thousand receipts, some of which are voided."""
        while len(remote.app.truth.orders) < count:
            self._day(remote, 1000)
        return "receipts"

    def pushes(self, remote: Remote) -> Mapping[str, Sequence[Record]]:
        """What a till is told."""
        return {
            "offers": [Offer(id="a", sku="a")],
            "prices": [Price(id="a", sku="a", price=Money(Decimal("2.50"), "EUR"))],
            "stock": [StockLevel(id="a", sku="a", quantity=Decimal(4))],
        }

    def turn(self, remote: Remote, seconds: float) -> None:
        """The back office takes what lies there."""
        remote.app.office.work()

    def held(self, remote: Remote) -> object:
        """What the back office knows."""
        return repr(remote.app.office.held)
