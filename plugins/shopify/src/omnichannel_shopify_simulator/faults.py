"""Faults a test orders: which requests they hit, how often, and what happens to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset(
    {
        "status",
        "throttled",
        "internal",
        "errors",
        "user_errors",
        "redirect",
        "latency",
        "truncate",
        "malformed",
        "html",
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
        kind: one of `KINDS`. `status` answers `status` (with `title` as a text in `errors`) and nothing is done;
            `throttled` says THROTTLED, `internal` INTERNAL_SERVER_ERROR, `errors` what `errors` holds, each as HTTP 200
            without data; `user_errors` does nothing and puts `errors` into `userErrors` of a mutation; `redirect`
            sends 301 to `location`; `latency` waits `seconds` first; `truncate` sends half of a good body under the
            full content length, then closes; `malformed` sends half of it as if it were whole; `html` sends a page of a
            proxy; `drop_before` closes with nothing done, `drop_after` does it and closes; `hang_*` never answer.
        times: requests it hits, -1 for ever.
        skip: matching requests it lets pass first.
        method, path, operation, shop: what it matches; path is a regular expression searched in the path, operation is
            a GraphQL operation's name, a root field such as "orders", "token" or "bulk_file".
        retry_after: seconds for Retry-After.
    """

    kind: str
    times: int = 1
    skip: int = 0
    method: str = ""
    path: str = ""
    operation: str = ""
    shop: str = ""
    status: int = 500
    title: str = ""
    location: str = ""
    errors: Any = None
    retry_after: float | None = None
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = 0

    def matches(self, shop: str, method: str, path: str, operations: frozenset[str]) -> bool:
        return (
            self.times != 0
            and self.shop in {"", shop}
            and self.method in {"", method}
            and (not self.operation or self.operation in operations)
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

    def draw(self, shop: str, method: str, path: str, operations: frozenset[str]) -> list[Fault]:
        drawn: list[Fault] = []
        for fault in self.orders:
            if not fault.matches(shop, method, path, operations):
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
