"""Faults under test control, the clock, the log, and the child process over a real socket."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from omnichannel_core.testing.simulator import control, running

pytestmark = pytest.mark.anyio
Api = Any
SHOP = "query Look { shop { id } }"
SHIP = """mutation Ship($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { id } userErrors { message } } }"""


async def fault(api: Api, kind: str, **words: Any) -> None:
    await api.control("POST", "/faults", {"kind": kind, **words})


async def test_s08_errors_inside_a_good_status(api: Api) -> None:
    """S8: a test orders THROTTLED, INTERNAL_SERVER_ERROR, errors of its own, and user errors, all as HTTP 200."""
    await fault(api, "throttled", operation="Look")
    assert (await api(SHOP))["errors"][0]["extensions"]["code"] == "THROTTLED"
    await fault(api, "internal", operation="shop")
    assert (await api(SHOP))["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    await fault(api, "errors", errors="[API] something as a text")
    assert (await api(SHOP))["errors"] == "[API] something as a text"
    await fault(api, "user_errors", operation="fulfillmentCreate", errors=[{"message": "no"}])
    said = await api(SHIP, f={"lineItemsByFulfillmentOrder": []})
    assert said["data"]["fulfillmentCreate"]["userErrors"] == [{"message": "no"}]
    assert "errors" not in await api(SHOP)


@pytest.mark.parametrize(("kind", "status"), [("status", 503), ("html", 502), ("redirect", 301)])
async def test_other_statuses(api: Api, kind: str, status: int) -> None:
    """A test orders an HTTP status with Retry-After, a proxy's page, and a redirect."""
    await fault(api, kind, status=503, retry_after=7, location="https://elsewhere.example/")
    answer = await api.raw(SHOP)
    assert answer.status_code == status
    assert (await api.raw(SHOP)).status_code == 200


async def test_committed_and_then_dropped(api: Api) -> None:
    """The shipment is there though its answer was lost; with nothing done before, it is not."""
    order = await api.order()
    look = "query O($id: ID!) { order(id: $id) { fulfillments { id } fulfillmentOrders(first: 2) { nodes { id } } } }"
    (work,) = (await api.data(look, id=order))["order"]["fulfillmentOrders"]["nodes"]
    words = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": work["id"]}]}
    await fault(api, "drop_before", operation="Ship")
    with pytest.raises(httpx2.RemoteProtocolError):
        await api(SHIP, f=words)
    assert (await api.data(look, id=order))["order"]["fulfillments"] == []
    await fault(api, "drop_after", operation="Ship")
    with pytest.raises(httpx2.RemoteProtocolError):
        await api(SHIP, f=words)
    assert len((await api.data(look, id=order))["order"]["fulfillments"]) == 1


async def test_half_an_answer(api: Api) -> None:
    """A malformed answer is half of a good one."""
    await fault(api, "malformed")
    with pytest.raises(json.JSONDecodeError):
        (await api.raw(SHOP)).json()


async def test_unknown_faults_are_refused(api: Api) -> None:
    """A fault that does not exist, or a control operation that does not, is told in a sentence."""
    answer = await api.http.post("/_control/faults", json={"kind": "magic"})
    assert (answer.status_code, "magic" in answer.json()["error"]) == (400, True)
    assert (await api.http.get("/_control/nonsense")).status_code == 404
    answer = await api.http.post("/_control/stores", json={"shop": "x", "colour": "red"})
    assert (answer.status_code, "colour" in answer.json()["error"]) == (400, True)


async def test_the_log_names_operations_and_codes(api: Api) -> None:
    """Requests are remembered with operation, status, first error's code and cost, never with a whole token."""
    await api(SHOP)
    await api("{ orders { nodes { id } } }")
    first, second = (await api.control("GET", "/log?store=demo"))["requests"]
    assert (first["operation"], first["status"], first["code"], first["token"]) == ("Look", 200, "", "at_1")
    assert second["code"] == "BAD_REQUEST"


async def test_the_clock_moves_by_control(api: Api) -> None:
    """The clock stands, is advanced, and is put on real time from where it stood."""
    before = (await api.control("GET", "/clock"))["now"]
    after = await api.control("POST", "/clock", {"advance": 90})
    assert (after["mode"], after["now"]) == ("manual", before + 90)
    real = await api.control("POST", "/clock", {"mode": "real"})
    assert real["mode"] == "real"
    assert real["now"] >= before + 90


def test_the_child_process_serves_every_shop_at_one_origin() -> None:
    """Over a real socket the host that was meant chooses the shop, and a truncated body is noticed."""
    with running("shopify") as address:
        for name in ("one", "two"):
            control(address, "stores", {"shop": name, "token": f"token-{name}", "orders": 30, "bulk_seconds": 0})
        for name in ("one", "two"):
            headers = {"x-forwarded-host": f"{name}.myshopify.com", "x-shopify-access-token": f"token-{name}"}
            url = f"{address}/admin/api/2026-10/graphql.json"
            with httpx2.Client(headers=headers, trust_env=False) as http:
                found = http.post(url, json={"query": "{ shop { myshopifyDomain } ordersCount { count } }"}).json()
                assert found["data"]["shop"]["myshopifyDomain"] == f"{name}.myshopify.com"
                assert found["data"]["ordersCount"]["count"] == 30
                control(address, "faults", {"kind": "truncate", "shop": name})
                with pytest.raises(httpx2.RemoteProtocolError):
                    http.post(url, json={"query": SHOP})
                assert http.post(url, json={"query": SHOP}).status_code == 200
