"""Amounts: Decimal inside, strings of four decimals in v2, numbers in v3."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

FOUR = Decimal("0.0001")
ZERO = Decimal(0)


class Amount(NamedTuple):
    """One amount seen from both sides of the tax."""

    ex: Decimal
    inc: Decimal
    tax: Decimal

    def times(self, quantity: int) -> Amount:
        return Amount(self.ex * quantity, self.inc * quantity, self.tax * quantity)

    def plus(self, other: Amount) -> Amount:
        return Amount(self.ex + other.ex, self.inc + other.inc, self.tax + other.tax)

    def minus(self, other: Amount) -> Amount:
        return Amount(self.ex - other.ex, self.inc - other.inc, self.tax - other.tax)


NOTHING = Amount(ZERO, ZERO, ZERO)


def both(exact: Decimal, rate: Decimal, *, inclusive: bool) -> Amount:
    """The amount from its exact side: tax inclusive or not. `rate` is 0.19 for 19 percent."""
    if inclusive:
        ex = (exact / (1 + rate)).quantize(FOUR, ROUND_HALF_UP)
        return Amount(ex, exact, exact - ex)
    inc = (exact * (1 + rate)).quantize(FOUR, ROUND_HALF_UP)
    return Amount(exact, inc, inc - exact)


def v2(amount: Decimal) -> str:
    return str(amount.quantize(FOUR, ROUND_HALF_UP))


def v3(amount: Decimal) -> float:
    return float(amount.quantize(FOUR, ROUND_HALF_UP))


def sides(name: str, amount: Amount) -> dict[str, str]:
    """`{name}_ex_tax`, `{name}_inc_tax`, `{name}_tax`."""
    return {f"{name}_ex_tax": v2(amount.ex), f"{name}_inc_tax": v2(amount.inc), f"{name}_tax": v2(amount.tax)}
