"""Listings, product types, stock at Amazon, notifications."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnichannel_amazon_simulator import catalog, product_schemas
from omnichannel_amazon_simulator.patching import patched

pytestmark = pytest.mark.anyio
ROOT = "/listings/2021-08-01/items/A1SELLER"
TYPES = "/definitions/2020-09-01/productTypes"
DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
ALL = "summaries,attributes,issues,offers,fulfillmentAvailability,productTypes"


def stock(quantity: object, code: str = "DEFAULT") -> dict[str, Any]:
    value = [{"fulfillment_channel_code": code, "quantity": quantity}]
    return {"op": "replace", "path": "/attributes/fulfillment_availability", "value": value}


def price(amount: object, op: str = "merge", currency: str = "EUR", **words: Any) -> dict[str, Any]:
    item = {"marketplace_id": DE, "currency": currency, "our_price": [{"schedule": [{"value_with_tax": amount}]}]}
    return {"op": op, "path": "/attributes/purchasable_offer", "value": [item | words]}


async def patch(api: Any, sku: str, *patches: dict[str, Any], **params: str) -> Any:
    body = {"productType": "PRODUCT", "patches": list(patches)}
    return (await api("PATCH", f"{ROOT}/{quote(sku, safe='')}", body, marketplaceIds=DE, **params)).json()


async def item(api: Any, sku: str, places: str = DE) -> Any:
    return (await api.get(f"{ROOT}/{quote(sku, safe='')}", marketplaceIds=places, includedData=ALL)).json()


@pytest.mark.parametrize("sku", ["A/B 1", "C+D", "50%-Ü", "E F#G?"])
async def test_odd_skus_need_encoding(api: Any, sku: str) -> None:
    """Encoded as one segment they are found; an open slash is 403, a plus for a space 404."""
    assert (await item(api, sku))["sku"] == sku
    if sku == "A/B 1":
        assert (await api.get(f"{ROOT}/A/B%201", marketplaceIds=DE)).status_code == 403
        assert (await api.get(f"{ROOT}/A%2FB+1", marketplaceIds=DE)).status_code == 404


async def test_a_patch_is_accepted_now_and_seen_later(api: Any) -> None:
    """ACCEPTED leaves what is live as it was until the delay is over; submitted attributes show at once."""
    answer = await patch(api, "SKU-00010", stock(77), price(12.5))
    assert answer["status"] == "ACCEPTED"
    row = await item(api, "SKU-00010")
    assert row["attributes"]["fulfillment_availability"][0]["quantity"] == 77
    assert row["fulfillmentAvailability"][0]["quantity"] == 20
    await api.advance(121)
    row = await item(api, "SKU-00010")
    assert row["fulfillmentAvailability"] == [{"fulfillmentChannelCode": "DEFAULT", "quantity": 77}]
    assert row["offers"][0]["price"] == {"currencyCode": "EUR", "amount": "12.50"}


@pytest.mark.parametrize(
    "wrong",
    [
        stock(-1),
        stock("7"),
        stock(5, "AMAZON_EU"),
        price(5, currency="USD"),
        price("5"),
        {"op": "replace", "path": "/attributes/shoe_width", "value": [{"value": "x"}]},
    ],
)
async def test_invalid_is_http_200(api: Any, wrong: dict[str, Any]) -> None:
    """A wrong value is status INVALID with an issue that names the attribute, and nothing changes."""
    before = (await item(api, "SKU-00010"))["attributes"]
    answer = await patch(api, "SKU-00010", wrong)
    assert answer["status"] == "INVALID"
    assert answer["issues"][0]["attributeNames"] == [wrong["path"].split("/")[2]]
    assert (await item(api, "SKU-00010"))["attributes"] == before


async def test_a_preview_changes_nothing(api: Any) -> None:
    """VALIDATION_PREVIEW answers VALID and keeps nothing."""
    assert (await patch(api, "SKU-00010", stock(99), mode="VALIDATION_PREVIEW"))["status"] == "VALID"
    await api.advance(121)
    assert (await item(api, "SKU-00010"))["fulfillmentAvailability"][0]["quantity"] == 20


async def test_replace_with_other_selectors_leaves_the_old_item(api: Any) -> None:
    """Items are matched by marketplace, currency and audience; delete takes away what its selectors name."""
    await patch(api, "SKU-00010", price(9, "replace", audience="B2B"))
    offers = (await item(api, "SKU-00010"))["attributes"]["purchasable_offer"]
    assert [(each["marketplace_id"], each["audience"]) for each in offers] == [(DE, "ALL"), (FR, "ALL"), (DE, "B2B")]
    gone = {
        "op": "delete",
        "path": "/attributes/purchasable_offer",
        "value": [{"marketplace_id": DE, "audience": "B2B"}],
    }
    await patch(api, "SKU-00010", gone)
    offers = (await item(api, "SKU-00010"))["attributes"]["purchasable_offer"]
    assert [(each["marketplace_id"], each["audience"]) for each in offers] == [(DE, "ALL"), (FR, "ALL")]


async def test_own_stock_for_an_item_at_amazon_opens_a_second_channel(api: Any) -> None:
    """A DEFAULT quantity for an FBA SKU adds the merchant's channel beside Amazon's."""
    row = await item(api, "SKU-00009")
    assert [each["fulfillmentChannelCode"] for each in row["fulfillmentAvailability"]] == ["AMAZON_EU"]
    await patch(api, "SKU-00009", stock(3))
    await api.advance(121)
    row = await item(api, "SKU-00009")
    assert {each["fulfillmentChannelCode"] for each in row["fulfillmentAvailability"]} == {"AMAZON_EU", "DEFAULT"}


async def test_an_accepted_submission_may_never_show(api: Any) -> None:
    """A lost submission is accepted and stays unseen."""
    await api.control("PUT", "/sellers/A1SELLER", {"lose_submissions": 1})
    assert (await patch(api, "SKU-00010", stock(55)))["status"] == "ACCEPTED"
    await api.advance(3600)
    await api.renew()
    assert (await item(api, "SKU-00010"))["fulfillmentAvailability"][0]["quantity"] == 20


async def test_put_and_delete_are_for_one_marketplace(api: Any) -> None:
    """A full listing needs what its type requires; an offer for an ASIN needs less; deletion shows later."""
    body: dict[str, Any] = {"productType": "SHIRT", "requirements": "LISTING", "attributes": {}}
    answer = (await api("PUT", f"{ROOT}/NEW", body, marketplaceIds=DE)).json()
    assert answer["status"] == "INVALID"
    assert len(answer["issues"]) == len(product_schemas.required("SHIRT", "LISTING"))
    attributes = {
        "condition_type": [{"value": "new_new", "marketplace_id": DE}],
        "merchant_suggested_asin": [{"value": "B000000001", "marketplace_id": DE}],
        "purchasable_offer": price(5)["value"],
        "fulfillment_availability": stock(1)["value"],
    }
    body = {"productType": "PRODUCT", "requirements": "LISTING_OFFER_ONLY", "attributes": attributes}
    assert (await api("PUT", f"{ROOT}/NEW", body, marketplaceIds=f"{DE},{FR}")).status_code == 400
    assert (await api("PUT", f"{ROOT}/NEW", body, marketplaceIds=DE)).json()["status"] == "ACCEPTED"
    await api.advance(121)
    row = await item(api, "NEW")
    assert (row["summaries"][0]["asin"], row["summaries"][0]["status"]) == ("B000000001", ["BUYABLE", "DISCOVERABLE"])
    await api("DELETE", f"{ROOT}/NEW", marketplaceIds=DE)
    assert (await item(api, "NEW"))["sku"] == "NEW"
    await api.advance(121)
    assert (await api.get(f"{ROOT}/NEW", marketplaceIds=DE)).status_code == 404


async def test_only_the_first_thousand_results_can_be_reached(api: Any) -> None:
    """The number of results is told, but pages end at a thousand; twenty SKUs are read at once by identifier."""
    await api.control("POST", "/sellers", {"seller_id": "A3", "marketplaces": [DE], "listings": 1100})
    other = await type(api)(api.http, "A3").authorize()
    other.seller = "A1SELLER"  # the same region's host
    plan = {"searchListingsItems": {"rate": 1000, "burst": 1000}}
    await api.control("PUT", "/sellers/A3/rates", plan)
    query = {"marketplaceIds": DE, "pageSize": "20", "sortBy": "sku", "sortOrder": "ASC"}
    count, page = 0, (await other.get("/listings/2021-08-01/items/A3", **query)).json()
    assert page["numberOfResults"] == 1100
    while True:
        count += len(page["items"])
        if "nextToken" not in page.get("pagination", {}):
            break
        token = page["pagination"]["nextToken"]
        page = (await other.get("/listings/2021-08-01/items/A3", **query, pageToken=token)).json()
    assert count == 1000
    words = {"identifiers": "SKU-01050,SKU-01051,nothing", "identifiersType": "SKU", "marketplaceIds": DE}
    assert len((await other.get("/listings/2021-08-01/items/A3", **words)).json()["items"]) == 2
    assert (await api.get("/listings/2021-08-01/items/A3", marketplaceIds=DE)).status_code == 403


async def test_a_definition_has_a_checksum_and_an_address_of_a_week(api: Any) -> None:
    """What is behind the link has the checksum; another version has another, and the old address still works."""
    names = (await api.get(TYPES, marketplaceIds=DE)).json()["productTypes"]
    assert len(names) == 40
    first = (await api.get(f"{TYPES}/SHIRT", marketplaceIds=DE)).json()
    body = (await api.http.get(first["schema"]["link"]["resource"])).content
    assert base64.b64encode(hashlib.md5(body).digest()).decode() == first["schema"]["checksum"]
    await api.control("POST", "/sellers/A1SELLER/types", {})
    second = (await api.get(f"{TYPES}/SHIRT", marketplaceIds=DE)).json()
    assert second["schema"]["checksum"] != first["schema"]["checksum"]
    assert second["productTypeVersion"] != first["productTypeVersion"]
    await api.advance(6 * 86400)
    assert (await api.http.get(first["schema"]["link"]["resource"])).content == body
    await api.advance(2 * 86400)
    assert (await api.http.get(first["schema"]["link"]["resource"])).status_code == 403


@pytest.mark.parametrize("name", ["PRODUCT", "SHIRT", "SYNTHETIC_TYPE_0007"])
def test_definitions_are_json_schemas_of_2019_09(name: str) -> None:
    """A validator of the dialect takes every schema, and finds what a conditional requires."""
    schema = json.loads(
        product_schemas.schema(name, DE, "LISTING", "de_DE", product_schemas.Edition(weight=3), enforced=True)
    )
    validator = jsonschema.Draft201909Validator
    plain = {key: value for key, value in schema.items() if key != "$schema"}
    validator.check_schema(plain)
    if name != "PRODUCT":
        value = {"batteries_required": [{"value": True, "marketplace_id": DE}]}
        found = [error.message for error in validator(plain).iter_errors(value)]
        assert any("num_batteries" in each for each in found)


def test_a_heavy_schema_has_the_size_of_a_real_one() -> None:
    """With a thousand attributes more, a schema has between 0.3 and 2 MB."""
    edition = product_schemas.Edition(weight=1000)
    assert 300_000 < len(product_schemas.schema("SHIRT", DE, "LISTING", "de_DE", edition, enforced=True)) < 2_000_000


async def test_stock_at_amazon_is_paged_with_a_short_token(api: Any) -> None:
    """Pages of fifty; the token dies after thirty seconds."""
    await api.control("POST", "/sellers", {"seller_id": "A4", "marketplaces": [DE], "listings": 300})
    other = await type(api)(api.http, "A4").authorize()
    other.seller = "A1SELLER"
    query = {"granularityType": "Marketplace", "granularityId": DE, "marketplaceIds": DE, "details": "true"}
    page = (await other.get("/fba/inventory/v1/summaries", **query)).json()
    assert len(page["payload"]["inventorySummaries"]) == 50
    token = page["pagination"]["nextToken"]
    rest = (await other.get("/fba/inventory/v1/summaries", **query, nextToken=token)).json()
    assert len(rest["payload"]["inventorySummaries"]) == 10
    await api.advance(31)
    assert (await other.get("/fba/inventory/v1/summaries", **query, nextToken=token)).status_code == 400


async def test_an_ean_leads_to_an_asin(api: Any, seller: Any) -> None:
    """The EAN of a listing finds it, one of the unlisted range finds a product of its own, another nothing."""
    listed = seller.listings.all["SKU-00010"].asin
    query = {"marketplaceIds": DE, "identifiersType": "EAN", "includedData": "identifiers"}
    numbers = [catalog.ean(listed), catalog.ean("B0E0000001"), "4006000000012"]
    answer = await api.get("/catalog/2022-04-01/items", **query, identifiers=",".join(numbers))
    found = answer.json()["items"]
    assert [each["asin"] for each in found] == [listed, "B0E0000001"]
    assert found[1]["identifiers"][0]["identifiers"][0]["identifier"] == numbers[1]


async def test_notifications_come_twice_and_in_no_order(api: Any) -> None:
    """A subscriber of order changes gets v0 words in its queue, duplicates with the same id among them."""
    form = {"grant_type": "client_credentials", "scope": "sellingpartnerapi::notifications"}
    grantless = (await api.lwa(**form)).json()["access_token"]
    arn = "arn:aws:sqs:eu-west-1:1:queue"
    wish = {"name": "q", "resourceSpecification": {"sqs": {"arn": arn}}}
    assert (await api("POST", "/notifications/v1/destinations", wish)).status_code == 401
    made = (await api("POST", "/notifications/v1/destinations", wish, token=grantless)).json()["payload"]
    body = {"destinationId": made["destinationId"], "payloadVersion": "1.0"}
    path = "/notifications/v1/subscriptions/ORDER_CHANGE"
    assert (await api("POST", path, body, token=grantless)).status_code == 401
    assert (await api("POST", path, body)).status_code == 200
    assert (await api("POST", path, body)).status_code == 409
    await api.control("PUT", "/queues", {"duplicates": 1.0, "shuffled": True})
    made = await api.control("POST", "/sellers/A1SELLER/orders", {"kind": "prime", "count": 5})
    await api.control("POST", f"/sellers/A1SELLER/orders/{made['orders'][0]}/wish", {})
    messages = (await api.control("DELETE", "/queues"))["queues"][arn]
    assert len(messages) == 12
    assert len({each["NotificationMetadata"]["NotificationId"] for each in messages}) == 6
    summary = messages[0]["Payload"]["OrderChangeNotification"]["Summary"]
    assert (summary["OrderStatus"], summary["FulfillmentType"], summary["OrderPrograms"]) == (
        "Unshipped",
        "MFN",
        ["Prime"],
    )
    assert (await api.control("GET", "/queues"))["queues"] == {}


OPS = st.sampled_from(["add", "replace", "merge"])
ITEMS = st.builds(
    lambda place, tag, value: {"marketplace_id": place, "language_tag": tag, "value": value},
    st.sampled_from([DE, FR]),
    st.sampled_from(["de_DE", "fr_FR"]),
    st.integers(),
)


@given(st.lists(st.tuples(OPS, st.lists(ITEMS, min_size=1, max_size=4)), max_size=8))
def test_patches_keep_one_item_for_each_combination_of_selectors(patches: list[tuple[str, list[Any]]]) -> None:
    """After any patches no two items share their selectors, and the last value given for a combination stays."""
    attributes: dict[str, list[Any]] = {}
    last: dict[tuple[str, str], int] = {}
    for op, value in patches:
        attributes = patched(attributes, [{"op": op, "path": "/attributes/item_name", "value": value}], {})
        last.update({(each["marketplace_id"], each["language_tag"]): each["value"] for each in value})
    found = {(each["marketplace_id"], each["language_tag"]): each["value"] for each in attributes.get("item_name", [])}
    assert found == last
    assert len(attributes.get("item_name", [])) == len(last)
