"""What a competent engineer writes in an afternoon: httpx, pydantic, sqlite3 (in the peers' environment: httpx 0.28).

Each order of a page is validated by a model of what the server says, brought into models of our own (the shape the
rest of a program would use), and stored with the checkpoint in one transaction, while the next page is on its way
(guide performance B: response.json(), model_validate, canonical models, executemany). Durable as it should be: WAL,
synchronous=FULL. An older version never overwrites a newer one.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import httpx

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
  id INTEGER PRIMARY KEY, number TEXT NOT NULL, status TEXT NOT NULL, currency TEXT NOT NULL, total TEXT NOT NULL,
  tax TEXT NOT NULL, email TEXT NOT NULL, customer INTEGER NOT NULL, placed_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL, first_name TEXT NOT NULL, last_name TEXT NOT NULL, street TEXT NOT NULL,
  postal_code TEXT NOT NULL, city TEXT NOT NULL, country TEXT NOT NULL, ship_street TEXT NOT NULL,
  ship_city TEXT NOT NULL, ship_country TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_placed ON orders (placed_at, id);
CREATE TABLE IF NOT EXISTS order_lines (
  order_id INTEGER NOT NULL REFERENCES orders (id), id INTEGER NOT NULL, sku TEXT NOT NULL, name TEXT NOT NULL,
  quantity INTEGER NOT NULL, price TEXT NOT NULL, total TEXT NOT NULL, PRIMARY KEY (order_id, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoint (stream TEXT PRIMARY KEY, page INTEGER NOT NULL);
"""
COLUMNS = (
    "id", "number", "status", "currency", "total", "tax", "email", "customer", "placed_at", "changed_at", "first_name",
    "last_name", "street", "postal_code", "city", "country", "ship_street", "ship_city", "ship_country",
)  # fmt: skip
UPSERT = (
    f"INSERT INTO orders ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
    + " WHERE excluded.changed_at >= orders.changed_at"
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Wire(BaseModel):
    """What the server says: every field is validated, an unknown one is passed over."""

    model_config = ConfigDict(extra="ignore")


class Person(Wire):
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


class Geo(Wire):
    latitude: float
    longitude: float


class Address(Wire):
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


class Option(Wire):
    name: str
    value: str


class TaxLine(Wire):
    title: str
    rate: Decimal
    amount: Decimal


class Weight(Wire):
    value: int
    unit: str


class WireLine(Wire):
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
    tax_lines: list[TaxLine]
    options: list[Option]


class ShippingLine(Wire):
    id: int
    code: str
    title: str
    price: Decimal


class Payment(Wire):
    id: int
    kind: str
    method: str
    status: str
    amount: Decimal
    currency: str
    processed_at: datetime | None
    test: bool
    reference: str


class Channel(Wire):
    id: int
    name: str


class Fulfillment(Wire):
    status: str
    location_id: int
    ship_by: datetime | None
    method: str
    instructions: str


class Origin(Wire):
    landing_page: str
    referrer: str
    coupon: str | None


class Device(Wire):
    ip: str
    user_agent: str


class WireOrder(Wire):
    id: int
    number: str
    status: str
    currency: str
    created_at: datetime
    updated_at: datetime
    channel: Channel
    customer: Person
    billing_address: Address
    shipping_addresses: list[Address]
    lines: list[WireLine]
    subtotal: Decimal
    shipping_total: Decimal
    discount_total: Decimal
    tax_total: Decimal
    total: Decimal
    taxes_included: bool
    shipping_lines: list[ShippingLine]
    payments: list[Payment]
    customer_note: str | None
    tags: list[str]
    fulfillment: Fulfillment
    source: Origin
    device: Device
    test: bool


class Pagination(Wire):
    current_page: int
    total_pages: int


class Meta(Wire):
    pagination: Pagination


class Page(Wire):
    data: list[WireOrder]
    meta: Meta


class Line(BaseModel):
    id: int
    sku: str
    name: str
    quantity: int
    price: Decimal
    total: Decimal


class Place(BaseModel):
    first_name: str
    last_name: str
    street: str
    postal_code: str
    city: str
    country: str


class Order(BaseModel):
    id: int
    number: str
    status: str
    currency: str
    total: Decimal
    tax: Decimal
    email: str
    customer: int
    placed_at: datetime
    changed_at: datetime
    bill_to: Place
    ship_to: Place
    lines: list[Line]


def place(wire: Address) -> Place:
    """An address in our own shape."""
    return Place(
        first_name=wire.first_name,
        last_name=wire.last_name,
        street=wire.street1,
        postal_code=wire.postal_code,
        city=wire.city,
        country=wire.country,
    )


def canonical(wire: WireOrder) -> Order:
    """An order in our own shape."""
    return Order(
        id=wire.id,
        number=wire.number,
        status=wire.status,
        currency=wire.currency,
        total=wire.total,
        tax=wire.tax_total,
        email=wire.customer.email,
        customer=wire.customer.id,
        placed_at=wire.created_at,
        changed_at=wire.updated_at,
        bill_to=place(wire.billing_address),
        ship_to=place(wire.shipping_addresses[0]),
        lines=[
            Line(id=each.id, sku=each.sku, name=each.name, quantity=each.quantity, price=each.price, total=each.total)
            for each in wire.lines
        ],
    )


def row(order: Order) -> tuple[object, ...]:
    """An order as its table has it: money as text, times as microseconds."""
    bill, ship = order.bill_to, order.ship_to
    return (
        order.id, order.number, order.status, order.currency, str(order.total), str(order.tax), order.email,
        order.customer, (order.placed_at - EPOCH) // MICROSECOND, (order.changed_at - EPOCH) // MICROSECOND,
        bill.first_name, bill.last_name, bill.street, bill.postal_code, bill.city, bill.country, ship.street, ship.city,
        ship.country,
    )  # fmt: skip


def each(said: Any) -> Page:
    """The page, order by order: one that is wrong would be told from the others."""
    data = [WireOrder.model_validate(order) for order in said["data"]]
    return Page.model_construct(data=data, meta=Meta.model_validate(said["meta"]))


def parsed(answer: httpx.Response) -> Page:
    """The answer as everybody reads it."""
    return each(answer.json())


def store(db: sqlite3.Connection, page: Page) -> bool:
    """Stores a page and its checkpoint in one transaction; whether it was the last."""
    newest: dict[int, Order] = {}
    for order in map(canonical, page.data):
        if order.id not in newest or order.changed_at >= newest[order.id].changed_at:
            newest[order.id] = order
    with db:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(UPSERT, [row(order) for order in newest.values()])
        keys = ", ".join(map(str, newest))
        stored = dict(db.execute(f"SELECT id, changed_at FROM orders WHERE id IN ({keys})"))
        won = [each for each in newest.values() if (each.changed_at - EPOCH) // MICROSECOND == stored[each.id]]
        db.executemany("DELETE FROM order_lines WHERE order_id = ?", [(order.id,) for order in won])
        db.executemany(
            "INSERT INTO order_lines VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (order.id, line.id, line.sku, line.name, line.quantity, str(line.price), str(line.total))
                for order in won
                for line in order.lines
            ],
        )
        number = page.meta.pagination.current_page
        db.execute(
            "INSERT INTO checkpoint VALUES ('orders', ?) ON CONFLICT DO UPDATE SET page = excluded.page", (number,)
        )
    return number >= page.meta.pagination.total_pages


async def fetch(client: httpx.AsyncClient, page: int) -> httpx.Response:
    """One page."""
    answer = await client.get("/orders", params={"page": page, "limit": 250})
    answer.raise_for_status()
    return answer


async def main(url: str, read: Callable[[httpx.Response], Page] = parsed) -> None:
    """From the checkpoint to the last page; the next one is on its way while this one is stored."""
    import httpx  # only the peers' environment has it; the checker's control borrows this module's tables elsewhere

    with closing(sqlite3.connect("result.db", isolation_level=None, check_same_thread=False)) as db:

        def work(answer: httpx.Response) -> bool:
            return store(db, read(answer))

        db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + SCHEMA)
        page = db.execute("SELECT coalesce(max(page), 0) FROM checkpoint").fetchone()[0] + 1
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            ahead = asyncio.create_task(fetch(client, page))
            last = False
            while not last:
                answer = await ahead
                page += 1
                ahead = asyncio.create_task(fetch(client, page))
                last = await asyncio.to_thread(work, answer)
            ahead.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
