"""Faults a test orders: which requests they hit, how often, and what happens to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset(
    {
        "status",
        "latency",
        "truncate",
        "malformed",
        "html",
        "empty",
        "drop_before",
        "drop_after",
        "hang_before",
        "hang_after",
    }
)


@dataclass(slots=True)
class Fault:
    """One order.

    Attributes:
        kind: one of `KINDS`. `status` answers `status` with `code`, `message` and `details`, and nothing is done;
            `latency` waits `seconds` first; `truncate` sends half of a good body under the full content length, then
            closes; `malformed` sends half of it as if it were whole; `html` answers `status` with a page of a proxy,
            `empty` with nothing; `drop_before` closes with nothing done, `drop_after` does it and closes; `hang_*`
            never answer.
        times: requests it hits, -1 for ever.
        skip: matching requests it lets pass first.
        method, path, operation, seller: what it matches; path is a regular expression searched in the raw path,
            operation is e.g. "searchOrders", or "token" (LWA), "consent", "download", "upload".
    """

    kind: str
    times: int = 1
    skip: int = 0
    method: str = ""
    path: str = ""
    operation: str = ""
    seller: str = ""
    status: int = 500
    code: str = ""
    message: str = ""
    details: str = ""
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = 0

    def matches(self, seller: str, method: str, path: str, operation: str) -> bool:
        return (
            self.times != 0
            and self.seller in {"", seller}
            and self.method in {"", method}
            and self.operation in {"", operation}
            and (not self.path or re.search(self.path, path) is not None)
        )


def ordered(order: dict[str, Any]) -> Fault:
    """A fault from the control API's JSON; ValueError says what is wrong with it."""
    kind = order.get("kind", "")
    if kind not in KINDS:
        raise ValueError(f"fault: kind {kind!r} is not one of {', '.join(sorted(KINDS))}")
    try:
        fault = Fault(**order)
        re.compile(fault.path)
    except (TypeError, re.error) as error:
        raise ValueError(f"fault: {error}") from error
    return fault


class Faults:
    """The list of orders; the first that matches is used up, `latency` lets others match as well."""

    def __init__(self) -> None:
        self.orders: list[Fault] = []

    def draw(self, seller: str, method: str, path: str, operation: str) -> list[Fault]:
        drawn: list[Fault] = []
        for fault in self.orders:
            if not fault.matches(seller, method, path, operation):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.times > 0:
                fault.times -= 1
            fault.hits += 1
            drawn.append(fault)
            if fault.kind != "latency":
                break
        return drawn
