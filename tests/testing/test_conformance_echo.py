"""The echo driver runs the conformance kit."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from omnichannel_core.records import Order, Record, Shipment, StockLevel
from omnichannel_core.testing import DriverConformance, Remote
from omnichannel_core.testing.conformance import Expected


@pytest.fixture(autouse=True)
def _plugged(plug: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plug.ready("echo")


class TestEcho(DriverConformance):
    """Its remote lives in memory."""

    driver = "echo"
    credentials = {"shop": "a", "secret": "hush-echo"}
    wrong_credentials = {"shop": "a", "secret": "another-secret"}

    @contextmanager
    def open_remote(self) -> Iterator[Remote]:
        """A shop with five orders."""
        shops = importlib.import_module("omnichannel_echo.remote")
        shops.SHOPS["a"] = shop = shops.Remote(orders=[Order(id=str(n), number=f"N{n}") for n in range(1, 6)])
        yield Remote(app=shop)
        shops.SHOPS.clear()

    def expected(self, remote: Remote) -> Expected:
        """All orders, and the data model."""
        model: Mapping[str, Mapping[str, object]] = {"statuses": {}, "name": {"required": True}, "default": {}}
        return {"data-model": model, "orders": {one.id: {"number": one.number} for one in remote.app.orders}}

    def change(self, remote: Remote) -> Expected:
        """One more order."""
        remote.app.orders.append(Order(id="6", number="N6"))
        return {"orders": {"6": {"number": "N6"}}}

    def pushes(self, remote: Remote) -> Mapping[str, Sequence[Record]]:
        """A quantity of two, and a parcel."""
        stock = [StockLevel(id=sku, sku=sku, quantity=Decimal(3)) for sku in ("s1", "s2")]
        return {"stock": stock, "shipments": [Shipment(id="p1", order_id="1", carrier="DHL", tracking="T1")]}

    def held(self, remote: Remote) -> object:
        """Quantities and parcels."""
        return dict(remote.app.stock), {key: parcel.tracking for key, parcel in remote.app.shipments.items()}

    def many(self, remote: Remote, count: int) -> str:
        """Orders, a hundred a page."""
        remote.app.orders[:] = [Order(id=str(n)) for n in range(1, count + 1)]
        remote.app.page = 100
        return "orders"


def test_a_standard_test_cannot_be_replaced() -> None:
    """A subclass that brings its own test_rule is refused where it is written."""
    with pytest.raises(TypeError, match="test_rule"):

        class TestCheat(DriverConformance):
            def test_rule(self, rule: str) -> None:
                """Nothing."""
