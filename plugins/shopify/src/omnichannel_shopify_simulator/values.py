"""Small values: ids, times, amounts as Shopify writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

Row = dict[str, Any]


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def number(value: Any) -> int:
    """The number of an id, 0 when there is none."""
    tail = str(value).rsplit("/", 1)[-1].split("?")[0]
    return int(tail) if tail.isdigit() else 0


def iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> float:
    """Unix seconds of a date or a date with time; without a zone it is UTC. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=65_536)
def amount(cents: int) -> str:
    """As Shopify writes decimals: at least one digit behind the point, no more zeros than that."""
    text = f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"
    return text.removesuffix("0")


def cents(text: Any) -> int:
    """Cents of an amount. Raises ValueError."""
    try:
        return int((Decimal(str(text)) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    except ArithmeticError as error:
        raise ValueError(f"{text!r} is not an amount") from error


@lru_cache(maxsize=65_536)
def bag(value: int, currency: str, other: str, rate: float) -> Row:
    """MoneyBag of `value` cents in the shop's currency; nobody changes it."""
    shown = value if other == currency else int(value * rate + (0.5 if value >= 0 else -0.5))
    return {
        "shopMoney": {"amount": amount(value), "currencyCode": currency},
        "presentmentMoney": {"amount": amount(shown), "currencyCode": other},
    }


def money(order: Row, value: int) -> Row:
    """A bag in the currencies of an order."""
    return bag(value, order["currencyCode"], order["presentmentCurrencyCode"], order["_rate"])


def error(message: str, field: list[str] | None = None, code: str | None = None) -> Row:
    """One entry of `userErrors`."""
    return {"field": field, "message": message, "code": code}
