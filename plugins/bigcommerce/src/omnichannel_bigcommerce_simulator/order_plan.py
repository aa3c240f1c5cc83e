"""What an order is made from: lines, addresses, how it is paid. Seeds and the merchant's actions both write plans."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from omnichannel_bigcommerce_simulator.money import ZERO


@dataclass(slots=True)
class Line:
    """One product of an order; `price` is the exact side (inclusive or exclusive as the plan says) of one piece.

    Attributes:
        address: index of the shipping address it goes to, -1 for none (digital, pickup).
        options: (display name, value) of the variant.
        wrapping: price of gift wrapping of one piece.
    """

    name: str
    price: Decimal
    quantity: int = 1
    sku: str = ""
    product_id: int = 0
    variant_id: int = 0
    type: str = "physical"
    address: int = 0
    options: tuple[tuple[str, str], ...] = ()
    wrapping: Decimal = ZERO
    weight: str = "1"
    brand: str = ""
    upc: str = ""


@dataclass(slots=True)
class Plan:
    """An order before it has an id.

    Attributes:
        currency, exchange: transactional currency and its rate from the store's default one.
        display_currency: what the shopper saw, "" for the transactional one.
        tax_rate: 0.19 for 19 percent.
        shipping: cost of one address, exact side.
        coupon: (code, amount off the order, exact side).
        fee: a custom fee, exact side.
    """

    lines: list[Line]
    billing: dict[str, Any]
    addresses: list[dict[str, Any]] = field(default_factory=list)
    customer_id: int = 0
    status_id: int = 11
    currency: str = "USD"
    exchange: Decimal = Decimal(1)
    display_currency: str = ""
    tax_rate: Decimal = Decimal("0.0825")
    tax_name: str = "Sales Tax"
    inclusive: bool = False
    shipping: Decimal = Decimal("4.90")
    handling: Decimal = ZERO
    coupon: tuple[str, Decimal] | None = None
    discount: Decimal = ZERO
    fee: Decimal = ZERO
    store_credit: Decimal = ZERO
    gift_certificate: Decimal = ZERO
    external_source: str | None = None
    external_id: str | None = None
    external_order_id: str = ""
    order_source: str = "www"
    channel_id: int = 1
    payment_method: str = "Credit Card"
    gateway: str = "stripe"
    staff_notes: str = ""
    customer_message: str = ""
    pickup: bool = False
    locale: str = "en"
    cart_id: str = ""
    ip_address: str = "203.0.113.7"

    @property
    def digital(self) -> bool:
        return all(line.type != "physical" for line in self.lines)
