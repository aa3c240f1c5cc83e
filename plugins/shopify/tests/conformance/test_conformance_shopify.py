"""The driver runs the conformance kit, against its simulator over a real socket."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from graphql import (
    GraphQLError,
    GraphQLSchema,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import get_variable_values
from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT

from omnichannel_core.driver import Call
from omnichannel_core.records import (
    Cancellation,
    Money,
    Offer,
    OfferVariant,
    Price,
    Record,
    Return,
    ReturnLine,
    Shipment,
    StockLevel,
    Value,
)  # fmt: skip
from omnichannel_core.testing import DriverConformance, Remote
from omnichannel_core.testing.conformance import Expected
from omnichannel_core.testing.faults import Exchange

SHOP, TOKEN, BEGIN = "conform", "shpat_of-the-shop-0123456789", 1_767_225_600.0
CLIENT, BACK = "app-client", "https://host.example/back"
KEY, SECRET = "shpss_of-the-shop-0123456789", "shpss_of-the-vendor-987654321"
STORE = {"shop": SHOP, "token": TOKEN, "secret": KEY, "products": 6, "bulk_seconds": 0.2, "cancel_seconds": 7,
         "index_lag": 30}  # fmt: skip
ROOT = Path(__file__).parents[4]
SPECS = next((one for p in ROOT.parents if (one := p / "shared/specs/shopify").is_dir()), None)
STATES = frozenset({
    "productUpdate", "productVariantsBulkUpdate", "metafieldsSet", "publishablePublish", "priceListFixedPricesAdd",
    "fulfillmentTrackingInfoUpdate", "webhookSubscriptionUpdate",
})  # fmt: skip
"""Mutations that say how something shall be: said twice they do no more than once (guide 2.13)."""


@pytest.mark.timeout(1800)  # a rule that loses every answer opens a hundred shops
class TestShopify(DriverConformance):
    """A shop of thirty orders, connected by a pasted token; five more wait for what is pushed."""

    driver = "shopify"
    simulator = "shopify"
    options = {
        "clock": "manual", "now": BEGIN, "stores": [{**STORE, "orders": 30}],
        "apps": [{"client_id": CLIENT, "client_secret": SECRET, "redirect_urls": [BACK], "app_url": BACK}],
    }  # fmt: skip
    credentials = {"shop": SHOP, "access": {"way": "token", "access_token": TOKEN, "api_secret": KEY}}
    wrong_credentials = {"shop": SHOP, "access": {"way": "token", "access_token": "shpat_of-somebody-else-9876"}}
    authorizing = {"shop": SHOP, "access": {"way": "install"}}
    application = {"client_id": CLIENT, "client_secrets": [SECRET]}
    settings = {
        "orders": {
            "financial": sorted(FINANCIAL), "fulfillment": sorted(FULFILLMENT), "archived": True, "cancelled": True,
            "test": True,
        }
    }  # fmt: skip
    lacking = (
        {}
        if SPECS is not None
        else {
            "platinum-agrees-with-the-definition": "../shared/specs/shopify is not here: NOTHING is compared with the "
            "official schema"
        }
    )

    def turn(self, remote: Remote, seconds: float) -> None:
        """One clock."""
        remote.control("clock", {"advance": seconds})

    def agreed(self, remote: Remote, url: str) -> Call:
        """The merchant agrees on the shop's consent page."""
        back = remote.control(f"apps/{CLIENT}/consent", {"url": url})["url"]
        return Call(method="GET", path="/back", query=dict(parse_qsl(urlsplit(back).query)))

    def fill(self, remote: Remote) -> None:
        """Paid orders that wait: of two units each, and one that is split over two places."""
        lines = [{"quantity": 2, "price": "10.00"}]
        remote.control(f"stores/{SHOP}/orders", {"count": 4, "lines": lines})
        remote.control(f"stores/{SHOP}/orders", {"lines": [{"quantity": 1}, {"quantity": 1}], "second": 2})

    def expected(self, remote: Remote) -> Expected:
        """All orders, by id."""
        orders = {row["id"]: dict[str, object]() for row in self._orders(remote)}
        return {"data-model": None, "orders": orders, "returns": {}}

    def change(self, remote: Remote) -> Expected:
        """Another order comes."""
        remote.control("clock", {"advance": 5})
        (made,) = remote.control(f"stores/{SHOP}/orders", {})["ids"]
        return {"orders": {made: {}}}

    def pushes(self, remote: Remote) -> Mapping[str, Sequence[Record]]:
        """A new product, one that changes, prices, stock, parcels, a cancelled order and one of two units, money."""
        first, second, third, fourth, split = (row["id"] for row in self._orders(remote)[30:35])
        there = next(one for one in self._products(remote) if len(one["variants"]) == 3)
        skus = [one["sku"] for one in there["variants"]]
        line = f"{third.replace('/Order/', '/LineItem/')}001"
        back = ReturnLine(id="1", order_line=f"{fourth.replace('/Order/', '/LineItem/')}001", quantity=Decimal(1))
        return {
            "offers": [made(), changed(skus)],
            "prices": [Price(id=sku, sku=sku, price=Money(Decimal("12.50"), "USD")) for sku in skus]
            + [Price(id="ca", sku=skus[0], list="1", price=Money(Decimal("19.50"), "CAD"))],
            "stock": [level(sku, 1, 7) for sku in skus] + [level(skus[0], 2, 9)],
            "shipments": [parcel("p1", first), parcel("p2", split)],
            "cancellations": [
                Cancellation(id="c1", order_id=second, reason="customer"),
                Cancellation(id="c2", order_id=third, lines={line: Decimal(1)}),
            ],
            "refunds": [Return(id="r1", order_id=fourth, lines={"1": back}, reason="broken")],
        }

    def held(self, remote: Remote) -> object:
        """Products with all that belongs to them, levels, prices, and what became of orders."""
        store = self._store(remote)
        levels = sorted(
            (item["_sku"] or "", place, sorted(found["_quantities"].items()))
            for item in store.catalog.items.values()
            for place, found in item["levels"].items()
        )
        orders = [
            (row["id"], bool(row["cancelledAt"]), [info["number"] for f in row["fulfillments"] for info in
             f["trackingInfo"]], len(row["refunds"]), len(row["transactions"]))
            for row in self._orders(remote)
        ]  # fmt: skip
        return sorted(map(shown, self._products(remote))), levels, orders

    def writes(self, exchange: Exchange) -> bool:
        """A mutation; all else is a question, although it is sent by POST."""
        return asked(exchange).get("query", "").lstrip().startswith("mutation")

    def repeatable(self, exchange: Exchange) -> bool:
        """A mutation under a key of its own, or one that says how something shall be."""
        query = asked(exchange).get("query", "")
        return "@idempotent" in query or bool(roots(query) <= STATES)

    def agrees(self, exchange: Exchange) -> Collection[str]:
        """By graphql-core, with Shopify's own schema."""
        return list(differences(exchange))

    def many(self, remote: Remote, count: int) -> str:
        """The shop anew, with so many orders: they come by bulk operation."""
        remote.control(f"stores/{SHOP}", method="DELETE")
        remote.control("stores", {**STORE, "orders": count})
        return "orders"

    def _store(self, remote: Remote) -> Any:
        return remote.app.world.stores[SHOP]

    def _orders(self, remote: Remote) -> list[dict[str, Any]]:
        book = self._store(remote).orders
        return [book.row(number) for number in sorted(book.entries)]

    def _products(self, remote: Remote) -> list[dict[str, Any]]:
        return list(remote.control(f"stores/{SHOP}/products")["products"])


def made() -> Offer:
    """A product the shop does not have."""
    said = {"title": "Towel", "descriptionHtml": "<p>Soft</p>", "variant.price": "19.90", "metafield:custom.care": "60"}
    rows = tuple(OfferVariant(sku=f"T-{size}", options={"option:Size": size}) for size in "SM")
    return Offer(id="new", sku="T", values={name: Value(text=text) for name, text in said.items()}, variants=rows)


def changed(skus: Sequence[str]) -> Offer:
    """A product that is there: another title, an image, a metafield, one more size."""
    values = {
        "title": Value(text="Renamed"), "images": Value(texts=("https://cdn.example/one.png",)),
        "metafield:custom.care": Value(text="cold"),
    }  # fmt: skip
    sizes = ("S", "M", "L", "XL")
    rows = tuple(
        OfferVariant(sku=sku, options={"option:Size": size})
        for sku, size in zip([*skus, "ANOTHER"], sizes, strict=True)
    )
    return Offer(id="old", sku="", values=values, variants=rows)


def level(sku: str, place: int, quantity: int) -> StockLevel:
    """So many at a location."""
    return StockLevel(
        id=f"{sku}@{place}", sku=sku, location=f"gid://shopify/Location/{place}", quantity=Decimal(quantity)
    )


def parcel(key: str, order: str) -> Shipment:
    """All that is open of an order."""
    return Shipment(id=key, order_id=order, carrier="UPS", tracking=f"1Z{key}")


def shown(product: Mapping[str, Any]) -> tuple[object, ...]:
    """What pushes change of a product."""
    rows = [
        (one["sku"], one["price"], one["compareAtPrice"], sorted(one.get("prices", {}).items()))
        for one in product["variants"]
    ]
    fields = sorted((one["namespace"], one["key"], one["value"]) for one in product["metafields"])
    return product["title"], rows, fields, len(product["media"])


# --- the official definition
def asked(exchange: Exchange) -> dict[str, Any]:
    """Text and variables; {} where it is not GraphQL's."""
    if not exchange.path.endswith("/graphql.json"):
        return {}
    found: dict[str, Any] = json.loads(exchange.body)
    return found


@cache
def official() -> GraphQLSchema:
    """The Admin API that the driver is pinned to."""
    assert SPECS is not None
    return build_schema(gzip.decompress((SPECS / "admin_2026-10.graphql.gz").read_bytes()).decode(), assume_valid=True)


@cache
def operation(text: str) -> OperationDefinitionNode:
    """The one operation of a text."""
    (only,) = (one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode))
    return only


def roots(text: str) -> set[str]:
    """Names of the fields that a text begins with."""
    return (
        {one.name.value for one in operation(text).selection_set.selections if hasattr(one, "name")} if text else set()
    )


@cache
def invalid(text: str) -> tuple[str, ...]:
    """What the official schema has against a text; deprecated fields too."""
    found = validate(official(), parse(text), [*specified_rules, NoDeprecatedCustomRule])
    return tuple(one.message for one in found)


def differences(exchange: Exchange) -> Iterator[str]:
    """Text, variables and answer of a request beside the official schema."""
    said = asked(exchange)
    if not said:
        return
    text, variables = said["query"], said.get("variables") or {}
    yield from invalid(text)
    values = get_variable_values(official(), operation(text).variable_definitions or (), variables)
    if not isinstance(values, dict):
        yield from (one.message for one in values)
    if roots(text) == {"bulkOperationRunQuery"}:
        yield from invalid(variables["query"])
    answer = json.loads(exchange.answer) if exchange.status == 200 else {}
    if answer.get("data") is not None:
        yield from unlike(text, variables, answer["data"])


def unlike(text: str, variables: dict[str, Any], data: Any) -> Iterator[str]:
    """What is wrong with data as an answer of the official schema: a wrong type, a null, a word that no enum has."""

    def value(source: Any, info: Any, **_: Any) -> Any:
        return source[info.path.key]

    def kind(row: Any, info: Any, abstract: Any) -> str:
        return str(row.get("__typename") or row["id"].split("/")[3])

    found = execute_sync(
        official(), parse(text), data, variable_values=variables, field_resolver=value, type_resolver=kind
    )
    problems: Sequence[GraphQLError] = found.errors or []
    yield from (str(one) for one in problems)
    if not problems and found.data != data:
        yield "the answer holds more than was asked for, or a value that reads otherwise"


@pytest.mark.skipif(SPECS is None, reason="../shared/specs/shopify is not here: NOTHING is compared")
@pytest.mark.parametrize(
    ("query", "variables", "data", "why"),
    [
        ("query Q($id: ID!) { order(id: $id) { id name } }", {"id": "1"}, {"order": {"id": "1", "name": "#1"}}, ""),
        ("query Q($id: ID!) { order(id: $id) { id nome } }", {"id": "1"}, None, "nome"),
        ("query Q($id: ID!) { order(id: $id) { id totalPrice } }", {"id": "1"}, None, "deprecated"),
        ("query Q($first: Int!) { orders(first: $first) { nodes { id } } }", {"first": "ten"}, None, "Int"),
        ("query Q($id: ID!) { order(id: $id) { id name } }", {"id": "1"}, {"order": {"id": "1", "name": None}}, "null"),
        ("query Q($id: ID!) { order(id: $id) { id } }", {"id": "1"}, {"order": {"id": "1", "x": 1}}, "more than"),
        (
            "query Q($id: ID!) { order(id: $id) { cancelReason } }",
            {"id": "1"},
            {"order": {"cancelReason": "ODD"}},
            "ODD",
        ),
    ],
)
def test_the_comparison_can_fail(query: str, variables: dict[str, Any], data: Any, why: str) -> None:
    """Whatever is wrong with a text, its variables or its answer is found, and nothing in right ones."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    answer = json.dumps({"data": data}).encode()
    found = list(differences(Exchange("POST", "/admin/api/2026-10/graphql.json", {}, body, 200, {}, answer)))
    assert bool(found) == bool(why)
    assert why in " ".join(found)
