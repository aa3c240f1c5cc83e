"""Token buckets of the gateway: one per application, seller and operation, and some per application (guide 3.3).

The default rates are those of the operations' own usage-plan tables (rate-limits.tsv).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

RATES: dict[str, tuple[float, int]] = {
    "rotateApplicationClientSecret": (0.0167, 1),
    "getCatalogItem": (2, 2),
    "searchCatalogItems": (2, 2),
    "getDefinitionsProductType": (5, 10),
    "searchDefinitionsProductTypes": (5, 10),
    "getInventorySummaries": (2, 2),
    "getFeeds": (0.0222, 10),
    "createFeed": (0.0083, 15),
    "cancelFeed": (2, 15),
    "getFeed": (2, 15),
    "createFeedDocument": (0.5, 15),
    "getFeedDocument": (0.0222, 10),
    "deleteListingsItem": (5, 5),
    "getListingsItem": (5, 10),
    "patchListingsItem": (5, 5),
    "putListingsItem": (5, 10),
    "searchListingsItems": (5, 5),
    "getListingsRestrictions": (5, 10),
    "getSubscription": (1, 5),
    "createSubscription": (1, 5),
    "getSubscriptionById": (1, 5),
    "deleteSubscriptionById": (1, 5),
    "getDestinations": (1, 5),
    "createDestination": (1, 5),
    "getDestination": (1, 5),
    "deleteDestination": (1, 5),
    "confirmShipment": (2, 10),
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "getReports": (0.0222, 10),
    "createReport": (0.0167, 15),
    "cancelReport": (0.0222, 10),
    "getReport": (2, 15),
    "getReportSchedules": (0.0222, 10),
    "createReportSchedule": (0.0222, 10),
    "cancelReportSchedule": (0.0222, 10),
    "getReportSchedule": (0.0222, 10),
    "getReportDocument": (0.0167, 15),
    "getMarketplaceParticipations": (0.016, 15),
    "getAccount": (0.016, 15),
    "createRestrictedDataToken": (1, 10),
}
"""Operation -> requests per second, burst."""


@dataclass(slots=True)
class Bucket:
    """Starts full; `rate` tokens a second drip in, up to `burst`. Times are Unix seconds.

    Attributes:
        used, refused: requests since `since`; `begun_with` is what the bucket held then.
    """

    rate: float
    burst: float
    at: float
    level: float = -1.0
    used: int = 0
    refused: int = 0
    since: float | None = None
    last: float = 0.0
    begun_with: float = 0.0

    def __post_init__(self) -> None:
        if self.level < 0:
            self.level = self.burst

    def drip(self, now: float) -> None:
        self.level = min(self.burst, self.level + max(0.0, now - self.at) * self.rate)
        self.at = max(self.at, now)

    def charge(self, now: float, cost: float = 1.0) -> bool:
        """Takes a token; False when there is none (429)."""
        self.drip(now)
        if self.since is None:
            self.since, self.begun_with = now, self.level
        self.last = now
        if self.level < cost - 1e-5:  # Unix times are exact to a fraction of a microsecond
            self.refused += 1
            return False
        self.level -= cost
        self.used += 1
        return True

    def take(self, now: float, tokens: float) -> None:
        """Somebody else empties it."""
        self.drip(now)
        self.level = max(0.0, self.level - tokens)

    def restart(self) -> None:
        """Counts anew from the next request on."""
        self.used = self.refused = 0
        self.since = None

    def report(self, now: float) -> dict[str, Any]:
        """Counts, and `share`: requests beyond what the bucket held at the beginning, of those that dripped in up to
        the last request (0 to 1; the burst is in neither).
        """
        elapsed = (self.last - self.since) if self.since is not None else 0.0
        permitted = self.rate * elapsed
        sustained = max(0.0, self.used - self.begun_with)
        level = min(self.burst, self.level + max(0.0, now - self.at) * self.rate)
        return {
            "rate": self.rate,
            "burst": self.burst,
            "level": round(level, 4),
            "used": self.used,
            "refused": self.refused,
            "since": self.since,
            "last": self.last,
            "begun_with": round(self.begun_with, 4),
            "permitted": round(permitted, 4),
            "share": round(sustained / permitted, 4) if permitted else 0.0,
        }


@dataclass(slots=True)
class Buckets:
    """All buckets; `rates` overrides the defaults for one seller ("seller/operation") or for all ("operation")."""

    rates: dict[str, tuple[float, float]] = field(default_factory=dict)
    all: dict[tuple[str, str, str], Bucket] = field(default_factory=dict)

    def of(self, client: str, seller: str, operation: str, now: float) -> Bucket:
        key = (client, seller, operation)
        found = self.all.get(key)
        if found is None:
            rate, burst = self.plan(seller, operation)
            found = self.all[key] = Bucket(rate, burst, now)
        return found

    def plan(self, seller: str, operation: str) -> tuple[float, float]:
        rates = self.rates
        return rates.get(f"{seller}/{operation}") or rates.get(operation) or RATES.get(operation, (1.0, 5))

    def change(self, seller: str, operation: str, rate: float, burst: float, now: float) -> None:
        """A dynamic plan: from now on the buckets of this seller ('' for all) drip like that."""
        self.rates[f"{seller}/{operation}" if seller else operation] = (rate, burst)
        for (_, owner, name), bucket in self.all.items():
            if name == operation and seller in {"", owner}:
                bucket.drip(now)
                bucket.rate, bucket.burst = rate, burst
                bucket.level = min(bucket.level, burst)

    def report(self, seller: str, now: float) -> list[dict[str, Any]]:
        return [
            {"client": client, "operation": operation, **bucket.report(now)}
            for (client, owner, operation), bucket in self.all.items()
            if owner == seller
        ]
