"""Catalog: batches, uniqueness, options, variants, price lists."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio
P = "/v3/catalog/products"
NEW = {"name": "New", "type": "physical", "weight": 1, "price": 9.5}


async def test_base_variant_of_a_simple_product(api: Any) -> None:
    """A product without options has a base variant with its SKU; one with options has none."""
    simple = (await api.get(f"{P}/111?include=variants")).json()["data"]
    assert simple["base_variant_id"] == simple["variants"][0]["id"]
    assert simple["variants"][0]["sku"] == simple["sku"]
    assert simple["variants"][0]["price"] is None
    assert simple["variants"][0]["calculated_price"] == simple["price"]
    varied = (await api.get(f"{P}/114?include=variants,options")).json()["data"]
    assert varied["base_variant_id"] is None
    assert len(varied["variants"]) == 4


async def test_page_cap_of_includes(api: Any) -> None:
    """Including options or modifiers caps the page at ten, variants do not."""
    assert len((await api.get(f"{P}?limit=250&include=options")).json()["data"]) == 10
    assert len((await api.get(f"{P}?limit=250&include=variants,modifiers")).json()["data"]) == 10
    assert len((await api.get(f"{P}?limit=250&include=variants")).json()["data"]) == 20
    assert (await api.get(f"{P}?include=love")).status_code == 422


async def test_filters(api: Any) -> None:
    """Products are found by ids, SKU, name, visibility and date, and fields can be left out."""
    assert [row["id"] for row in (await api.get(f"{P}?id:in=112,115,9")).json()["data"]] == [112, 115]
    assert [row["sku"] for row in (await api.get(f"{P}?sku:in=SKU-3,SKU-4")).json()["data"]] == ["SKU-3", "SKU-4"]
    assert [row["id"] for row in (await api.get(f"{P}?sku=sku-3")).json()["data"]] == [113]
    assert (await api.get(f"{P}?sku=SKU-4-S")).json()["data"] == [], "a variant's SKU is not a product's"
    assert [row["id"] for row in (await api.get(f"{P}?id:greater=128")).json()["data"]] == [129, 130]
    row = (await api.get(f"{P}/111?include_fields=name,price")).json()["data"]
    assert row.keys() == {"id", "name", "price"}
    assert "price" not in (await api.get(f"{P}/111?exclude_fields=price")).json()["data"]


async def test_date_filter_without_a_time_gets_the_time_of_day(api: Any) -> None:
    """date_modified:min of today without a time misses what changed earlier today."""
    await api("PUT", f"{P}/111", {"price": 3})
    await api.control("POST", "/clock", {"advance": 600})
    found = await api.get(f"{P}?date_modified:min=2026-09-21")
    assert found.json()["data"] == []
    exact = await api.get(f"{P}?date_modified:min=2026-09-21T00:00:00Z")
    assert [row["id"] for row in exact.json()["data"]] == [111]


async def test_duplicates_are_409(api: Any) -> None:
    """A name or SKU that is taken, an unknown brand, category or tax class are 409."""
    taken = (await api.get(f"{P}/111")).json()["data"]
    changes = [
        {"name": taken["name"]},
        {"sku": "SKU-2"},
        {"sku": "SKU-4-S"},
        {"brand_id": 9},
        {"categories": [9]},
        {"tax_class_id": 9},
    ]
    for change in changes:
        answer = await api("POST", P, NEW | change)
        assert answer.status_code == 409, change
    assert (await api.get(P + "?limit=250")).json()["meta"]["pagination"]["total"] == 20


async def test_missing_and_wrong_fields_are_422(api: Any) -> None:
    """Fields missing or wrong are named in errors."""
    assert (await api("POST", P, {"name": "x"})).json()["errors"].keys() == {"type", "weight", "price"}
    answer = await api("POST", P, NEW | {"name": "x" * 251, "condition": "Shabby", "upc": "1" * 15})
    assert answer.json()["errors"].keys() == {"name", "condition", "upc"}
    await api.control("PUT", "/stores/shop1", {"categories_required": True})
    assert "categories" in (await api("POST", P, NEW)).json()["errors"]


async def test_product_with_variants_in_one_request(api: Any) -> None:
    """Variants sent with a product make its options, and 601 of them are refused."""
    values = [[{"option_display_name": "Size", "label": label}] for label in ("S", "M")]
    variants = [{"sku": f"N-{n}", "option_values": value, "price": 3} for n, value in enumerate(values)]
    made = (await api("POST", P, NEW | {"variants": variants})).json()["data"]
    assert [option["display_name"] for option in made["options"]] == ["Size"]
    assert [variant["option_values"][0]["label"] for variant in made["variants"]] == ["S", "M"]
    assert made["base_variant_id"] is None
    many = [{"sku": f"M-{n}", "option_values": [{"option_display_name": "No", "label": str(n)}]} for n in range(601)]
    assert (await api("POST", P, NEW | {"name": "Many", "variants": many})).status_code == 422


async def test_batches_of_products(api: Any) -> None:
    """Ten products fit a batch, eleven are 413; partial success is 207 without places; all failed is the error
    itself.
    """
    url, rows = P, [{"id": 111 + n, "price": 1.5} for n in range(11)]
    assert (await api("PUT", url, rows[:10])).status_code == 200
    assert (await api("PUT", url, rows)).json()["title"].endswith("The maximum items allowed in the array is 10.")
    partly = await api("PUT", url, [{"id": 111, "price": 2.5}, {"id": 112, "sku": "SKU-3"}])
    assert partly.status_code == 207
    assert partly.json()["errors"]["status"] == 409
    assert [row["id"] for row in partly.json()["data"]] == [111]
    assert (await api("PUT", url, [{"id": 112, "sku": "SKU-3"}])).status_code == 409
    assert (await api("PUT", url, [{"price": 2.5}])).status_code == 422
    assert (await api("PUT", url, [{"id": 112, "variants": []}])).status_code == 422


async def test_batches_of_variants(api: Any) -> None:
    """Fifty variants fit a batch; one wrong fails all with batch_errors that name no place; new ones need every
    option.
    """
    url = "/v3/catalog/variants"
    good = {"id": 301, "price": 7}
    assert (await api("PUT", url, [good] * 51)).status_code == 413
    answer = await api("PUT", url, [good, {"id": 302, "price": -1}])
    assert answer.status_code == 422
    assert answer.json()["batch_errors"][0].keys() == {"status", "title", "type", "instance", "errors"}
    assert (await api.get(f"{P}/111/variants/301")).json()["data"]["price"] is None
    option = (await api.get(f"{P}/114/options")).json()["data"][0]
    value = (await api("POST", f"{P}/114/options/{option['id']}/values", {"label": "XXL", "sort_order": 9})).json()[
        "data"
    ]
    fresh = {"product_id": 114, "sku": "XXL-1", "option_values": [{"id": value["id"], "option_id": option["id"]}]}
    assert (await api("PUT", url, [fresh])).status_code == 200
    assert (await api("PUT", url, [fresh])).status_code == 422, "the same values again"
    assert (await api("PUT", url, [{"sku": "Q"}])).status_code == 422


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ({"type": "swatch", "option_values": [{"label": "Red", "value_data": {"colors": ["#FF0000"]}}]}, 200),
        (
            {
                "type": "swatch",
                "option_values": [{"label": "Red", "value_data": {"image_url": "https://example.com/a.png"}}],
            },
            200,
        ),
        ({"type": "swatch", "option_values": [{"label": "Red", "value_data": {"colors": []}}]}, 422),
        ({"type": "swatch", "option_values": [{"label": "Red", "value_data": {"colors": ["#111111"] * 4}}]}, 422),
        ({"type": "swatch", "option_values": [{"label": "Red", "value_data": {"colors": ["red"]}}]}, 422),
        ({"type": "product_list", "option_values": [{"label": "Red"}]}, 422),
        ({"type": "rectangles", "option_values": [{"label": "Red"}]}, 200),
        ({"type": "date", "option_values": [{"label": "Red"}]}, 422),
        ({"type": "dropdown", "option_values": []}, 422),
    ],
)
async def test_types_of_options(api: Any, words: dict[str, Any], status: int) -> None:
    """Each option type takes the values it can show, and making an option makes no variants."""
    answer = await api("POST", f"{P}/111/options", {"display_name": "Tint"} | words)
    assert answer.status_code == status, answer.text
    assert len((await api.get(f"{P}/111/variants")).json()["data"]) == 1


async def test_first_variant_replaces_the_base_variant(api: Any) -> None:
    """When the first real variant comes, the base variant goes."""
    words = {"display_name": "Size", "type": "rectangles", "option_values": [{"label": "S"}, {"label": "M"}]}
    option = (await api("POST", f"{P}/111/options", words)).json()["data"]
    value = {"id": option["option_values"][0]["id"], "option_id": option["id"]}
    made = await api("POST", f"{P}/111/variants", {"sku": "SKU-1-S", "option_values": [value]})
    assert made.status_code == 200
    product = (await api.get(f"{P}/111?include=variants")).json()["data"]
    assert [variant["sku"] for variant in product["variants"]] == ["SKU-1-S"]
    assert product["base_variant_id"] is None


async def test_metafields_belong_to_their_account(api: Any, client: Any) -> None:
    """app_only metafields are invisible to other accounts, readable ones cannot be changed by them, keys are unique."""
    await api.control("POST", "/stores/shop1/tokens", {"token": "other", "client_id": "other"})
    other = await client("other")
    hidden = {"namespace": "n", "key": "a", "value": "1", "permission_set": "app_only"}
    shown = hidden | {"key": "b", "permission_set": "read"}
    numbers = [(await api("POST", f"{P}/111/metafields", words)).json()["data"]["id"] for words in (hidden, shown)]
    assert [row["key"] for row in (await other.get(f"{P}/111/metafields")).json()["data"]] == ["b"]
    assert (await other("PUT", f"{P}/111/metafields/{numbers[1]}", {"value": "2"})).status_code == 403
    assert (await api("POST", f"{P}/111/metafields", hidden)).status_code == 409
    assert (await api("POST", f"{P}/111/metafields", {"namespace": "n", "key": "c", "value": "1"})).status_code == 422
    assert (await api("POST", f"{P}/metafields", [hidden | {"resource_id": 111}] * 11)).status_code == 413


async def test_deleting_products_needs_a_filter(api: Any) -> None:
    """DELETE of the collection without a filter is refused."""
    assert (await api("DELETE", P)).status_code == 422
    assert (await api("DELETE", f"{P}?id:in=111,112")).status_code == 204
    assert (await api.get(f"{P}/111")).status_code == 404


async def test_price_records(api: Any) -> None:
    """Records are upserted by variant and currency, a batch is all or nothing, over 1000 is 413."""
    await api("POST", "/v3/pricelists", {"name": "Wholesale"})
    url = "/v3/pricelists/1/records"
    bad = await api(
        "PUT",
        url,
        [{"variant_id": 301, "currency": "usd", "price": 5}, {"sku": "nothing", "currency": "xyz", "price": 5}],
    )
    assert bad.status_code == 422
    assert bad.json()["batch_errors"][0]["field_errors"].keys() == {"variant_id", "currency"}
    assert (await api.get(url)).json()["data"] == []
    await api("PUT", url, [{"variant_id": 301, "currency": "USD", "price": 5}])
    await api("PUT", url, [{"variant_id": 301, "currency": "usd", "sale_price": 4}])
    rows = (await api.get(url)).json()["data"]
    assert [(row["price"], row["sale_price"], row["calculated_price"]) for row in rows] == [(5, 4, 4)]
    assert (await api("PUT", url, [{"variant_id": 301, "currency": "usd", "price": 5}] * 1001)).status_code == 413
    assert (
        await api("POST", "/v3/pricelists/assignments", [{"price_list_id": 1, "channel_id": 1}] * 26)
    ).status_code == 413
