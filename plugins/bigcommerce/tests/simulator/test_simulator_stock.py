"""Stock: tracking, order of writes, safety stock, late reads."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio
ABSOLUTE, RELATIVE = "/v3/inventory/adjustments/absolute", "/v3/inventory/adjustments/relative"


def items(*rows: dict[str, Any], location: int = 1) -> dict[str, Any]:
    return {"reason": "test", "items": [{"location_id": location} | row for row in rows]}


async def test_absolute_then_relative(api: Any) -> None:
    """Absolute sets, relative adds, and reads show available and on hand."""
    assert "transaction_id" in (await api("PUT", ABSOLUTE, items({"product_id": 111, "quantity": 7}))).json()
    assert (await api("POST", RELATIVE, items({"sku": "SKU-1", "quantity": -2}))).status_code == 200
    await api(
        "PUT", "/v3/inventory/locations/1/items", {"settings": [{"identity": {"sku": "SKU-1"}, "safety_stock": 3}]}
    )
    row = (await api.get("/v3/inventory/items?product_id:in=111")).json()["data"][0]["locations"][0]
    assert (row["available_to_sell"], row["total_inventory_onhand"]) == (5, 8)
    assert (await api.get("/v3/catalog/products/111")).json()["data"]["inventory_level"] == 5


async def test_relative_before_absolute_is_refused(api: Any) -> None:
    """The first write of an item at a location must be absolute, in the words of the real thing."""
    answer = await api("POST", RELATIVE, items({"product_id": 111, "quantity": 1}))
    assert answer.status_code == 422
    assert (
        answer.json()["title"] == "Items with identity: [product_id: 111] requires absolute adjustment before relative"
    )


async def test_relative_below_safety_stock_is_refused(api: Any) -> None:
    """A relative write below the safety stock changes nothing."""
    await api.control("POST", "/stores/shop1/stock", {"product_id": 111, "available": 5, "safety": 4})
    assert (await api("POST", RELATIVE, items({"product_id": 111, "quantity": -2}))).status_code == 422
    assert (await api.get("/v3/catalog/products/111")).json()["data"]["inventory_level"] == 5


async def test_identity_must_match_the_tracking(api: Any) -> None:
    """Wrong identities are 422 in words that quote them, and one bad item fails the whole request."""
    answer = await api("PUT", ABSOLUTE, items({"product_id": 111, "quantity": 9}, {"variant_id": 301, "quantity": 1}))
    assert (
        answer.json()["title"] == "[Item with variant_id 301 is tracked by product, please update stock by product id]"
    )
    answer = await api("PUT", ABSOLUTE, items({"product_id": 114, "quantity": 1}))
    assert (
        answer.json()["title"] == "[Item with product_id 114 is tracked by variant, please update stock by variant id]"
    )
    answer = await api("PUT", ABSOLUTE, items({"product_id": 112, "quantity": 1}))
    assert "not tracked" in answer.json()["title"]
    assert (await api.get("/v3/catalog/products/111")).json()["data"]["inventory_level"] == 0
    assert (await api("PUT", ABSOLUTE, items({"sku": "SKU-4-S", "quantity": 2}))).status_code == 200
    assert (await api("PUT", ABSOLUTE, items({"sku": "nothing", "quantity": 2}))).status_code == 422


async def test_limits_of_an_adjustment(api: Any) -> None:
    """2000 items fit, 2001 are too many; quantities are integers, locations must exist."""
    assert (await api("PUT", ABSOLUTE, items(*[{"product_id": 111, "quantity": 1}] * 2000))).status_code == 200
    assert (await api("PUT", ABSOLUTE, items(*[{"product_id": 111, "quantity": 1}] * 2001))).status_code == 413
    assert (await api("PUT", ABSOLUTE, items({"product_id": 111, "quantity": 1.5}))).status_code == 422
    assert (await api("PUT", ABSOLUTE, items({"product_id": 111, "quantity": -1}))).status_code == 422
    assert (await api("PUT", ABSOLUTE, items({"product_id": 111, "quantity": 1}, location=9))).status_code == 422


async def test_reads_follow_writes_later(api: Any) -> None:
    """With a lag, a level reads as before until the time has passed; relative writes count on what was written."""
    await api.control("PUT", "/stores/shop1", {"stock_lag": 10})
    await api("PUT", ABSOLUTE, items({"product_id": 111, "quantity": 7}))
    await api("POST", RELATIVE, items({"product_id": 111, "quantity": 1}))
    assert (await api.get("/v3/catalog/products/111")).json()["data"]["inventory_level"] == 0
    await api.control("POST", "/clock", {"advance": 10})
    assert (await api.get("/v3/catalog/products/111")).json()["data"]["inventory_level"] == 8


async def test_levels_add_up_over_locations(api: Any) -> None:
    """The catalog shows the total, inventory shows each location."""
    await api("PUT", ABSOLUTE, items({"product_id": 111, "quantity": 2}))
    await api("PUT", ABSOLUTE, items({"product_id": 111, "quantity": 3}, location=2))
    assert (await api.get("/v3/catalog/products/111")).json()["data"]["inventory_level"] == 5
    rows = (await api.get("/v3/inventory/locations/2/items?sku:in=SKU-1")).json()["data"]
    assert [row["available_to_sell"] for row in rows] == [3]
    await api("PUT", "/v3/catalog/products/111", {"inventory_level": 9})
    assert (await api.get("/v3/catalog/products/111")).json()["data"]["inventory_level"] == 12
