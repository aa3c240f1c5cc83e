"""Returns in: they come with their orders; here those that are open are looked at once more.

Shopify has no list of returns (guide bigcommerce-and-shopify 2.11), and what happens to a return need not show in its
order's date of change. So orders with an open return are walked every hour, and single ones are fetched on demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from omnichannel_core.driver import Page, PullStream, Session
from omnichannel_core.records import Bad, Order, Record, Return
from omnichannel_shopify.client import Client, connection
from omnichannel_shopify.sync.history import Head
from omnichannel_shopify.sync.order_returns import Asked, attempt, refunds_of, return_by_id, returns_of, to_refund_of
from omnichannel_shopify.wire import Wire, number

OPEN = "return_status:return_requested OR return_status:in_progress OR return_status:inspection_complete"
PAGE = 10


class ReturnsCursor(Struct, frozen=True):
    """Every run walks the orders with an open return, by number."""

    after_id: int = 0


async def pull(session: Session, cursor: ReturnsCursor) -> Page[ReturnsCursor]:
    """One page of orders with an open return; of stored orders only."""
    client = Client(session)
    query = f"({OPEN}) AND id:>={cursor.after_id + 1}" if cursor.after_id else OPEN
    page = connection(await client.sized("OrdersWithReturns", PAGE, query=query, after=None), Head, ("orders",))
    known = await session.known(Order, frozenset(one.id for one in page.nodes)) if page.nodes else frozenset()
    by_order = await returns_of(client, [Asked(one.id, one.updated_at) for one in page.nodes if one.id in known])
    found = [record for records in by_order.values() for record in records]
    last = max([number(one.id) for one in page.nodes], default=0)
    more = page.page_info.has_next_page and last > cursor.after_id
    return Page(cursor=ReturnsCursor(last if more else 0), records=found, more=more)


class RefundOf(Wire):
    """A refund's order."""

    id: str = ""
    updated_at: str = ""


class RefundNode(Wire):
    """A refund, for its order."""

    order: RefundOf | None = None


class RefundData(Wire):
    """Data of `RefundOrder`."""

    node: RefundNode | None = None


async def fetch(session: Session, ids: Sequence[str]) -> Sequence[Record | Bad]:
    """Single returns, and refunds without one; what is gone is left out."""
    client, found = Client(session), list[Record | Bad]()
    for key in dict.fromkeys(ids):
        if "/Refund/" not in key:
            one = await return_by_id(client, key)
            found += [one] if one is not None else []
            continue
        node = (await client.ask("RefundOrder", RefundData, id=key)).node
        order = node.order if node else None
        if order is None:
            continue
        for refund in await refunds_of(client, order.id):
            if refund.id == key and refund.of_return is None:
                found.append(attempt(to_refund_of(refund, order.updated_at, order.id), key, refund))
    return found


RETURNS = PullStream(
    name="returns", yields=(Return,), cursor=ReturnsCursor, pull=pull, fetch=fetch, every=timedelta(hours=1)
)
