"""The executed schema, its answers, scopes and protected fields against the official definitions."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    build_schema,
    execute_sync,
    parse,
)
from omnichannel_shopify_simulator import access
from omnichannel_shopify_simulator.access_table import NEEDED
from omnichannel_shopify_simulator.schema import schema

Api = Any
pytestmark = pytest.mark.anyio
FOLDERS = [above / "shared" for above in Path(__file__).parents[4].parents]
SHARED = next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[0])
SPECS = SHARED / "specs" / "shopify"
OPERATIONS = SHARED / "examples" / "shopify-driver-operations.graphql"
needs_specs = pytest.mark.skipif(
    not SPECS.is_dir(), reason=f"THE OFFICIAL DEFINITIONS ARE NOT HERE ({SPECS}): the schema is NOT proved"
)
needs_operations = pytest.mark.skipif(not OPERATIONS.is_file(), reason=f"there are no operations at {OPERATIONS}")


@cache
def official() -> GraphQLSchema:
    text = gzip.decompress((SPECS / "admin_2026-10.graphql.gz").read_bytes()).decode()
    return build_schema(text, assume_valid=True)


@cache
def introspection() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((SPECS / "admin_2026-10.introspection.json.gz").read_bytes()))
    return found


def own() -> list[tuple[str, Any, Any]]:
    """Our types beside the official ones."""
    return [
        (name, kind, official().type_map.get(name))
        for name, kind in schema().type_map.items()
        if not name.startswith("__")
    ]


@needs_specs
def test_every_field_is_an_official_one() -> None:
    """Every field of ours has the official type, and every argument the official type and default."""
    for name, ours, theirs in own():
        if not isinstance(ours, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for key, field in ours.fields.items():
            assert str(field.type) == str(theirs.fields[key].type), f"{name}.{key}"
            for word, argument in field.args.items():
                other = theirs.fields[key].args[word]
                assert str(argument.type) == str(other.type), f"{name}.{key}({word})"
                assert argument.default_value == other.default_value, f"{name}.{key}({word})"
            left = {
                word
                for word, other in theirs.fields[key].args.items()
                if word not in field.args and str(other.type).endswith("!") and other.default_value is Undefined
            }
            assert not left, f"{name}.{key} lacks {left}"


@needs_specs
def test_every_input_is_an_official_one() -> None:
    """Every input field of ours has the official type and default, and none that is required is missing."""
    for name, ours, theirs in own():
        if isinstance(ours, GraphQLInputObjectType):
            for key, field in ours.fields.items():
                assert str(field.type) == str(theirs.fields[key].type), f"{name}.{key}"
                assert field.default_value == theirs.fields[key].default_value, f"{name}.{key}"
            for key, other in theirs.fields.items():
                required = str(other.type).endswith("!") and other.default_value is Undefined
                assert key in ours.fields or not required, f"{name} lacks {key}"


@needs_specs
def test_enumerations_unions_and_interfaces_are_official_ones() -> None:
    """Our enumerations hold official values, our unions official members, our types official interfaces."""
    for name, ours, theirs in own():
        assert type(ours) is type(theirs), name
        if isinstance(ours, GraphQLEnumType):
            assert set(ours.values) <= set(theirs.values), name
        if isinstance(ours, GraphQLUnionType):
            assert {one.name for one in ours.types} <= {one.name for one in theirs.types}, name
        if isinstance(ours, GraphQLObjectType):
            assert {one.name for one in ours.interfaces} <= {one.name for one in theirs.interfaces}, name


@needs_specs
def test_scopes_are_the_official_ones() -> None:
    """A type or field needs the scopes that the official definitions name."""
    declared = {
        f"{one['typeName']}.{one.get('fieldName') or ''}".rstrip("."): frozenset(one["offlineScopes"])
        for one in introspection()["offline_scopes"]["items"]
    }
    for name, scopes in NEEDED.items():
        assert declared[name] == scopes, name
    for name, ours, _ in own():
        fields = ours.fields if isinstance(ours, GraphQLObjectType) else {}
        for key in (name, *(f"{name}.{field}" for field in fields)):
            assert NEEDED.get(key, frozenset()) == declared.get(key, frozenset()), key


@needs_specs
def test_protected_fields_are_the_official_ones() -> None:
    """The fields of level 2 are those that the official definitions protect, as far as we have them."""
    listed = json.loads((SPECS / "protected-customer-data-fields_2026-10.json").read_text())["fields"]
    known = {
        (one["type"], one["field"]): one["content"]
        for one in listed
        if one["type"] in schema().type_map and one["field"] in schema().type_map[one["type"]].fields  # type: ignore[attr-defined]
    }
    assert known == access.PROTECTED


def conforms(text: str, name: str | None, variables: dict[str, Any], data: Any) -> list[str]:
    """What graphql-core finds wrong with the data, as an answer of the official schema to the query."""

    def value(source: Any, info: Any, **_: Any) -> Any:
        return source[info.path.key]

    def kind(row: Any, info: Any, abstract: Any) -> str:
        return str(row.get("__typename") or row["id"].split("/")[3])

    document = parse(text)
    found = execute_sync(
        official(), document, data, variable_values=variables, operation_name=name, field_resolver=value,
        type_resolver=kind,
    )  # fmt: skip
    return [str(error) for error in found.errors or []] or ([] if found.data == data else ["the data differs"])


@needs_specs
@needs_operations
async def test_all_driver_operations_run(api: Api) -> None:
    """All operations of the examples run, and graphql-core accepts every answer as one of the official schema."""
    text, ran = OPERATIONS.read_text(), []

    async def run(name: str, **variables: Any) -> Any:
        body = {"query": text, "variables": variables, "operationName": name}
        answer = (await api.http.post("/admin/api/2026-10/graphql.json", json=body)).json()
        assert "errors" not in answer, (name, answer["errors"])
        assert "search" not in answer["extensions"], name
        assert conforms(text, name, variables, answer["data"]) == [], name
        ran.append(name)
        await api.control("POST", "/clock", {"advance": 20})
        (found,) = list(answer["data"].values())[:1]
        said = found.get("userErrors", []) if isinstance(found, dict) else []
        assert not said, (name, said)
        return found

    shop = await run("ConnectionCheck")
    assert shop["myshopifyDomain"] == "demo.myshopify.com"
    for name in ("Locations", "Publications", "MetaobjectDefinitions", "TaxonomyCategories", "Subscriptions"):
        await run(name)
    await run("MetafieldDefinitions", owner="PRODUCT")
    await run("OrdersPage", first=20, query="updated_at:>='2020-01-01T00:00:00Z'")
    order = await api.order(lines=[{"quantity": 2}, {"quantity": 1}])
    await run("OrderLines", id=order)
    placed = await run("OrderDetail", id=order)
    await _ship_and_return(api, run, placed)
    await _offers(api, run)
    other = await api.order()
    job = await run("CancelOrder", orderId=other, reason="CUSTOMER", restock=True)
    assert job["job"]["done"]
    await _bulk(api, run)
    made = await run("Subscribe", topic="ORDERS_UPDATED", sub={"uri": "https://host.example/hooks"})
    await run("Unsubscribe", id=made["webhookSubscription"]["id"])
    await run("Uninstall")
    assert len(set(ran)) == text.count("\nquery ") + text.count("\nmutation ")


async def _ship_and_return(api: Api, run: Any, order: Any) -> None:
    (work,) = order["fulfillmentOrders"]["nodes"]
    parts = [{"fulfillmentOrderId": work["id"]}]
    shipped = await run("Ship", fulfillment={"lineItemsByFulfillmentOrder": parts, "notifyCustomer": True})
    await run("UpdateTracking", id=shipped["fulfillment"]["id"], info={"number": "1Z", "company": "UPS"}, notify=True)
    await run("ReturnsChanged", query="return_status:returned")
    made = await api.act(order["id"], "return")
    await run("ReturnDetail", id=made["id"])
    line = made["returnLineItems"][0]
    await run("ProcessReturn", input={"returnId": made["id"], "returnLineItems": [{"id": line["id"], "quantity": 1}]})
    sale = order["transactions"][0]
    movement = {"orderId": order["id"], "kind": "REFUND", "gateway": "shopify_payments", "amount": "1.5"}
    refund = {"orderId": order["id"], "transactions": [{**movement, "parentId": sale["id"]}]}
    paid = await run("Refund", input=refund, key="refund-1")
    assert paid["refund"]["totalRefundedSet"]["shopMoney"]["amount"] == "1.5"


async def _offers(api: Api, run: Any) -> None:
    made = await run("SetProduct", input={"title": "Bottle"}, synchronous=True)
    product, variant = made["product"]["id"], made["product"]["variants"]["nodes"][0]
    later = await run("SetProduct", input={"title": "Later"}, synchronous=False)
    await run("ProductOperation", id=later["productSetOperation"]["id"])
    await run("UpdatePrices", productId=product, variants=[{"id": variant["id"], "price": "12.50"}])
    await run("VariantsBySku", query="sku:'SKU-2'")
    item, place = variant["inventoryItem"]["id"], "gid://shopify/Location/2"
    await run("ActivateStock", inventoryItemId=item, locationId=place, available=3, key="on")
    row = {"inventoryItemId": item, "locationId": place, "quantity": 9, "changeFromQuantity": 3}
    await run("SetStock", input={"name": "available", "reason": "correction", "quantities": [row]}, key="set")
    field = {"ownerId": product, "namespace": "custom", "key": "care", "value": "Wash"}
    await run("SetMetafields", metafields=[field])
    await run("Publish", id=product, input=[{"publicationId": "gid://shopify/Publication/2"}])


async def _bulk(api: Api, run: Any) -> None:
    made = await run("BulkRun", query="{ orders { edges { node { id } } } }")
    number = made["bulkOperation"]["id"]
    await run("BulkPoll", id=number)
    await api.control("PUT", "/stores/demo", {"bulk_seconds": 90})
    again = await run("BulkRun", query="{ products { edges { node { id } } } }")
    await run("BulkCancel", id=again["bulkOperation"]["id"])
