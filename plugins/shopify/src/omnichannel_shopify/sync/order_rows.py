"""From a page of rows to records: which are taken, their parts paged to the end, and the records themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Session
from omnichannel_core.records import Bad, Order, Record
from omnichannel_shopify import order_wire
from omnichannel_shopify.authorization import CheckData
from omnichannel_shopify.client import Client, reach
from omnichannel_shopify.order_mapping import to_order
from omnichannel_shopify.settings import OrderFilters
from omnichannel_shopify.sync.order_cursor import EPOCH, Seen
from omnichannel_shopify.sync.order_returns import Asked, returns_of
from omnichannel_shopify.wire import PageInfo, Wire, moment

FIRST_TRANSACTIONS = 5
BACK = frozenset({"refunds", "returns"})
MOST_PARTS = 40
"""Orders of one page at most whose parts take requests of their own; the rest come with the next page."""


class Row(NamedTuple):
    """One row of a page: an order, or what could not be read.

    Attributes:
        listed: so many transactions were asked for with it; None is all.
    """

    seen: Seen
    order: order_wire.Order | None = None
    bad: Bad | None = None
    listed: int | None = FIRST_TRANSACTIONS

    @property
    def heavy(self) -> bool:
        """Whether parts of it take requests of its own; returns and refunds are asked for together."""
        return self.order is not None and bool(lacks(self.order, self.listed) - BACK)


class Head(Wire):
    """The least of an order, to go on past one that cannot be read."""

    id: str = ""
    updated_at: str = ""


class RawPage(Wire):
    """A page of orders, row by row."""

    nodes: list[msgspec.Raw] = []
    page_info: PageInfo = msgspec.field(default_factory=PageInfo)


def page_of(answer: Answer) -> tuple[list[Row], PageInfo]:
    """The rows of an `orders` connection, and where it goes on.

    Raises:
        RemoteUnavailable: it is no such page.
    """
    try:
        found = msgspec.json.decode(reach(answer, ("orders",)), type=RawPage | None) or RawPage()
    except msgspec.DecodeError as cause:
        raise errors.RemoteUnavailable(f"{answer.operation}: the answer is not readable") from cause
    return [row_of(raw) for raw in found.nodes if raw != msgspec.Raw(b"null")], found.page_info


def row_of(raw: msgspec.Raw) -> Row:
    """An order, or why there is none."""
    try:
        order = msgspec.json.decode(raw, type=order_wire.Order)
        return Row(Seen(order.id, moment(order.updated_at) or EPOCH), order)
    except (msgspec.MsgspecError, ValueError) as cause:
        return unreadable(bytes(raw), str(cause))


def unreadable(raw: bytes, reason: str) -> Row:
    """What is kept of a row that is no order."""
    try:
        head = msgspec.json.decode(raw, type=Head, strict=False)
        updated = moment(head.updated_at)
    except (msgspec.MsgspecError, ValueError):
        head, updated = Head(), None
    return Row(Seen(head.id, updated or EPOCH), bad=Bad(kind=Order, id=head.id, reason=reason, raw=raw))


class Filter(NamedTuple):
    """The merchant's filters, *created after* as a moment of the shop's own time."""

    settings: OrderFilters
    midnight: datetime | None

    @property
    def nothing(self) -> bool:
        """Whether no order can be admitted."""
        return not self.settings.financial or not self.settings.fulfillment

    def admits(self, order: order_wire.Order) -> bool:
        """Whether the settings admit the first import of it. A status of an unknown name is not in any list."""
        settings = self.settings
        if order.display_financial_status not in settings.financial:
            return False
        if order.display_fulfillment_status not in settings.fulfillment:
            return False
        if (order.test and not settings.test) or (order.cancelled_at and not settings.cancelled):
            return False
        if order.closed_at and not settings.archived:
            return False
        if settings.number_greater_than is not None and order.number <= settings.number_greater_than:
            return False
        try:
            created = moment(order.created_at)
        except ValueError:
            return True  # it will be shown as one that cannot be read
        return self.midnight is None or created is None or created >= self.midnight


async def filter_of(session: Session) -> Filter:
    """This connection's filter."""
    settings, midnight = session[OrderFilters], None
    if settings.created_after is not None:
        midnight = next_midnight(settings.created_after, await zone(session))
    return Filter(settings, midnight)


def next_midnight(day: date, where: ZoneInfo) -> datetime:
    """The first moment after that day, there; in UTC."""
    try:
        return datetime.combine(day + timedelta(days=1), time(), where).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


async def zone(session: Session) -> ZoneInfo:
    """The shop's time zone: as last pulled, else asked for."""
    facts = await session.choices("shop")
    name = facts["timezone"].label if "timezone" in facts else ""
    if not name:
        name = (await Client(session).ask("ConnectionCheck", CheckData)).shop.iana_timezone
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):
        session.log.warning("The shop's time zone %r is unknown here: days begin at midnight UTC", name)
        return ZoneInfo("UTC")


class Chosen(NamedTuple):
    """A row that becomes a record; `whole` with all its parts."""

    row: Row
    known_only: bool = False
    whole: bool = True


async def choose(session: Session, rows: Sequence[Row], filters: Filter, *, history: bool) -> list[Chosen]:
    """Which rows become records.

    Args:
        history: of orders that are stored nothing is taken (changes bring them), nor of those not admitted.
    """
    asked = frozenset(
        row.seen.id for row in rows if row.order is not None and (history or not filters.admits(row.order))
    )
    stored = await session.known(Order, asked) if asked else frozenset()
    chosen = list[Chosen]()
    for row in rows:
        if row.order is None:
            chosen.append(Chosen(row))
        elif history:
            if filters.admits(row.order) and row.seen.id not in stored:
                chosen.append(Chosen(row))
        elif filters.admits(row.order):
            chosen.append(Chosen(row))
        else:
            chosen.append(Chosen(row, known_only=True, whole=row.seen.id in stored))
    return chosen


def affordable(chosen: Sequence[Chosen]) -> list[Chosen]:
    """As many as one page may ask parts for; one at least."""
    spent, taken = 0, list[Chosen]()
    for one in chosen:
        spent += one.whole and one.row.heavy
        if taken and spent > MOST_PARTS:
            break
        taken.append(one)
    return taken


def lacks(order: order_wire.Order, listed: int | None) -> frozenset[str]:
    """Which parts the row did not bring whole."""
    wanted = {
        "lines": order.line_items.page_info.has_next_page,
        "shipping": order.shipping_lines.page_info.has_next_page,
        "transactions": listed is not None and len(order.transactions) >= listed,
        "refunds": bool(order.refunds),
        "returns": bool(order.returns.nodes),
    }
    return frozenset(name for name, is_so in wanted.items() if is_so)


async def records(session: Session, client: Client, chosen: Sequence[Chosen]) -> list[Record | Bad]:
    """The records of the chosen rows in their order, each followed by its returns and refunds."""
    found, asked = list[Chosen](), list[Asked]()
    for one in chosen:
        order = one.row.order
        wanted = lacks(order, one.row.listed) if order is not None and one.whole else frozenset()
        if order is not None and wanted - BACK:
            one = one._replace(row=one.row._replace(order=await completed(client, order, wanted)))
        if order is not None and wanted & BACK:
            asked.append(Asked(order.id, order.updated_at, "refunds" in wanted, "returns" in wanted))
        found.append(one)
    back = await returns_of(client, asked)
    return await session.compute(partial(_map, [(one, back.get(one.row.seen.id, ())) for one in found]))


def _map(found: Sequence[tuple[Chosen, Sequence[Record | Bad]]]) -> list[Record | Bad]:
    made = list[Record | Bad]()
    for (row, known_only, whole), more in found:
        if row.bad is not None:
            made.append(row.bad)
        elif row.order is not None:
            try:
                record = to_order(row.order, known_only=known_only)
                made.append(record if whole else replace(record, partial=True))
            except (ValueError, ArithmeticError) as cause:
                raw = msgspec.json.encode(row.order)
                made.append(Bad(kind=Order, id=row.order.id, reason=str(cause) or type(cause).__name__, raw=raw))
        made += more
    return made


async def completed(client: Client, order: order_wire.Order, wanted: frozenset[str]) -> order_wire.Order:
    """The order with all its lines, shipping lines and transactions."""
    path = ("order",)
    if "lines" in wanted:
        rows = await client.rest("OrderLines", order.line_items, order_wire.Line, (*path, "lineItems"), id=order.id)
        order.line_items.nodes = rows
    if "shipping" in wanted:
        order.shipping_lines.nodes = await client.rest(
            "OrderShipping", order.shipping_lines, order_wire.Carriage, (*path, "shippingLines"), id=order.id
        )
    if "transactions" in wanted:
        order.transactions = await transactions_of(client, order.id)
    return order


class Movements(Wire):
    """An order's transactions."""

    transactions: list[order_wire.Movement] = []


class MovementsData(Wire):
    """Data of `OrderTransactions`."""

    order: Movements | None = None


async def transactions_of(client: Client, order: str) -> list[order_wire.Movement]:
    """A list without a cursor: asked for in full, and more of it as long as it comes full."""
    size = 50
    while True:
        found = (await client.ask("OrderTransactions", MovementsData, id=order, first=size)).order or Movements()
        if len(found.transactions) < size or size >= 250:
            return found.transactions
        size = 250
