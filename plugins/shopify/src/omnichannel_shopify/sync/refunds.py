"""Refunds out, where the host asks: money back, and what becomes of the goods (guide bigcommerce-and-shopify 2.11).

Money is never paid back twice: Shopify remembers the key for 24 hours, and each refund carries a mark in its note,
which is looked for before it is made and after no answer. Shopify says how the money goes back (`suggestedRefund`); an
amount that the host names is taken from that way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import attrs
import msgspec

from omnichannel_core.driver import Accepted, Batch, Later, Outcome, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Money, Return
from omnichannel_shopify.client import Client, refusal
from omnichannel_shopify.sync.order_returns import refunds_of
from omnichannel_shopify.sync.shipments import open_orders
from omnichannel_shopify.sync.stock import digest, location_of
from omnichannel_shopify.wire import Bag, Id, Wire, gid


@attrs.frozen(kw_only=True)
class Wanted:
    """One refund. `lines`: quantity by line id. `amount`: None is what Shopify calculates."""

    order: str
    key: str
    mark: str
    lines: Mapping[str, int]
    restock: str = "NO_RESTOCK"
    kept: frozenset[str] = frozenset()  # lines that are not restocked, whatever `restock` says
    shipping: Decimal | None = None
    currencies: frozenset[str] = frozenset()  # of the amount, and of the shipping
    amount: Money | None = None
    location: str = ""
    note: str = ""


class Suggested(Wire):
    """SuggestedOrderTransaction."""

    kind: str = ""
    gateway: str | None = None
    amount_set: Bag | None = None
    parent_transaction: Id | None = None


class Suggestion(Wire):
    """SuggestedRefund."""

    amount_set: Bag | None = None
    suggested_transactions: list[Suggested] = []


class OrderToRefund(Wire):
    """The order, and how Shopify would pay back."""

    id: str = ""
    currency_code: str = ""
    presentment_currency_code: str = ""
    suggested_refund: Suggestion | None = None


class SuggestData(Wire):
    """Data of `SuggestRefund`."""

    order: OrderToRefund | None = None


async def push(session: Session, batch: Batch[Return]) -> Mapping[str, Outcome]:
    """One refund."""
    (item,) = batch.items
    record, lines, kept = item.record, dict[str, int](), set[str]()
    shipping: Decimal | None = None
    currencies = {record.amount.currency} if isinstance(record.amount, Money) else set[str]()
    for line in record.lines.values():
        if line.kind == "shipping" and isinstance(line.amount, Money):
            shipping = (shipping or Decimal(0)) + line.amount.amount
            currencies.add(line.amount.currency)
        elif line.order_line and isinstance(line.quantity, Decimal):
            key = gid("LineItem", line.order_line)
            try:
                lines[key] = lines.get(key, 0) + pieces(line.order_line, line.quantity)
            except ValueError as why:
                return {item.key: Rejected(str(why))}
            if not line.restock:
                kept.add(key)
    wanted = Wanted(
        order=gid("Order", record.order_id), key=batch.key, mark=mark_of(item.key), lines=lines, restock="RETURN",
        kept=frozenset(kept), currencies=frozenset(currencies),
        shipping=shipping, amount=record.amount if isinstance(record.amount, Money) else None,
        location=record.extra.get("location", ""), note=record.reason if isinstance(record.reason, str) else "",
    )  # fmt: skip
    return {item.key: await refund(Client(session), wanted)}


def pieces(line: str, quantity: Decimal) -> int:
    """A quantity as Shopify counts.

    Raises:
        ValueError: it is not whole, or nothing.
    """
    if not quantity.is_finite() or quantity != quantity.to_integral_value() or quantity < 1:
        raise ValueError(
            f"Shopify takes back whole pieces, one at least: line {line.rpartition('/')[2]} has {quantity}"
        )
    return int(quantity)


async def refund(client: Client, wanted: Wanted) -> Outcome:
    """Calculated by Shopify, then made under the batch's key; unless it was made before."""
    there = await made_before(client, wanted.order, wanted.mark)
    if there is not None:
        return there
    back = [key for key in wanted.lines if wanted.restock != "NO_RESTOCK" and key not in wanted.kept]
    places = await destinations(client, wanted, back)
    if nowhere := [key.rpartition("/")[2] for key in back if key not in places]:
        return Rejected(f"Say to which location the goods of line {', '.join(nowhere)} go back: extra['location']")
    rows = [line_of(wanted, key, quantity, places.get(key, "")) for key, quantity in wanted.lines.items()]
    shipping = format(wanted.shipping, "f") if wanted.shipping is not None else None
    found = await client.ask("SuggestRefund", SuggestData, id=wanted.order, lines=rows, shipping=shipping, full=False)
    if found.order is None:
        return Rejected(f"The shop has no order {wanted.order.rpartition('/')[2]}")
    presentment = found.order.presentment_currency_code
    if other := sorted(wanted.currencies - {presentment}):
        return Rejected(f"The order was paid in {presentment}, not in {', '.join(other)}")
    transactions, short = movements(found.order, wanted)
    if short:
        return Rejected(f"Only {short} can be paid back: the rest was not paid, or was paid back before")
    body: dict[str, object] = {
        "orderId": wanted.order, "refundLineItems": rows, "transactions": transactions, "notify": False,
        "note": f"{wanted.note[:200]} [{wanted.mark}]".strip(),
    }  # fmt: skip
    if shipping is not None:
        body["shipping"] = {"amount": shipping}
    if presentment and presentment != found.order.currency_code:
        body["currency"] = presentment
    payload, refused = await client.mutate("Refund", "refundCreate", repeatable=True, input=body, key=wanted.key)
    if refused:
        return Rejected(refusal(refused))
    made = msgspec.json.decode(payload.get("refund", msgspec.Raw(b"null")), type=Id | None)
    return Accepted(remote={"refund": made.id} if made is not None else {})


def mark_of(key: str) -> str:
    """What tells a refund of ours: short, of the item and not of the try."""
    return f"omnichannel {digest(key)[:12]}"


async def made_before(client: Client, order: str, mark: str) -> Accepted | None:
    """The refund with this mark, where it is there."""
    for one in await refunds_of(client, order):
        if f"[{mark}]" in (one.note or ""):
            return Accepted(remote={"refund": one.id}, note="It was made before")
    return None


async def settle(session: Session, batch: Batch[Return]) -> Mapping[str, Outcome]:
    """After no answer: looked for by its mark."""
    (item,) = batch.items
    there = await made_before(Client(session), gid("Order", item.record.order_id), mark_of(item.key))
    return {item.key: there or Later(Wait(0.0, "It never arrived"))}


async def destinations(client: Client, wanted: Wanted, back: Sequence[str]) -> Mapping[str, str]:
    """The location that each line's goods go back to: the one said, the shop's only one, else where it is (or was)
    shipped from. A line of which none of these is known is left out.
    """
    session = client.session
    said = location_of(session, wanted.location, await session.choices("locations")) if back else ""
    if said or wanted.location or not back:
        return dict.fromkeys(back, said) if said else {}
    found = dict[str, str]()
    for one in await open_orders(client, wanted.order):
        place = one.assigned_location.location if one.assigned_location else None
        for line in one.line_items.nodes:
            key = line.line_item.id if line.line_item else ""
            if place is not None and (key not in found or line.remaining_quantity):
                found[key] = place.id
    return {key: found[key] for key in back if key in found}


def line_of(wanted: Wanted, key: str, quantity: int, place: str) -> dict[str, object]:
    """RefundLineItemInput; goods that go back need the place where (admin_2026-10: RefundLineItemInput.locationId)."""
    kind = wanted.restock if place else "NO_RESTOCK"
    found: dict[str, object] = {"lineItemId": key, "quantity": quantity, "restockType": kind}
    return found | ({"locationId": place} if place else {})


def movements(order: OrderToRefund, wanted: Wanted) -> tuple[list[dict[str, object]], str]:
    """How the money goes back: as suggested, up to the amount named; and what is the most where that is too little."""
    left = wanted.amount.amount if wanted.amount is not None else None
    found, most = list[dict[str, object]](), Decimal(0)
    for one in order.suggested_refund.suggested_transactions if order.suggested_refund else ():
        money = one.amount_set.presentment_money or one.amount_set.shop_money if one.amount_set else None
        if money is None or not money.amount:
            continue
        take = money.amount if left is None else min(left, money.amount)
        most += money.amount
        if take > 0:
            found.append(
                {
                    "amount": format(take, "f"), "gateway": one.gateway or "", "kind": "REFUND",
                    "orderId": wanted.order, "parentId": one.parent_transaction.id if one.parent_transaction else None,
                }
            )  # fmt: skip
        left = left - take if left is not None else None
    if left:
        return [], f"{most} {order.presentment_currency_code}"
    return found, ""


REFUNDS = PushStream(name="refunds", takes=Return, push=push, settle=settle)
