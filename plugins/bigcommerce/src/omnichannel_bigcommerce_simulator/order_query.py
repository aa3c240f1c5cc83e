"""What a list of orders may be asked for, and what it is answered from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from omnichannel_bigcommerce_simulator.order_record import OrderRecord


class Facts(NamedTuple):
    """What filters and sorts look at."""

    id: int
    created: int
    modified: int
    status_id: int
    customer_id: int
    channel_id: int
    email: str
    payment_method: str
    total: float
    cart_id: str
    external_id: str
    external_order_id: str


Test = Callable[[Facts], bool]


@dataclass(slots=True)
class Query:
    """Which orders, in which order; dates are Unix seconds, bounds inclusive."""

    min_id: int = 0
    max_id: int | None = None
    min_modified: float | None = None
    max_modified: float | None = None
    min_created: float | None = None
    sort: str = "id"
    descending: bool = False
    archived: bool | None = False  # None: both
    tests: list[Test] = field(default_factory=list)


def facts_of(record: OrderRecord) -> Facts:
    order = record.order
    return Facts(
        record.id,
        record.created,
        record.modified,
        order["status_id"],
        order["customer_id"],
        order["channel_id"],
        order["billing_address"].get("email", ""),
        order["payment_method"],
        float(order["total_inc_tax"]),
        order["cart_id"],
        order["external_id"] or "",
        order["external_order_id"] or "",
    )


def ceiled(at: float) -> int:
    return int(-(-at // 1))


def not_before(name: str, at: float, facts: Facts) -> bool:
    return bool(getattr(facts, name) >= at)


def not_after(name: str, at: float, facts: Facts) -> bool:
    return bool(getattr(facts, name) <= at)


def between(low: int, high: int | None, facts: Facts) -> bool:
    return facts.id >= low and (high is None or facts.id <= high)
