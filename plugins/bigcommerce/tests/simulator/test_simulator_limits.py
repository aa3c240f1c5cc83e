"""Quota windows, caps on requests at once, and whose quota it is."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from omnichannel_bigcommerce_simulator.quota import Quota

pytestmark = pytest.mark.anyio


async def test_quota_is_shared_by_all_tokens_of_a_store(client: Any) -> None:
    """150 requests of any tokens fit in a window, the next is 429 with four headers, and time opens a new window."""
    api = await client()
    await api.control("POST", "/stores/shop1/tokens", {"token": "other"})
    other = await client("other")
    for n in range(150):
        answer = await (api if n % 2 else other).get("/v2/time")
        assert answer.status_code == 200
        assert answer.headers["x-rate-limit-requests-left"] == str(149 - n)
    refused = await api.get("/v2/time")
    assert refused.status_code == 429
    assert refused.headers["x-rate-limit-requests-left"] == "0"
    assert refused.headers["x-rate-limit-requests-quota"] == "150"
    assert refused.headers["x-rate-limit-time-window-ms"] == "30000"
    wait = int(refused.headers["x-rate-limit-time-reset-ms"])
    await api.control("POST", "/clock", {"advance": wait / 1000})
    assert (await api.get("/v2/time")).status_code == 200


async def test_error_answers_carry_the_headers_and_cost_a_request(api: Any) -> None:
    """A 404 costs as much as a 200 and carries the four headers."""
    left = [
        int((await api.get(path)).headers["x-rate-limit-requests-left"])
        for path in ("/v2/time", "/v2/orders/9", "/v2/time")
    ]
    assert left == [149, 148, 147]


async def test_another_consumer_takes_its_share(api: Any) -> None:
    """Requests taken by somebody else are gone from the same bucket, at once or at a rate."""
    headers = await api.control("PUT", "/stores/shop1/quota", {"take": 100})
    assert headers["X-Rate-Limit-Requests-Left"] == "50"
    await api.control("PUT", "/stores/shop1/quota", {"foreign_rate": 2.0})
    await api.control("POST", "/clock", {"advance": 40})
    left = int((await api.get("/v2/time")).headers["x-rate-limit-requests-left"])
    assert left == 150 - 20 - 1


async def test_figures_tell_requests_and_the_share_of_the_quota(api: Any) -> None:
    """Figures count requests by operation, answers by status, and the used share of each window."""
    for _ in range(75):
        await api.get("/v2/orders?limit=1")
    await api.control("POST", "/clock", {"advance": 30})
    await api.get("/v2/orders/9")
    figures = await api.control("GET", "/stores/shop1/figures")
    assert figures["requests"] == {"GET /v2/orders": 75, "GET /v2/orders/{id}": 1}
    assert figures["statuses"] == {"200": 75, "404": 1}
    assert [window["share"] for window in figures["windows"]] == [0.5, 0.0067]


async def test_caps_on_requests_at_once(api: Any) -> None:
    """Two upserts of price records run at once, a third is 429; of another list it is not."""
    await api.control("PUT", "/stores/shop1", {"latencies": {"PUT /v3/pricelists/{list}/records": 0.05}})
    for name in ("a", "b"):
        await api("POST", "/v3/pricelists", {"name": name})
    statuses: list[int] = []

    async def put(number: int) -> None:
        answer = await api(
            "PUT", f"/v3/pricelists/{number}/records", [{"variant_id": 301, "currency": "usd", "price": 4}]
        )
        statuses.append(answer.status_code)

    async with anyio.create_task_group() as group:
        for number in (1, 1, 1, 2):
            group.start_soon(put, number)
    assert sorted(statuses) == [200, 200, 200, 429]


async def test_three_changes_of_customers_at_once(api: Any) -> None:
    """A fourth change of customers at once is 429."""
    await api.control("PUT", "/stores/shop1", {"latency": 0.05})
    statuses: list[int] = []

    async def post(n: int) -> None:
        words = [{"email": f"{n}@example.com", "first_name": "A", "last_name": "B"}]
        statuses.append((await api("POST", "/v3/customers", words)).status_code)

    async with anyio.create_task_group() as group:
        for n in range(4):
            group.start_soon(post, n)
    assert sorted(statuses) == [200, 200, 200, 429]


async def test_refunds_of_one_order_run_one_after_the_other(api: Any) -> None:
    """Of two refunds of one order at once one is refused, and the money is refunded once."""
    await api.control("PUT", "/stores/shop1", {"latencies": {"POST /v3/orders/{order}/payment_actions/refunds": 0.05}})
    items = [{"item_type": "ORDER", "item_id": 100, "amount": 1.0}]
    statuses: list[int] = []

    async def refund() -> None:
        words = {"items": items, "payments": [{"provider_id": "stripe", "amount": 1.0}]}
        statuses.append((await api("POST", "/v3/orders/100/payment_actions/refunds", words)).status_code)

    async with anyio.create_task_group() as group:
        group.start_soon(refund)
        group.start_soon(refund)
    assert sorted(statuses) == [201, 429]
    assert len((await api.get("/v3/orders/100/payment_actions/refunds")).json()["data"]) == 1


def test_windows_follow_each_other_without_gaps() -> None:
    """The bucket is full again at every window's start, also after idle windows, and never before."""
    quota = Quota(3, 1000, 100.0)
    assert [quota.charge(100.0 + n / 10) for n in range(4)] == [True, True, True, False]
    assert not quota.charge(100.999)
    assert quota.charge(101.0)
    assert quota.charge(109.5)
    assert quota.reset_ms(109.5) == 500
    assert [row["used"] for row in quota.report()] == [3, 1, 1]
    assert quota.report()[0]["refused"] == 2
