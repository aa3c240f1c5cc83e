"""The data model against the simulated store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from omnichannel_bigcommerce.sync.data_model import DATA_MODEL, STEPS, ModelCursor

from omnichannel_core import errors
from omnichannel_core.records import Attribute, AttributeSet, Choices, Record

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]
LISTS = {
    "store", "order_statuses", "currencies", "tax_classes", "channels", "locations", "price_lists", "brands",
    "category_trees", "categories",
}  # fmt: skip


async def test_lists(shop: Make):
    """All lists of the store arrive, with its own words."""
    here = shop(timezone="Europe/Berlin", currency="EUR")
    await here.control("PUT", "/statuses/11", {"label": "To pack"})
    await here.session.run(DATA_MODEL)
    found = here.session.records(Choices)
    assert set(found) == LISTS
    assert found["order_statuses"].items["11"].label == "To pack"
    assert len(found["order_statuses"].items) == 15
    assert found["store"].items["timezone"].label == "Europe/Berlin"
    assert found["store"].items["currency"].label == "EUR"
    assert len([one for one in found["locations"].items.values() if one.extra["default"] == "true"]) <= 1
    assert all(one.extra["enabled"] == "true" for one in found["locations"].items.values())
    assert any(one.extra["transactional"] == "true" for one in found["currencies"].items.values())
    assert found["brands"].items
    assert any(one.parent for one in found["categories"].items.values())


async def test_attributes(shop: Make):
    """Fields of products and variants, custom fields, options, modifiers and metafields are attributes of two sets."""
    here = shop(products=12)
    url = f"https://api.bigcommerce.com/stores/abc123/v3/catalog/products/{min(here.store.catalog.products)}/modifiers"
    body = {"display_name": "Engraving", "type": "text", "required": False}
    await here.session.http.send("createProductModifier", "POST", url, json=body)
    await here.session.run(DATA_MODEL)
    found, sets = here.session.records(Attribute), here.session.records(AttributeSet)
    assert set(sets) == {"product", "variant"}
    assert {"name", "price", "variant.price", "variant.sku"} <= set(found)
    assert (found["price"].type, found["price"].unit, found["weight"].unit) == ("money", "USD", "Ounces")
    assert (found["brand_id"].choices_from, found["name"].max_length, found["name"].required) == ("brands", 250, True)
    for prefix in ("custom_field:", "option:", "modifier:"):
        assert [key for key in found if key.startswith(prefix)], prefix
    option = next(one for key, one in found.items() if key.startswith("option:"))
    assert (option.level, option.type, option.open) == ("variant", "enum", True)
    named = {one for record in sets.values() for one in record.attributes}
    assert named == set(found)


async def test_metafields(shop: Make):
    """Metafields of products are attributes by namespace and key."""
    here = shop(products=4)
    product = min(here.store.catalog.products)
    url = f"https://api.bigcommerce.com/stores/abc123/v3/catalog/products/{product}/metafields"
    body = {"namespace": "erp", "key": "origin", "value": "PT", "permission_set": "write"}
    await here.session.http.send("createProductMetafield", "POST", url, json=body)
    await here.session.run(DATA_MODEL)
    assert here.session.records(Attribute)["metafield:erp.origin"].writable


async def test_resuming(shop: Make):
    """From any cursor of a run the rest is the same again, and the last page leads to a new beginning."""
    here = shop(products=30)
    cursor, trail = ModelCursor(), list[tuple[ModelCursor, list[Record]]]()
    while True:
        page = await DATA_MODEL.pull(here.session, cursor)
        trail.append((cursor, list(page.records)))
        cursor = msgspec.json.decode(msgspec.json.encode(page.cursor), type=ModelCursor)
        if not page.more:
            break
    assert cursor == ModelCursor()
    assert len(trail) >= len(STEPS)
    for at in range(0, len(trail), 5):
        tail, again = list[Record](), trail[at][0]
        while True:
            page = await DATA_MODEL.pull(here.session, again)
            tail += page.records
            again = page.cursor
            if not page.more:
                break
        assert tail == [record for _, records in trail[at:] for record in records]


async def test_parts_without_scope(shop: Make, caplog: pytest.LogCaptureFixture):
    """Parts the token may not read are left out and said; the rest arrives."""
    here = shop(scopes=["store_v2_information_read_only", "store_v2_orders"])
    await here.session.run(DATA_MODEL)
    assert {"store", "order_statuses", "currencies"} <= set(here.session.records(Choices))
    assert "price_lists" not in here.session.records(Choices)
    assert "goes without a part" in caplog.text
    assert set(here.session.records(AttributeSet)) == {"product", "variant"}


async def test_without_the_store(shop: Make):
    """Without the store itself there is no data model."""
    here = shop(scopes=["store_v2_orders"])
    with pytest.raises(errors.AccessMissing):
        await here.session.run(DATA_MODEL)
