"""The hooks, and the streams behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from omnichannel_core.driver import (
    Accepted,
    AuthorizationFlow,
    Batch,
    Checkup,
    Credentials,
    Later,
    Outcome,
    Page,
    PullStream,
    PushStream,
    Session,
    Settings,
    SettingsPage,
    Streams,
    Wait,
    hookimpl,
)  # fmt: skip
from omnichannel_core.records import Attribute, AttributeSet, Bad, Choice, Choices, Order, Record, Shipment, StockLevel
from omnichannel_echo.forms import EchoCredentials, EchoImport
from omnichannel_echo.remote import reach


class ModelCursor(msgspec.Struct, frozen=True):
    """The data model is one page."""


class OrderCursor(msgspec.Struct, frozen=True):
    """How many of the shop's orders were looked at."""

    seen: int = 0


async def check(session: Session) -> Checkup:
    """Whose shop it is."""
    reach(session, "check")
    shop = session[EchoCredentials].shop
    return Checkup(title=f"Shop {shop}", account=shop, works=frozenset({"orders", "stock", "shipments"}))


async def disconnect(session: Session) -> None:
    """Take back what we left there."""
    reach(session, "disconnect").disconnected = True


async def pull_model(session: Session, cursor: ModelCursor) -> Page[ModelCursor]:
    """A list, an attribute and a set."""
    reach(session, "data-model")
    statuses = {"open": Choice(value="open", label="Open"), "paid": Choice(value="paid", label="Paid")}
    return Page(
        cursor=cursor,
        records=[
            Choices(id="statuses", label="Statuses", items=statuses),
            Attribute(id="name", label="Name", required=True),
            AttributeSet(id="default", label="Default", attributes=("name",)),
        ],
    )


async def pull_orders(session: Session, cursor: OrderCursor) -> Page[OrderCursor]:
    """The shop's orders in their order, a page at a time."""
    remote, wanted = reach(session, "orders"), session[EchoImport]
    step = remote.orders[cursor.seen : cursor.seen + remote.page]
    after = cursor.seen + len(step)
    kept = [order for order in step if int(order.id) > wanted.above and wanted.status in (None, order.status)]
    return Page(cursor=OrderCursor(after), records=kept, more=after < len(remote.orders), total=len(remote.orders))


async def fetch_orders(session: Session, ids: Sequence[str]) -> Sequence[Record | Bad]:
    """Single orders."""
    return [order for order in reach(session, "fetch").orders if order.id in ids]


def widen(cursor: OrderCursor, before: Settings, now: Settings) -> OrderCursor | None:
    """From the beginning, when the filter admits more."""
    assert isinstance(before, EchoImport)
    assert isinstance(now, EchoImport)
    wider = now.above < before.above or (now.status != before.status and before.status is not None)
    return OrderCursor() if wider else None


async def push_stock(session: Session, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
    """A quantity is a state."""
    remote = reach(session, "stock")
    remote.stock.update({item.record.sku: item.record.quantity for item in batch.items})
    return {item.key: Accepted(remote={"sku": item.record.sku}) for item in batch.items}


async def ship(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """A parcel; the same key twice is one parcel over there."""
    remote = reach(session, "ship")
    remote.shipments.update({item.key: item.record for item in batch.items})
    return {item.key: Accepted(remote={"parcel": item.key}) for item in batch.items}


async def find_shipment(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """Whether a parcel of which no answer came is there."""
    there = reach(session, "find shipment").shipments
    return {
        item.key: Accepted(remote={"parcel": item.key}) if item.key in there else Later(Wait(0)) for item in batch.items
    }


@hookimpl
def credential_schema() -> type[Credentials]:
    """Shop and secret."""
    return EchoCredentials


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Typed, checked, taken back."""
    return AuthorizationFlow(check=check, disconnect=disconnect)


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """One page, which inherits."""
    return [SettingsPage("import", "Import", EchoImport, inherits=True)]


@hookimpl
def sync_streams() -> Streams:
    """In: the data model, orders. Out: stock, shipments."""
    return [
        PullStream(name="data-model", yields=(Choices, Attribute, AttributeSet), cursor=ModelCursor, pull=pull_model,
                   snapshot=True),
        PullStream(name="orders", yields=(Order,), cursor=OrderCursor, pull=pull_orders, fetch=fetch_orders,
                   widen=widen),
        PushStream(name="stock", takes=StockLevel, push=push_stock, batch=10, state=True, repeatable=True),
        PushStream(name="shipments", takes=Shipment, push=ship, settle=find_shipment),
    ]  # fmt: skip


@hookimpl
def not_supported() -> Mapping[str, str]:
    """Echo shops have no invoices."""
    return {"invoices": "Echo shops keep no invoices."}
