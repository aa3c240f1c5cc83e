"""Every request the driver sends agrees with BigCommerce's official API definitions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from omnichannel_bigcommerce.authorization import check, subscribe, unsubscribe
from omnichannel_bigcommerce.settings import OrderFilters
from omnichannel_bigcommerce.sync import cancellations, offers, orders, prices, returns, shipments, stock
from omnichannel_bigcommerce.sync.data_model import DATA_MODEL

from omnichannel_core.driver import Ask, Batch, Item
from omnichannel_core.records import Cancellation, Money, Offer, OfferVariant, Order, Price, Shipment, StockLevel, Value
from plugins.bigcommerce.tests.requested import SPECS, objections

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(SPECS is None, reason="../shared/specs/bigcommerce is not here: requests are NOT validated"),
]
Make = Callable[..., Any]


async def everything(here: Any) -> None:
    """Each operation of the driver at least once."""
    session = here.session
    await check(session)
    await session.run(DATA_MODEL)
    await here.control("POST", "/orders/103/archive", {})
    cursor = await session.run(orders.ORDERS)
    await here.advance(3600)
    for key in (104, 105, 106):
        await here.control("POST", f"/orders/{key}/touch", {})
    cursor = await session.run(orders.ORDERS, cursor)
    narrow = OrderFilters(statuses=frozenset({11}), id_greater_than=150)
    wider = orders.widen(cursor, narrow, session[OrderFilters])
    await session.run(orders.ORDERS, wider)
    await orders.fetch(session, ["105"])
    await session.http.send("getOrderShippingAddresses", "GET", here.url("/v2/orders/105/shipping_addresses"))
    some = await session.run(returns.RETURNS)
    await session.run(returns.RETURNS, some)
    await returns.fetch(session, ["1", "2"])
    await outgoing(here)
    await subscribe(session)
    for hook in here.store.hooks.hooks.values() if isinstance(here.store.hooks.hooks, dict) else here.store.hooks.hooks:
        if isinstance(hook, dict):
            hook["is_active"] = False
    await subscribe(session)
    await unsubscribe(session)


async def outgoing(here: Any) -> None:
    session, catalog = here.session, here.store.catalog
    variants = tuple(
        OfferVariant(sku=f"N-{n}", options={"Size": n}, values={"price": Value(text="2.50")}) for n in "SM"
    )
    values = {
        "name": "Towel", "price": "19.90", "weight": "0.5", "is_visible": "true", "condition": "New", "sort_order": "3",
        "description": "Soft", "custom_field:Material": "Cotton", "metafield:erp.origin": "PT", "custom_url": "/towel/",
    }  # fmt: skip
    images = Value(texts=("https://img.example/a.jpg",))
    said = {name: Value(text=text) for name, text in values.items()} | {"images": images}
    changed = {
        name: Value(text="new") for name in ("custom_field:Material", "metafield:erp.origin", "custom_field:More")
    }
    for changes in ({}, changed | {"images": Value(texts=("https://img.example/z.jpg",))}):
        record = Offer(id="o", sku="N", values=said | changes, variants=variants)
        await offers.push(session, one(record))
        variants = (*variants, OfferVariant(sku="N-L", options={"Size": "L"}))
    skus = [v["sku"] for p in catalog.products.values() for v in p.variants][:4]
    levels = [StockLevel(id=sku, sku=sku, quantity=Decimal(3)) for sku in skus]
    await stock.push(session, Batch(key="b", items=[Item(key=r.id, record=r) for r in levels]))
    usd = Money(Decimal("9.95"), "USD")
    rows = [Price(id=sku, sku=sku, price=usd, sale_price=usd) for sku in [*skus, "N-S"]]
    rows += [
        Price(id=f"l{sku}", sku=sku, price=usd, list=next(iter(await session.choices("price_lists")))) for sku in skus
    ]
    await prices.push(session, Batch(key="b", items=[Item(key=r.id, record=r) for r in rows]))
    order = next(o for o in session.records(Order).values() if o.status in ("9", "11") and
                 all(line.ship_to.isdigit() for line in o.lines.values()))  # fmt: skip
    parcel = Shipment(id="s", order_id=order.id, carrier="ups", tracking="T", method="m", note="n")
    await shipments.push(session, one(parcel, order))
    await shipments.settle(session, one(parcel, order))
    await cancellations.push(session, one(Cancellation(id="c", order_id=order.id), order))


def one(record: Any, order: Order | None = None) -> Batch[Any]:
    return Batch(key="b", items=[Item(key="k", record=record, order=order)])


async def test_requests(shop: Make):
    """Path, method, name, query and body of every request are as the definitions say."""
    here = shop(OrderFilters(statuses=frozenset(range(15)), archived=True), orders=60, products=8)
    here.url = lambda path: f"https://api.bigcommerce.com/stores/abc123{path}"
    await here.session.http.send("createPriceList", "POST", here.url("/v3/pricelists"), json={"name": "Wholesale"})
    await everything(here)
    asked = {ask.operation for ask in here.session.sent}
    assert len(asked) >= 40, sorted(asked)
    wrong = sorted({objection for ask in here.session.sent for objection in objections(ask)})
    assert not wrong, "\n".join(wrong)


def test_the_check_can_fail():
    """A wrong path, name, parameter or field is objected to."""
    base = "https://api.bigcommerce.com/stores/abc123"
    wrong = [
        Ask(operation="getOrders", method="GET", url=f"{base}/v2/order"),
        Ask(operation="getOrder", method="GET", url=f"{base}/v2/orders"),
        Ask(operation="getOrders", method="GET", url=f"{base}/v2/orders?colour=red"),
        Ask(operation="createOrderShipments", method="POST", url=f"{base}/v2/orders/1/shipments", body=b'{"color":1}'),
        Ask(operation="updateProduct", method="PUT", url=f"{base}/v3/catalog/products/1", body=b'{"price":"cheap"}'),
    ]
    assert [bool(list(objections(ask))) for ask in wrong] == [True] * len(wrong)
