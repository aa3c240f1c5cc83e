"""Seeded orders without storing them: a few hundred random shapes, each worn by many orders.

A shape is everything about an order but its number and dates, so an order is computed from its number when it is
asked for: 100,000 orders cost nothing until then. The first shapes are the special kinds (guest, digital, several
addresses, pickup, foreign currency, external, coupon, fee and wrapping, gift certificate), so that small stores have
them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from omnichannel_bigcommerce_simulator import payments, refunding, shipping
from omnichannel_bigcommerce_simulator.order_building import build, is_paid
from omnichannel_bigcommerce_simulator.order_plan import Line, Plan
from omnichannel_bigcommerce_simulator.order_record import OrderRecord

KINDS = ("plain", "guest", "digital", "addresses", "pickup", "foreign", "external", "coupon", "fee", "certificate")
SPECIAL = 3 * len(KINDS)  # shapes that go through the kinds in turn
STATUS_TURN = (11, 9, 10, 2, 3, 14, 11, 1, 5, 4, 7, 0, 12, 13, 6, 8, 9, 2, 10)  # 19: no beat with the ten kinds
FIRST = ("Ada", "Grace", "Alan", "Zoë", "José", "Mary & Ann", "Søren", "Łukasz", "O'Neil", "Yuki")
LAST = ("Lovelace", "Hopper", "Turing", "Müller", "García", "Nguyen", "Østergård", "Smith-Jones", "D'Arcy", "山田")
PLACES = (
    ("Austin", "Texas", "78701", "United States", "US"),
    ("Portland", "Oregon", "97201", "United States", "US"),
    ("Berlin", "Berlin", "10115", "Germany", "DE"),
    ("Sydney", "New South Wales", "2000", "Australia", "AU"),
    ("Leeds", "West Yorkshire", "LS1 4AP", "United Kingdom", "GB"),
)


@dataclass(frozen=True, slots=True)
class Goods:
    """A thing that orders contain."""

    product_id: int
    variant_id: int
    sku: str
    name: str
    price: Decimal
    options: tuple[tuple[str, str], ...] = ()
    weight: str = "1"
    brand: str = ""


@dataclass(frozen=True, slots=True)
class Habits:
    """What all orders of a store share."""

    seed: int
    currency: str
    foreign: str
    exchange: Decimal
    tax_rate: Decimal
    inclusive: bool
    channels: tuple[int, ...]
    goods: tuple[Goods, ...]


def plan_of(shape: int, habits: Habits) -> Plan:
    """The plan of one shape; the same seed gives the same plan."""
    rng = Random(f"{habits.seed}/{shape}")
    kind = KINDS[shape % len(KINDS)] if shape < SPECIAL else rng.choice(("plain", "plain", "plain", "plain", *KINDS))
    person = _person(rng)
    plan = Plan(
        lines=[_line(rng, habits) for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))],
        billing=person,
        addresses=[dict(person)],
        customer_id=0 if kind == "guest" else rng.randint(1, 400),
        status_id=STATUS_TURN[shape % len(STATUS_TURN)]
        if shape < SPECIAL + len(STATUS_TURN)
        else rng.choice(STATUS_TURN),
        currency=habits.currency,
        tax_rate=habits.tax_rate,
        inclusive=habits.inclusive ^ (shape % 5 == 4),
        shipping=Decimal(rng.randint(0, 1800)) / 100,
        channel_id=rng.choice(habits.channels),
        customer_message=rng.choice(("", "", "", "Please leave it with the neighbor.", "Ring twice 🙂")),
        cart_id=str(UUID(int=rng.getrandbits(128), version=4)),
        payment_method=rng.choice(("Credit Card", "PayPal", "Bank Deposit", "Manual")),
        ip_address=f"203.0.113.{rng.randint(1, 254)}",
    )
    _specialize(plan, kind, rng, habits)
    return plan


def _specialize(plan: Plan, kind: str, rng: Random, habits: Habits) -> None:
    if kind == "digital":
        plan.lines = [Line("E-book: Knots", Decimal("9.99"), 1, "EBOOK-1", type="digital", address=-1, weight="0")]
        plan.addresses, plan.status_id = [], 10
    elif kind == "addresses":
        other = _person(rng)
        plan.lines.append(_line(rng, habits))
        plan.addresses.append(other)
        plan.lines[-1].address = 1
    elif kind == "pickup":
        plan.addresses, plan.pickup, plan.status_id = [], True, 8
    elif kind == "foreign":
        plan.currency, plan.exchange = habits.foreign, habits.exchange
    elif kind == "external":
        plan.external_source, plan.order_source = "another-app", "external"
        plan.external_id, plan.external_order_id = "EXT-77", "EXT-77"
    elif kind == "coupon":
        plan.coupon = ("WELCOME5", Decimal("5.00"))
    elif kind == "fee":
        plan.fee = Decimal("1.50")
        plan.lines[0].wrapping = Decimal("2.00")
        plan.lines.append(Line("Custom engraving", Decimal("12.50"), 1, weight="0.1"))
    elif kind == "certificate":
        plan.lines = [Line("Gift certificate", Decimal("25.00"), 1, type="giftcertificate", address=-1, weight="0")]
        plan.addresses, plan.store_credit = [], Decimal("5.00")
        plan.status_id = 10


def _person(rng: Random) -> dict[str, Any]:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    city, state, code, country, iso2 = rng.choice(PLACES)
    return {
        "first_name": first,
        "last_name": last,
        "company": rng.choice(("", "", "ACME, Inc.")),
        "street_1": f"{rng.randint(1, 999)} Main Street",
        "street_2": rng.choice(("", "", "Apt. 4")),
        "city": city,
        "state": state,
        "zip": code,
        "country": country,
        "country_iso2": iso2,
        "phone": f"555{rng.randint(1000000, 9999999)}",
        "email": f"shopper{rng.randint(1, 400)}@example.com",
    }


def _line(rng: Random, habits: Habits) -> Line:
    if not habits.goods:
        return Line("Custom item", Decimal(rng.randint(100, 9999)) / 100, rng.randint(1, 3))
    goods = rng.choice(habits.goods)
    return Line(
        goods.name,
        goods.price,
        rng.choice((1, 1, 1, 2, 3)),
        goods.sku,
        goods.product_id,
        goods.variant_id,
        options=goods.options,
        weight=goods.weight,
        brand=goods.brand,
    )


def dressed(plan: Plan, order_id: int, created: int, modified: int, habits: Habits) -> OrderRecord:
    """The order of a plan with its history: paid, shipped, refunded as its status says."""
    record = build(plan, order_id, created, modified, habits.currency)
    status = plan.status_id
    if is_paid(status):
        payments.book(record, "purchase", plan.gateway, record.total, created)
    if status in {2, 3, 4} and record.addresses:
        _ship(record, whole=status != 3, at=modified)
    if status in {4, 14}:
        _refund(record, whole=status == 4, at=modified)
    record.order["status_id"] = status
    return record


def _ship(record: OrderRecord, *, whole: bool, at: int) -> None:
    for address in record.addresses:
        items = {row["id"]: row["quantity"] for row in record.products if row["order_address_id"] == address["id"]}
        if not whole:
            first = next(iter(items))
            items = {first: 1}
        words = {"shipping_provider": "ups", "tracking_number": f"1Z{address['id']}"}
        shipping.ship(record, address["id"], items, words, at)
        if not whole:
            return


def _refund(record: OrderRecord, *, whole: bool, at: int) -> None:
    if whole:
        worth = refunding.quote(record, [{"item_type": "ORDER", "item_id": record.id, "amount": float(record.total)}])
    else:
        worth = refunding.quote(record, [{"item_type": "PRODUCT", "item_id": record.products[0]["id"], "quantity": 1}])
    refund = refunding.apply(record, worth, [{"provider_id": "stripe", "amount": float(worth.amount)}], at)
    payments.book(record, "refund", "stripe", worth.amount, at)
    if whole:
        for row in record.products:
            row["quantity_refunded"], row["is_refunded"] = row["quantity"], True
    refund["reason"] = "Damaged in transit"
