"""What seeded orders are filled with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Good:
    """A variant, as an order line remembers it."""

    product: int
    variant: int
    sku: str
    title: str
    variant_title: str | None
    vendor: str
    cents: int

    @staticmethod
    def unknown() -> Good:
        """A custom line: of no product."""
        return Good(0, 0, "CUSTOM", "Custom item", None, "", 1500)
