"""Webhooks as the platform runs them: who gets which event, signatures, retries, blocklists, deactivation (guide 1.13).

Nothing is sent from here: deliveries that are due are handed to a test (or to the control API's loopback sender),
and what came of them is reported back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from omnichannel_bigcommerce_simulator.answers import encode
from omnichannel_core.testing.simulated.clock import Clock

Row = dict[str, Any]

LADDER = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21_600, 50_400, 86_400)
"""Seconds to wait after each failed attempt; after the last the hook is switched off."""
IDLE = 90 * 86_400
WINDOW, LEAST, SHARE, BLOCKED = 120, 100, 0.9, 180
EXCEPTION = "store/hook/deliveryException"


@dataclass(slots=True)
class Hook:
    """A subscription; visible to the API account that made it only."""

    id: int
    client_id: str
    secret: str
    scope: str
    destination: str
    headers: dict[str, str] | None
    is_active: bool
    created_at: int
    updated_at: int
    active_from: float
    last_used: float
    warned: float = 0.0

    def row(self, store_hash: str) -> Row:
        return {
            "id": self.id,
            "client_id": self.client_id,
            "store_hash": store_hash,
            "scope": self.scope,
            "destination": self.destination,
            "headers": self.headers,
            "is_active": self.is_active,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }

    @property
    def domain(self) -> str:
        return urlsplit(self.destination).hostname or ""

    def wants(self, scope: str) -> bool:
        """Its own scope, or one that its wildcard covers (`store/order/*`)."""
        if self.scope.endswith("/*"):
            return scope.startswith(self.scope[:-1])
        mine, its = self.scope.split("/"), scope.split("/")
        return len(mine) == len(its) and all(a in {b, "*"} for a, b in zip(mine, its, strict=True))


@dataclass(slots=True)
class Delivery:
    """One event on its way to one hook."""

    id: int
    hook: Hook
    body: bytes
    scope: str
    message_id: str
    due: float
    attempts: int = 0
    state: str = "queued"


@dataclass(slots=True)
class Domain:
    """What a destination's host answered lately."""

    outcomes: list[tuple[float, bool]] = field(default_factory=list)
    blocked_until: float = 0.0


class Hooks:
    """Hooks and deliveries of one store."""

    def __init__(
        self, store_hash: str, store_id: str, clock: Clock, lag: float, mail: Callable[[str, str, str], None]
    ) -> None:
        self.store_hash, self.store_id, self.clock, self.lag, self.mail = store_hash, store_id, clock, lag, mail
        self.hooks: dict[int, Hook] = {}
        self.queue: dict[int, Delivery] = {}
        self.log: list[Row] = []
        self.domains: dict[str, Domain] = {}
        self.emails: list[str] = []
        self._ids = count(18_000_001)
        self._deliveries = count(1)

    def add(self, client_id: str, secret: str, words: Row) -> Hook:
        now = self.clock.now()
        hook = Hook(
            next(self._ids),
            client_id,
            secret,
            words["scope"],
            words["destination"],
            words.get("headers"),
            bool(words.get("is_active", True)),
            int(now),
            int(now),
            now + self.lag,
            now,
        )
        self.hooks[hook.id] = hook
        return hook

    def remove_of(self, client_id: str) -> None:
        """The API account is gone: so are its hooks."""
        self.hooks = {key: hook for key, hook in self.hooks.items() if hook.client_id != client_id}

    def emit(self, scope: str, subject: Row) -> None:
        """An event happened: queue it for every hook that wants it."""
        now = self.clock.now()
        payload = {
            "producer": f"stores/{self.store_hash}",
            "hash": hashlib.sha1(encode([scope, subject, now]), usedforsecurity=False).hexdigest(),
            "created_at": int(now),
            "store_id": self.store_id,
            "scope": scope,
            "data": subject,
        }
        self.log.append(payload)
        self.tick()
        for hook in self.hooks.values():
            if hook.is_active and hook.active_from <= now and hook.wants(scope) and hook.scope != EXCEPTION:
                self._put(hook, scope, encode(payload), now)

    def _put(self, hook: Hook, scope: str, body: bytes, due: float) -> Delivery:
        number = next(self._deliveries)
        message = str(UUID(bytes=hashlib.md5(f"{self.store_hash}/{number}".encode(), usedforsecurity=False).digest()))
        delivery = Delivery(number, hook, body, scope, message, due)
        self.queue[number] = delivery
        hook.last_used = self.clock.now()
        return delivery

    def again(self, number: int) -> Delivery:
        """The platform delivers an event twice: same body and hash, another message id."""
        one = self.queue[number]
        return self._put(one.hook, one.scope, one.body, self.clock.now())

    def due(self, *, reverse: bool = False) -> list[Delivery]:
        """Queued deliveries whose time has come and whose domain is not blocked, oldest first."""
        self.tick()
        now = self.clock.now()
        ready = [
            d for d in self.queue.values() if d.state == "queued" and d.due <= now and not self.blocked(d.hook.domain)
        ]
        return sorted(ready, key=lambda d: (d.due, d.id), reverse=reverse)

    def signed(self, delivery: Delivery) -> dict[str, str]:
        """Headers of a request: the hook's own ones, and a Standard-Webhooks signature by the account's client
        secret.
        """
        stamp = str(int(self.clock.now()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "akka-http/10.0.10",
            **(delivery.hook.headers or {}),
        }
        if delivery.hook.secret:
            text = f"{delivery.message_id}.{stamp}.".encode() + delivery.body
            digest = hmac.new(delivery.hook.secret.encode(), text, hashlib.sha256).digest()
            signature = "v1," + base64.b64encode(digest).decode()
            headers |= {"webhook-id": delivery.message_id, "webhook-timestamp": stamp, "webhook-signature": signature}
        return headers

    def report(self, number: int, status: int) -> Delivery:
        """What came of an attempt: 2xx ends it, anything else climbs the ladder of retries."""
        delivery, now = self.queue[number], self.clock.now()
        good = 200 <= status < 300
        self._remember(delivery.hook.domain, good, now)
        if good:
            delivery.state = "delivered"
        elif delivery.attempts < len(LADDER):
            delivery.due = now + LADDER[delivery.attempts]
            delivery.attempts += 1
            self._warn(delivery.hook, 90001, "Service unavailable; will retry.")
        else:
            delivery.state = "exhausted"
            self._switch_off(delivery.hook, "all attempts failed")
            self._warn(delivery.hook, 90002, "Attempts exhausted; the hook was deactivated.")
        return delivery

    def _remember(self, domain: str, good: bool, now: float) -> None:
        seen = self.domains.setdefault(domain, Domain())
        seen.outcomes = [each for each in seen.outcomes if each[0] > now - WINDOW] + [(now, good)]
        wins = sum(1 for _, each in seen.outcomes if each)
        if len(seen.outcomes) >= LEAST and wins / len(seen.outcomes) < SHARE and seen.blocked_until <= now:
            seen.blocked_until = now + BLOCKED
            seen.outcomes.clear()
            for hook in list(self.hooks.values()):
                if hook.domain == domain:
                    self._warn(hook, 90003, "The domain was blocked.", always=True)

    def blocked(self, domain: str) -> bool:
        return domain in self.domains and self.domains[domain].blocked_until > self.clock.now()

    def _warn(self, hook: Hook, code: int, text: str, *, always: bool = False) -> None:
        """`store/hook/deliveryException`: at most one notice in ten minutes for retries."""
        now = self.clock.now()
        if code == 90001 and not always and now - hook.warned < 600:
            return
        hook.warned = now
        body = encode(
            {
                "producer": f"stores/{self.store_hash}",
                "hash": hashlib.sha1(encode([code, hook.id, now]), usedforsecurity=False).hexdigest(),
                "created_at": int(now),
                "store_id": self.store_id,
                "scope": EXCEPTION,
                "data": {
                    "type": "hook_delivery_exception",
                    "hook_id": hook.id,
                    "destination": hook.destination,
                    "code": code,
                    "message": text,
                },
            }
        )
        for other in self.hooks.values():
            if (
                other.scope == EXCEPTION
                and other.is_active
                and other.client_id == hook.client_id
                and other.id != hook.id
            ):
                self._put(other, EXCEPTION, body, now)

    def _switch_off(self, hook: Hook, why: str) -> None:
        if not hook.is_active:
            return
        hook.is_active = False
        hook.updated_at = int(self.clock.now())
        for address in self.emails or ["owner"]:
            self.mail("hook_deactivated", address, f"Webhook {hook.id} was deactivated: {why}")

    def tick(self) -> None:
        """What time does by itself: 90 days without an event switch a hook off."""
        now = self.clock.now()
        for hook in self.hooks.values():
            if hook.is_active and now - hook.last_used >= IDLE:
                self._switch_off(hook, "90 days without activity")
