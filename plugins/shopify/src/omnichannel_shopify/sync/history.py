"""All orders that the filters admit: by a bulk operation, or page by page (guide bigcommerce-and-shopify 2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from omnichannel_core import errors
from omnichannel_core.driver import Page, Session, Wait
from omnichannel_core.records import Bad, Record
from omnichannel_shopify.authorization import warn_of_window
from omnichannel_shopify.client import Client, refusal
from omnichannel_shopify.order_operations import BULK_ORDERS, BULK_RETURNS
from omnichannel_shopify.sync import bulk_file
from omnichannel_shopify.sync.order_cursor import (
    EPOCH,
    OVERLAP,
    SETTLES,
    History,
    OrderCursor,
    again,
    finished,
    remembered,
    stamp,
)  # fmt: skip
from omnichannel_shopify.sync.order_returns import may
from omnichannel_shopify.sync.order_rows import (
    Chosen,
    Filter,
    Row,
    affordable,
    choose,
    page_of,
    records,
)  # fmt: skip
from omnichannel_shopify.wire import Wire, moment, number

BULK_FROM = 250
"""Orders from which on a bulk operation is worth its wait."""

PAGE = 50
COUNTED = 10_000
TRIES = 2
"""Bulk operations that may fail before the orders are asked for page by page."""

SOON, AGAIN, LATEST = 2.0, 3.0, 30.0
"""Seconds until a bulk operation is looked at: first, after a failure, at most."""

RUNNING = frozenset({"CREATED", "RUNNING", "CANCELING"})
SLOTS = frozenset({"LIMIT_REACHED", "OPERATION_IN_PROGRESS"})
PREPARING = "Shopify prepares the order history"


class Head(Wire):
    """An order's change."""

    id: str = ""
    updated_at: str = ""


class Heads(Wire):
    """A few of them."""

    nodes: list[Head] = []


class NewestData(Wire):
    """Data of `NewestOrder`."""

    orders: Heads | None = None


class Count(Wire):
    """A count, capped."""

    count: int = 0


class CountData(Wire):
    """Data of `OrdersCount`."""

    orders_count: Count | None = None


class Bulk(Wire):
    """BulkOperation; counters are texts."""

    id: str = ""
    status: str = ""
    error_code: str | None = None
    object_count: str | int = "0"
    root_object_count: str | int = "0"
    url: str | None = None
    query: str = ""
    created_at: str | None = None


class BulkData(Wire):
    """Data of `BulkPoll`."""

    bulk_operation: Bulk | None = None


async def step(session: Session, cursor: OrderCursor, filters: Filter) -> Page[OrderCursor]:
    """One step of the history; every step but the reading of a file is small."""
    history = cursor.history or History()
    if history.begun is None:
        return await begin(session, cursor, history, filters)
    if history.way == "ask":
        return await decide(session, cursor, history, filters)
    if history.way == "paged":
        return await by_page(session, cursor, history, filters)
    if not history.operation:
        return await start(session, cursor, history, filters)
    if not history.parts:
        return await poll(session, cursor, history)
    return await by_part(session, cursor, history, filters)


def on(cursor: OrderCursor, history: History, more: bool | Wait = True, total: int = 0) -> Page[OrderCursor]:
    """A step without records."""
    return Page(cursor=replace(cursor, history=history), more=more, total=total or None)


async def begin(session: Session, cursor: OrderCursor, history: History, filters: Filter) -> Page[OrderCursor]:
    """The newest change in the shop, by its own clock: where changes begin afterwards. Committed before anything."""
    warn_of_window(session, filters.settings, filters.midnight)
    newest = (await Client(session).ask("NewestOrder", NewestData)).orders
    try:
        found = moment(newest.nodes[0].updated_at) if newest and newest.nodes else None
    except ValueError as cause:
        raise errors.RemoteUnavailable("NewestOrder: the newest order has no readable date") from cause
    now = session.clock.now()
    return on(cursor, replace(history, begun=now, start=history.start or found), Wait(0.0, "The order history begins"))


async def decide(session: Session, cursor: OrderCursor, history: History, filters: Filter) -> Page[OrderCursor]:
    """Few orders come sooner page by page."""
    if history.failures >= TRIES:
        return on(cursor, replace(history, way="paged"))
    answer = await Client(session).ask("OrdersCount", CountData, query=where(filters), limit=COUNTED)
    count = answer.orders_count.count if answer.orders_count else 0
    return on(cursor, replace(history, way="bulk" if count >= BULK_FROM else "paged", total=count), total=count)


def where(filters: Filter, after_id: int = 0) -> str | None:
    """What narrows the search; statuses are looked at here, as Shopify's index has other words for them."""
    terms = [f"created_at:>={stamp(filters.midnight)}"] if filters.midnight is not None else []
    if not filters.settings.test:
        terms.append("test:false")
    if after_id:
        terms.append(f"id:>={after_id + 1}")
    return " AND ".join(terms) or None


# --- page by page
async def by_page(session: Session, cursor: OrderCursor, history: History, filters: Filter) -> Page[OrderCursor]:
    """Orders by number: each page begins after the last one's number, so that no cursor has to live long."""
    client = Client(session)
    answer = await client.sized("OrdersPage", PAGE, query=where(filters, history.after_id), sort="ID", after=None,
        returns=may(session),
    )  # fmt: skip
    rows, info = page_of(answer)
    chosen = await choose(session, rows, filters, history=True)
    kept, cut = shortened(rows, chosen)
    last = max([number(row.seen.id) for row in kept] + [history.after_id])
    cursor = taken(session, cursor, history, kept)
    if not cut and not info.has_next_page:
        found = await records(session, client, chosen)
        return Page(cursor=finished(cursor), records=found, more=True, total=history.total or None)
    if last <= history.after_id:
        raise errors.RemoteUnavailable("OrdersPage: a whole page of orders cannot be read")
    found = await records(session, client, affordable(chosen) if cut else chosen)
    moved = replace(history, after_id=last, pages=history.pages + 1)
    return Page(
        cursor=replace(cursor, history=moved), records=found, more=True,
        total=history.total if 0 < history.total < COUNTED else None,
    )  # fmt: skip


def taken(session: Session, cursor: OrderCursor, history: History, rows: Sequence[Row]) -> OrderCursor:
    """Remembers what the first look at changes would bring again."""
    since, settled = (history.start or EPOCH) - OVERLAP, session.clock.now() - SETTLES
    lately = {row.seen.id: row.seen.updated for row in rows if since <= row.seen.updated <= settled}
    if not lately or history.start is None:
        return cursor
    track = cursor.changes
    return replace(cursor, changes=replace(track, seen=remembered({**track.seen, **lately}, history.start)))


def shortened(rows: Sequence[Row], chosen: Sequence[Chosen]) -> tuple[Sequence[Row], bool]:
    """The rows up to the last one a page can afford, and whether some were left for the next page."""
    kept = affordable(chosen)
    if len(kept) == len(chosen):
        return rows, False
    first_left = chosen[len(kept)].row
    return rows[: next(at for at, row in enumerate(rows) if row is first_left)], True


# --- by a bulk operation
async def start(session: Session, cursor: OrderCursor, history: History, filters: Filter) -> Page[OrderCursor]:
    """The operation we already started before a crash, else a new one."""
    client, query = Client(session), bulk_query(filters, history, returns=may(session))
    running = await started(client, query, history)
    if running is None:
        payload, refused = await client.mutate("BulkRun", "bulkOperationRunQuery", query=query)
        if any(one.code in SLOTS or "already in progress" in one.message for one in refused):
            return on(cursor, history, Wait(60.0, "All bulk slots of this shop are taken"))
        running = made(payload) if not refused else None
        if running is None:
            session.log.warning("Shopify runs no bulk operation (%s): page by page", refusal(refused))
            return on(cursor, replace(history, way="paged"))
    return on(cursor, replace(history, operation=running), Wait(SOON, PREPARING))


def bulk_query(filters: Filter, history: History, *, returns: bool) -> str:
    """The text; the moment it was begun makes it this history's own."""
    begun = history.begun + timedelta(days=1) if history.begun else None
    terms = [term for term in (where(filters), f"created_at:<={stamp(begun)}" if begun else "") if term]
    return BULK_ORDERS % (" AND ".join(terms), BULK_RETURNS if returns else "")


async def started(client: Client, query: str, history: History) -> str | None:
    """An operation with this very text that is running or done, None where there is none."""
    since = f"created_at:>={stamp(history.begun - timedelta(days=1))}" if history.begun else None
    found = await client.walk("BulkList", Bulk, ("bulkOperations",), first=20, query=since)
    same = "".join(query.split())
    for one in found:
        if "".join(one.query.split()) == same and one.status in RUNNING | {"COMPLETED"}:
            return one.id
    return None


def made(payload: object) -> str | None:
    """The id of the operation that a mutation began."""
    raw = payload.get("bulkOperation") if isinstance(payload, dict) else None
    found = msgspec.json.decode(raw, type=Bulk | None) if raw is not None else None
    return found.id if found is not None and found.id else None


async def poll(session: Session, cursor: OrderCursor, history: History) -> Page[OrderCursor]:
    """Looks how far it is; a file that is ready is fetched and split."""
    found = (await Client(session).ask("BulkPoll", BulkData, id=history.operation)).bulk_operation
    if found is None:
        return on(cursor, again(history, paged=history.failures + 1 >= TRIES))
    total, orders = int(found.object_count or 0), int(found.root_object_count or 0)
    if found.status in RUNNING:
        return on(cursor, history, patience(session, history, orders), total=history.total)
    if found.status == "COMPLETED" and not found.url and not total:
        return Page(cursor=finished(cursor), more=True)
    if found.status == "COMPLETED":
        split = replace(history, parts=bulk_file.parts_for(orders), total=orders)
        if await fetched(session, found, split):
            return on(cursor, split, total=orders)
    else:
        session.log.warning("Shopify's bulk operation ended as %s (%s)", found.status, found.error_code)
    return on(cursor, again(history, paged=history.failures + 1 >= TRIES), Wait(AGAIN, "Asking Shopify again"))


def patience(session: Session, history: History, orders: int) -> Wait:
    """A tenth of the time it has taken so far."""
    taken = (session.clock.now() - (history.begun or session.clock.now())).total_seconds()
    return Wait(min(LATEST, max(SOON, taken / 10)), f"{PREPARING}: {orders} orders")


def folder_of(session: Session, history: History) -> Path:
    """Where the parts of a bulk operation are."""
    return session.scratch / f"bulk-{number(history.operation)}"


async def fetched(session: Session, found: Bulk, history: History) -> bool:
    """Fetches and splits the file; False when it is gone, or does not hold what Shopify says it does.

    The piece that a failed operation had is not fetched: nothing tells which of its orders are whole.
    """
    folder, expected = folder_of(session, history), int(found.object_count or 0)
    file = folder.with_suffix(".jsonl")
    await session.compute(partial(bulk_file.clear, session.scratch))
    if not found.url:
        session.log.warning("Shopify's bulk file is not there: %s (%s)", found.status, found.error_code)
        return False
    try:
        await Client(session).file(found.url, file)
        counted = await session.compute(partial(bulk_file.split, file, folder, history.parts))
    except (errors.RemoteRejected, ValueError) as cause:
        session.log.warning("Shopify's bulk file is gone or not readable: %s", cause)
        return False
    if counted.lines != expected:
        session.log.warning("Shopify's bulk file holds %d objects and not %d", counted.lines, expected)
        await session.compute(partial(bulk_file.forget, folder))
        return False
    return True


async def by_part(session: Session, cursor: OrderCursor, history: History, filters: Filter) -> Page[OrderCursor]:
    """Some orders of a part; the file is fetched again where this machine has none."""
    folder = folder_of(session, history)
    if not folder.exists():
        found = (await Client(session).ask("BulkPoll", BulkData, id=history.operation)).bulk_operation
        if found is None or not await fetched(session, found, history):
            return on(cursor, again(history, paged=history.failures + 1 >= TRIES))
    rows = (await session.compute(partial(bulk_file.read, folder, history.part)))[history.skip :]
    chosen = await choose(session, rows, filters, history=True)
    kept, cut = shortened(rows, chosen)
    found_records = await records(session, Client(session), affordable(chosen) if cut else chosen)
    cursor = taken(session, cursor, history, kept)
    if cut:
        moved = replace(history, skip=history.skip + len(kept), pages=history.pages + 1)
    else:
        moved = replace(history, part=history.part + 1, skip=0, pages=history.pages + 1)
    if moved.part >= history.parts:
        return await ended(session, cursor, history, found_records)
    return Page(cursor=replace(cursor, history=moved), records=found_records, more=True, total=history.total or None)


async def ended(
    session: Session, cursor: OrderCursor, history: History, found: Sequence[Record | Bad]
) -> Page[OrderCursor]:
    """The last part: history is through."""
    await session.compute(partial(bulk_file.forget, folder_of(session, history)))
    return Page(cursor=finished(cursor), records=found, more=True)
