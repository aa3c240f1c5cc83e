"""Orders' returns and their refunds without a return, with all their parts; of many orders in a few requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from omnichannel_core import errors
from omnichannel_core.driver import Session
from omnichannel_core.records import Bad, Record, Return
from omnichannel_shopify import return_wire
from omnichannel_shopify.client import Client, data
from omnichannel_shopify.order_wire import Movement
from omnichannel_shopify.return_mapping import to_refund, to_return
from omnichannel_shopify.return_operations import FEW
from omnichannel_shopify.wire import Nodes, Wire, number

T = TypeVar("T")
REFUNDS = 10
TOGETHER = 50
"""Orders whose returns or refunds are asked for with one request."""


class RefundList(Wire):
    """An order's refunds."""

    id: str = ""
    refunds: list[return_wire.Refund] = []


class RefundsData(Wire):
    """Data of `OrderRefunds`."""

    order: RefundList | None = None


class ReturnList(Wire):
    """An order's returns."""

    id: str = ""
    returns: Nodes[return_wire.Return] = msgspec.field(default_factory=Nodes[return_wire.Return])


class ReturnData(Wire):
    """Data of `ReturnById`."""

    of_id: return_wire.Return | None = msgspec.field(default=None, name="return")


class Asked(NamedTuple):
    """An order whose returns are wanted; whether it has any, as far as it is known."""

    id: str
    updated: str
    refunded: bool = True
    returned: bool = True


def may(session: Session) -> bool:
    """Whether returns may be asked for: without the scope an order that is asked for them is hidden as a whole."""
    return not session.works or "returns" in session.works


async def returns_of(client: Client, orders: Sequence[Asked]) -> Mapping[str, list[Record | Bad]]:
    """Both as records, by order. Without the scope for returns, refunds come alone."""
    refunds = await refunds_of_many(client, [one.id for one in orders if one.refunded])
    wanted = [one.id for one in orders if one.returned] if may(client.session) else []
    try:
        returns = await returns_of_many(client, wanted)
    except errors.AccessMissing:
        client.session.log.warning("Returns cannot be read: the scope read_returns is missing")
        returns = {}
    found = dict[str, list[Record | Bad]]()
    for one in orders:
        paid = refunds.get(one.id, [])
        mine = found[one.id] = [
            attempt(to_refund_of(row, one.updated, one.id), row.id, row) for row in paid if row.of_return is None
        ]
        mine += [await whole(client, row, paid, one.updated, one.id) for row in returns.get(one.id, ())]
    return found


async def refunds_of_many(client: Client, orders: Sequence[str]) -> Mapping[str, list[return_wire.Refund]]:
    """The refunds of each order; one that has many, or that the search does not know yet, is asked by itself."""
    found = {one.id: one.refunds for one in await _together(client, "OrdersRefunds", RefundList, orders)}
    complete = {key: rows for key, rows in found.items() if len(rows) < FEW}
    for rows in complete.values():
        await _filled(client, rows)
    return complete | {key: await refunds_of(client, key) for key in orders if key not in complete}


async def returns_of_many(client: Client, orders: Sequence[str]) -> Mapping[str, list[return_wire.Return]]:
    """The returns of each order, their own parts not yet filled up."""
    found = {one.id: one.returns for one in await _together(client, "OrdersReturns", ReturnList, orders)}
    path, shape = ("order", "returns"), return_wire.Return
    return {
        key: await client.rest("OrderReturns", found[key], shape, path, size=2, id=key) if key in found
        else await client.walk("OrderReturns", shape, path, first=2, id=key)
        for key in orders
    }  # fmt: skip


async def _together(client: Client, operation: str, shape: type[T], orders: Sequence[str]) -> list[T]:
    """What a search for their numbers finds; a single order is read as it is, which no index delays."""
    found = list[T]()
    for at in range(0, len(orders) if len(orders) > 1 else 0, TOGETHER):
        query = " OR ".join(f"id:{number(one)}" for one in orders[at : at + TOGETHER])
        found += await client.walk(operation, shape, ("orders",), first=TOGETHER, query=query)
    return found


async def refunds_of(client: Client, order: str) -> list[return_wire.Refund]:
    """All refunds of an order, each with all its parts. The list has no cursor: a full one is asked for again."""
    size = REFUNDS
    while True:
        answer = await client.sized("OrderRefunds", size, id=order)
        found = data(answer, RefundsData).order or RefundList()
        if len(found.refunds) < size or size >= 250:
            break
        size = min(250, size * 3)
    await _filled(client, found.refunds)
    return found.refunds


async def _filled(client: Client, refunds: Sequence[return_wire.Refund]) -> None:
    """What did not fit into the first pages of a refund's parts."""
    for one in refunds:
        one.refund_line_items.nodes = await client.rest(
            "RefundLines", one.refund_line_items, return_wire.RefundLine, ("node", "refundLineItems"), id=one.id
        )
        one.refund_shipping_lines.nodes = await client.rest(
            "RefundShipping", one.refund_shipping_lines, return_wire.RefundedShipping, ("node", "refundShippingLines"),
            id=one.id,
        )  # fmt: skip
        one.order_adjustments.nodes = await client.rest(
            "RefundAdjustments", one.order_adjustments, return_wire.Adjustment, ("node", "orderAdjustments"), id=one.id
        )
        one.transactions.nodes = await client.rest(
            "RefundTransactions", one.transactions, Movement, ("node", "transactions"), id=one.id
        )


def to_refund_of(one: return_wire.Refund, updated: str, order: str) -> Callable[[], Return]:
    """How the record is made."""
    return lambda: to_refund(one, updated, order)


async def whole(
    client: Client, one: return_wire.Return, refunds: Sequence[return_wire.Refund], updated: str, order: str
) -> Return | Bad:
    """One return with all its lines, exchanges and dispositions."""
    one.return_line_items.nodes = await client.rest(
        "ReturnLines", one.return_line_items, return_wire.ReturnLine, ("return", "returnLineItems"), id=one.id
    )
    one.exchange_line_items.nodes = await client.rest(
        "ReturnExchanges", one.exchange_line_items, return_wire.Exchange, ("return", "exchangeLineItems"), id=one.id
    )
    one.reverse_fulfillment_orders.nodes = await client.rest(
        "ReturnReverse", one.reverse_fulfillment_orders, return_wire.Reverse, ("return", "reverseFulfillmentOrders"),
        size=5, id=one.id,
    )  # fmt: skip
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
