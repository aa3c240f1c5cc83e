"""Orders: filters, labels, archives, totals, shipments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from omnichannel_bigcommerce_simulator.dates import iso, rfc2822
from omnichannel_bigcommerce_simulator.store import Store

pytestmark = pytest.mark.anyio
NOW = 1_790_000_000.0


async def ids(api: Any, query: str) -> list[int]:
    answer = await api.get(f"/v2/orders?limit=250&{query}")
    return [row["id"] for row in answer.json()] if answer.status_code == 200 else []


async def test_kinds_of_orders_that_a_store_has(api: Any) -> None:
    """Guest, digital, multi-address, pickup, foreign currency, external, coupon, fee and certificate orders are all
    there.
    """
    rows = (await api.get("/v2/orders?limit=10&include=consignments,fees&consignment_structure=object")).json()
    assert rows[1]["customer_id"] == 0
    assert rows[2]["order_is_digital"]
    assert rows[2]["consignments"]["downloads"]
    assert len(rows[3]["consignments"]["shipping"]) == 2
    assert rows[4]["consignments"]["pickups"]
    assert not rows[4]["consignments"]["shipping"]
    assert rows[5]["default_currency_code"] == "EUR"
    assert rows[5]["store_default_currency_code"] == "USD"
    assert rows[6]["external_source"] == "another-app"
    assert rows[7]["coupon_discount"] == "5.0000"
    assert rows[8]["fees"][0]["base_cost"] == "1.5000"
    assert rows[9]["consignments"]["email"]["gift_certificates"]
    assert {row["is_tax_inclusive_pricing"] for row in rows} == {True, False}


async def test_all_fifteen_statuses_are_seeded(api: Any) -> None:
    """Counts name every status, every one of them occurs, and they add up to the list."""
    count = (await api.get("/v2/orders/count")).json()
    assert [row["id"] for row in count["statuses"]] == list(range(15))
    assert count["count"] == 60
    assert all(row["count"] for row in count["statuses"])
    assert (await api.get("/v2/orders/count?status_id=11")).json()["count"] == len(await ids(api, "status_id=11"))


async def test_totals_add_up(api: Any) -> None:
    """Lines, shipping, wrapping, handling, fees and discounts of every order make its totals, on both sides of the
    tax.
    """
    for order in (await api.get("/v2/orders?limit=60&include=fees")).json():
        lines = (await api.get(f"/v2/orders/{order['id']}/products")).json()
        for side in ("ex_tax", "inc_tax"):
            assert sum(Decimal(row[f"total_{side}"]) for row in lines) == Decimal(order[f"subtotal_{side}"])
        parts = [order[f"{name}_inc_tax"] for name in ("subtotal", "shipping_cost", "handling_cost", "wrapping_cost")]
        parts += [fee["cost_inc_tax"] for fee in order["fees"]]
        discount = sum(Decimal(each["amount"]) for row in lines for each in row["applied_discounts"])
        assert sum(map(Decimal, parts)) - discount == Decimal(order["total_inc_tax"])
        assert Decimal(order["total_ex_tax"]) + Decimal(order["total_tax"]) == Decimal(order["total_inc_tax"])


async def test_bounds_by_id_and_sort(api: Any) -> None:
    """Bounds by id are inclusive, sort takes a direction, and the default is ascending by id."""
    assert await ids(api, "min_id=110&max_id=112") == [110, 111, 112]
    assert await ids(api, "min_id=157&sort=id:desc") == [159, 158, 157]
    assert await ids(api, "") == list(range(100, 160))
    assert (await api.get("/v2/orders?sort=color:asc")).status_code == 400
    totals = [row["customer_id"] for row in (await api.get("/v2/orders?sort=customer_id:desc&limit=60")).json()]
    assert totals == sorted(totals, reverse=True)


async def test_date_filters_take_both_formats(api: Any, store: Store) -> None:
    """RFC-2822 and ISO-8601 name the same orders, bounds are inclusive, and rubbish is 400."""
    at = store.orders.created_at(130)
    one, other = rfc2822(at).replace("+", "%2B"), iso(at).replace("+", "%2B")
    assert await ids(api, f"min_date_created={one}") == await ids(api, f"min_date_created={other}")
    assert min(await ids(api, f"min_date_created={one}")) <= 130
    assert max(await ids(api, f"max_date_created={other}")) >= 130
    assert (await api.get("/v2/orders?min_date_modified=yesterday")).status_code == 400
    assert (await api.get("/v2/orders?status_id=9,11")).status_code == 400


async def test_changes_bump_the_date_of_modification(api: Any) -> None:
    """Status, shipment, refund and staff notes make an order newer; sorted by modification it comes last."""
    changes: list[tuple[str, str, Any]] = [
        ("POST", "/stores/shop1/orders/100/status", {"status_id": 9}),
        ("POST", "/stores/shop1/orders/120/ship", {}),
        ("POST", "/stores/shop1/orders/110/refund", {"amount": 1.0}),
    ]
    for n, (method, path, body) in enumerate(changes):
        await api.control("POST", "/clock", {"now": NOW + n + 1})
        await api.control(method, path, body)
    await api("PUT", "/v2/orders/105", {"staff_notes": "hello"})
    since = iso(NOW).replace("+", "%2B")
    assert await ids(api, f"min_date_modified={since}&sort=date_modified:asc") == [100, 120, 105, 110]
    assert (await ids(api, "sort=date_modified:desc"))[:2] == [110, 105]


async def test_renamed_labels_show_everywhere(api: Any) -> None:
    """A renamed status shows its label in statuses, counts and orders; its id and system label stay."""
    await api.control("PUT", "/stores/shop1/statuses/11", {"label": "Pick & pack"})
    status = (await api.get("/v2/order_statuses/11")).json()
    assert (status["custom_label"], status["system_label"]) == ("Pick & pack", "Awaiting Fulfillment")
    order = (await api.get("/v2/orders/100")).json()
    assert (order["status_id"], order["custom_status"]) == (11, "Pick & pack")


async def test_archived_orders(api: Any) -> None:
    """An archived order leaves the list, can be read by id, and comes with is_deleted=true where that works."""
    assert (await api("DELETE", "/v2/orders/100")).status_code == 204
    await api("PUT", "/v2/orders/101", {"is_deleted": True})
    assert await ids(api, "max_id=103") == [102, 103]
    assert (await api.get("/v2/orders/100")).json()["is_deleted"] is True
    assert await ids(api, "is_deleted=true") == [100, 101]
    await api.control("PUT", "/stores/shop1", {"is_deleted_filter": "ignored"})
    assert await ids(api, "is_deleted=true&max_id=103") == [102, 103]
    await api.control("PUT", "/stores/shop1", {"archived_listed": True})
    assert await ids(api, "max_id=103") == [100, 101, 102, 103]
    await api.control("POST", "/stores/shop1/orders/100/archive", {"archived": False})
    assert (await api.get("/v2/orders/100")).json()["is_deleted"] is False


async def test_deleting_the_collection_archives_everything(api: Any) -> None:
    """DELETE of the collection archives every order: the trap is there."""
    assert (await api("DELETE", "/v2/orders")).status_code == 204
    assert await ids(api, "") == []


async def test_consignments_in_both_structures(api: Any) -> None:
    """Without consignment_structure=object consignments are the legacy array around the object; line items are links
    or rows.
    """
    query = "/v2/orders/100?include=consignments"
    legacy = (await api.get(query)).json()["consignments"]
    shaped = (await api.get(f"{query}.line_items,consignments&consignment_structure=object")).json()["consignments"]
    assert legacy[0]["shipping"][0]["line_items"][0].keys() == {"url", "resource"}
    assert shaped["shipping"][0]["line_items"][0]["order_id"] == 100
    assert (await api.get("/v2/orders/100")).json()["consignments"].keys() == {"url", "resource"}


async def test_shipments_change_the_status_and_mail_the_customer(api: Any) -> None:
    """A part makes Partially Shipped, the rest Shipped; each mails; deleting one leaves the status."""
    lines = [{"name": "A", "price": "2.00", "quantity": 2}, {"name": "B", "price": "3.00"}]
    number = (await api.control("POST", "/stores/shop1/orders", {"lines": lines}))["ids"][0]
    url, address = f"/v2/orders/{number}/shipments", number * 100 + 1
    part = {
        "order_address_id": address,
        "items": [{"order_product_id": number * 100 + 1, "quantity": 2}],
        "tracking_number": "1Z",
    }
    first = await api("POST", url, part)
    assert first.status_code == 201
    order = (await api.get(f"/v2/orders/{number}")).json()
    assert (order["status_id"], order["items_shipped"], order["date_shipped"]) == (3, 2, "")
    assert (await api("POST", url, part)).status_code == 400, "nothing is left of it"
    rest = {"order_address_id": address, "items": [{"order_product_id": number * 100 + 2, "quantity": 1}]}
    assert (await api("POST", url, rest)).status_code == 201
    order = (await api.get(f"/v2/orders/{number}")).json()
    assert order["status_id"] == 2
    assert order["date_shipped"]
    assert (await api("DELETE", f"{url}/{first.json()['id']}")).status_code == 204
    assert (await api.get(f"/v2/orders/{number}")).json()["status_id"] == 2
    assert len((await api.control("GET", "/stores/shop1/mails"))["mails"]) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"order_address_id": 999},
        {"items": []},
        {"items": [{"order_product_id": 10001, "quantity": 999}]},
        {"items": [{"order_product_id": 10201, "quantity": 1}]},
        {"shipping_provider": "pigeon"},
        {"tracking_number": "x" * 51},
        {"color": "red"},
    ],
)
async def test_shipments_that_do_not_fit(api: Any, change: dict[str, Any]) -> None:
    """A wrong address, line, quantity, provider or unknown word is 400 and ships nothing."""
    words = {"order_address_id": 10001, "items": [{"order_product_id": 10001, "quantity": 1}]} | change
    assert (await api("POST", "/v2/orders/100/shipments", words)).status_code == 400
    assert (await api.get("/v2/orders/100/shipments")).status_code == 204


async def test_digital_and_pickup_lines_cannot_be_shipped(api: Any) -> None:
    """Lines without an address take no shipment."""
    for number in (102, 104):
        line = (await api.get(f"/v2/orders/{number}/products")).json()[0]
        assert line["order_address_id"] == 0
        words = {"order_address_id": 0, "items": [{"order_product_id": line["id"], "quantity": 1}]}
        assert (await api("POST", f"/v2/orders/{number}/shipments", words)).status_code == 400


async def test_items_of_a_shipment_cannot_change(api: Any) -> None:
    """PUT changes tracking words, not items."""
    words = {"order_address_id": 10001, "items": [{"order_product_id": 10001, "quantity": 1}]}
    number = (await api("POST", "/v2/orders/100/shipments", words)).json()["id"]
    url = f"/v2/orders/100/shipments/{number}"
    assert (await api("PUT", url, {"items": []})).status_code == 400
    assert (await api("PUT", url, {"tracking_number": "9"})).json()["tracking_number"] == "9"


async def test_orders_of_the_api_are_pending_and_external(api: Any) -> None:
    """POST makes a Pending order of source external, with the external_source it names, and mails nobody."""
    person = {"first_name": "A", "last_name": "B", "email": "a@example.com"}
    words = {"billing_address": person, "products": [{"product_id": 111, "quantity": 2}], "external_source": "our-app"}
    order = (await api("POST", "/v2/orders", words)).json()
    assert (order["status_id"], order["order_source"], order["external_source"]) == (1, "external", "our-app")
    assert (await api.control("GET", "/stores/shop1/mails"))["mails"] == []
    assert (await api("POST", "/v2/orders", {"products": []})).status_code == 400


async def test_changed_lines_lose_their_discounts(api: Any) -> None:
    """PUT with products clears the discounts of the changed line."""
    line = (await api.get("/v2/orders/107/products")).json()[0]
    assert line["applied_discounts"]
    await api("PUT", "/v2/orders/107", {"products": [{"id": line["id"], "quantity": 5}]})
    changed = (await api.get("/v2/orders/107/products")).json()[0]
    assert (changed["quantity"], changed["applied_discounts"]) == (5, [])


async def test_return_id_is_the_only_trace_of_a_return(api: Any) -> None:
    """A return the merchant made shows as return_id of the line and bumps the order."""
    await api.control("POST", "/stores/shop1/orders/100/return", {"order_product_id": 10001, "return_id": 7})
    assert (await api.get("/v2/orders/100/products")).json()[0]["return_id"] == 7
    assert (await api.get("/v2/orders/100")).json()["date_modified"] == rfc2822(NOW)


async def test_a_store_of_100_000_orders_opens_and_answers_at_once(client: Any) -> None:
    """A big store costs nothing to open, its last page is complete, and no order was built that was not asked for."""
    api = await client("big", "big")
    await api.control("POST", "/stores", {"hash": "big", "token": "big", "orders": 100_000, "order_burst": 1})
    rows = (await api.get("/v2/orders?min_id=99850&limit=250&sort=id:asc")).json()
    assert [row["id"] for row in rows] == list(range(99_850, 100_100))
    assert (await api.get("/v2/orders?page=400&limit=250")).json()[-1]["id"] == 100_099
    assert (await api.get("/v2/orders/count")).json()["count"] == 100_000
