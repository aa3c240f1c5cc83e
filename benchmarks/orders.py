"""The data: realistic orders, a pure function of their position, about 3 KB of JSON and two lines each.

Every 200th position repeats an earlier order: alternately a newer state of it (must win) and an older one that arrives
late (must not win); either has another status, and one line less where there are several. So 100,000 positions are
99,500 orders. `updated_at` grows with the position, late ones excepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

PAGE = 250  # orders a page
REPEAT = 200  # one position of so many repeats an order...
BACK = 137  # ...that was so many positions before
STEP = 7  # seconds from one order to the next
START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
LATE = timedelta(hours=1)

_MASK = (1 << 64) - 1
_FIRST = ("Anna", "José", "Zoë", "Łukasz", "Mia", "Emre", "Søren", "Chloé", "Jan", "Priya", "Noah", "Ingrid", "Ömer")
_LAST = ("Müller", "García", "Kowalski", "Smith", "van den Berg", "Öztürk", "Dubois", "Novák", "O'Connor", "Fischer")
_TOWNS = (
    ("Würzburg", "Bayern", "97070", "DE"),
    ("Köln", "Nordrhein-Westfalen", "50667", "DE"),
    ("Łódź", "Łódzkie", "90-001", "PL"),
    ("Lyon", "Auvergne-Rhône-Alpes", "69002", "FR"),
    ("Leeds", "West Yorkshire", "LS1 4AP", "GB"),
    ("Gent", "", "9000", "BE"),
    ("Portland", "Oregon", "97205", "US"),
    ("Austin", "Texas", "78701", "US"),
    ("Wien", "Wien", "1010", "AT"),
    ("Aarhus", "Midtjylland", "8000", "DK"),
    ("Málaga", "Andalucía", "29001", "ES"),
)
_STREETS = (
    "Hauptstraße",
    "Rue de la République",
    "Kirchweg",
    "Elm Street",
    "Piotrkowska",
    "Oak Avenue",
    "Calle Larios",
)
_GOODS = (
    "Trail running shoe",
    "Merino base layer",
    "Espresso cup, set of 6",
    "LED desk lamp",
    "Cast-iron pan 28 cm",
    "Rain jacket",
    "USB-C dock 11-in-1",
    "Notebook A5 dotted",
    "Yoga mat 6 mm",
    "Cordless drill 18 V",
)
_COLORS = ("black", "moss green", "crème", "navy", "red")
_SIZES = ("XS", "S", "M", "L", "XL", "42", "43.5")
_STATES = ("pending", "awaiting_fulfillment", "shipped", "completed", "cancelled", "refunded")
_MONEY = ("EUR", "EUR", "EUR", "USD", "GBP", "PLN")
_METHODS = ("card", "paypal", "invoice", "klarna")
_COUNTS = (1,) * 45 + (2,) * 27 + (3,) * 16 + (4,) * 8 + (5,) * 4
_CENT = Decimal("0.01")
_CARRIER = "Parcel, tracked, 2 to 4 working days, delivered to the door or to a parcel shop nearby"


class Dice:
    """A small generator that starts from any number at no cost (splitmix64)."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = (seed * 0x9E3779B97F4A7C15 + 0x1234567) & _MASK

    def below(self, bound: int) -> int:
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        return (((state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK) >> 17) % bound

    def of(self, choices: tuple[Any, ...]) -> Any:
        return choices[self.below(len(choices))]


def source(position: int) -> tuple[int, int, datetime]:
    """Which order is at this position: its number, its version (0; 1 newer; -1 older), when it was changed."""
    if position % REPEAT != REPEAT - 1:
        return position, 0, changed(position)
    number = position - BACK
    if (position // REPEAT) % 2 == 0:
        return number, 1, changed(position)
    return number, -1, changed(number) - LATE


def changed(position: int) -> datetime:
    """When the order at an ordinary position was changed last."""
    return START + timedelta(seconds=position * STEP)


def since(moment: datetime) -> int:
    """The first position changed at this moment or later."""
    return max(0, -(-int((moment - START).total_seconds()) // STEP))


def final(orders: int) -> Iterator[dict[str, Any]]:
    """What a correct reader of that many positions ends with: the newest state of each order."""
    for position in range(orders):
        if position % REPEAT == REPEAT - 1:
            continue
        again = position + BACK
        newer = again % REPEAT == REPEAT - 1 and again < orders and source(again)[1] == 1
        yield order(again if newer else position)


def order(position: int) -> dict[str, Any]:
    """The order at a position, as the server says it: money as strings, times in RFC 3339."""
    number, version, at = source(position)
    dice = Dice(number)
    placed = changed(number) - timedelta(seconds=600 + dice.below(5000))
    currency = dice.of(_MONEY)
    person = _person(dice, number)
    home = _address(dice, person, number * 2)
    ship = _address(dice, person, number * 2 + 1) if dice.below(4) == 0 else {**home, "id": number * 2 + 1}
    count = dice.of(_COUNTS)
    lines = [_line(dice, number, index, currency) for index in range(count)]
    status = dice.of(_STATES)
    if version:
        lines = lines[: max(1, count - 1)]
        status = "completed" if version > 0 else "pending"
    return {
        "id": 1_000_000 + number,
        "number": f"SO-{number:08d}",
        "status": status,
        "currency": currency,
        "created_at": placed.isoformat().replace("+00:00", "Z"),
        "updated_at": at.isoformat().replace("+00:00", "Z"),
        "channel": {"id": 1 + number % 3, "name": ("Web shop", "Marketplace", "Point of sale")[number % 3]},
        "customer": person,
        "billing_address": home,
        "shipping_addresses": [ship],
        "lines": lines,
        **_sums(dice, number, lines, currency),
        "customer_note": "Please leave the parcel with the neighbors if nobody opens." if number % 5 == 0 else None,
        "tags": ["newsletter", "returning"] if number % 3 == 0 else [],
        "fulfillment": {
            "status": "unfulfilled",
            "location_id": 70 + number % 4,
            "ship_by": None,
            "method": "standard",
            "instructions": "Leave at the reception desk on the ground floor, Monday to Friday, 9 to 17 h",
        },
        "source": {
            "landing_page": f"/collections/spring-sale?utm_source=newsletter&utm_campaign={number % 97:03d}",
            "referrer": "https://www.search.example/",
            "coupon": None,
        },
        "device": {
            "ip": f"203.0.113.{number % 256}",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101",
        },
        "test": False,
    }


def _person(dice: Dice, number: int) -> dict[str, Any]:
    first, last = dice.of(_FIRST), dice.of(_LAST)
    key = 500_000 + dice.below(80_000)
    return {
        "id": key,
        "first_name": first,
        "last_name": last,
        "email": f"customer.{key}@example.com",
        "phone": f"+49 931 {1000000 + dice.below(8999999)}",
        "locale": "de-DE",
        "accepts_marketing": number % 3 == 0,
        "verified_email": True,
        "tax_exempt": False,
        "note": "",
        "orders_count": 1 + dice.below(12),
        "group": None,
    }


def _address(dice: Dice, person: dict[str, Any], key: int) -> dict[str, Any]:
    town, region, postal, country = dice.of(_TOWNS)
    return {
        "id": key,
        "first_name": person["first_name"],
        "last_name": person["last_name"],
        "company": "",
        "street1": f"{dice.of(_STREETS)} {1 + dice.below(180)}",
        "street2": "",
        "city": town,
        "region": region,
        "postal_code": postal,
        "country": country,
        "phone": person["phone"],
        "geo": {"latitude": 40 + dice.below(14_000_000) / 1_000_000, "longitude": dice.below(18_000_000) / 1_000_000},
    }


def _line(dice: Dice, number: int, index: int, currency: str) -> dict[str, Any]:
    goods, color, size = dice.of(_GOODS), dice.of(_COLORS), dice.of(_SIZES)
    quantity = 1 + dice.below(3)
    price = Decimal(299 + dice.below(24_000)) / 100
    total = price * quantity
    product = 1000 + dice.below(9000)
    return {
        "id": number * 10 + index,
        "product_id": product,
        "variant_id": product * 10 + index,
        "sku": f"SKU-{product}-{size}",
        "name": f"{goods}, {color}, {size}",
        "quantity": quantity,
        "price": f"{price:.2f}",
        "total": f"{total:.2f}",
        "tax": f"{(total * 19 / 119).quantize(_CENT):.2f}",
        "tax_rate": "19.00",
        "discount": "0.00",
        "currency": currency,
        "weight": {"value": 100 + dice.below(4000), "unit": "g"},
        "requires_shipping": True,
        "fulfilled_quantity": 0,
        "barcode": f"40{product:05d}{index:05d}",
        "origin": "PT",
        "image": f"https://cdn.shop.example/products/{product}/{product * 10 + index}-large.jpg",
        "gift": False,
        "tax_lines": [{"title": "VAT", "rate": "19.00", "amount": f"{(total * 19 / 119).quantize(_CENT):.2f}"}],
        "options": [{"name": "Color", "value": color}, {"name": "Size", "value": size}],
    }


def _sums(dice: Dice, number: int, lines: list[dict[str, Any]], currency: str) -> dict[str, Any]:
    subtotal = sum((Decimal(line["total"]) for line in lines), Decimal(0))
    shipping = Decimal("0.00") if subtotal > 100 else Decimal("4.90")
    total = subtotal + shipping
    tax = (total * 19 / 119).quantize(_CENT)
    return {
        "subtotal": f"{subtotal:.2f}",
        "shipping_total": f"{shipping:.2f}",
        "discount_total": "0.00",
        "tax_total": f"{tax:.2f}",
        "total": f"{total:.2f}",
        "taxes_included": True,
        "shipping_lines": [{"id": number * 10 + 9, "code": "standard", "title": _CARRIER, "price": f"{shipping:.2f}"}],
        "payments": [
            {
                "id": number,
                "kind": "capture",
                "method": dice.of(_METHODS),
                "status": "success",
                "amount": f"{total:.2f}",
                "currency": currency,
                "processed_at": None,
                "test": False,
                "reference": f"txn_{dice.below(1 << 40):010x}",
            }
        ],
    }


def render(first: int, end: int) -> bytes:
    """The orders of these positions as a JSON array."""
    return msgspec.json.encode([order(position) for position in range(first, end)])
