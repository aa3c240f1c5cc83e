"""The protocol: versions, formats, dates, errors, pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_v2_answers_xml_unless_json_is_asked_for(client: Any) -> None:
    """Without Accept, or with another one, v2 answers XML; v3 refuses a foreign Accept with 406."""
    for accept in ("*/*", "text/html"):
        api = await client(Accept=accept)
        answer = await api.get("/v2/time")
        assert answer.headers["content-type"] == "application/xml"
        assert answer.text.startswith("<?xml")
        assert (await api.get("/v2/orders/9")).headers["content-type"] == "application/xml"
    assert (await api.get("/v3/channels")).status_code == 406
    assert (await (await client(Accept="*/*")).get("/v3/channels")).json()["data"]


async def test_errors_have_the_shape_of_their_version(api: Any) -> None:
    """v2 errors are arrays, v3 errors are objects, inventory's are problem+json."""
    assert (await api.get("/v2/orders/9")).json() == [
        {"status": 404, "message": "The requested resource was not found."}
    ]
    assert (await api.get("/v3/nothing")).json().keys() == {"status", "title", "type"}
    answer = await api("PUT", "/v3/inventory/adjustments/absolute", {"items": []})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_methods_and_bodies_that_do_not_fit(api: Any) -> None:
    """A method unknown to a path is 405, a body that is not JSON 400, another content type 415."""
    assert (await api("DELETE", "/v2/time")).status_code == 405
    url = "/stores/shop1/v2/orders/100"
    assert (await api.http.put(url, content=b"{", headers={"content-type": "application/json"})).status_code == 400
    assert (await api.http.put(url, content=b"a=b", headers={"content-type": "text/plain"})).status_code == 415


async def test_empty_v2_lists_are_204_and_empty_v3_lists_are_not(api: Any) -> None:
    """An empty v2 page has no body at all; an empty v3 page has data and meta."""
    answer = await api.get("/v2/orders?min_id=5000")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.get("/v2/orders/100/coupons")).status_code == 204
    assert (await api.get("/v2/currencies?page=2")).status_code == 204
    empty = (await api.get("/v3/hooks")).json()
    assert empty["data"] == []
    assert empty["meta"]["pagination"]["total"] == 0


async def test_dates_and_amounts_by_version(api: Any) -> None:
    """v2 writes RFC-2822 in UTC, "" for no date and amounts as texts of four decimals; v3 writes ISO-8601 and
    numbers.
    """
    order = (await api.get("/v2/orders/100")).json()
    assert parsedate_to_datetime(order["date_created"]).utcoffset() == datetime.now(UTC).utcoffset()
    assert order["date_shipped"] == ""
    assert re.fullmatch(r"\d+\.\d{4}", order["total_inc_tax"])
    paid = (await api.get("/v3/orders/100/transactions")).json()["data"][0]
    assert paid["order_id"] == "100"
    assert datetime.fromisoformat(paid["date_created"]).tzinfo
    assert Decimal(str(paid["amount"])) == Decimal(order["total_inc_tax"])


async def test_pages_of_v2(api: Any) -> None:
    """The default page is 50 and the largest 250, sub-resources page too."""
    assert len((await api.get("/v2/orders")).json()) == 50
    assert len((await api.get("/v2/orders?page=2")).json()) == 10
    assert len((await api.get("/v2/orders?limit=9999")).json()) == 60
    lines = [{"name": f"Thing {n}", "price": "1.00"} for n in range(60)]
    placed = (await api.control("POST", "/stores/shop1/orders", {"lines": lines}))["ids"][0]
    assert len((await api.get(f"/v2/orders/{placed}/products")).json()) == 50
    assert len((await api.get(f"/v2/orders/{placed}/products?page=2")).json()) == 10


async def test_pages_of_v3(api: Any) -> None:
    """Pages tell the total and link to each other; cursors, once given, replace page numbers."""
    first = (await api.get("/v3/catalog/products?limit=8")).json()
    assert first["meta"]["pagination"] | {"links": None} == {
        "total": 20,
        "count": 8,
        "per_page": 8,
        "current_page": 1,
        "total_pages": 3,
        "links": None,
    }
    following = (await api.get("/v3/catalog/products" + first["meta"]["pagination"]["links"]["next"])).json()
    assert following["data"][0]["id"] > first["data"][-1]["id"]
    for n in range(5):
        assert (await api("POST", "/v3/pricelists", {"name": f"List {n}"})).status_code == 200
    seen: list[int] = []
    query = "?limit=2"
    while query:
        page = (await api.get(f"/v3/pricelists{query}")).json()
        seen += [row["id"] for row in page["data"]]
        query = page["meta"]["cursor_pagination"]["links"].get("next", "")
    assert seen == [1, 2, 3, 4, 5]


async def test_links_of_an_order_name_the_real_host(api: Any) -> None:
    """The links point at the real host and spell shippingaddresses otherwise than the documented path."""
    link = (await api.get("/v2/orders/100")).json()["shipping_addresses"]
    assert link["url"] == "https://api.bigcommerce.com/stores/shop1/v2/orders/100/shippingaddresses"
    assert link["resource"] == "/orders/100/shippingaddresses"


async def test_read_only_fields_are_refused(api: Any) -> None:
    """A field that cannot be written is named in a 400 and nothing is changed."""
    answer = await api("PUT", "/v2/orders/100", {"items_total": 3, "staff_notes": "x"})
    assert answer.status_code == 400
    assert answer.json()[0]["message"].startswith("The field 'items_total' cannot be written to.")
    assert (await api.get("/v2/orders/100")).json()["staff_notes"] == ""
