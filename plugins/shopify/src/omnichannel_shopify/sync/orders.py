"""Orders in, with their returns: history first, then changes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from omnichannel_core import errors
from omnichannel_core.driver import Page, PullStream, Session, Wait
from omnichannel_core.records import Bad, Order, Record, Return
from omnichannel_shopify.client import Client, reach
from omnichannel_shopify.sync import history, returns
from omnichannel_shopify.sync.order_cursor import (
    SETTLES,
    OrderCursor,
    advance,
    beginning,
    forgotten,
    is_new,
    stamp,
    widen,
)  # fmt: skip
from omnichannel_shopify.sync.order_returns import may
from omnichannel_shopify.sync.order_rows import Filter, Row, choose, filter_of, page_of, records, row_of
from omnichannel_shopify.wire import gid

IN_A_ROW = 8
"""Steps of a later history before changes are looked at again."""

OF_ONE = 50
"""Transactions that `OrderById` asks for."""


async def pull(session: Session, cursor: OrderCursor) -> Page[OrderCursor]:
    """One page: of the history, or of changes; while a later history is on its way they take turns."""
    filters = await filter_of(session)
    if cursor.history is None:
        return await changes(session, cursor, filters)
    if filters.nothing:
        session.log.warning("No payment or no fulfillment status is switched on in Order filters: nothing is imported")
        first = cursor.changes.since is None
        return Page(cursor=cursor) if first else await changes(session, cursor, filters)
    if cursor.turn == "changes" and cursor.changes.since is not None:
        page = await changes(session, cursor, filters)
        if page.more is True:
            return page
        back = replace(page.cursor, turn="history", pause=0.0)
        return Page(cursor=back, records=page.records, more=Wait(cursor.pause, history.PREPARING))
    return in_between(await history.step(session, cursor, filters))


def in_between(page: Page[OrderCursor]) -> Page[OrderCursor]:
    """Hands the turn to changes where a later history waits, or has gone on for a while."""
    cursor, waits = page.cursor, isinstance(page.more, Wait)
    if cursor.history is None or cursor.changes.since is None:
        return page
    pages = cursor.history.pages
    if not (waits or (pages and pages % IN_A_ROW == 0)):
        return page
    if isinstance(page.more, Wait) and page.more.seconds < 1:
        return page
    pause = page.more.seconds if isinstance(page.more, Wait) else 0.0
    moved = replace(cursor, turn="changes", pause=pause)
    return Page(cursor=moved, records=page.records, more=True, total=page.total)


async def changes(session: Session, cursor: OrderCursor, filters: Filter) -> Page[OrderCursor]:
    """One page of orders by `updatedAt`."""
    client, track = Client(session), cursor.changes
    query = f"updated_at:>={stamp(beginning(track))}"
    try:
        answer = await client.sized(
            "OrdersPage", history.PAGE, query=query, sort="UPDATED_AT", after=track.after or None, returns=may(session)
        )
    except errors.RemoteRejected:
        anew = forgotten(track)
        if anew is None:
            raise
        session.log.warning("Shopify has forgotten where the orders stood: the window begins again")
        return Page(cursor=replace(cursor, changes=anew), more=True)
    rows, info = page_of(answer)
    fresh = [row for row in rows if is_new(track, row.seen)]
    found = await records(session, client, await choose(session, fresh, filters, history=False))
    more = info.has_next_page and bool(info.end_cursor) and bool(rows)
    settled = session.clock.now() - SETTLES
    moved = advance(track, [row.seen for row in rows], end_cursor=info.end_cursor or "", more=more, settled=settled)
    return Page(cursor=replace(cursor, changes=moved), records=found, more=more)


async def fetch(session: Session, ids: Sequence[str]) -> Sequence[Record | Bad]:
    """Single orders with all their parts and returns; one that is gone, or neither admitted nor stored, is left out.

    Returns that came with an order are asked for here too.
    """
    client, filters, rows = Client(session), await filter_of(session), list[Row]()
    back = [one for one in ids if "/Return/" in one or "/Refund/" in one]
    for key in dict.fromkeys(gid("Order", one) for one in ids if one not in back):
        raw = reach(await client.send("OrderById", id=key, returns=may(session)), ("order",))
        if bytes(raw) != b"null":
            rows.append(row_of(raw)._replace(listed=OF_ONE))
    found = await records(session, client, await choose(session, rows, filters, history=False))
    return [*found, *(await returns.fetch(session, back) if back else ())]


ORDERS = PullStream(name="orders", yields=(Order, Return), cursor=OrderCursor, pull=pull, fetch=fetch, widen=widen)
