"""What a query costs (guide 2.5): objects 1, mutations 10, connections by the logarithm of their size, money free.

The formula is a fit to published measurements, not Shopify's own. `requested` takes each connection as full as
`first` allows; `actual` as full as it was on average.
"""

from __future__ import annotations

import math
from typing import Any

from omnichannel_shopify_simulator.execution import Selection, Step

FREE = frozenset({"MoneyBag", "MoneyV2", "PageInfo"})
EXTRA = {"variants": 0.2, "metafields": 0.4, "files": 1.9}
"""What `productSet` adds by entry (specs shopify, description of `productSet`)."""


def of(selection: Selection, *, actual: bool = False) -> int:
    return max(1, math.ceil(_inside(selection, actual=actual)))


def _inside(selection: Selection, *, actual: bool) -> float:
    if selection.kinds is not None:
        return max((_inside(one, actual=actual) for one in selection.kinds.values()), default=0.0)
    return sum(_step(step, actual=actual) for step in selection.steps)


def _step(step: Step, *, actual: bool) -> float:
    if step.args and "@" in step.args:
        inside = 0.0 if step.below is None else _inside(step.below, actual=actual)
        return 10.0 + inside - 1.0 * bool(inside) + _input(step.args)
    if step.below is None or step.below.kind in FREE or step.name == "userErrors":
        return 0.0
    each = 1.0 + _inside(step.below, actual=actual)
    if actual and not step.parents:
        return 0.0
    if step.first is None:
        return each
    size = float(step.first)
    if actual:
        size = min(size, step.items / step.parents)
    return multiplier(size) * each


def multiplier(size: float) -> float:
    """How much more a list of `size` costs than one entry."""
    if size <= 1:
        return size
    return max(1.0, 2.05 * math.log(size) - 0.3)


def _input(args: dict[str, Any]) -> float:
    """What a large `productSet` adds."""
    given = args.get("input")
    if not isinstance(given, dict):
        return 0.0
    return sum(points * len(given.get(name) or ()) for name, points in EXTRA.items())
