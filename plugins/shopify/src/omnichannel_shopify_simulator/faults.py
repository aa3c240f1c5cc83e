"""Faults of Shopify's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from omnichannel_core.testing.simulated import faults

SAID = frozenset({"throttled", "internal", "errors", "user_errors"})
"""What is said as HTTP 200."""


@dataclass(slots=True)
class Fault(faults.Fault):
    """One order.

    Attributes:
        kind: `status` answers with `title` as a text in `errors`; `throttled` says THROTTLED, `internal`
            INTERNAL_SERVER_ERROR, `errors` what `errors` holds, each as HTTP 200 without data; `user_errors` does
            nothing and puts `errors` into `userErrors` of a mutation; `redirect` sends 301 to `location`.
        operation: a GraphQL operation's name, a root field such as "orders", "token" or "bulk_file".
        shop: its name; empty for all.
        retry_after: seconds for Retry-After.
    """

    kinds: ClassVar[frozenset[str]] = faults.Fault.kinds | SAID | {"redirect"}
    later: ClassVar[frozenset[str]] = faults.Fault.later | SAID

    shop: str = ""
    title: str = ""
    location: str = ""
    errors: Any = None
    retry_after: float | None = None

    def whose(self) -> str:
        """The shop's name."""
        return self.shop
