"""Orders: windows, pages, tokens, what is in them, shipments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omnichannel_amazon_simulator import create
from omnichannel_amazon_simulator.order import MOVES, STATUSES
from omnichannel_amazon_simulator.order_making import KINDS, Plan
from omnichannel_amazon_simulator.rates import Bucket

pytestmark = pytest.mark.anyio
NOW = 1_790_000_000.0
ORDERS = "/orders/2026-01-01/orders"
DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
EVERYTHING = "BUYER,RECIPIENT,PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX"


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


PAST = iso(NOW - 100 * 86400)


async def planned(api: Any, **words: Any) -> str:
    """One order; its id."""
    (ident,) = (await api.control("POST", f"/sellers/{api.seller}/orders", words))["orders"]
    return str(ident)


async def order(api: Any, ident: str) -> Any:
    return (await api.get(f"{ORDERS}/{ident}", includedData=EVERYTHING)).json()["order"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "Exactly one"),
        ({"createdAfter": PAST, "lastUpdatedAfter": PAST}, "Exactly one"),
        ({"createdAfter": PAST, "lastUpdatedBefore": PAST}, "cannot be combined"),
        ({"createdAfter": "yesterday"}, "not a valid ISO 8601"),
        ({"lastUpdatedAfter": PAST, "lastUpdatedBefore": iso(NOW - 119)}, "at least 2 minutes before current time"),
        ({"createdAfter": PAST, "maxResultsPerPage": "101"}, "from 1 to 100"),
        ({"createdAfter": PAST, "fulfillmentStatuses": "Unshipped"}, "Invalid value"),
        ({"createdAfter": PAST, "marketplaceIds": ",".join([DE] * 51)}, "at most 50"),
        ({"createdAfter": PAST, "orderIds": "1"}, "Unexpected"),
    ],
)
async def test_wrong_questions_are_400(api: Any, query: dict[str, str], said: str) -> None:
    """Each rule of the query is enforced with a sentence."""
    answer = await api.get(ORDERS, **query)
    assert answer.status_code == 400
    assert said in answer.json()["errors"][0]["message"]


async def test_a_foreign_or_pseudo_marketplace_is_403(api: Any) -> None:
    """Only marketplaces of the seller are taken, and no Non-Amazon one."""
    for place in ("ATVPDKIKX0DER", "A38D8NSA03LJTC"):
        answer = await api.get(ORDERS, createdAfter=PAST, marketplaceIds=f"{DE},{place}")
        assert answer.status_code == 403


async def test_pages_bring_every_order_once_and_the_token_is_bound(api: Any, seller: Any) -> None:
    """All pages together are all orders; the token needs encoding, the same query, and dies after a day."""
    query = {"createdAfter": PAST, "maxResultsPerPage": "25", "includedData": "FULFILLMENT"}
    found: list[str] = []
    page = (await api.get(ORDERS, **query)).json()
    token = page["pagination"]["nextToken"]
    while True:
        found += [each["orderId"] for each in page["orders"]]
        if "pagination" not in page:
            break
        page = (await api.get(ORDERS, **query, paginationToken=page["pagination"]["nextToken"])).json()
    expected = [each.id for each in seller.book.orders.values() if each.created <= NOW - 120]
    assert found == expected
    assert {"+", "/", "="} <= set(token)
    changed = await api.get(ORDERS, **query, marketplaceIds=DE, paginationToken=token)
    assert changed.status_code == 400
    more = query | {"maxResultsPerPage": "10", "includedData": "BUYER"}
    assert len((await api.get(ORDERS, **more, paginationToken=token)).json()["orders"]) == 10
    raw = await api("GET", f"{ORDERS}?createdAfter={PAST}&paginationToken={token}")
    assert raw.status_code == 400
    await api.advance(86401)
    await api.renew()
    assert (await api.get(ORDERS, **query, paginationToken=token)).status_code == 400


async def test_pages_may_repeat_an_order(api: Any) -> None:
    """With duplicates switched on, a page begins with the last order of the page before."""
    await api.control("PUT", "/sellers/A1SELLER", {"duplicates": True})
    first = (await api.get(ORDERS, createdAfter=PAST, maxResultsPerPage="5")).json()
    second = await api.get(ORDERS, createdAfter=PAST, paginationToken=first["pagination"]["nextToken"])
    assert second.json()["orders"][0]["orderId"] == first["orders"][-1]["orderId"]


async def test_a_change_moves_an_order_into_the_window(api: Any) -> None:
    """lastUpdatedAfter finds what changed since, once the change is two minutes old, and not before it shows."""
    ident = await planned(api, status="PENDING", pending_for=600)
    late = await planned(api, late=900)
    row = await order(api, ident)
    assert "buyer" not in row
    assert "price" not in row["orderItems"][0]["product"]
    await api.advance(601 + 120)
    found = (await api.get(ORDERS, lastUpdatedAfter=iso(NOW + 500), includedData="FULFILLMENT")).json()
    assert [each["orderId"] for each in found["orders"]] == [ident]
    assert found["orders"][0]["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    await api.advance(400)
    ids = [each["orderId"] for each in (await api.get(ORDERS, createdAfter=iso(NOW - 1))).json()["orders"]]
    assert late in ids


@pytest.mark.parametrize("kind", list(KINDS))
async def test_each_kind_is_told_by_its_marks(api: Any, kind: str) -> None:
    """Prime, FBA, B2B, pickup points, replacements, gifts and orders of other shops look as documented."""
    row = await order(api, await planned(api, kind=kind, marketplace=DE))
    marks = {
        "mfn": "programs" not in row and row["fulfillment"]["fulfilledBy"] == "MERCHANT",
        "prime": row.get("programs") == ["PRIME"] and row["fulfillment"]["fulfilledBy"] == "MERCHANT",
        "fba": row["fulfillment"]["fulfilledBy"] == "AMAZON" and "buyerEmail" not in row["buyer"],
        "b2b": row.get("tax", {}).get("taxRegistrations", [{}])[0].get("taxRegistrationNumber", "").startswith("DE"),
        "pickup": row["recipient"]["deliveryAddress"]["addressType"] == "PICKUP_POINT",
        "replacement": "associatedOrders" in row and row["proceeds"]["grandTotal"]["amount"] == "0.00",
        "non_amazon": row["salesChannel"] == {"channelName": "NON_AMAZON"},
        "gift": "giftOption" in row["orderItems"][0]["fulfillment"].get("packing", {}),
        "iba": "INVOICE_BY_AMAZON" in row.get("programs", []),
    }
    assert marks[kind]


async def test_the_packing_station_is_written_in_four_ways(api: Any) -> None:
    """Each layout puts station and customer number elsewhere."""
    shapes = set()
    for layout in (1, 2, 3, 4):
        row = await order(api, await planned(api, kind="pickup", marketplace=DE, layout=layout))
        address = row["recipient"]["deliveryAddress"]
        shapes.add(tuple(key for key, value in sorted(address.items()) if "ackstation" in str(value)))
        assert any("ackstation" in str(value) for value in address.values())
    assert shapes == {("addressLine1",), ("addressLine2",)}


async def test_amounts_follow_the_way_prices_are_written(api: Any) -> None:
    """Inside there is no tax row, shown it changes no total, on top it is added; a discount has the seller's sign."""
    lines = [{"price": 1190, "quantity": 2, "rate": 19, "discount": 190}]
    totals = {}
    for tax in ("inside", "shown", "on_top"):
        row = (await order(api, await planned(api, marketplace=DE, tax=tax, lines=lines)))["orderItems"][0]["proceeds"]
        parts = {each["type"]: each["subtotal"]["amount"] for each in row["breakdowns"]}
        totals[tax] = (row["proceedsTotal"]["amount"], parts.get("TAX"), parts["DISCOUNT"])
    assert totals == {
        "inside": ("21.90", None, "-1.90"),
        "shown": ("21.90", "3.50", "-1.90"),
        "on_top": ("26.06", "4.16", "-1.90"),
    }


async def test_yen_have_no_decimals_and_unknown_words_occur(api: Any) -> None:
    """A Japanese order has whole amounts; programs and fields nobody knows are passed through."""
    await api.control("POST", "/sellers", {"seller_id": "AJP", "marketplaces": ["A1VC38T7YXB528"], "listings": 0})
    plan = {"lines": [{"price": 1280}], "programs": ["PRIME_2027"], "extra": {"promise": {"kind": "NEW"}}}
    (ident,) = (await api.control("POST", "/sellers/AJP/orders", plan))["orders"]
    row = await api.control("GET", f"/sellers/AJP/orders/{ident}")
    assert row["proceeds"]["grandTotal"] == {"amount": "1280", "currencyCode": "JPY"}
    assert (row["programs"], row["promise"]) == (["PRIME_2027"], {"kind": "NEW"})


async def test_orders_come_in_by_themselves(api: Any, seller: Any) -> None:
    """Sixty an hour arrive over a day, pending at first; what Amazon ships is shipped later; then it stops."""
    before = set(seller.book.orders)
    await api.control("POST", "/sellers/A1SELLER/traffic", {"per_hour": 60})
    await api.advance(86400)
    made = [order for ident, order in seller.book.orders.items() if ident not in before]
    assert len(made) == pytest.approx(1440, rel=0.1)
    assert {order.status for order in made if order.created > NOW + 86400 - 1800} == {"PENDING"}
    old = [order for order in made if order.created < NOW + 86400 - 7 * 3600]
    assert {order.status for order in old if order.fulfilled_by == "AMAZON"} == {"SHIPPED"}
    assert {order.status for order in old if order.fulfilled_by == "MERCHANT"} == {"UNSHIPPED"}
    await api.control("POST", "/sellers/A1SELLER/traffic", {"per_hour": 0})
    count = len(seller.book.orders)
    await api.advance(86400)
    assert len(seller.book.orders) == count


async def test_a_backfill_at_the_permitted_rate_loses_nothing(api: Any, seller: Any) -> None:
    """Whoever asks once a drip after the burst sees every order once, no 429, and a share of one."""
    await api.control("POST", "/sellers/A1SELLER/orders", {"history": 3000, "days": 89})
    query = {"createdAfter": PAST, "createdBefore": iso(NOW - 120), "maxResultsPerPage": "100"}
    found: list[str] = []
    for number in range(100):
        if number >= 20:
            await api.advance(1 / 0.0056)
        await api.renew()
        page = (await api.get(ORDERS, **query)).json()
        found += [each["orderId"] for each in page["orders"]]
        if "pagination" not in page:
            break
        query["paginationToken"] = page["pagination"]["nextToken"]
    assert sorted(found) == sorted(each.id for each in seller.book.orders.values() if each.created <= NOW - 120)
    rows = (await api.control("GET", "/sellers/A1SELLER/figures"))["buckets"]
    (row,) = [each for each in rows if each["operation"] == "searchOrders"]
    assert (row["used"], row["refused"], row["share"]) == (number + 1, 0, 1.0)


async def test_personal_data_need_a_role(api: Any) -> None:
    """Without the restricted role the question is refused, or the part is left out, as the seller is tuned."""
    ident = await planned(api)
    await api.control("POST", "/sellers/A1SELLER/grants", {"roles": ["orders"]})
    assert (await api.get(f"{ORDERS}/{ident}", includedData="BUYER")).status_code == 403
    await api.control("PUT", "/sellers/A1SELLER", {"personal": "omit"})
    assert "buyer" not in (await api.get(f"{ORDERS}/{ident}", includedData="BUYER")).json()["order"]
    await api.control("POST", "/sellers/A1SELLER/grants", {"roles": ["listing"]})
    assert (await api.get(f"{ORDERS}/{ident}")).status_code == 403


async def confirm(api: Any, ident: str, **words: Any) -> Any:
    """A confirmation of one piece of the first line, with `words` over it."""
    row = await order(api, ident)
    item = {"orderItemId": row["orderItems"][0]["orderItemId"], "quantity": 1}
    detail = {"packageReferenceId": "1", "carrierCode": "DHL", "trackingNumber": "T1", "shipDate": iso(NOW)}
    body = {"marketplaceId": DE, "packageDetail": detail | {"orderItems": [item]} | words}
    return await api("POST", f"/orders/v0/orders/{ident}/shipmentConfirmation", body)


async def test_a_confirmation_ships_and_repeats_under_the_same_reference(api: Any) -> None:
    """One of two pieces is partial; the same reference replaces its package; one piece more than there is fails."""
    ident = await planned(api, marketplace=DE, lines=[{"quantity": 2}])
    assert (await confirm(api, ident)).status_code == 204
    assert (await confirm(api, ident, trackingNumber="T2")).status_code == 204
    row = await order(api, ident)
    assert row["fulfillment"]["fulfillmentStatus"] == "PARTIALLY_SHIPPED"
    assert [each["trackingNumber"] for each in row["packages"]] == ["T2"]
    assert (
        await confirm(api, ident, packageReferenceId="2", carrierCode="Other", carrierName="Rad")
    ).status_code == 204
    assert (await order(api, ident))["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    refused = await confirm(api, ident, packageReferenceId="3")
    assert "PackageToUpdateNotFound" in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "words",
    [
        {"packageReferenceId": 1},
        {"packageReferenceId": "0"},
        {"orderItems": {"orderItemId": "1", "quantity": 1}},
        {"trackingNumber": ""},
        {"shipDate": iso(NOW + 60)},
        {"shipDate": iso(NOW - 100 * 86400)},
        {"carrierCode": "Other"},
        {"orderItems": [{"orderItemId": "1", "quantity": 1}]},
    ],
)
async def test_wrong_confirmations_are_400(api: Any, words: dict[str, Any]) -> None:
    """Types, dates and items are looked at."""
    ident = await planned(api, marketplace=DE)
    assert (await confirm(api, ident, **words)).status_code == 400


async def test_a_confirmation_can_be_forgotten(api: Any) -> None:
    """An unknown carrier, or a drop that was ordered, answers 204 and changes nothing."""
    ident = await planned(api, marketplace=DE)
    assert (await confirm(api, ident, carrierCode="dhl paket")).status_code == 204
    await api.control("PUT", "/sellers/A1SELLER", {"drop_confirmations": 1})
    assert (await confirm(api, ident)).status_code == 204
    assert (await order(api, ident))["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert (await confirm(api, ident)).status_code == 204
    assert (await order(api, ident))["fulfillment"]["fulfillmentStatus"] != "UNSHIPPED"


async def test_the_state_machine_has_no_way_back(api: Any) -> None:
    """A shipped order becomes nothing else; a buyer's wish is shown on every line."""
    ident = await planned(api)
    await api.control("POST", f"/sellers/A1SELLER/orders/{ident}/wish", {"reason": "too late"})
    assert (await order(api, ident))["orderItems"][0]["cancellation"]["cancellationRequest"]["requester"] == "BUYER"
    await api.control("POST", f"/sellers/A1SELLER/orders/{ident}/status", {"status": "SHIPPED"})
    url = f"https://simulator/_control/sellers/A1SELLER/orders/{ident}/status"
    assert (await api.http.post(url, json={"status": "UNSHIPPED"})).status_code == 400


async def test_fifty_thousand_orders_are_a_history_of_ninety_days() -> None:
    """Every kind and state occurs, in order of time, the same for the same seed."""
    seller = create(
        clock="manual", now=NOW, sellers=[{"seller_id": "A1SELLER", "marketplaces": [DE, FR], "orders": 50_000}]
    ).world.sellers["A1SELLER"]
    rows = list(seller.book.orders.values())
    assert len(rows) == 50_000
    assert min(row.created for row in rows) == pytest.approx(NOW - 90 * 86400, abs=600)
    assert {row.status for row in rows} >= {"PENDING", "UNSHIPPED", "SHIPPED", "CANCELLED"}
    assert {place for row in rows for place in [row.marketplace]} == {DE, FR}
    assert sum(row.fulfilled_by == "AMAZON" for row in rows) == pytest.approx(11_750, rel=0.05)
    again = create(clock="manual", now=NOW, sellers=[{"seller_id": "A1SELLER", "marketplaces": [DE, FR], "orders": 9}])
    once = create(clock="manual", now=NOW, sellers=[{"seller_id": "A1SELLER", "marketplaces": [DE, FR], "orders": 9}])
    assert again.world.sellers["A1SELLER"].book.orders == once.world.sellers["A1SELLER"].book.orders


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(STATUSES), st.floats(0, 500)), max_size=30),
    size=st.integers(1, 4),
)
def test_any_history_of_moves_keeps_the_index(moves: list[tuple[int, str, float]], size: int) -> None:
    """Whatever happens in whatever order, walking by change finds each order once, in order of its last change."""
    world = create(clock="manual", now=NOW, sellers=[{"seller_id": "A", "listings": 3}]).world
    seller = world.sellers["A"]
    orders = [seller.order(Plan(status="PENDING")) for _ in range(5)]
    for number, status, later in moves:
        world.clock.advance(later)
        if status in MOVES[orders[number].status]:
            seller.book.move(orders[number], status, world.clock.now())
        else:
            with pytest.raises(ValueError, match="does not become"):
                seller.book.move(orders[number], status, world.clock.now())
    found = [each for _, each in seller.book.walk("updated", (0.0, ""), float("inf"))]
    assert sorted(found, key=lambda each: (each.updated, each.id)) == found
    assert {each.id for each in found} == {each.id for each in orders}
    first = [position for position, _ in seller.book.walk("updated", (0.0, ""), float("inf"))][:size]
    rest = [each for _, each in seller.book.walk("updated", first[-1], float("inf"))]
    assert found[size:] == rest


@given(gaps=st.lists(st.floats(0, 400), max_size=60), rate=st.floats(0.005, 5), burst=st.integers(1, 20))
def test_no_bucket_gives_more_than_it_may(gaps: list[float], rate: float, burst: int) -> None:
    """Whatever the gaps between requests, no more pass than burst and drips allow."""
    bucket, now = Bucket(rate, burst, 0.0), 0.0
    for gap in gaps:
        now += gap
        bucket.charge(now)
    assert bucket.used <= burst + rate * now + 1e-4
    report = bucket.report(now)
    assert report["used"] <= report["begun_with"] + report["permitted"] + 1e-3
