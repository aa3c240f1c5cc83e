"""An order's returns and its refunds without a return, with all their parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from omnichannel_core import errors
from omnichannel_core.driver import Session
from omnichannel_core.records import Bad, Record, Return
from omnichannel_shopify import return_wire
from omnichannel_shopify.client import Client, data
from omnichannel_shopify.return_mapping import to_refund, to_return
from omnichannel_shopify.wire import Wire

REFUNDS = 10


class RefundList(Wire):
    """An order's refunds."""

    updated_at: str = ""
    refunds: list[return_wire.Refund] = []


class RefundsData(Wire):
    """Data of `OrderRefunds`."""

    order: RefundList | None = None


class ReturnData(Wire):
    """Data of `ReturnById`."""

    of_id: return_wire.Return | None = msgspec.field(default=None, name="return")


def may(session: Session) -> bool:
    """Whether returns may be asked for: without the scope an order that is asked for them is hidden as a whole."""
    return not session.works or "returns" in session.works


async def returns_of(
    client: Client, order: str, updated: str, *, refunded: bool = True, returned: bool = True
) -> list[Record | Bad]:
    """Both as records. Without the scope for returns, refunds come alone.

    Args:
        refunded, returned: whether the order has any, as far as it is known.
    """
    refunds = await refunds_of(client, order) if refunded else []
    try:
        wanted = returned and may(client.session)
        returns = (
            []
            if not wanted
            else await client.walk("OrderReturns", return_wire.Return, ("order", "returns"), first=2, id=order)
        )
    except errors.AccessMissing:
        client.session.log.warning("Returns cannot be read: the scope read_returns is missing")
        returns = []
    found: list[Record | Bad] = [
        attempt(to_refund_of(one, updated, order), one.id, one) for one in refunds if one.of_return is None
    ]
    found += [await whole(client, one, refunds, updated, order) for one in returns]
    return found


async def refunds_of(client: Client, order: str) -> list[return_wire.Refund]:
    """All refunds of an order, each with all its lines. The list has no cursor: a full one is asked for again."""
    size = REFUNDS
    while True:
        answer = await client.sized("OrderRefunds", size, id=order)
        found = data(answer, RefundsData).order or RefundList()
        if len(found.refunds) < size or size >= 250:
            break
        size = min(250, size * 3)
    for refund in found.refunds:
        refund.refund_line_items.nodes = await client.rest(
            "RefundLines", refund.refund_line_items, return_wire.RefundLine, ("node", "refundLineItems"), id=refund.id
        )
    return found.refunds


def to_refund_of(one: return_wire.Refund, updated: str, order: str) -> Callable[[], Return]:
    """How the record is made."""
    return lambda: to_refund(one, updated, order)


async def whole(
    client: Client, one: return_wire.Return, refunds: Sequence[return_wire.Refund], updated: str, order: str
) -> Return | Bad:
    """One return with all its lines and dispositions."""
    one.return_line_items.nodes = await client.rest(
        "ReturnLines", one.return_line_items, return_wire.ReturnLine, ("return", "returnLineItems"), id=one.id
    )
    for reverse in one.reverse_fulfillment_orders.nodes:
        reverse.line_items.nodes = await client.rest(
            "ReverseLines", reverse.line_items, return_wire.ReverseLine, ("reverseFulfillmentOrder", "lineItems"),
            id=reverse.id,
        )  # fmt: skip
    return attempt(lambda: to_return(one, refunds, updated, order), one.id, one)


def attempt(make: Callable[[], Return], key: str, wire: object) -> Return | Bad:
    """The record, or why there is none."""
    try:
        return make()
    except (ValueError, ArithmeticError) as cause:
        return Bad(kind=Return, id=key, reason=str(cause) or type(cause).__name__, raw=msgspec.json.encode(wire))


async def return_by_id(client: Client, key: str) -> Return | Bad | None:
    """One return; None when it is gone."""
    found = (await client.ask("ReturnById", ReturnData, id=key)).of_id
    if found is None or found.order is None:
        return None
    refunds = await refunds_of(client, found.order.id) if found.refunds.nodes else []
    return await whole(client, found, refunds, found.order.updated_at, found.order.id)
