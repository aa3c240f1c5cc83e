"""The driver runs the conformance kit, against its simulator over a real socket."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from omnichannel_core.driver import Ask
from omnichannel_core.records import Cancellation, Money, Offer, Price, Record, Shipment, StockLevel, Value
from omnichannel_core.testing import DriverConformance, Remote
from omnichannel_core.testing.conformance import Expected
from omnichannel_core.testing.faults import Exchange
from plugins.bigcommerce.tests import answered, requested
from plugins.bigcommerce.tests.requested import SPECS

STORE, TOKEN, BEGIN = "conform", "token-of-the-store-0123456789", 1_767_225_600.0
EVERY = list(range(15))


class TestBigCommerce(DriverConformance):
    """A store of thirty orders and six products, with the quota of a Pro plan."""

    driver = "bigcommerce"
    loops = ("asyncio",)  # both loops are walked by tests/driver
    simulator = "bigcommerce"
    options = {"clock": "manual", "now": BEGIN, "stores": [
        {"hash": STORE, "token": TOKEN, "orders": 30, "products": 6, "quota": 450}]}  # fmt: skip
    credentials = {"store_hash": STORE, "access_token": TOKEN}
    wrong_credentials = {"store_hash": STORE, "access_token": "another-token-9876543210"}
    application = {"client_id": "app-client", "client_secrets": ["app-client-secret-987654321"], "app_id": "77"}
    settings = {"orders": {"statuses": EVERY}}
    records = 500  # most orders need a request of their own
    lacking = {} if SPECS is not None else {
        "platinum-agrees-with-the-definition": "../shared/specs/bigcommerce is not here: nothing is compared with it"
    }  # fmt: skip

    def turn(self, remote: Remote, seconds: float) -> None:
        """One clock."""
        remote.control("clock", {"advance": seconds})

    def expected(self, remote: Remote) -> Expected:
        """All orders, by id; the store seeds refunds for some of them."""
        book = self._store(remote).orders
        orders: dict[str, Mapping[str, object]] = {str(n): {} for n in range(book.first, book.next_id)}
        return {"data-model": None, "orders": orders, "returns": {}}

    def change(self, remote: Remote) -> Expected:
        """An old order changes, another one comes."""
        first = self._store(remote).orders.first
        remote.control("clock", {"advance": 5})
        remote.control(f"stores/{STORE}/orders/{first}/touch", {})
        remote.control(f"stores/{STORE}/orders", {})
        return {"orders": {str(first): {}, str(self._store(remote).orders.next_id - 1): {}}}

    def pushes(self, remote: Remote) -> Mapping[str, Sequence[Record]]:
        """A new product, stock and prices of what is there, a parcel for an open order, another one is cancelled."""
        skus = [v["sku"] for p in self._products(remote) for v in p.variants if tracked(p)][:3]
        parcel, cancelled = self._waiting(remote)[:2]
        return {
            "offers": [Offer(id="new", sku="new-1", set="product", values={
                "name": Value(text="New"), "price": Value(text="12.50"), "weight": Value(text="1"),
                "type": Value(text="physical")})],
            "stock": [StockLevel(id=sku, sku=sku, quantity=Decimal(7)) for sku in skus],
            "prices": [Price(id=sku, sku=sku, price=Money(Decimal("12.50"), "USD")) for sku in skus],
            "shipments": [Shipment(id="p1", order_id=parcel, carrier="UPS", tracking="1Z999")],
            "cancellations": [Cancellation(id="c1", order_id=cancelled)],
        }  # fmt: skip

    def held(self, remote: Remote) -> object:
        """Quantities, prices, and the states and parcels of orders."""
        store = self._store(remote)
        orders = [store.orders.get(n) for n in range(store.orders.first, store.orders.next_id)]
        return (
            sorted((key, level.available) for key, level in store.stock.levels.items()),
            sorted((v["sku"], str(v.get("price"))) for p in self._products(remote) for v in p.variants),
            [(one.status_id, len(one.shipments)) for one in orders],
        )

    def agrees(self, exchange: Exchange) -> Collection[str]:
        """As tests/driver and tests/simulator compare."""
        where = urlsplit(exchange.path)
        path = where.path.removeprefix(f"/stores/{STORE}")
        ask = Ask(operation="", method=exchange.method, url=exchange.path, body=exchange.body)
        kind = exchange.answer_headers.get("content-type", "")
        answer = answered.objections(exchange.method, path, exchange.status, kind, exchange.answer)
        return [*requested.objections(ask), *answer]

    def many(self, remote: Remote, count: int) -> str:
        """Another store under the same name, with so many orders."""
        (store,) = self.options["stores"]
        remote.control(f"stores/{STORE}", method="DELETE")
        remote.control("stores", {**store, "orders": count})
        return "orders"

    def _store(self, remote: Remote) -> Any:
        return remote.app.world.stores[STORE]

    def _products(self, remote: Remote) -> list[Any]:
        return list(self._store(remote).catalog.products.values())

    def _waiting(self, remote: Remote) -> list[str]:
        """Orders of one address that wait for their first parcel."""
        book = self._store(remote).orders
        found = ((n, book.get(n)) for n in range(book.first, book.next_id))
        return [
            str(n) for n, one in found if not one.shipments and one.status_id in (9, 11) and len(one.addresses) == 1
        ]


def tracked(product: Any) -> bool:
    """Its stock is kept by variant."""
    return bool(product.row["inventory_tracking"] == "variant")
