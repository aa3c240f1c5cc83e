"""Every request the driver sends agrees with BigCommerce's official API definitions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from jsonschema import Draft4Validator
from omnichannel_bigcommerce.authorization import check, subscribe, unsubscribe
from omnichannel_bigcommerce.settings import OrderFilters
from omnichannel_bigcommerce.sync import cancellations, offers, orders, prices, returns, shipments, stock
from omnichannel_bigcommerce.sync.data_model import DATA_MODEL

from omnichannel_core.driver import Ask, Batch, Item
from omnichannel_core.records import Cancellation, Money, Offer, OfferVariant, Order, Price, Shipment, StockLevel, Value

ROOT = Path(__file__).parents[4]
SPECS = next((one for p in ROOT.parents if (one := p / "shared/specs/bigcommerce").is_dir()), None)
FILES = (
    "orders.v2.oas2.yml", "orders.v3.yml", "store_information.v2.yml", "currencies.v2.yml", "tax_classes.v2.yml",
    "channels.v3.yml", "locations.v3.yml", "inventory.v3.yml", "price_lists.v3.yml", "webhooks.v3.yml",
    "catalog/products_catalog.v3.yml", "catalog/product-variants_catalog.v3.yml",
    "catalog/product-variant-options_catalog.v3.yml", "catalog/brands_catalog.v3.yml",
    "catalog/category-trees_catalog.v3.yml",
)  # fmt: skip
UNDOCUMENTED = {("getOrders", "is_deleted")}
"""The archive filter left the documentation in 2024 (guide bigcommerce-and-shopify 1.10): its answer is not trusted."""

IN_PROSE = {("updateVariantsBatch", name) for name in ("product_id", "sku", "option_values")}
"""Fields the operation's description demands and its schema forgets."""

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(SPECS is None, reason="../shared/specs/bigcommerce is not here: requests are NOT validated"),
]
Make = Callable[..., Any]


@cache
def documents() -> list[dict[str, Any]]:
    assert SPECS is not None
    return [yaml.load((SPECS / name).read_text(), Loader=yaml.CSafeLoader) for name in FILES]


def resolved(document: dict[str, Any], node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/")]
        node = target
    return node


@cache
def operations() -> list[tuple[str, re.Pattern[str], dict[str, Any], dict[str, Any], list[Any]]]:
    """Method, path pattern, operation, its document and parameters; literal paths first."""
    found = []
    for name, document in zip(FILES, documents(), strict=True):
        version = "/v2" if ".v2" in name else "/v3"
        for path, item in document["paths"].items():
            pattern = re.compile(version + re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "/?")
            for method in ("get", "put", "post", "delete"):
                if method in item:
                    shared = item.get("parameters", []) + item[method].get("parameters", [])
                    parameters = [resolved(document, one) for one in shared]
                    found.append((path.count("{"), method.upper(), pattern, item[method], document, parameters))
    return [one[1:] for one in sorted(found, key=lambda one: one[0])]


def objections(ask: Ask) -> Iterator[str]:
    """What the definitions object to."""
    where = urlsplit(ask.url)
    path = re.sub(r"^/stores/[^/]+", "", where.path)
    hits = [one for one in operations() if one[0] == ask.method and one[1].fullmatch(path)]
    if not hits:
        yield f"{ask.method} {path}: no such operation"
        return
    method, _, operation, document, parameters = next(
        (one for one in hits if one[2].get("operationId") == ask.operation), hits[0]
    )
    what = f"{method} {path}"
    if operation.get("operationId") != ask.operation:
        yield f"{what}: is {operation.get('operationId')}, not {ask.operation}"
    known = {one["name"] for one in parameters if one["in"] == "query"}
    for name, _ in parse_qsl(where.query):
        if name not in known and (ask.operation, name) not in UNDOCUMENTED:
            yield f"{what}: no parameter {name}"
    if ask.body:
        content = resolved(document, operation.get("requestBody", {})).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            yield f"{what}: takes no body"
            return
        body = json.loads(ask.body)
        for wrong in Draft4Validator({**schema, "components": document["components"]}).iter_errors(body):
            yield f"{what}: {wrong.message[:200]} at {list(wrong.absolute_path)}"
        for name in strangers(document, schema, body):
            if (ask.operation, name) not in IN_PROSE:
                yield f"{what}: no field {name}"


def properties(document: dict[str, Any], schema: Any) -> tuple[dict[str, Any], bool]:
    """All properties of a schema, and whether others may be there too."""
    schema = resolved(document, schema)
    found, opened = dict(schema.get("properties", {})), not schema
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        more, free = properties(document, part)
        found, opened = {**more, **found}, opened or free
    return found, opened or (not found and schema.get("type") in ("object", None))


def strangers(document: dict[str, Any], schema: Any, body: Any) -> Iterator[str]:
    """Fields of a body that the definition does not name: read-only ones sent back are refused with 400."""
    schema = resolved(document, schema)
    if isinstance(body, list):
        for row in body:
            yield from strangers(document, schema.get("items", {}), row)
    elif isinstance(body, dict):
        known, free = properties(document, schema)
        for name, value in body.items():
            if name not in known and not free:
                yield name
            elif name in known:
                yield from strangers(document, known[name], value)


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
