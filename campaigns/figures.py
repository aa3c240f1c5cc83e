"""What a campaign says: one JSON line a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class Figure:
    """One figure.

    Attributes:
        value: what was counted or measured.
        limit: the most that is well; the least where `least`.
        details: what else is worth knowing.
    """

    figure: str
    value: float
    limit: float
    least: bool = False
    details: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def ok(self) -> bool:
        """Within its limit."""
        return self.value >= self.limit if self.least else self.value <= self.limit

    def line(self) -> str:
        """As JSON."""
        said = {"figure": self.figure, "value": round(self.value, 3), "limit": self.limit,
                "side": "least" if self.least else "most", "ok": self.ok}  # fmt: skip
        return json.dumps({**said, **self.details})


def control(figure: str, found: float, least: float = 1, **details: Any) -> Figure:
    """A variant with the very fault that is looked for: it must be found, or the campaign proves nothing."""
    return Figure(f"{figure}_control", found, least, least=True, details=details)


def quantile(values: list[float], share: float) -> float:
    """Of sorted or unsorted values; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
