"""Webhooks: subscriptions by app, signed deliveries, retries, removal after the last one (guide 2.14).

Nothing is sent from here: deliveries that are due are handed to a test (or to the control API's loopback sender), and
what came of them is reported back.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

from omnichannel_core.testing.simulated.clock import Clock
from omnichannel_shopify_simulator.answers import encode
from omnichannel_shopify_simulator.values import gid, iso

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.installs import Install
    from omnichannel_shopify_simulator.store import Store

Row = dict[str, Any]
LADDER = (60, 300, 600, 1200, 1800, 2700, 3600, 4200)
"""Seconds to wait after each failed attempt: eight within four hours; then the subscription is deleted."""
COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")
VERSION = "2026-10"


@dataclass(slots=True)
class Hook:
    """A subscription; visible to the app that made it only."""

    number: int
    topic: str
    uri: str
    format: str = "JSON"
    include_fields: list[str] = field(default_factory=list)
    filter: str | None = None
    name: str | None = None
    created: float = 0.0
    updated: float = 0.0

    def row(self) -> Row:
        return {
            "id": gid("WebhookSubscription", self.number), "topic": self.topic, "uri": self.uri, "format": self.format,
            "includeFields": self.include_fields, "filter": self.filter, "name": self.name,
            "apiVersion": {"handle": VERSION}, "createdAt": iso(self.created), "updatedAt": iso(self.updated),
        }  # fmt: skip


@dataclass(slots=True)
class Delivery:
    """One event on its way to one address."""

    id: int
    topic: str
    uri: str
    body: bytes
    secret: str
    webhook_id: str
    event_id: str
    triggered: float
    due: float
    hook: Hook | None
    install: Install
    attempts: int = 0
    state: str = "queued"


def topic_name(topic: str) -> str:
    """`ORDERS_CREATE` as the header has it: `orders/create`."""
    for prefix in (
        "fulfillment_orders", "bulk_operations", "inventory_levels", "inventory_items", "metafield_definitions",
        "order_transactions",
    ):  # fmt: skip
        if topic.lower().startswith(prefix + "_"):
            return f"{prefix}/{topic.lower()[len(prefix) + 1 :]}"
    return topic.lower().replace("_", "/", 1)


class Deliveries:
    """Events and deliveries of one shop."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.queue: dict[int, Delivery] = {}
        self.log: list[Row] = []
        self.numbers = count(1_100_000_000_001)
        self._deliveries = count(1)

    def emit(self, topic: str, payload: Row, *, only: Install | None = None) -> None:
        """An event happened: queued for every subscription that wants it."""
        now = self.clock.now()
        event = self._uuid()
        self.log.append({"topic": topic_name(topic), "payload": payload, "at": now})
        for install in self.store.installs.values():
            if only is not None and install is not only:
                continue
            for hook in install.hooks.values():
                if hook.topic == topic and _wanted(hook.filter, payload):
                    body = encode(_chosen(payload, hook.include_fields))
                    self._put(install, topic_name(topic), hook.uri, body, event, now, hook)

    def comply(self, install: Install, topic: str, uri: str, payload: Row) -> Delivery:
        """A compliance topic goes to the address in the app's configuration, subscribed or not."""
        return self._put(install, topic, uri, encode(payload), self._uuid(), self.clock.now(), None)

    def _put(
        self, install: Install, topic: str, uri: str, body: bytes, event: str, now: float, hook: Hook | None
    ) -> Delivery:
        made = Delivery(
            next(self._deliveries), topic, uri, body, install.app.signing_secret, self._uuid(), event, now, now, hook,
            install,
        )  # fmt: skip
        self.queue[made.id] = made
        return made

    def _uuid(self) -> str:
        return str(UUID(int=self.store.random.getrandbits(128), version=4))

    def again(self, number: int, *, other_id: bool = False) -> Delivery:
        """The platform delivers twice: the same Webhook-Id, or another one with the same Event-Id."""
        one = self.queue[number]
        made = self._put(one.install, one.topic, one.uri, one.body, one.event_id, self.clock.now(), one.hook)
        made.triggered = one.triggered
        if not other_id:
            made.webhook_id = one.webhook_id
        return made

    def due(self, *, reverse: bool = False) -> list[Delivery]:
        """Queued deliveries whose time has come, oldest first."""
        now = self.clock.now()
        ready = [each for each in self.queue.values() if each.state == "queued" and each.due <= now]
        return sorted(ready, key=lambda each: (each.due, each.id), reverse=reverse)

    def headers(self, delivery: Delivery, family: str = "x-shopify-") -> dict[str, str]:
        """Signed over the raw bytes by the oldest secret that was not revoked; `family` "shopify-" is the newer one."""
        digest = hmac.digest(delivery.secret.encode(), delivery.body, "sha256")
        words = {
            "topic": delivery.topic, "hmac-sha256": base64.b64encode(digest).decode(), "shop-domain": self.store.domain,
            "api-version": VERSION, "webhook-id": delivery.webhook_id, "event-id": delivery.event_id,
            "triggered-at": iso(delivery.triggered),
        }  # fmt: skip
        if delivery.hook is not None and delivery.hook.name:
            words["name"] = delivery.hook.name
        return {"content-type": "application/json", **{f"{family}{key}": value for key, value in words.items()}}

    def report(self, number: int, status: int) -> Delivery:
        """What came of an attempt: 2xx ends it, anything else climbs the ladder; at its end the hook is deleted."""
        delivery = self.queue[number]
        if 200 <= status < 300:
            delivery.state = "delivered"
        elif delivery.attempts < len(LADDER):
            delivery.due = self.clock.now() + LADDER[delivery.attempts]
            delivery.attempts += 1
        else:
            delivery.state = "exhausted"
            if delivery.hook is not None:
                delivery.install.hooks.pop(delivery.hook.number, None)
        return delivery


def _chosen(payload: Row, fields: list[str]) -> Row:
    return {key: value for key, value in payload.items() if key in fields} if fields else payload


def _wanted(text: str | None, payload: Row) -> bool:
    """A filter of the plain form `field:value`."""
    if not text:
        return True
    name, _, word = text.partition(":")
    return str(payload.get(name, "")).lower() == word.strip("\"'").lower()
