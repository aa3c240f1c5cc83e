"""Returns, and refunds without a return, as records (guide bigcommerce-and-shopify 2.11).

Whether goods are back in stock is read from the dispositions of reverse fulfillment orders: a refund says nothing
about goods that come with a return, and in an exchange nothing is refunded at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import UNSET, UnsetType

from omnichannel_core.records import Money, Payment, Return, ReturnLine
from omnichannel_shopify import return_wire
from omnichannel_shopify.order_mapping import cash, money, nonzero, payment
from omnichannel_shopify.wire import Bag, MoneyV2, moment

RESTOCKED, REFUSED = "RESTOCKED", frozenset({"NOT_RESTOCKED", "MISSING"})


def revision(order_updated: str) -> str:
    """Shopify gives returns no revision of their own: their order's."""
    changed = moment(order_updated)
    return changed.isoformat(timespec="seconds") if changed else ""


def dispositions(found: return_wire.Return) -> Mapping[str, Mapping[str, int]]:
    """Fulfillment line -> what became of how many of it."""
    sums = dict[str, dict[str, int]]()
    for reverse in found.reverse_fulfillment_orders.nodes:
        for line in reverse.line_items.nodes:
            key = line.fulfillment_line_item.id if line.fulfillment_line_item else ""
            mine = sums.setdefault(key, {})
            for one in line.dispositions:
                mine[one.type] = mine.get(one.type, 0) + one.quantity
    return sums


def restocked(what: Mapping[str, int], quantity: int) -> bool | None:
    """True when all of it is back in stock, False when none will be; None while it is not decided, or in part."""
    if quantity and what.get(RESTOCKED, 0) >= quantity:
        return True
    if quantity and sum(what.get(one, 0) for one in REFUSED) >= quantity:
        return False
    return None


def to_return(
    found: return_wire.Return, refunds: Sequence[return_wire.Refund], order_updated: str, order: str
) -> Return:
    """One return, with what was paid back for it.

    Raises:
        ValueError: a date is none, an amount is not a number.
    """
    mine = [one for one in refunds if one.of_return is not None and one.of_return.id == found.id]
    lines = {line.id: line for line in _lines(found)}
    for fee in found.return_shipping_fees:
        amount = cash(fee.amount_set)
        less = Money(-amount.amount, amount.currency) if amount else UNSET
        lines[fee.id] = ReturnLine(id=fee.id, kind="fee", amount=less, reason="return shipping")
    reasons = [line.reason for line in lines.values() if line.reason and line.kind == "product"]
    return Return(
        id=found.id,
        revision=revision(order_updated),
        number=found.name,
        order_id=order,
        at=moment(found.created_at) or UNSET,
        status=found.status,
        reason=reasons[0] if reasons else "",
        amount=_sum([one for refund in mine if (one := cash(refund.total_refunded_set))]),
        lines=lines,
        payments={one.id: one for refund in mine for one in _payments(refund)},
        extra=_extra(found, mine),
    )


def _lines(found: return_wire.Return) -> Iterator[ReturnLine]:
    """Dispositions are of goods, which several lines may share: they tell of all of these, and are counted once."""
    became, coming = dict(dispositions(found)), dict[str, int]()
    for row in found.return_line_items.nodes:
        key = row.fulfillment_line_item.id if row.fulfillment_line_item else ""
        coming[key] = coming.get(key, 0) + row.quantity
    stocked = {key: restocked(became.get(key, {}) if key else {}, quantity) for key, quantity in coming.items()}
    for row in found.return_line_items.nodes:
        key = row.fulfillment_line_item.id if row.fulfillment_line_item else ""
        yield _line(row, stocked[key], became.pop(key, {}) if key else {})


def _line(row: return_wire.ReturnLine, back: bool | None, what: Mapping[str, int]) -> ReturnLine:
    """An unverified one (of an order the shop does not know) has no line of the order."""
    shipped = row.fulfillment_line_item
    reason = row.return_reason_definition
    fee = nonzero(row.restocking_fee.amount_set) if row.restocking_fee else None
    said = {
        "reason_code": (reason.handle or "") if reason else "",
        "note": row.return_reason_note,
        "customer_note": row.customer_note,
        "refunded": str(row.refunded_quantity) if row.refunded_quantity else "",
        "restocking_fee": str(fee.amount) if fee else "",
        "verified": "" if shipped else "false",
        **{kind.lower(): str(count) for kind, count in what.items() if count},
    }
    return ReturnLine(
        id=row.id,
        order_line=shipped.line_item.id if shipped and shipped.line_item else "",
        quantity=Decimal(row.quantity),
        amount=_worth(row),
        restock=back,
        reason=(reason.name or reason.handle or "") if reason else "",
        extra={name: value for name, value in said.items() if value},
    )


def _worth(row: return_wire.ReturnLine) -> Money | UnsetType:
    unit: MoneyV2 | None = row.unit_price
    if unit is not None:
        return Money(unit.amount * row.quantity, unit.currency_code)
    return money(row.with_code_discounted_total_price_set)


def _extra(found: return_wire.Return, refunds: Sequence[return_wire.Refund]) -> dict[str, str]:
    swapped = [f"{one.quantity} x {one.name}" for one in found.exchange_line_items.nodes]
    said = {
        "exchange": "; ".join(swapped),
        "refunds": ", ".join(one.id for one in refunds),
        "closed_at": found.closed_at,
        "reverse": ", ".join(f"{one.id} {one.status}" for one in found.reverse_fulfillment_orders.nodes),
    }
    return {name: value for name, value in said.items() if value}


def to_refund(refund: return_wire.Refund, order_updated: str, order: str) -> Return:
    """Money paid back without a return; goods restocked with it as the refund's own lines say.

    Raises:
        ValueError: a date is none, an amount is not a number.
    """
    return Return(
        id=refund.id,
        revision=revision(order_updated),
        number=refund.id.rpartition("/")[2],
        order_id=order,
        at=moment(refund.created_at) or UNSET,
        status="REFUNDED",
        reason=refund.note or "",
        amount=money(refund.total_refunded_set),
        tax=_sum([one for row in refund.refund_line_items.nodes if (one := cash(row.total_tax_set))]),
        lines={line.id: line for line in _refund_lines(refund)},
        payments={one.id: one for one in _payments(refund)},
        extra={"kind": "refund"},
    )


def _refund_lines(refund: return_wire.Refund) -> Iterator[ReturnLine]:
    for at, row in enumerate(refund.refund_line_items.nodes):
        said = {"restock_type": row.restock_type, "location": row.location.id if row.location else ""}
        yield ReturnLine(
            id=row.id or f"{refund.id}/{at}",
            order_line=row.line_item.id if row.line_item else "",
            quantity=Decimal(row.quantity),
            amount=_with_tax(row.subtotal_set, row.total_tax_set),
            restock=row.restocked,
            extra={name: value for name, value in said.items() if value},
        )
    for shipping in refund.refund_shipping_lines.nodes:
        amount = _with_tax(shipping.subtotal_amount_set, shipping.tax_amount_set)
        yield ReturnLine(id=shipping.id, kind="shipping", amount=amount)
    for one in refund.order_adjustments.nodes:
        amount = _with_tax(one.amount_set, one.tax_amount_set)
        yield ReturnLine(id=one.id, kind="order", amount=amount, reason=one.reason or "")
    for at, duty in enumerate(refund.duties or ()):
        if nonzero(duty.amount_set):
            yield ReturnLine(id=f"{refund.id}/duty/{at}", kind="duty", amount=money(duty.amount_set))


def _with_tax(net: Bag | None, tax: Bag | None) -> Money | UnsetType:
    one, more = cash(net), cash(tax)
    if one is None:
        return UNSET
    return Money(one.amount + (more.amount if more else 0), one.currency)


def _payments(refund: return_wire.Refund) -> Iterator[Payment]:
    for one in refund.transactions.nodes:
        yield payment(one)


def _sum(amounts: Sequence[Money]) -> Money | UnsetType:
    if not amounts:
        return UNSET
    return Money(sum((one.amount for one in amounts), Decimal(0)), amounts[0].currency)
