"""Orders in: one poll for all marketplaces of a seller, routed to the marketplace's connection (guide amazon 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import partial

from omnichannel_amazon import order_wire
from omnichannel_amazon.client import Client
from omnichannel_amazon.credentials import AmazonCredentials
from omnichannel_amazon.marketplaces import zone
from omnichannel_amazon.order_mapping import PENDING, kind, moment, record
from omnichannel_amazon.settings import OrderImport, ShippingProviders
from omnichannel_amazon.sync.order_cursor import OrderCursor, advance, current, open_window, restart, start, widened
from omnichannel_core import errors
from omnichannel_core.driver import Answer, Page, PullStream, Session, Settings
from omnichannel_core.records import Bad, Order, Record

ALWAYS = ("FULFILLMENT", "PROCEEDS", "CANCELLATION", "PACKAGES")
PERSONAL = ("BUYER", "RECIPIENT", "TAX")
DEFAULT_DAYS = timedelta(days=90)
Rows = tuple[list[order_wire.Order], list[Bad], str]


def included(session: Session) -> tuple[str, ...]:
    """What the last check found that the app's roles admit (guide 15, 2 and 6)."""
    return (*ALWAYS, *(part for part in PERSONAL if part in session.works))


def beginning(day: object, marketplace: str, begun: datetime) -> datetime:
    """00:00 of a day in the marketplace's time zone; without one, 90 days before the first import."""
    if not hasattr(day, "year"):
        return begun - DEFAULT_DAYS
    return datetime.combine(day, time(), zone(marketplace))  # type: ignore[arg-type]


def earliest(settings: OrderImport, marketplace: str, begun: datetime) -> datetime | None:
    """The first moment from which any order is wanted; None when none is."""
    days = [settings.mfn_from] if settings.mfn or settings.prime_by_merchant else []
    days += [settings.fba_from] if settings.fba else []
    return min((beginning(day, marketplace, begun) for day in days), default=None)


def wanted(order: order_wire.Order, settings: OrderImport, begun: datetime | None) -> bool:
    """Whether settings admit its first import. One that is pending has neither price nor address: not yet."""
    what = kind(order)
    on = {"mfn": settings.mfn, "prime": settings.prime_by_merchant, "fba": settings.fba}.get(what, False)
    if not on or order.status in PENDING or begun is None:
        return False
    day = settings.fba_from if what == "fba" else settings.mfn_from
    return moment(order.created_time) >= beginning(day, order.sales_channel.marketplace_id, begun)


async def pull_together(turns: Mapping[str, tuple[Session, OrderCursor]]) -> Mapping[str, Page[OrderCursor]]:
    """One page of the shared poll; every connection of the group moves on with it."""
    sessions = {channel: session for channel, (session, _) in turns.items()}
    lead = next(iter(sessions.values()))
    now = lead.clock.now()
    cursors = {channel: _started(session, cursor, now) for channel, (session, cursor) in turns.items()}
    window = current(cursors.values()) or open_window(now, cursors)
    if window is None:
        return {channel: Page(cursor=cursor) for channel, cursor in cursors.items()}
    group = [one for one in window.channels if one in cursors and cursors[one].window in (None, window)]
    client = Client(lead)
    try:
        answer = await client.orders({**window.query(), "includedData": ",".join(_shared(sessions, group))})
    except errors.RemoteRejected:
        if not window.page:
            raise
        lead.log.warning("Amazon no longer knows the page token: this window of orders is asked for anew")
        return {channel: Page(cursor=restart(cursors[channel]), more=True) for channel in group}
    orders, bad, token = await lead.compute(partial(read, answer))
    pages = dict[str, Page[OrderCursor]]()
    for number, channel in enumerate(group):
        mine = [one for one in orders if one.sales_channel.marketplace_id == channel]
        found = mapped(sessions[channel], mine, cursors[channel].begun)
        moved = advance(cursors[channel], window, token, now)
        pages[channel] = Page(cursor=moved, records=[*found, *(bad if number == 0 else ())], more=True)
    return pages


def _shared(sessions: Mapping[str, Session], group: Sequence[str]) -> list[str]:
    """What every member may see: one refused part would refuse the page for all."""
    parts = [included(sessions[channel]) for channel in group]
    return [part for part in (*ALWAYS, *PERSONAL) if all(part in one for one in parts)]


def _started(session: Session, cursor: OrderCursor, now: datetime) -> OrderCursor:
    marketplace = str(session[AmazonCredentials].marketplace)
    return start(cursor, now, earliest(session[OrderImport], marketplace, now))


def read(answer: Answer) -> Rows:
    """The page's orders, those that cannot be read, and the next page's token ('' on the last)."""
    rows = answer.rows(order_wire.Order, at="orders")
    bad = [Bad(kind=Order, id=order_wire.ident(one.raw), reason=one.reason, raw=one.raw) for one in rows.bad]
    paging = answer.decode(order_wire.Head).pagination
    return list(rows.good), bad, (paging.next_token or "") if paging else ""


def mapped(session: Session, orders: Sequence[order_wire.Order], begun: datetime | None) -> list[Record | Bad]:
    """As records; an order that is not admitted only updates one that is stored. Those of other shops are no orders."""
    settings, providers, found = session[OrderImport], session[ShippingProviders], list[Record | Bad]()
    for one in orders:
        if kind(one) == "foreign":
            continue
        try:
            found.append(record(one, settings, providers, known_only=not wanted(one, settings, begun)))
        except ValueError as trouble:
            found.append(Bad(kind=Order, id=one.order_id, reason=f"a time cannot be read: {type(trouble).__name__}"))
    return found


async def fetch(session: Session, ids: Sequence[str]) -> Sequence[Record | Bad]:
    """Single orders; one that is gone or another marketplace's is left out. Asked for, so the date does not matter."""
    client, found = Client(session), list[order_wire.Order]()
    for ident in dict.fromkeys(ids):
        one = await client.order(ident, included(session))
        if one is not None and one.sales_channel.marketplace_id == client.marketplace:
            found.append(one)
    return mapped(session, found, session.clock.now())


def widen(cursor: OrderCursor, before: Settings, after: Settings) -> OrderCursor | None:
    """A kind switched on or an earlier date: history is asked for again from there; what is stored is recognized."""
    if not (isinstance(before, OrderImport) and isinstance(after, OrderImport)) or cursor.begun is None:
        return None
    newly = [_newly(before.mfn, after.mfn, before.mfn_from, after.mfn_from)]
    newly += [_newly(before.prime_by_merchant, after.prime_by_merchant, before.mfn_from, after.mfn_from)]
    newly += [_newly(before.fba, after.fba, before.fba_from, after.fba_from)]
    if not any(newly):
        return None
    # the zone of the earliest days there are: a form does not tell which marketplace it belongs to
    return widened(cursor, earliest(after, "A39IBJ37TRP1C6", cursor.begun))


def _newly(was_on: bool, is_on: bool, was: object, now: object) -> bool:
    """Whether something is admitted now that was not."""
    if not is_on or not was_on:
        return is_on and not was_on
    if was == now:
        return False
    return was is None or now is None or now < was  # type: ignore[operator]


ORDERS = PullStream(
    name="orders", yields=(Order,), cursor=OrderCursor, pull_together=pull_together, fetch=fetch, widen=widen,
    every=timedelta(minutes=3),
)  # fmt: skip
