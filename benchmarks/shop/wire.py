"""What the benchmark's server says, every field typed, and what it means as an Order.

`gc=False`, and tuples where JSON has arrays: what comes from JSON has no cycles, and the collector need not look at 40
objects an order (it stops to look at a tuple of such, never at a list).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from omnichannel_core.records import Address, Charge, Line, Money, Order, Payment, Tax

State: TypeAlias = Literal["open", "paid", "shipped", "completed", "cancelled", "refunded", "unknown"]
STATES: Mapping[str, State] = {
    "pending": "open", "awaiting_fulfillment": "paid", "shipped": "shipped", "completed": "completed",
    "cancelled": "cancelled", "refunded": "refunded",
}  # fmt: skip


class Person(msgspec.Struct, gc=False):
    id: int
    first_name: str
    last_name: str
    email: str
    phone: str
    locale: str
    accepts_marketing: bool
    orders_count: int
    verified_email: bool
    tax_exempt: bool
    note: str
    group: str | None


class Geo(msgspec.Struct, gc=False):
    latitude: float
    longitude: float


class WireAddress(msgspec.Struct, gc=False):
    id: int
    first_name: str
    last_name: str
    company: str
    street1: str
    street2: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str
    geo: Geo


class Option(msgspec.Struct, gc=False):
    name: str
    value: str


class TaxLine(msgspec.Struct, gc=False):
    title: str
    rate: Decimal
    amount: Decimal


class Weight(msgspec.Struct, gc=False):
    value: int
    unit: str


class WireLine(msgspec.Struct, gc=False):
    id: int
    product_id: int
    variant_id: int
    sku: str
    name: str
    quantity: int
    price: Decimal
    total: Decimal
    tax: Decimal
    tax_rate: Decimal
    discount: Decimal
    currency: str
    weight: Weight
    requires_shipping: bool
    fulfilled_quantity: int
    barcode: str
    origin: str
    image: str
    gift: bool
    tax_lines: tuple[TaxLine, ...]
    options: tuple[Option, ...]


class ShippingLine(msgspec.Struct, gc=False):
    id: int
    code: str
    title: str
    price: Decimal


class WirePayment(msgspec.Struct, gc=False):
    id: int
    kind: str
    method: str
    status: str
    amount: Decimal
    currency: str
    processed_at: datetime | None
    test: bool
    reference: str


class Channel(msgspec.Struct, gc=False):
    id: int
    name: str


class Fulfillment(msgspec.Struct, gc=False):
    status: str
    location_id: int
    ship_by: datetime | None
    method: str
    instructions: str


class Source(msgspec.Struct, gc=False):
    landing_page: str
    referrer: str
    coupon: str | None


class Device(msgspec.Struct, gc=False):
    ip: str
    user_agent: str


class WireOrder(msgspec.Struct, gc=False):
    id: int
    number: str
    status: str
    currency: str
    created_at: datetime
    updated_at: datetime
    channel: Channel
    customer: Person
    billing_address: WireAddress
    shipping_addresses: tuple[WireAddress, ...]
    lines: tuple[WireLine, ...]
    subtotal: Decimal
    shipping_total: Decimal
    discount_total: Decimal
    tax_total: Decimal
    total: Decimal
    taxes_included: bool
    shipping_lines: tuple[ShippingLine, ...]
    payments: tuple[WirePayment, ...]
    customer_note: str | None
    tags: tuple[str, ...]
    fulfillment: Fulfillment
    source: Source
    device: Device
    test: bool


class WirePage(msgspec.Struct, gc=False):
    data: list[WireOrder]


def order(wire: WireOrder) -> Order:
    """The facts the contest asks everybody to keep: `FIELDS` and `LINES` of the checker."""
    currency, ship_to = wire.currency, wire.shipping_addresses[0]
    return Order(
        id=str(wire.id),
        revision=wire.updated_at.isoformat(),
        number=wire.number,
        placed_at=wire.created_at,
        status=wire.status,
        state=STATES.get(wire.status, "unknown"),
        customer=str(wire.customer.id),
        email=wire.customer.email,
        currency=currency,
        gross=Money(wire.total, currency),
        tax=Money(wire.tax_total, currency),
        bill_to=place(wire.billing_address),
        addresses={str(ship_to.id): place(ship_to)},
        lines={str(one.id): article(one) for one in wire.lines},
    )


def place(wire: WireAddress) -> Address:
    """Who and where."""
    return Address(
        first_name=wire.first_name,
        last_name=wire.last_name,
        street1=wire.street1,
        city=wire.city,
        postal_code=wire.postal_code,
        country=wire.country,
    )


def article(wire: WireLine) -> Line:
    """What was bought, how many, for how much."""
    return Line(
        id=str(wire.id),
        sku=wire.sku,
        name=wire.name,
        quantity=Decimal(wire.quantity),
        price=Money(wire.price, wire.currency),
        gross=Money(wire.total, wire.currency),
    )


def whole_order(wire: WireOrder) -> Order:
    """Every fact of it that a record has room for."""
    currency = wire.currency
    ships = {str(one.id): address(one) for one in wire.shipping_addresses}
    ship_to = next(iter(ships), "")
    return Order(
        id=str(wire.id),
        revision=wire.updated_at.isoformat(),
        number=wire.number,
        channel=wire.channel.name,
        placed_at=wire.created_at,
        status=wire.status,
        state=STATES.get(wire.status, "unknown"),
        customer=str(wire.customer.id),
        email=wire.customer.email,
        currency=currency,
        prices_include_tax=wire.taxes_included,
        net=Money(wire.total - wire.tax_total, currency),
        gross=Money(wire.total, currency),
        tax=Money(wire.tax_total, currency),
        bill_to=address(wire.billing_address),
        addresses=ships,
        lines={str(one.id): line(one, ship_to) for one in wire.lines},
        charges={str(one.id): charge(one, currency) for one in wire.shipping_lines},
        payments={str(one.id): payment(one) for one in wire.payments},
        note=wire.customer_note or "",
    )


def address(wire: WireAddress) -> Address:
    """A postal address."""
    return Address(
        id=str(wire.id),
        first_name=wire.first_name,
        last_name=wire.last_name,
        company=wire.company,
        street1=wire.street1,
        street2=wire.street2,
        city=wire.city,
        region=wire.region,
        postal_code=wire.postal_code,
        country=wire.country,
        phone=wire.phone,
    )


def line(wire: WireLine, ship_to: str) -> Line:
    """One line; its total has the tax in it."""
    currency = wire.currency
    return Line(
        id=str(wire.id),
        sku=wire.sku,
        name=wire.name,
        quantity=Decimal(wire.quantity),
        price=Money(wire.price, currency),
        gross=Money(wire.total, currency),
        tax=Money(wire.tax, currency),
        taxes=tuple(Tax(name=one.title, rate=one.rate, amount=Money(one.amount, currency)) for one in wire.tax_lines),
        discount=Money(wire.discount, currency),
        shipped=Decimal(wire.fulfilled_quantity),
        ship_to=ship_to,
        options={one.name: one.value for one in wire.options},
    )


def charge(wire: ShippingLine, currency: str) -> Charge:
    """Shipping."""
    return Charge(id=str(wire.id), kind="shipping", name=wire.title, gross=Money(wire.price, currency))


def payment(wire: WirePayment) -> Payment:
    """One movement of money."""
    return Payment(
        id=str(wire.id),
        kind=wire.kind,
        method=wire.method,
        status=wire.status,
        amount=Money(wire.amount, wire.currency),
        at=wire.processed_at,
        reference=wire.reference,
    )
