"""The marketplace: a simulator of a few paths, with the limit and the oddities that the driver lives with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs

from omnichannel_core.testing.serving import Reply, Request, SimulatorBase

KEY, STALL, PAGE = "hush-stall-key", "s1", 4
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = timezone(timedelta(hours=2))  # what the remote says is local time with its offset


def order(number: int, changed: datetime) -> dict[str, Any]:
    """One order as it is told."""
    placed = BEGIN + timedelta(minutes=number)
    local = placed.astimezone(ZONE)
    lines = [{"id": number * 10 + n, "sku": f"sku-{n}", "quantity": n + 1, "price": "9.95"} for n in range(2)]
    return {"id": number, "number": f"A-{number:04}", "placed": local.isoformat(), "changed": changed.isoformat(),
            "total": "29.85", "currency": "EUR", "lines": lines, "unknown_field": {"x": 1}}  # fmt: skip


@attrs.define
class Stall(SimulatorBase):
    """Orders, stock, parcels; five requests a second."""

    orders: dict[int, dict[str, Any]] = attrs.field(factory=dict)
    stock: dict[str, int] = attrs.field(factory=dict)
    parcels: list[tuple[str, str]] = attrs.field(factory=list)
    left: float = 5.0
    filled: datetime = BEGIN
    page: int = PAGE

    def answer(self, request: Request) -> Reply:
        """Key, limit, path."""
        if request.headers.get("authorization") != f"Key {KEY}":
            return Reply({"error": "no such key"}, 401)
        self.left = min(5.0, self.left + (self.now - self.filled).total_seconds() * 5)
        self.filled = self.now
        if self.left < 0.999:
            return Reply({"error": "slow down"}, 429, {"retry-after": "1"})
        self.left -= 1
        return self._routed(request, request.path.strip("/").split("/"))

    def _routed(self, request: Request, path: list[str]) -> Reply:
        match request.method, path:
            case "GET", ["shop"]:
                return Reply({"id": STALL, "title": "The Stall"})
            case "GET", ["orders"]:
                return self._listed(request.query.get("since", ""), int(request.query.get("after", "0")))
            case "GET", ["orders", one] if one.isdecimal() and int(one) in self.orders:
                return Reply(self.orders[int(one)])
            case "PUT", ["stock"]:
                self.stock |= request.json()
                return Reply({})
            case "POST", ["orders", one, "parcels"]:
                self.parcels.append((one, request.json()["tracking"]))
                return Reply({"id": len(self.parcels), "tracking": self.parcels[-1][1]}, 201)
            case "GET", ["orders", one, "parcels"]:
                there = [(n, tracking) for n, (of, tracking) in enumerate(self.parcels, 1) if of == one]
                return Reply([{"id": n, "tracking": tracking} for n, tracking in there])
        return Reply({"error": "no such path"}, 404)

    def _listed(self, since: str, after: int) -> Reply:
        start = datetime.fromisoformat(since) if since else BEGIN - timedelta(days=1)
        found = [one for number, one in sorted(self.orders.items())
                 if number > after and datetime.fromisoformat(one["changed"]) >= start]  # fmt: skip
        return Reply({"orders": found[: self.page], "more": len(found) > self.page})
