"""Orders in: one poll for all marketplaces of a seller, routed to the marketplace's connection (guide amazon 5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from email.utils import parsedate_to_datetime
from functools import partial

from msgspec.structs import replace

from omnichannel_amazon import order_wire
from omnichannel_amazon.client import Client
from omnichannel_amazon.credentials import AmazonCredentials
from omnichannel_amazon.marketplaces import zone
from omnichannel_amazon.order_mapping import PENDING, kind, moment, record
from omnichannel_amazon.settings import OrderImport, ShippingProviders
from omnichannel_amazon.sync.order_cursor import (
    LAG,
    PLAIN,
    SECOND,
    YOUNG,
    OrderCursor,
    Window,
    advance,
    current,
    hurried,
    joins,
    open_window,
    restart,
    seen,
    start,
    widened,
)  # fmt: skip
from omnichannel_core import errors
from omnichannel_core.driver import Answer, Page, PullStream, Session, Settings, Wait
from omnichannel_core.records import Bad, Order, Record

ALWAYS = ("FULFILLMENT", "PROCEEDS", "CANCELLATION", "PACKAGES")
PERSONAL = ("BUYER", "RECIPIENT", "TAX")
KINDS = ("mfn", "prime", "fba")
DEFAULT_DAYS = timedelta(days=90)
TOO_NEW = "2 minutes"
"""In Amazon's words for a window that ends too late (guide 4.1)."""

WORTH = 30.0
"""Seconds; less is what an answer takes."""

Turn = tuple[Session, OrderCursor]
Rows = tuple[list[order_wire.Order], list[Bad], str]


def included(session: Session) -> tuple[str, ...]:
    """What the last check found that the app's roles admit (guide 15, 2 and 6)."""
    return (*ALWAYS, *(part for part in PERSONAL if part in session.works))


def beginning(day: object, marketplace: str, begun: datetime) -> datetime:
    """00:00 of a day in the marketplace's time zone; without one, 90 days before the first import."""
    if not hasattr(day, "year"):
        return begun - DEFAULT_DAYS
    return datetime.combine(day, time(), zone(marketplace))  # type: ignore[arg-type]


def earliest(
    settings: OrderImport, marketplace: str, begun: datetime, kinds: Collection[str] = KINDS
) -> datetime | None:
    """The first moment from which any order of these kinds is wanted; None when none is."""
    on = {"mfn": settings.mfn, "prime": settings.prime_by_merchant, "fba": settings.fba}
    days = [settings.fba_from if kind == "fba" else settings.mfn_from for kind in kinds if on[kind]]
    return min((beginning(day, marketplace, begun) for day in days), default=None)


def wanted(order: order_wire.Order, settings: OrderImport, begun: datetime | None) -> bool:
    """Whether settings admit its first import. One that is pending has neither price nor address: not yet."""
    what = kind(order)
    on = {"mfn": settings.mfn, "prime": settings.prime_by_merchant, "fba": settings.fba}.get(what, False)
    if not on or order.status in PENDING or begun is None:
        return False
    day = settings.fba_from if what == "fba" else settings.mfn_from
    return moment(order.created_time) >= beginning(day, order.sales_channel.marketplace_id, begun)


async def pull_together(turns: Mapping[str, Turn]) -> Mapping[str, Page[OrderCursor]]:
    """One page of the shared poll; every connection of the group moves on with it."""
    sessions = {channel: session for channel, (session, _) in turns.items()}
    lead = next(iter(sessions.values()))
    turns = together(turns, lead.clock.now())
    now = lead.clock.now() - timedelta(seconds=max(cursor.ahead for _, cursor in turns.values()))
    cursors = {channel: _started(session, cursor, now) for channel, (session, cursor) in turns.items()}
    window = current(cursors.values()) or open_window(now, cursors)
    if window is None:
        return {channel: Page(cursor=cursor) for channel, cursor in cursors.items()}
    group = {one: cursors[one] for one in window.channels if one in cursors and joins(cursors[one], window)}
    parts = _shared(sessions, group, now)
    try:
        answer = await Client(lead).orders({**window.query(), "includedData": ",".join(parts)})
    except errors.AccessMissing as refused:
        return _denied(lead, refused, group, parts, now)
    except errors.RemoteRejected as refused:
        return _refused(lead, refused, group, window, now)
    orders, bad, token = await lead.compute(partial(read, answer))
    pages = dict[str, Page[OrderCursor]]()
    for number, (channel, cursor) in enumerate(group.items()):
        mine = [one for one in orders if one.sales_channel.marketplace_id == channel]
        found = mapped(sessions[channel], mine, cursor.begun)
        moved = seen(advance(cursor, window, token, now), _ahead(answer, lead.clock.now()))
        pages[channel] = Page(cursor=moved, records=[*found, *(bad if number == 0 else ())], more=True)
    return pages


def together(turns: Mapping[str, Turn], now: datetime) -> Mapping[str, Turn]:
    """Who is asked for at once: the first one alone where it is to be, otherwise all that are not."""
    apart = {one for one, (_, cursor) in turns.items() if cursor.alone is not None and now - cursor.alone < PLAIN}
    first = next(iter(turns))
    return {one: turn for one, turn in turns.items() if (one == first if first in apart else one not in apart)}


def _refused(
    lead: Session, refused: errors.RemoteRejected, group: Mapping[str, OrderCursor], window: Window, now: datetime
) -> Mapping[str, Page[OrderCursor]]:
    """A token that died begins its window anew; a window that is too new begins earlier. Anything else is raised: also
    a token of a window that was begun anew just now, as its age is not what is wrong."""
    if window.page:
        if any(one.restarted is not None and now - one.restarted < YOUNG for one in group.values()):
            raise refused
        lead.log.warning("Amazon no longer knows the page token: this window of orders is asked for anew")
        return {channel: Page(cursor=restart(cursor, now), more=True) for channel, cursor in group.items()}
    moved = {channel: hurried(cursor) for channel, cursor in group.items()}
    if TOO_NEW not in str(refused) or None in moved.values():
        raise refused
    lead.log.warning("This machine's clock is ahead of Amazon's: set it right; orders are asked for up to earlier")
    return {channel: Page(cursor=cursor, more=True) for channel, cursor in moved.items() if cursor is not None}


def _denied(
    lead: Session, refused: errors.AccessMissing, group: Mapping[str, OrderCursor], parts: Sequence[str], now: datetime
) -> Mapping[str, Page[OrderCursor]]:
    """Asked again a few minutes later, then without what is personal, then each marketplace by itself, as one that is
    no longer the seller's refuses the question for all; raised when that is refused as well."""
    since = min((one.denied for one in group.values() if one.denied is not None), default=now)
    if now - since < SECOND:
        wait = Wait(
            (SECOND - (now - since)).total_seconds(), "Amazon refuses access: asked again before it is believed"
        )
        return {channel: Page(cursor=replace(one, denied=since), more=wait) for channel, one in group.items()}
    if not set(parts) & set(PERSONAL):
        if len(group) == 1:
            raise refused
        lead.log.warning("Amazon refuses the orders of these marketplaces together: each is asked for alone until "
                         "tomorrow. %s", refused)  # fmt: skip
        apart = {c: replace(one, alone=now, denied=None, plain=None, window=None) for c, one in group.items()}
        return {channel: Page(cursor=one, more=True) for channel, one in apart.items()}
    lead.log.warning("Amazon refuses what is personal of orders: they come without until tomorrow. %s", refused)
    return {channel: Page(cursor=replace(one, plain=now), more=True) for channel, one in group.items()}


def _ahead(answer: Answer, now: datetime) -> float | None:
    """By how many seconds our clock is ahead of the answer's, when it is worth knowing; None where it tells no time."""
    try:
        found = (now - parsedate_to_datetime(answer.headers.get("date", ""))).total_seconds()
    except (TypeError, ValueError):
        return None
    return float(round(found)) if found > WORTH else 0.0


def _shared(sessions: Mapping[str, Session], group: Mapping[str, OrderCursor], now: datetime) -> list[str]:
    """What any member was found to see: they share one grant and its roles. Refused, it is left out for a day."""
    if any(one.plain is not None and now - one.plain < PLAIN for one in group.values()):
        return list(ALWAYS)
    parts = [included(sessions[channel]) for channel in group]
    return [part for part in (*ALWAYS, *PERSONAL) if any(part in one for one in parts)]


def _started(session: Session, cursor: OrderCursor, now: datetime) -> OrderCursor:
    marketplace = str(session[AmazonCredentials].marketplace)
    return start(cursor, now, earliest(session[OrderImport], marketplace, now - LAG))  # as `wanted`: from `begun` on


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
    # the zone of the earliest days there are: a form does not tell which marketplace it belongs to
    return widened(cursor, earliest(after, "A39IBJ37TRP1C6", cursor.begun, newly(before, after)))


def newly(before: OrderImport, after: OrderImport) -> frozenset[str]:
    """Kinds of orders (`mfn`, `prime`, `fba`) of which something is admitted now that was not."""
    found = {
        "mfn": _newly(before.mfn, after.mfn, before.mfn_from, after.mfn_from),
        "prime": _newly(before.prime_by_merchant, after.prime_by_merchant, before.mfn_from, after.mfn_from),
        "fba": _newly(before.fba, after.fba, before.fba_from, after.fba_from),
    }
    return frozenset(kind for kind, admitted in found.items() if admitted)


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
