"""Faults of Amazon's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from omnichannel_core.testing.simulated import faults


@dataclass(slots=True)
class Fault(faults.Fault):
    """One order.

    Attributes:
        kind: `status` answers with `code`, `message` and `details`; `html` answers `status` with a page of a proxy,
            `empty` with nothing.
        path: is searched in the raw path.
        operation: e.g. "searchOrders", or "token" (LWA), "consent", "download", "upload".
        seller: its id; empty for all.
    """

    kinds: ClassVar[frozenset[str]] = faults.Fault.kinds | {"empty"}

    seller: str = ""
    code: str = ""
    message: str = ""
    details: str = ""

    def whose(self) -> str:
        """The seller's id."""
        return self.seller
