"""Orders in: the first import by id, then changes; archived orders and back-fills beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from omnichannel_bigcommerce import order_wire, wire
from omnichannel_bigcommerce.client import LIMIT, Client, many
from omnichannel_bigcommerce.order_mapping import included
from omnichannel_bigcommerce.settings import OrderFilters
from omnichannel_bigcommerce.sync.order_cursor import (
    OrderCursor,
    Track,
    advance,
    advance_backfill,
    backfill_query,
    followed,
    horizon,
    is_new,
    query,
    widen,
)
from omnichannel_bigcommerce.sync.order_rows import (
    Chosen,
    Filter,
    Row,
    affordable,
    as_list,
    choose,
    filter_of,
    marked,
    next_midnight,
    read,
    records,
    zone,
)
from omnichannel_bigcommerce.sync.returns import of_orders
from omnichannel_core import errors
from omnichannel_core.driver import Page, PullStream, Session
from omnichannel_core.records import Bad, Order, Record, Return

ARCHIVED = {"is_deleted": "true"}
"""Undocumented since 2024 (guide bigcommerce-and-shopify 1.10): the rows' own flag decides what came back."""

IN_A_ROW = 8
"""Pages of a back-fill before changes are looked at again."""


async def pull(session: Session, cursor: OrderCursor) -> Page[OrderCursor]:
    """One page: of the live orders, then of archived ones where wished, then of a back-fill."""
    settings = session[OrderFilters]
    if not settings.statuses and cursor.live.phase != "changes":
        session.log.warning("No order status is switched on in Order filters: nothing is imported")
        return Page(cursor=cursor)
    filters = await filter_of(session)
    if cursor.stage == "backfill" and cursor.backfill is not None:
        return await pull_backfill(session, cursor, filters)
    if cursor.stage == "archived" and settings.archived and not cursor.archived_ignored:
        return await pull_archived(session, cursor, filters)
    track, found, more = await step(session, cursor.live, filters, {})
    moved = replace(cursor, live=track, stage="live")
    return page(moved if more else after_live(moved, settings), found, more=more)


def page(cursor: OrderCursor, found: Sequence[Record | Bad], *, more: bool = False) -> Page[OrderCursor]:
    """The run goes on while a track or a stage is left."""
    return Page(cursor=cursor, records=found, more=more or cursor.stage != "live")


def after_live(cursor: OrderCursor, settings: OrderFilters) -> OrderCursor:
    """The stage after the live orders."""
    if settings.archived and not cursor.archived_ignored:
        return replace(cursor, stage="archived")
    return after_archived(cursor)


def after_archived(cursor: OrderCursor) -> OrderCursor:
    """The stage after the archived orders."""
    return replace(cursor, stage="backfill" if cursor.backfill is not None else "live")


async def step(
    session: Session, track: Track, filters: Filter, extra: dict[str, str]
) -> tuple[Track, list[Record | Bad], bool]:
    """One page of a track: the track after it, its records, and whether the run goes on."""
    client = Client(session)
    if track.phase == "new":
        track = await begin(session, client, track)
    by_date = track.phase == "changes" and track.tie_after is None
    answer = await client.orders({**query(track, filters.settings, filters.midnight), **extra})
    rows = await session.compute(partial(read, answer, horizon(track), by_date=by_date))
    history = track.phase != "changes"
    fresh = [row for row in rows if is_new(track, row.seen)]
    chosen = await choose(session, fresh, filters, history=history, followed=followed(track))
    taken, cut = shorten(rows, chosen)
    after, more = advance(track, marked(taken, chosen), full=cut or len(rows) >= LIMIT)
    kept = affordable(chosen) if cut else chosen
    return after, [*await records(session, kept), *await of_orders(session, refunded(kept))], more


async def begin(session: Session, client: Client, track: Track) -> Track:
    """The newest change in the store, by the store's own clock: where later runs begin, whatever our clock says."""
    newest = many(await client.newest_order(), order_wire.Order)
    try:
        start = wire.moment(newest[0].date_modified) if newest else None
    except ValueError as cause:
        raise errors.RemoteUnavailable("getOrders: the newest order has no readable date") from cause
    return replace(track, phase="first", start=start)


def shorten(rows: Sequence[Row], chosen: Sequence[Chosen]) -> tuple[Sequence[Row], bool]:
    """The rows up to the last one this page can afford, and whether some were left for the next page."""
    kept = affordable(chosen)
    if len(kept) == len(chosen):
        return rows, False
    first_left = chosen[len(kept)].row
    return rows[: next(at for at, row in enumerate(rows) if row is first_left)], True


def refunded(chosen: Sequence[Chosen]) -> list[order_wire.Order]:
    """Orders that come with refunds: those of a time before the order was imported are found here only."""
    every = [one.row.order for one in chosen if one.row.order is not None and (one.asks or not one.known_only)]
    return [order for order in every if order.status_id in (4, 14) or any_back(order)]


def any_back(order: order_wire.Order) -> bool:
    """Whether something of a line was refunded."""
    return any((line.quantity_refunded or 0) > 0 for _, line in included(order) or ())


async def pull_archived(session: Session, cursor: OrderCursor, filters: Filter) -> Page[OrderCursor]:
    """The second pass. A row that is not archived shows that the store ignores the filter: the pass is given up."""
    client, track = Client(session), cursor.archived
    if track.phase == "new":
        track = await begin(session, client, track)
    asked = {**query(track, filters.settings, filters.midnight), **ARCHIVED}
    by_date = track.phase == "changes" and track.tie_after is None
    answer = await client.orders(asked)
    rows = await session.compute(partial(read, answer, horizon(track), by_date=by_date))
    ignored = any(row.order is not None and not row.order.is_deleted for row in rows)
    fresh = [r for r in rows if is_new(track, r.seen) and not (r.order is not None and not r.order.is_deleted)]
    history = track.phase != "changes"
    chosen = await choose(session, fresh, filters, history=history, followed=followed(track))
    if ignored:
        session.log.warning("This store does not list archived orders: they arrive when they are archived or fetched")
        found = await records(session, affordable(chosen))
        return page(after_archived(replace(cursor, archived_ignored=True)), found)
    taken, cut = shorten(rows, chosen)
    after, more = advance(track, marked(taken, chosen), full=cut or len(rows) >= LIMIT)
    moved = replace(cursor, archived=after, stage="archived")
    found = await records(session, affordable(chosen) if cut else chosen)
    return page(moved if more else after_archived(moved), found)


async def pull_backfill(session: Session, cursor: OrderCursor, filters: Filter) -> Page[OrderCursor]:
    """One page of what a widened filter newly admits; every few pages changes are looked at in between."""
    backfill = cursor.backfill
    if backfill is None or not filters.settings.statuses:
        return page(replace(cursor, stage="live", backfill=None), ())
    day = backfill.created_before
    before = None if day is None else next_midnight(day, await zone(session))
    asked = backfill_query(backfill, filters.settings, filters.midnight, before)
    rows = await session.compute(partial(read, await Client(session).orders(asked)))
    admitted = [row for row in rows if row.order is None or filters.admits(row.order)]
    ids = frozenset(str(row.seen.id) for row in admitted)
    stored = await session.known(Order, ids) if ids else frozenset()
    fresh = [row for row in admitted if str(row.seen.id) not in stored]
    chosen = await choose(session, fresh, filters, history=True)
    taken, cut = shorten(rows, chosen)
    left = advance_backfill(backfill, [row.seen for row in taken], full=cut or len(rows) >= LIMIT)
    pause = left is None or left.pages % IN_A_ROW == 0
    moved = replace(cursor, backfill=left, stage="live" if pause else "backfill")
    kept = affordable(chosen) if cut else chosen
    found = [*await records(session, kept), *await of_orders(session, refunded(kept))]
    return page(moved, found, more=left is not None)


async def fetch(session: Session, ids: Sequence[str]) -> Sequence[Record | Bad]:
    """Single orders with all their parts; one that is gone, ours, or neither admitted nor stored is left out."""
    client, filters, rows = Client(session), await filter_of(session), list[Row]()
    for one in dict.fromkeys(ids):
        answer = await client.order(one) if one.isdigit() else None
        if answer is not None:
            rows += read(as_list(answer))
    chosen = await choose(session, rows, filters, history=False)
    return [*await records(session, chosen), *await of_orders(session, refunded(chosen))]


ORDERS = PullStream(name="orders", yields=(Order, Return), cursor=OrderCursor, pull=pull, fetch=fetch, widen=widen)
