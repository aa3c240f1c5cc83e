"""Everything in one module, so that one line of it can be made wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import (
    Accepted,
    Answer,
    Ask,
    AuthorizationFlow,
    Batch,
    Checkup,
    Credentials,
    Later,
    Limit,
    Outcome,
    Page,
    PullStream,
    PushStream,
    RemoteApi,
    Session,
    SettingsPage,
    Streams,
    Token,
    Wait,
    hookimpl,
    judge,
)  # fmt: skip
from omnichannel_core.records import Bad, Line, Money, Order, Record, Shipment, StockLevel

ORIGIN = "https://api.stall.example"
OVERLAP = timedelta(seconds=60)


class StallCredentials(Credentials):
    """A stall and its key."""

    stall: str
    key: SecretStr

    def remote_account(self) -> str:
        """The stall."""
        return self.stall


class OrderCursor(msgspec.Struct, frozen=True):
    """Orders changed since, after the last id seen of that run; and where the next run begins."""

    since: str = ""
    after: int = 0
    newest: str = ""


class WireLine(msgspec.Struct):
    """A line of an order."""

    id: int
    sku: str
    quantity: int
    price: str


class WireOrder(msgspec.Struct):
    """An order as the remote tells it."""

    id: int
    number: str
    placed: str
    changed: str
    total: str
    currency: str
    lines: list[WireLine]


class WirePage(msgspec.Struct):
    """A page of orders."""

    orders: list[WireOrder]
    more: bool


class WireShop(msgspec.Struct):
    """Who answers."""

    id: str
    title: str


class WireParcel(msgspec.Struct):
    """A parcel that is there."""

    id: int
    tracking: str


def sign(session: Session, ask: Ask, token: Token | None) -> Mapping[str, str]:
    """The key is the proof."""
    return {"authorization": f"Key {session[StallCredentials].key.get_secret_value()}"}


def weigh(answer: Answer) -> None:
    """422 names what is wrong; all else is plain HTTP."""
    if answer.status == 422:
        raise errors.RemoteRejected(f"{answer.operation}: {answer.content[:80].decode()}", "422")
    judge(answer)


async def check(session: Session) -> Checkup:
    """Whose stall it is."""
    answer = await session.http.send("shop", "GET", f"{ORIGIN}/shop")
    shop = answer.decode(WireShop)
    return Checkup(title=shop.title, account=shop.id, works=frozenset({"orders", "stock", "shipments"}))


def order_of(wire: WireOrder) -> Order:
    """One order."""
    lines = {
        str(one.id): Line(
            id=str(one.id), sku=one.sku, quantity=Decimal(one.quantity), price=Money(Decimal(one.price), wire.currency)
        )
        for one in wire.lines
    }
    return Order(
        id=str(wire.id), number=wire.number, revision=wire.changed, placed_at=datetime.fromisoformat(wire.placed),
        gross=Money(Decimal(wire.total), wire.currency), currency=wire.currency, lines=lines,
    )  # fmt: skip


async def pull_orders(session: Session, cursor: OrderCursor) -> Page[OrderCursor]:
    """By id within a run of all that changed; the next run begins a little before the newest change."""
    asked = {"since": cursor.since, "after": str(cursor.after)}
    page = (await session.http.send("orders", "GET", f"{ORIGIN}/orders", params=asked)).decode(WirePage)
    newest = max([cursor.newest, *(one.changed for one in page.orders)])
    if page.more:
        following = OrderCursor(since=cursor.since, after=page.orders[-1].id, newest=newest)
    else:
        begin = (datetime.fromisoformat(newest) - OVERLAP).isoformat() if newest else ""
        following = OrderCursor(since=begin, after=0, newest=newest)
    return Page(cursor=following, records=[order_of(one) for one in page.orders], more=page.more)


async def fetch_orders(session: Session, ids: Sequence[str]) -> Sequence[Record | Bad]:
    """Single orders; one that is gone is left out."""
    found = list[Record | Bad]()
    for one in ids:
        try:
            answer = await session.http.send("order", "GET", f"{ORIGIN}/orders/{one}")
        except errors.RemoteRejected as refused:
            if refused.code == "404":
                continue
            raise
        found.append(order_of(answer.decode(WireOrder)))
    return found


async def push_stock(session: Session, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
    """Absolute quantities, ten at once."""
    levels = {item.record.sku: int(item.record.quantity) for item in batch.items}
    await session.http.send("stock", "PUT", f"{ORIGIN}/stock", json=levels)
    return {item.key: Accepted(remote={"sku": item.record.sku}) for item in batch.items}


async def ship(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """One parcel; the remote makes another one each time it is told."""
    said = dict[str, Outcome]()
    for item in batch.items:
        answer = await session.http.send(
            "ship", "POST", f"{ORIGIN}/orders/{item.record.order_id}/parcels", json={"tracking": item.record.tracking}
        )
        said[item.key] = Accepted(remote={"parcel": str(answer.decode(WireParcel).id)})
    return said


async def find_parcel(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """By tracking number."""
    said = dict[str, Outcome]()
    for item in batch.items:
        answer = await session.http.send("parcels", "GET", f"{ORIGIN}/orders/{item.record.order_id}/parcels")
        there = [one for one in answer.decode(list[WireParcel]) if one.tracking == item.record.tracking]
        said[item.key] = Accepted(remote={"parcel": str(there[0].id)}) if there else Later(Wait(0))
    return said


@hookimpl
def credential_schema() -> type[Credentials]:
    """Stall and key."""
    return StallCredentials


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Typed and checked."""
    return AuthorizationFlow(check=check)


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """Nothing to set."""
    return []


@hookimpl
def sync_streams() -> Streams:
    """In: orders. Out: stock, shipments."""
    return [
        PullStream(name="orders", yields=(Order,), cursor=OrderCursor, pull=pull_orders, fetch=fetch_orders),
        PushStream(name="stock", takes=StockLevel, push=push_stock, batch=10, state=True, repeatable=True),
        PushStream(name="shipments", takes=Shipment, push=ship, settle=find_parcel),
    ]


@hookimpl
def remote_api() -> RemoteApi:
    """A key in a header; five requests a second."""
    return RemoteApi(
        sign=sign, judge=weigh, origins=lambda session: [ORIGIN], limits=[Limit(name="all", rate=5, burst=5)]
    )
