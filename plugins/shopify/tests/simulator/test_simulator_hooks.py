"""Webhooks: subscriptions, signatures, retries, duplicates, compliance."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest

pytestmark = pytest.mark.anyio
Api = Any
URI = "https://host.example/hooks"
CREATE = """mutation S($t: WebhookSubscriptionTopic!, $s: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $t, webhookSubscription: $s) {
    webhookSubscription { id uri apiVersion { handle } } userErrors { field message } } }"""
LIST = "{ webhookSubscriptions(first: 50) { nodes { id topic } } }"


async def subscribe(api: Api, topic: str = "ORDERS_UPDATED", **words: Any) -> Any:
    return (await api.data(CREATE, t=topic, s={"uri": URI, **words}))["webhookSubscriptionCreate"]


async def due(api: Api, query: str = "") -> Any:
    return (await api.control("GET", f"/stores/demo/deliveries{query}"))["deliveries"]


def proves(delivery: Any, secret: str) -> bool:
    digest = hmac.digest(secret.encode(), delivery["body"].encode(), "sha256")
    return base64.b64encode(digest).decode() == delivery["headers"]["x-shopify-hmac-sha256"]


async def test_s18_deliveries_are_signed_over_the_raw_body(api: Api) -> None:
    """S18: a delivery carries topic, shop, ids and an HMAC of its bytes; the payload numeric id and GID."""
    assert (await subscribe(api))["userErrors"] == []
    order = await api.order()
    (delivery,) = await due(api)
    assert proves(delivery, "hush")
    headers = delivery["headers"]
    assert (headers["x-shopify-topic"], headers["x-shopify-shop-domain"]) == ("orders/updated", "demo.myshopify.com")
    body = json.loads(delivery["body"])
    assert (body["admin_graphql_api_id"], str(body["id"])) == (order, order.rsplit("/", 1)[1])
    assert "shopify-topic" in (await due(api, "?family=shopify-"))[0]["headers"]


async def test_s17_a_rotated_secret_signs_late(api: Api) -> None:
    """S17: after a rotation the oldest secret that was not revoked signs."""
    await api.control("POST", "/apps", {"client_id": "c1", "client_secret": "old"})
    made = await api.control("POST", "/apps/c1/install", {"shop": "demo"})
    api.http.headers["x-shopify-access-token"] = made["access_token"]
    await subscribe(api)
    await api.control("PUT", "/apps/c1", {"secrets": ["new", "old"]})
    await api.order()
    (delivery,) = await due(api)
    assert proves(delivery, "old")
    assert not proves(delivery, "new")


async def test_failed_deliveries_come_again_and_then_never(api: Api) -> None:
    """Eight retries within four hours with the same body and id; after the last the subscription is deleted."""
    await subscribe(api)
    await api.order()
    bodies = set()
    for _ in range(9):
        (delivery,) = await due(api)
        bodies.add((delivery["body"], delivery["headers"]["x-shopify-webhook-id"]))
        await api.control("POST", f"/stores/demo/deliveries/{delivery['id']}", {"status": 500})
        await api.control("POST", "/clock", {"advance": 4200})
    assert len(bodies) == 1
    assert await due(api) == []
    assert (await api.data(LIST))["webhookSubscriptions"]["nodes"] == []


async def test_delivered_twice(api: Api) -> None:
    """A duplicate has the same webhook id, or another one with the same event id."""
    await subscribe(api)
    await api.order()
    (first,) = await due(api)
    await api.control("POST", f"/stores/demo/deliveries/{first['id']}", {"status": 200})
    same = await api.control("POST", f"/stores/demo/deliveries/{first['id']}", {"again": True})
    other = await api.control("POST", f"/stores/demo/deliveries/{first['id']}", {"again": True, "other_id": True})
    ids = [one["headers"]["x-shopify-webhook-id"] for one in (first, same, other)]
    assert ids[0] == ids[1] != ids[2]
    assert len({one["headers"]["x-shopify-event-id"] for one in (first, same, other)}) == 1
    assert [one["id"] for one in await due(api, "?reverse=1")] == [other["id"], same["id"]]


async def test_subscriptions_that_are_refused(api: Api) -> None:
    """A plain http address, the same address again, and a topic beyond the scopes or the data level are user errors."""
    assert "http://" in (await subscribe(api, uri="http://host.example/"))["userErrors"][0]["message"]
    made = await subscribe(api)
    assert made["webhookSubscription"]["apiVersion"] == {"handle": "2026-10"}
    assert "already been taken" in (await subscribe(api))["userErrors"][0]["message"]
    await api.control("PUT", "/stores/demo/access", {"scopes": ["read_orders"]})
    assert "read_products" in (await subscribe(api, "PRODUCTS_UPDATE"))["userErrors"][0]["message"]
    await api.control("PUT", "/stores/demo/access", {"level": 0})
    assert "protected customer data" in (await subscribe(api, "ORDERS_CREATE"))["userErrors"][0]["message"]


async def test_fields_and_filters(api: Api) -> None:
    """`includeFields` cuts the payload, a filter keeps events out."""
    await subscribe(api, includeFields=["id", "updated_at"], filter="test:true")
    await api.order()
    await api.order(test=True)
    (delivery,) = await due(api)
    assert set(json.loads(delivery["body"])) == {"id", "updated_at"}


async def test_uninstalling_is_told_last(api: Api) -> None:
    """`appUninstall` queues app/uninstalled, and token and subscriptions are gone."""
    await subscribe(api, "APP_UNINSTALLED")
    await api.data("mutation { appUninstall { app { id } userErrors { message } } }")
    assert (await api.raw("{ shop { id } }")).status_code == 401
    (delivery,) = await due(api)
    assert delivery["topic"] == "app/uninstalled"


async def test_compliance_needs_no_subscription(api: Api) -> None:
    """A redaction request goes to the address of the app's configuration, signed."""
    await api.control("POST", "/apps", {"client_id": "c1", "client_secret": "s1"})
    await api.control("POST", "/apps/c1/install", {"shop": "demo"})
    words = {"shop": "demo", "topic": "shop/redact", "uri": URI}
    delivery = await api.control("POST", "/apps/c1/comply", words)
    assert proves(delivery, "s1")
    assert json.loads(delivery["body"])["shop_domain"] == "demo.myshopify.com"


async def test_only_loopback_is_delivered_to(api: Api) -> None:
    """The sender of the control API refuses any address but loopback."""
    answer = await api.http.post("/_control/stores/demo/deliver", json={"to": "http://192.0.2.1:80"})
    assert answer.status_code == 400
