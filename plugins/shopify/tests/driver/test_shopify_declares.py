"""What the driver says about itself, and the data model it pulls."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pluggy
import pytest
from omnichannel_shopify import driver
from omnichannel_shopify.settings import OrderFilters
from omnichannel_shopify.sync.data_model import DATA_MODEL

from omnichannel_core.driver import DriverHooks, MoreHooks, PullStream, PushStream
from omnichannel_core.records import Attribute, AttributeSet, Choices

Lone = Callable[..., Any]
WHOLE = {"hasNextPage": False}


def hooks() -> pluggy.HookRelay:
    manager = pluggy.PluginManager("omnichannel_core")
    manager.add_hookspecs(DriverHooks)
    manager.add_hookspecs(MoreHooks)
    manager.register(driver)
    manager.check_pending()
    return manager.hook


def test_entry_point():
    """The distribution's entry point leads to the module with the hooks."""
    (found,) = importlib.metadata.entry_points(group="omnichannel_core.drivers", name="shopify")
    assert found.load() is driver


def test_streams():
    """The data model comes first, each outgoing record has its stream, and invoices are declared impossible."""
    streams = hooks().sync_streams()
    assert [one.name for one in streams if isinstance(one, PullStream)] == ["data-model", "orders", "returns"]
    assert [one.name for one in streams if isinstance(one, PushStream)] == [
        "offers",
        "prices",
        "stock",
        "shipments",
        "cancellations",
        "refunds",
    ]
    assert "invoices" in hooks().not_supported()


def test_nothing_unrepeatable_is_repeated():
    """What does something each time it is sent is settled by looking; what may be repeated is a state."""
    for stream in hooks().sync_streams():
        if isinstance(stream, PushStream):
            assert (stream.settle is not None) != stream.repeatable, stream.name
            assert stream.state == stream.repeatable, stream.name


def test_cursors_begin_by_themselves():
    """Every pull's cursor has a beginning that needs no argument."""
    for stream in hooks().sync_streams():
        if isinstance(stream, PullStream):
            assert isinstance(stream.cursor(), stream.cursor)


def test_settings_pages():
    """Four pages; those that an account would want one default for inherit."""
    pages = hooks().settings_pages()
    assert [(page.title, page.inherits) for page in pages] == [
        ("Order filters", True),
        ("Offers", True),
        ("Stock", False),
        ("Shipping", True),
    ]
    assert OrderFilters().financial == {"PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "AUTHORIZED"}
    assert not OrderFilters().test


def test_import_opens_nothing():
    """Importing the driver opens no socket and starts no thread."""
    code = (
        "import socket, threading\n"
        "def no(*a, **k): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = no\n"
        "import omnichannel_shopify.driver\n"
        "assert threading.active_count() == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def connection(*nodes: Any) -> dict[str, Any]:
    return {"nodes": list(nodes), "pageInfo": WHOLE}


def gid(kind: str, name: object) -> str:
    return f"gid://shopify/{kind}/{name}"


def with_model(shop: Any) -> None:
    facts = {"id": "s", "name": "Demo", "myshopifyDomain": "demo.myshopify.com", "currencyCode": "EUR"}
    facts |= {
        "ianaTimezone": "Europe/Berlin",
        "weightUnit": "KILOGRAMS",
        "enabledPresentmentCurrencies": ["EUR", "USD"],
    }
    shop.on("ConnectionCheck", {"shop": facts, "currentAppInstallation": None})
    place = {"id": gid("Location", 1), "name": "Berlin", "isActive": True, "isFulfillmentService": True}
    shop.on("Locations", {"locations": connection({**place, "fulfillmentService": {"serviceName": "Inc"}})})
    shop.on("Publications", {"publications": connection({"id": gid("Publication", 1), "catalog": {"title": "Web"}})})
    shop.on("PriceLists", {"priceLists": connection({"id": gid("PriceList", 1), "name": "US", "currency": "USD"})})
    shop.on("Collections", {"collections": connection({"id": gid("Collection", 1), "title": "New", "handle": "new"})})
    category = {"id": gid("TaxonomyCategory", "aa-1"), "fullName": "Apparel > Clothing"}
    shop.on("CategoriesUsed", {"shop": {"allProductCategoriesList": [category]}})
    color = {"id": gid("TaxonomyAttribute", 1), "name": "Color"}
    values = {"nodes": [{"id": "v1", "name": "Red"}], "pageInfo": {"hasNextPage": True, "endCursor": "V"}}
    size = {"id": gid("TaxonomyMeasurementAttribute", 2), "name": "Length", "options": [{"key": "unit", "value": "cm"}]}
    unknown = {"__typename": "TaxonomyAttribute", "id": gid("TaxonomyAttribute", 3)}
    shop.on("CategoryAttributes", {"node": {"attributes": connection({**color, "values": values}, size, unknown)}})
    shop.on("AttributeValues", {"node": {"values": connection({"id": "v2", "name": "Blue"})}})
    definition = {"id": gid("MetaobjectDefinition", 1), "type": "fabric", "name": "Fabric"}
    field = {"key": "label", "name": "Label", "required": True, "type": {"name": "single_line_text_field"}}
    shop.on("MetaobjectDefinitions", {"metaobjectDefinitions": connection({**definition, "fieldDefinitions": [field]})})
    shop.on(
        "Metaobjects", {"metaobjects": connection({"id": gid("Metaobject", 1), "displayName": "Wool", "handle": "w"})}
    )
    shop.on("MetafieldDefinitions", lambda said: {"metafieldDefinitions": metafields(said["owner"])})
    option = {"id": "o", "name": "Size", "optionValues": [{"name": "S"}, {"name": "M"}]}
    standalone = {"id": "t", "name": "Title", "optionValues": [{"name": "Default Title"}]}
    shop.on("ProductOptions", {"products": connection({"options": [option]}, {"options": [standalone]})})


def metafields(owner: str) -> dict[str, Any]:
    def one(key: str, kind: str, *rules: tuple[str, str], only: str = "") -> dict[str, Any]:
        constraints = {"key": "category", "values": connection({"value": only})} if only else None
        said = [{"name": name, "value": value} for name, value in rules]
        return {"id": key, "namespace": "custom", "key": key, "name": key.title(), "type": {"name": kind},
                "validations": said, "constraints": constraints}  # fmt: skip

    if owner == "PRODUCTVARIANT":
        return connection(one("shade", "color"))
    return connection(
        one("origin", "single_line_text_field", ("max", "40")),
        one("care", "list.single_line_text_field", ("choices", '["wash","iron"]')),
        one("fabric", "metaobject_reference", ("metaobject_definition_id", gid("MetaobjectDefinition", 1))),
        one("sleeve", "number_decimal", only="aa-1"),
    )


@pytest.mark.anyio
async def test_data_model(lone: Lone, shop: Any):
    """Lists, fields, metafields, metaobjects, options, and one set for every category in use."""
    with_model(shop)
    session = lone()
    await session.run(DATA_MODEL)
    lists, attributes, sets = (session.records(kind) for kind in (Choices, Attribute, AttributeSet))
    assert lists["locations"].items[gid("Location", 1)].extra["service"] == "true"
    assert lists["publications"].items[gid("Publication", 1)].label == "Web"
    assert lists["metaobject:fabric"].items[gid("Metaobject", 1)].label == "Wool"
    assert set(attributes["category:1"].choices) == {"v1", "v2"}
    assert (attributes["category:2"].unit, attributes["category:2"].writable) == ("cm", False)
    assert attributes["metafield:custom.origin"].max_length == 40
    assert (attributes["metafield:custom.care"].multiple, set(attributes["metafield:custom.care"].choices)) == (
        True,
        {"wash", "iron"},
    )
    assert attributes["metafield:custom.fabric"].choices_from == "metaobject:fabric"
    entry = attributes["metaobject:fabric.label"]
    assert (entry.label, entry.required, entry.writable, entry.level) == ("Label", True, False, "metaobject")
    assert (sets["metaobject:fabric"].label, sets["metaobject:fabric"].attributes) == ("Fabric", (entry.id,))
    assert set(attributes["option:Size"].choices) == {"S", "M"}
    assert "option:Title" not in attributes
    assert attributes["variant.price"].unit == "EUR"
    assert "metafield:custom.sleeve" not in sets["product"].attributes
    of_category = sets[gid("TaxonomyCategory", "aa-1")].attributes
    assert {"title", "category:1", "metafield:custom.sleeve", "metafield:custom.origin"} <= set(of_category)
    assert {"variant.sku", "variant.metafield:custom.shade", "option:Size"} <= set(sets["variant"].attributes)


@pytest.mark.anyio
async def test_s15_a_metafield_of_many_categories(lone: Lone, shop: Any):
    """S15: a definition that more than fifty categories have belongs to the sets of all of them."""
    with_model(shop)
    found = metafields("PRODUCT")
    found["nodes"][3]["constraints"]["values"] = {
        "nodes": [{"value": "zz-9"}],
        "pageInfo": {"hasNextPage": True, "endCursor": "C"},
    }
    shop.on(
        "MetafieldDefinitions",
        lambda said: {"metafieldDefinitions": found if said["owner"] == "PRODUCT" else connection()},
    )
    shop.on(
        "DefinitionCategories",
        lambda said: {"node": {"constraints": {"values": connection({"value": "aa-1"}) if said["after"] else None}}},
    )
    session = lone()
    await session.run(DATA_MODEL)
    set_ = session.records(AttributeSet)[gid("TaxonomyCategory", "aa-1")]
    assert "metafield:custom.sleeve" in set_.attributes


@pytest.mark.anyio
async def test_data_model_without_a_scope(lone: Lone, shop: Any, caplog: pytest.LogCaptureFixture):
    """A part that the token may not read is left out and said; everything else is there."""
    with_model(shop)
    denied = {"message": "Access denied for publications field.", "extensions": {"code": "ACCESS_DENIED"}}
    shop.on("Publications", {"data": None, "errors": [denied]})
    session = lone()
    with caplog.at_level("WARNING"):
        await session.run(DATA_MODEL)
    assert "publications" not in session.records(Choices)
    assert "locations" in session.records(Choices)
    assert "publications" in caplog.text
