"""The facts for the conformance kit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from omnichannel_core.records import Line, Money, Record, Shipment, StockLevel
from omnichannel_core.testing import strategies
from omnichannel_core.testing.conformance import DriverConformance, Expected, Remote
from omnichannel_core.testing.faults import Exchange
from omnichannel_core.testing.serving import served
from omnichannel_stall.remote import BEGIN, KEY, STALL, Stall, order

PATHS = {"GET shop", "GET orders", "PUT stock", "POST orders", "GET parcels"}


class StallFacts(DriverConformance):
    """Ten orders, two changed late."""

    driver = "stall"
    credentials = {"stall": STALL, "key": KEY}
    wrong_credentials = {"stall": STALL, "key": "another-key-entirely"}
    records = 1_000

    @contextmanager
    def open_remote(self) -> Iterator[Remote]:
        """Served on loopback."""
        stall = Stall()
        stall.orders = {n: order(n, BEGIN + timedelta(hours=n)) for n in range(1, 11)}
        with served(stall) as address:
            yield Remote(address, stall)

    def turn(self, remote: Remote, seconds: float) -> None:
        """One clock."""
        remote.app.now += timedelta(seconds=seconds)

    def expected(self, remote: Remote) -> Expected:
        """Each order with its moment and its money."""
        return {"orders": {str(n): _fields(n) for n in remote.app.orders}}

    def change(self, remote: Remote) -> Expected:
        """A new order in the second of the newest change, and an old one that changed at the same moment."""
        newest = BEGIN + timedelta(hours=10)
        remote.app.orders[11] = order(11, newest)
        remote.app.orders[2] = {**order(2, newest), "number": "A-2-changed"}
        return {"orders": {"11": _fields(11), "2": {**_fields(2), "number": "A-2-changed"}}}

    def pushes(self, remote: Remote) -> Mapping[str, Sequence[Record]]:
        """Twelve quantities, two parcels."""
        stock = [StockLevel(id=f"sku-{n}", sku=f"sku-{n}", quantity=Decimal(n)) for n in range(1, 13)]
        return {"stock": stock, "shipments": [Shipment(id=f"p{n}", order_id=str(n), tracking=f"T{n}") for n in (1, 2)]}

    def drawn(self, remote: Remote) -> Mapping[str, SearchStrategy[Record]]:
        """Any parcel of orders that are there."""
        return {"shipments": strategies.shipments(order_id=st.sampled_from([str(n) for n in remote.app.orders]))}

    def held(self, remote: Remote) -> object:
        """Quantities and parcels."""
        return dict(remote.app.stock), sorted(remote.app.parcels)

    def agrees(self, exchange: Exchange) -> Collection[str]:
        """The definition has these paths, and two members of a question."""
        path = exchange.path.split("?")[0].strip("/").split("/")
        named = f"{exchange.method} {path[-1] if exchange.method == 'GET' and len(path) == 3 else path[0]}"
        stranger = [part for part in exchange.path.partition("?")[2].split("&") if part.split("=")[0] not in
                    ("", "since", "after")]  # fmt: skip
        return [
            *([] if named in PATHS else [f"{named} is not defined"]),
            *(f"{one} is not defined" for one in stranger),
        ]

    def many(self, remote: Remote, count: int) -> str:
        """Orders, a hundred a page."""
        remote.app.orders = {n: order(n, BEGIN) for n in range(1, count + 1)}
        remote.app.page = 100
        return "orders"


def _fields(number: int) -> Mapping[str, object]:
    placed = BEGIN + timedelta(minutes=number)
    each, total = Money(Decimal("9.95"), "EUR"), Money(Decimal("29.85"), "EUR")
    lines = {
        str(n): Line(id=str(n), sku=f"sku-{n % 10}", quantity=Decimal(n % 10 + 1), price=each)
        for n in (number * 10, number * 10 + 1)
    }
    return {"lines": lines, "number": f"A-{number:04}", "placed_at": placed, "gross": total, "currency": "EUR"}
