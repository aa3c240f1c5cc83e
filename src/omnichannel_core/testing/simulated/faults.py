"""Faults a test orders: which requests they hit, how often, and what happens to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

BREAKING = frozenset({"drop_before", "hang_before", "drop_after", "hang_after"})
"""The connection ends without an answer."""
LATER = frozenset({"truncate", "malformed", "drop_after", "hang_after"})
"""The request is done first."""


@dataclass(slots=True)
class Fault:
    """One order; a simulator's own says more.

    Attributes:
        kind: one of `kinds`. `status` answers `status` in the remote's own error shape and nothing is done; `latency`
            waits `seconds` first; `html` sends a page of a proxy; `truncate` sends half of a good body under the full
            content length, then closes; `malformed` sends half of it as if it were whole; `drop_before` closes with
            nothing done, `drop_after` does it and closes; `hang_*` never answer.
        times: requests it hits, -1 for ever.
        skip: matching requests it lets pass first.
        method, path, operation: what it matches; path is a regular expression searched in the path, operation is what
            the simulator calls the request.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"status", "latency", "html", "drop_before", "hang_before"}) | LATER
    later: ClassVar[frozenset[str]] = LATER

    kind: str
    times: int = 1
    skip: int = 0
    method: str = ""
    path: str = ""
    operation: str = ""
    status: int = 500
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = 0

    def whose(self) -> str:
        """The account it hits; empty hits all."""
        return ""

    def matches(self, whose: str, method: str, path: str, operations: frozenset[str]) -> bool:
        """Whether this request is meant."""
        return (
            self.times != 0
            and self.whose() in {"", whose}
            and self.method in {"", method}
            and (not self.operation or self.operation in operations)
            and (not self.path or re.search(self.path, path) is not None)
        )


F = TypeVar("F", bound=Fault)


def ordered(of: type[F], order: Mapping[str, Any]) -> F:
    """A fault from the control API's JSON.

    Raises:
        ValueError: says what is wrong with it.
    """
    kind = order.get("kind", "")
    if kind not in of.kinds:
        raise ValueError(f"fault: kind {kind!r} is not one of {', '.join(sorted(of.kinds))}")
    try:
        fault = of(**order)
        re.compile(fault.path)
    except (TypeError, re.error) as error:
        raise ValueError(f"fault: {error}") from error
    return fault


class Faults(Generic[F]):
    """The list of orders; the first that matches is used up, `latency` lets others match as well."""

    def __init__(self, of: type[F]) -> None:
        self.of = of
        self.orders: list[F] = []

    def order(self, words: Any) -> list[F]:
        """One order or a list of them; ValueError says what is wrong, and then none is taken."""
        made = [ordered(self.of, each) for each in (words if isinstance(words, list) else [words])]
        self.orders += made
        return made

    def draw(self, whose: str, method: str, path: str, operations: frozenset[str]) -> list[F]:
        """What happens to this request."""
        drawn: list[F] = []
        for fault in self.orders:
            if not fault.matches(whose, method, path, operations):
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
