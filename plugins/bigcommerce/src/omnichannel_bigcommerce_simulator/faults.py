"""Faults of BigCommerce's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from omnichannel_core.testing.simulated import faults


@dataclass(slots=True)
class Fault(faults.Fault):
    """One order.

    Attributes:
        kind: `status` answers in the version's own error shape; `gzip_error` sends it compressed.
        operation: e.g. "GET /v2/orders".
        store: its hash; empty for all.
        quota_headers: False leaves the four quota headers out of the answer (a platform-wide 429).
        retry_after: seconds for X-Retry-After.
    """

    kinds: ClassVar[frozenset[str]] = faults.Fault.kinds | {"gzip_error"}

    store: str = ""
    title: str = ""
    quota_headers: bool = True
    retry_after: int | None = None

    def whose(self) -> str:
        """The store's hash."""
        return self.store
