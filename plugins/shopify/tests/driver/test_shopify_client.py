"""Errors in their layers, costs, pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnichannel_shopify import cost
from omnichannel_shopify.api import API, envelope, judge_shopify, read_cost, troubles
from omnichannel_shopify.client import Client
from omnichannel_shopify.operations import OPERATIONS
from omnichannel_shopify.sync.history import Head

from omnichannel_core import errors
from omnichannel_core.driver import Answer

pytestmark = pytest.mark.anyio
Lone = Callable[..., Any]


def error(code: str = "", message: str = "no") -> dict[str, Any]:
    return {"data": None, "errors": [{"message": message, "extensions": {"code": code}}]}


async def test_s01_throttled_is_http_200(lone: Lone, shop: Any):
    """S1: a throttled answer comes as 200 without data; it means slow down, for as long as the bucket needs."""
    state = {"maximumAvailable": 2000, "currentlyAvailable": 52, "restoreRate": 100}
    said = {"requestedQueryCost": 752, "actualQueryCost": None, "throttleStatus": state}
    body = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": {"cost": said}}
    shop.on("NewestOrder", httpx2.Response(200, json=body))
    with pytest.raises(errors.RateLimited) as caught:
        await Client(lone()).send("NewestOrder")
    assert caught.value.wait == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (error("INTERNAL_SERVER_ERROR"), errors.RemoteUnavailable),
        (error("ACCESS_DENIED"), errors.AccessMissing),
        (error("undefinedField", "Field 'x' doesn't exist on type 'Order'"), errors.ContractBroken),
        (error("BAD_REQUEST"), errors.RemoteRejected),
        (error("", "Something odd"), errors.RemoteRejected),
        ({"errors": "[API] Invalid API key or access token (unrecognized login)"}, errors.CredentialsRejected),
        ({"errors": {"query": "Required parameter missing"}}, errors.RemoteRejected),
        ({"data": None}, errors.RemoteUnavailable),
        (httpx2.Response(200, text="<html>"), errors.RemoteUnavailable),
        (httpx2.Response(402, json={"errors": "Unavailable Shop"}), errors.RemoteUnavailable),
        (httpx2.Response(403, json={"errors": "no"}), errors.AccessMissing),
        (httpx2.Response(404, json={"errors": "Not Found"}), errors.CredentialsRejected),
        (httpx2.Response(423, json={"errors": "Locked"}), errors.RemoteUnavailable),
        (httpx2.Response(429, headers={"retry-after": "3"}), errors.RateLimited),
        (httpx2.Response(430), errors.RateLimited),
        (httpx2.Response(504), errors.RemoteUnavailable),
    ],
)
async def test_s08_errors_inside_answers(lone: Lone, shop: Any, answer: Any, raised: type[Exception]):
    """S8: every layer of error becomes the right one of ours, also inside an HTTP 200."""
    session = lone()
    shop.on("NewestOrder", answer)
    shop.on("token", httpx2.Response(400, json={"error": "invalid_grant"}))
    with pytest.raises((raised, errors.AuthorizationNeeded) if raised is errors.CredentialsRejected else raised):
        await Client(session).send("NewestOrder")


async def test_s08_user_errors_are_read(lone: Lone, shop: Any):
    """S8: what a mutation refuses with HTTP 200 is told, under whatever name its payload has for it."""
    for name in ("userErrors", "orderCancelUserErrors"):
        shop.on("Unsubscribe", {"webhookSubscriptionDelete": {name: [{"field": ["id"], "message": "gone"}]}})
        _, refused = await Client(lone()).mutate("Unsubscribe", "webhookSubscriptionDelete", id="x")
        assert [one.message for one in refused] == ["gone"]


@pytest.mark.parametrize("end", [None, "c1"])
async def test_s15_a_list_that_breaks_off(lone: Lone, shop: Any, end: str | None):
    """S15: a list that has more and does not say where it goes on is not taken for the whole of it."""
    page = {"nodes": [{"id": "h"}], "pageInfo": {"hasNextPage": True, "endCursor": end}}
    shop.on("Subscriptions", {"webhookSubscriptions": page})
    with pytest.raises(errors.RemoteUnavailable, match="Subscriptions"):
        await Client(lone()).walk("Subscriptions", Head, ("webhookSubscriptions",))


async def test_misspelt_filter(lone: Lone, shop: Any):
    """A filter that Shopify does not understand, and would answer with everything, is an error."""
    search = [{"path": ["orders"], "query": "updatd_at:>1", "warnings": [{"field": "updatd_at", "message": "Invalid"}]}]
    page = {"orders": {"nodes": [{"id": "gid://shopify/Order/1"}], "pageInfo": {"hasNextPage": False}}}
    shop.on("OrdersWithReturns", {"data": page, "extensions": {"search": search}})
    with pytest.raises(errors.ContractBroken, match="filter"):
        await Client(lone()).walk("OrdersWithReturns", Head, ("orders",), query="updatd_at:>1")
    quiet = [{**search[0], "warnings": []}]
    shop.on("OrdersWithReturns", {"data": page, "extensions": {"search": quiet}})
    assert len(await Client(lone()).walk("OrdersWithReturns", Head, ("orders",), query="x")) == 1


async def test_secrets_stay_out_of_messages(lone: Lone, shop: Any):
    """A token that Shopify repeats in an error is not in our message."""
    shop.on("NewestOrder", error("BAD_REQUEST", "bad token shpat_0123456789abcdef0123456789abcdef"))
    with pytest.raises(errors.RemoteRejected) as caught:
        await Client(lone()).send("NewestOrder")
    assert "0123456789" not in str(caught.value)


async def test_too_expensive_pages_are_halved(lone: Lone, shop: Any):
    """A page that would cost more than one operation may is asked for in half, until it is taken."""

    def answer(variables: dict[str, Any]) -> dict[str, Any]:
        if variables["first"] > 7:
            return error("MAX_COST_EXCEEDED")
        return {"orders": {"nodes": [], "pageInfo": {"hasNextPage": False}}}

    shop.on("OrdersWithReturns", answer)
    session = lone()
    await Client(session).walk("OrdersWithReturns", Head, ("orders",), first=50, query="")
    assert [one["first"] for one in session.asked("OrdersWithReturns")] == [50, 25, 12, 6]


async def test_pages_are_walked_to_the_end(lone: Lone, shop: Any):
    """A connection is walked until it has no more."""

    def page(number: int, more: bool) -> dict[str, Any]:
        info = {"hasNextPage": more, "endCursor": f"c{number}"}
        return {"orders": {"nodes": [{"id": f"gid://shopify/Order/{number}"}], "pageInfo": info}}

    shop.on("OrdersWithReturns", [page(1, True), page(2, True), page(3, False)])
    session = lone()
    assert len(await Client(session).walk("OrdersWithReturns", Head, ("orders",), query="")) == 3
    assert [one["after"] for one in session.asked("OrdersWithReturns")] == [None, "c1", "c2"]


# --- cost
def test_every_operation_is_affordable():
    """No operation is expected to cost more than a single one may, and each is expected to cost something."""
    for name, text in OPERATIONS.items():
        said = cost._predicted(text, 25 if "$first" in text else None)
        assert said >= 1, name
        if name != "OrderReturns":  # asked for two at a time
            assert said <= 1000, name
    assert cost._predicted(OPERATIONS["OrderReturns"], 2) <= 1000


@pytest.mark.parametrize(
    ("text", "measured"),
    [
        ("query A { order(id: 1) { lineItems(first: 10) { nodes { id product { id } variant { id } } } } }", 15),
        ("mutation B { x(input: 1) { thing { id } userErrors { field message } } }", 12),
        ("query C { a: order(id: 1) { totalSet { x { amount } } ...F } } fragment F on Order { customer { id } }", 2),
    ],
)
def test_prediction_reads_the_text(text: str, measured: float):
    """Connections cost the logarithm of their size, mutations ten, money nothing; aliases and fragments are seen."""
    said = cost._predicted(text, None)
    assert measured * 0.9 <= said <= measured * 1.5


async def test_cost_is_said_before_and_learned(lone: Lone, shop: Any):
    """The house is told a cost with every request: first the predicted one, then what Shopify said it costs."""
    text = OPERATIONS["NewestOrder"]
    before = dict(cost._LEARNED)
    cost._LEARNED.clear()
    try:
        shop.on("NewestOrder", {"orders": {"nodes": []}})
        session = lone()
        await Client(session).send("NewestOrder")
        await Client(session).send("NewestOrder")
        assert session.http.costs == [cost._predicted(text, None), 10.0]
    finally:
        cost._LEARNED.update(before)


@given(st.floats(0, 5000), st.floats(1, 20000), st.floats(1, 2000))
def test_bucket_is_read_from_every_answer(left: float, most: float, rate: float):
    """What every answer tells about the bucket reaches the house's limit, throttled ones too."""
    state = {"maximumAvailable": most, "currentlyAvailable": left, "restoreRate": rate}
    body = {
        "errors": [],
        "extensions": {"cost": {"requestedQueryCost": 1, "actualQueryCost": None, "throttleStatus": state}},
    }
    answer = httpx2.Response(200, json=body)
    read = read_cost(Answer(operation="NewestOrder", status=200, headers={}, content=answer.content))
    assert read is not None
    assert (read.left, read.burst, read.rate) == (pytest.approx(left), pytest.approx(most), pytest.approx(rate))


def test_limit_covers_every_operation():
    """One bucket covers all GraphQL operations, and neither the token endpoint nor files."""
    (limit,) = API.limits
    assert limit.operations == frozenset(OPERATIONS)
    assert {"token", "bulkFile"}.isdisjoint(limit.operations)


@given(st.binary(max_size=300))
def test_any_bytes_are_judged(raw: bytes):
    """Whatever bytes an answer holds, judging them raises only what a driver may raise."""
    answer = Answer(operation="NewestOrder", status=200, headers={}, content=raw)
    try:
        judge_shopify(answer)
    except (*errors.DRIVERS_MAY_RAISE, errors.ContractBroken):
        pass
    assert all(one.code or one.message or one.path is None for one in troubles(envelope(answer)))
