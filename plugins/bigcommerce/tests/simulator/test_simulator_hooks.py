"""Webhooks: who gets what, signed how, retried when."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

pytestmark = pytest.mark.anyio
H, C = "/v3/hooks", "/stores/shop1"
HOOK = {"scope": "store/order/*", "destination": "https://host.example/hook", "headers": {"x-secret": "s3"}}
LADDER = [60, 180, 300, 600, 900, 1800, 3600, 7200, 21_600, 50_400, 86_400]


async def due(api: Any, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await api.control("GET", f"{C}/deliveries{query}"))["deliveries"]
    return rows


@pytest.fixture
async def hook(api: Any) -> int:
    """A hook that gets events already."""
    number = int((await api("POST", H, HOOK)).json()["data"]["id"])
    await api.control("POST", "/clock", {"advance": 60})
    return number


async def test_events_reach_a_hook_with_its_headers_and_signature(api: Any, hook: int) -> None:
    """A delivery has the hook's headers, a payload of ids only, and a signature by the account's client secret."""
    number = (await api.control("POST", f"{C}/orders", {}))["ids"][0]
    (delivery,) = await due(api)
    body, headers = delivery["body"], delivery["headers"]
    payload = json.loads(body)
    assert payload["scope"] == "store/order/created"
    assert payload["data"] == {"type": "order", "id": number}
    assert payload["producer"] == "stores/shop1"
    assert payload["store_id"].isdigit()
    assert headers["x-secret"] == "s3"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    expected = base64.b64encode(hmac.new(b"secret-1", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


async def test_account_without_a_known_secret_signs_nothing(api: Any, client: Any) -> None:
    """A hook of an account whose secret nobody knows has its own headers only."""
    await api.control("POST", f"{C}/tokens", {"token": "plain", "client_id": "plain"})
    await (await client("plain"))("POST", H, HOOK)
    await api.control("POST", "/clock", {"advance": 60})
    await api.control("POST", f"{C}/orders", {})
    (delivery,) = await due(api)
    assert not any(name.startswith("webhook-") for name in delivery["headers"])
    assert delivery["headers"]["x-secret"] == "s3"


async def test_a_new_hook_gets_nothing_for_a_minute(api: Any) -> None:
    """Events of the first minute are lost for a new hook."""
    await api("POST", H, HOOK)
    await api.control("POST", f"{C}/orders", {})
    assert await due(api) == []
    await api.control("POST", "/clock", {"advance": 60})
    assert await due(api) == []


async def test_incomplete_orders_are_told_too(api: Any, hook: int) -> None:
    """store/order/created comes for an Incomplete order, and its payload does not say so."""
    await api.control("POST", f"{C}/orders", {"status_id": 0})
    (delivery,) = await due(api)
    assert "status" not in json.loads(delivery["body"])["data"]


async def test_events_of_a_status_change(api: Any, hook: int) -> None:
    """A status change tells updated and statusUpdated with both ids; deliveries can be had out of order."""
    await api.control("POST", f"{C}/orders/100/status", {"status_id": 10})
    payloads = [json.loads(each["body"]) for each in await due(api)]
    assert [each["scope"] for each in payloads] == ["store/order/updated", "store/order/statusUpdated"]
    assert payloads[1]["data"]["status"] == {"previous_status_id": 11, "new_status_id": 10}
    assert [each["id"] for each in await due(api, "?reverse=1")] == [each["id"] for each in await due(api)][::-1]


async def test_hooks_are_seen_by_their_account_only(api: Any, client: Any, hook: int) -> None:
    """Another account sees, changes and deletes nothing."""
    await api.control("POST", f"{C}/tokens", {"token": "other", "client_id": "other"})
    other = await client("other")
    assert (await other.get(H)).json()["data"] == []
    assert (await other("DELETE", f"{H}/{hook}")).status_code == 404
    assert len((await api.get(H)).json()["data"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"destination": "http://host.example/other"},
        {"destination": "https://host.example:8443/other"},
        {"destination": "nonsense"},
        {"scope": "orders"},
        {},
        {"scope": "store/hook/deliveryException"},
    ],
)
async def test_hooks_that_are_refused(api: Any, hook: int, change: dict[str, Any]) -> None:
    """Plain http, another port, a wrong scope, a duplicate, and an exception hook at a used destination are 422."""
    assert (await api("POST", H, HOOK | change)).status_code == 422


async def test_ten_hooks_of_a_scope(api: Any) -> None:
    """The eleventh hook of one scope and account is refused, unknown words are ignored."""
    for n in range(10):
        words = HOOK | {"destination": f"https://host.example/{n}", "events_history_enabled": True}
        made = await api("POST", H, words)
        assert made.status_code == 200
        assert "events_history_enabled" not in made.json()["data"]
    assert (await api("POST", H, HOOK)).status_code == 422


async def test_same_event_delivered_twice_has_the_same_hash(api: Any, hook: int) -> None:
    """A second delivery of an event has the same body and hash under another message id."""
    await api.control("POST", f"{C}/orders", {})
    (one,) = await due(api)
    again = await api.control("POST", f"{C}/deliveries/{one['id']}", {"again": True})
    assert again["body"] == one["body"]
    assert again["headers"]["webhook-id"] != one["headers"]["webhook-id"]


async def test_ladder_of_retries_then_deactivation(api: Any, hook: int) -> None:
    """Failures climb the ladder on the clock; after the last rung the hook is off and a mail is sent."""
    await api("PUT", f"{H}/admin", {"emails": ["ops@example.com"]})
    await api.control("POST", f"{C}/orders", {})
    (one,) = await due(api)
    for wait in LADDER:
        await api.control("POST", f"{C}/deliveries/{one['id']}", {"status": 500})
        await api.control("POST", "/clock", {"advance": wait - 1})
        assert await due(api) == []
        await api.control("POST", "/clock", {"advance": 1})
        assert [each["id"] for each in await due(api)] == [one["id"]]
    last = await api.control("POST", f"{C}/deliveries/{one['id']}", {"status": 0})
    assert last["state"] == "exhausted"
    assert (await api.get(f"{H}/{hook}")).json()["data"]["is_active"] is False
    mails = (await api.control("GET", f"{C}/mails"))["mails"]
    assert [(mail["kind"], mail["to"]) for mail in mails] == [("hook_deactivated", "ops@example.com")]


async def test_ninety_days_without_an_event_switch_a_hook_off(api: Any, hook: int) -> None:
    """A hook that had nothing to do for 90 days is switched off; one that is put again is not."""
    await api.control("POST", "/clock", {"advance": 89 * 86_400})
    assert (await api.get(f"{H}/{hook}")).json()["data"]["is_active"] is True
    await api.control("POST", "/clock", {"advance": 86_400})
    assert (await api.get(f"{H}/{hook}")).json()["data"]["is_active"] is False
    await api("PUT", f"{H}/{hook}", {"is_active": True})
    assert (await api.get(f"{H}/{hook}")).json()["data"]["is_active"] is True


async def test_exceptions_of_deliveries_are_told(api: Any, hook: int) -> None:
    """A failed delivery tells the exception hook with 90001, at most once in ten minutes."""
    await api("POST", H, {"scope": "store/hook/deliveryException", "destination": "https://other.example/trouble"})
    await api.control("POST", f"{C}/orders", {"count": 2})
    for each in await due(api):
        await api.control("POST", f"{C}/deliveries/{each['id']}", {"status": 503})
    told = [json.loads(each["body"]) for each in await due(api)]
    assert [each["data"]["code"] for each in told] == [90_001]


async def test_bad_domain_is_blocked_for_three_minutes(api: Any, hook: int) -> None:
    """After 100 requests with less than 90 percent success a domain gets nothing for three minutes, then everything."""
    await api.control("POST", f"{C}/orders", {"count": 101})
    deliveries = await due(api)
    for n, each in enumerate(deliveries[:100]):
        await api.control("POST", f"{C}/deliveries/{each['id']}", {"status": 200 if n % 5 else 500})
    assert await due(api) == []
    blocked = (await api.get(f"{H}/admin")).json()["data"]["blocked_domains"]
    assert [each["destination"] for each in blocked] == ["host.example"]
    await api.control("POST", "/clock", {"advance": 180})
    assert len(await due(api)) == 21


async def test_deleted_and_inactive_hooks_get_nothing(api: Any, hook: int) -> None:
    """What is queued for a deleted hook is dropped, an inactive one gets no new events."""
    await api.control("POST", f"{C}/orders", {})
    await api("DELETE", f"{H}/{hook}")
    assert await due(api) == []


class Receiver(BaseHTTPRequestHandler):
    """Remembers what came."""

    seen: list[tuple[str, bytes, str | None]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append((self.path, body, self.headers.get("x-secret")))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words: Any) -> None:
        """Keeps quiet."""


async def test_deliveries_are_sent_to_loopback_only(api: Any, hook: int) -> None:
    """`deliver` posts what is due to a loopback origin under the destination's path, and refuses any other origin."""
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        await api.control("POST", f"{C}/orders", {})
        sent = await api.control("POST", f"{C}/deliver", {"to": f"http://127.0.0.1:{server.server_port}"})
        assert [each["state"] for each in sent["deliveries"]] == ["delivered"]
        path, body, secret = Receiver.seen.pop()
        assert (path, secret) == ("/hook", "s3")
        assert json.loads(body)["scope"] == "store/order/created"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    refused = await api.http.post(f"/_control{C}/deliver", json={"to": "http://192.0.2.1:80"})
    assert refused.status_code == 400
