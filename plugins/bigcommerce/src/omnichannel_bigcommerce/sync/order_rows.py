"""From a page of rows to records: which are taken, what else must be asked for, and the records themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from omnichannel_bigcommerce import order_wire, wire
from omnichannel_bigcommerce.client import Client
from omnichannel_bigcommerce.credentials import BigCommerceApplication
from omnichannel_bigcommerce.order_mapping import Details, needs, to_order
from omnichannel_bigcommerce.settings import OrderFilters
from omnichannel_bigcommerce.sync.order_cursor import BEGINNING, Seen
from omnichannel_core import errors
from omnichannel_core.driver import Answer, Session
from omnichannel_core.records import Bad, Order, Record

MOST_REQUESTS = 50
"""Sub-requests of one page at most: the rows beyond are asked for again with the next page."""


class Row(NamedTuple):
    """One row of a page: an order, or what could not be read."""

    seen: Seen
    order: order_wire.Order | None = None
    bad: Bad | None = None


class Head(msgspec.Struct):
    """The least of an order, to go on past one that cannot be read."""

    id: int = 0
    date_modified: str = ""


def read(answer: Answer, horizon: datetime | None = None, *, by_date: bool = False) -> list[Row]:
    """The rows of a v2 answer in the order they were asked for; digests for those changed since `horizon`.

    Raises:
        RemoteUnavailable: the body as a whole is no list.
    """
    if answer.status == 204 or not answer.content:
        return []
    found = answer.rows(order_wire.Order)
    rows = [_row(order, horizon) for order in found.good]
    rows += [_bad(broken.raw, broken.reason) for broken in found.bad]
    if by_date:
        return sorted(rows, key=lambda row: (row.seen.modified or BEGINNING, row.seen.id))
    return sorted(rows, key=lambda row: row.seen.id)


def as_list(answer: Answer) -> Answer:
    """The answer about one order as a list of it, so that it is read in the same way."""
    return Answer(operation=answer.operation, status=200, headers=answer.headers, content=b"[" + answer.content + b"]")


def _row(order: order_wire.Order, horizon: datetime | None) -> Row:
    try:
        modified = wire.moment(order.date_modified)
    except ValueError as cause:
        return Row(Seen(order.id, None), bad=_kept(order, f"date_modified: {cause}"))
    recent = modified is not None and (horizon is None or modified >= horizon)
    return Row(Seen(order.id, modified, digest(order) if recent else ""), order)


def digest(order: order_wire.Order) -> str:
    """Short, and different when anything read from the row is."""
    return blake2b(msgspec.json.encode(order), digest_size=9).hexdigest()


def _kept(order: order_wire.Order, reason: str) -> Bad:
    return Bad(kind=Order, id=str(order.id), reason=reason, raw=msgspec.json.encode(order))


def _bad(raw: bytes, reason: str) -> Row:
    try:
        head = msgspec.json.decode(raw, type=Head, strict=False)
    except msgspec.MsgspecError:
        head = Head()
    try:
        modified = wire.moment(head.date_modified)
    except ValueError:
        modified = None
    bad = Bad(kind=Order, id=str(head.id) if head.id else "", reason=reason, raw=raw)
    return Row(Seen(head.id, modified, blake2b(raw, digest_size=9).hexdigest()), bad=bad)


class Filter(NamedTuple):
    """The merchant's filters and what tells our own orders."""

    settings: OrderFilters
    midnight: datetime | None
    ours: frozenset[str]

    def own(self, order: order_wire.Order) -> bool:
        """Whether we created it: importing it would be a loop."""
        return wire.text(order.external_source) in self.ours

    def admits(self, order: order_wire.Order) -> bool:
        """Whether the settings admit the first import of it."""
        settings = self.settings
        if order.status_id not in settings.statuses or (order.is_deleted and not settings.archived):
            return False
        if order.id <= (settings.id_greater_than or 0):
            return False
        try:
            created = wire.moment(order.date_created)
        except ValueError:
            return True  # it will be shown as one that cannot be read
        return self.midnight is None or created is None or created >= self.midnight


async def filter_of(session: Session) -> Filter:
    """This connection's filter, with *created after* as a moment of the store's own time."""
    settings, app = session[OrderFilters], session.get(BigCommerceApplication)
    midnight = None
    if settings.created_after is not None:
        midnight = next_midnight(settings.created_after, await zone(session))
    names = {"omnichannel"} | ({app.app_id} if app is not None and app.app_id else set())
    return Filter(settings, midnight, frozenset(names))


def next_midnight(day: date, where: ZoneInfo) -> datetime:
    """The first moment after that day, there; in UTC."""
    try:
        return datetime.combine(day + timedelta(days=1), time(), where).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


async def zone(session: Session) -> ZoneInfo:
    """The store's time zone: as last pulled, else asked for."""
    facts = await session.choices("store")
    name = facts["timezone"].label if "timezone" in facts else ""
    if not name:
        told = (await Client(session).store()).timezone
        name = (told.name or "") if told else ""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):
        session.log.warning("The store's time zone %r is unknown here: days begin at midnight UTC", name)
        return ZoneInfo("UTC")


class Chosen(NamedTuple):
    """A row that becomes a record."""

    row: Row
    known_only: bool = False
    asks: frozenset[str] = frozenset()


async def choose(
    session: Session, rows: Sequence[Row], filters: Filter, *, history: bool, followed: frozenset[str] = frozenset()
) -> list[Chosen]:
    """Which rows become records, and which parts each needs.

    Args:
        history: a first import; what is neither admitted nor stored is left out.
        followed: ids that may be stored although the store does not say so yet (a page before, not committed).
    """
    others = frozenset(str(r.order.id) for r in rows if r.order and not filters.admits(r.order))
    stored = await session.known(Order, others) if others else frozenset()
    chosen = list[Chosen]()
    for row in rows:
        order = row.order
        if order is None:
            chosen.append(Chosen(row))
        elif filters.own(order):
            continue
        elif filters.admits(order):
            chosen.append(Chosen(row, asks=needs(order, history=history)))
        elif str(order.id) in stored or str(order.id) in followed:
            chosen.append(Chosen(row, known_only=True, asks=needs(order, history=False)))
        elif not history:
            chosen.append(Chosen(row, known_only=True))
    return chosen


def marked(rows: Sequence[Row], chosen: Sequence[Chosen]) -> list[Seen]:
    """What to remember of the rows: those that became no whole record were passed by."""
    whole = {one.row.seen.id for one in chosen if one.asks or not one.known_only}
    return [row.seen._replace(passed=row.seen.id not in whole) for row in rows]


def affordable(chosen: Sequence[Chosen]) -> list[Chosen]:
    """As many as one page may ask parts for; one at least."""
    spent, taken = 0, list[Chosen]()
    for one in chosen:
        spent += len(one.asks)
        if taken and spent > MOST_REQUESTS:
            break
        taken.append(one)
    return taken


async def records(session: Session, chosen: Sequence[Chosen]) -> list[Record | Bad]:
    """The records of the chosen rows, in their order."""
    client, details = Client(session), dict[int, Details]()
    for one in chosen:
        if one.row.order is not None and one.asks:
            details[one.row.order.id] = await _details(session, client, str(one.row.order.id), one.asks)
    return await session.compute(partial(_map, chosen, details))


def _map(chosen: Sequence[Chosen], details: Mapping[int, Details]) -> list[Record | Bad]:
    found = list[Record | Bad]()
    for row, known_only, _ in chosen:
        if row.bad is not None:
            found.append(row.bad)
        elif row.order is not None:
            try:
                found.append(to_order(row.order, details.get(row.order.id, Details()), known_only=known_only))
            except (ValueError, ArithmeticError) as cause:
                found.append(_kept(row.order, str(cause) or type(cause).__name__))
    return found


async def _details(session: Session, client: Client, order: str, asks: frozenset[str]) -> Details:
    found = Details()
    try:
        if "products" in asks:
            found = found._replace(products=await client.products(order))
        if "addresses" in asks:
            found = found._replace(addresses=await client.shipping_addresses(order))
        if "coupons" in asks:
            found = found._replace(coupons=await client.coupons(order))
        if "taxes" in asks:
            found = found._replace(taxes=await client.taxes(order))
    except errors.RemoteRejected as refused:
        if refused.code != "404":
            raise  # gone meanwhile: what the row says is all there is
    if "transactions" in asks:
        found = found._replace(transactions=await _transactions(session, client, order))
    return found


async def _transactions(session: Session, client: Client, order: str) -> Sequence[wire.Transaction] | None:
    if session.works and "returns" not in session.works:
        return None  # the same scope: not asked for again with every order
    try:
        return await client.transactions(order)
    except errors.AccessMissing:
        session.log.warning("Order %s: no access to transactions, its payment is the order's own word", order)
    except errors.RemoteRejected as refused:
        if refused.code != "404":
            raise
    return None
