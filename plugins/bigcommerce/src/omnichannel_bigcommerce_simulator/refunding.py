"""Arithmetic of refunds: what items are worth, what may still be refunded, what a refund does to an order
(orders.v3.yml).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from omnichannel_bigcommerce_simulator import money
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_bigcommerce_simulator.order_record import OrderRecord

Row = dict[str, Any]

ITEM_TYPES = ("PRODUCT", "GIFT_WRAPPING", "SHIPPING", "HANDLING", "ORDER", "FEE", "TAX")


@dataclass(slots=True)
class Quote:
    """What a set of items is worth: with tax, of which tax, of which on order level (tax-exempt)."""

    amount: Decimal
    tax: Decimal
    order_level: Decimal
    items: list[Row]


def refused(title: str) -> Refused:
    """422 wrapped in `data[]`, as this endpoint does it (guide 1.8)."""
    row = {
        "status": 422,
        "title": title,
        "type": "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes",
    }
    return Refused(422, title, body={"data": [row | {"errors": {}}]})


def quote(record: OrderRecord, items: list[Any]) -> Quote:
    """Prices the items.

    Raises:
        Refused: 422 in `data[]` for unknown items, too many pieces, or more money than is left.
    """
    if not items:
        raise refused("At least one item is required.")
    result = Quote(Decimal(0), Decimal(0), Decimal(0), [])
    for item in items:
        kind = item.get("item_type") if isinstance(item, dict) else None
        if kind not in ITEM_TYPES:
            raise refused("Invalid item_type.")
        amount, tax = _worth(record, item, kind)
        result.amount += amount
        result.tax += tax
        result.order_level += amount if kind == "ORDER" else Decimal(0)
        result.items.append(_item(item, kind, amount))
    if result.amount <= 0 or result.amount > record.total - record.refunded:
        raise refused("The refund amount exceeds the remaining amount that can be refunded.")
    return result


def _item(item: Row, kind: str, amount: Decimal) -> Row:
    return {
        "item_type": kind,
        "item_id": item["item_id"],
        "reason": item.get("reason", ""),
        "quantity": item.get("quantity", 1),
        "adjustments": item.get("adjustments", []),
        "requested_amount": money.v3(amount),
    }


def _worth(record: OrderRecord, item: Row, kind: str) -> tuple[Decimal, Decimal]:
    number = item.get("item_id")
    if kind in {"PRODUCT", "GIFT_WRAPPING"}:
        product = record.product(number) if isinstance(number, int) else None
        if product is None:
            raise refused(f"Order product {number} was not found in the order.")
        quantity = item.get("quantity")
        left = product["quantity"] - product["quantity_refunded"]
        if not isinstance(quantity, int) or quantity < 1 or quantity > left:
            raise refused(f"The quantity of order product {number} exceeds what can be refunded.")
        name = "discounted_total_inc_tax" if kind == "PRODUCT" else "wrapping_cost_inc_tax"
        amount = (Decimal(product[name]) * quantity / product["quantity"]).quantize(money.FOUR)
        return amount, _tax_in(amount, record.tax_rate)
    given = item.get("amount")
    if not isinstance(given, int | float) or given <= 0:
        raise refused("The amount must be greater than zero.")
    if not _known(record, kind, number):
        raise refused(f"Item {number} of type {kind} was not found in the order.")
    amount = Decimal(str(given)).quantize(money.FOUR)
    return amount, Decimal(0) if kind == "ORDER" else _tax_in(amount, record.tax_rate)


def _known(record: OrderRecord, kind: str, number: Any) -> bool:
    if kind in {"SHIPPING", "HANDLING"}:
        return record.address(number) is not None
    if kind == "FEE":
        return any(fee["id"] == number for fee in record.fees)
    return bool(number == record.id)


def _tax_in(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount - amount / (1 + rate)).quantize(money.FOUR)


def apply(record: OrderRecord, worth: Quote, payments: list[Row], at: int, reason: str = "", user_id: int = 0) -> Row:
    """Books a refund: quantities, payment status, order status, a transaction for each payment that was not
    declined.
    """
    number = max((row["id"] for row in record.refunds), default=record.id * 100) + 1
    refund: Row = {
        "id": number,
        "order_id": record.id,
        "user_id": user_id,
        "created": iso(at),
        "reason": reason,
        "total_amount": money.v3(worth.amount),
        "total_tax": money.v3(worth.tax),
        "uses_merchant_override_values": False,
        "items": worth.items,
        "payments": [],
    }
    for n, payment in enumerate(payments, start=1):
        refund["payments"].append(_payment(payment, number * 10 + n))
    record.refunds.append(refund)
    for item in worth.items:
        product = record.product(item["item_id"]) if item["item_type"] == "PRODUCT" else None
        if product:
            product["quantity_refunded"] += item["quantity"]
            product["is_refunded"] = product["quantity_refunded"] >= product["quantity"]
            product["refund_amount"] = money.v2(
                Decimal(product["refund_amount"]) + Decimal(str(item["requested_amount"]))
            )
    whole = record.refunded >= record.total
    record.order["status_id"] = 4 if whole else 14
    record.order["payment_status"] = "refunded" if whole else "partially refunded"
    return refund


def _payment(payment: Row, number: int) -> Row:
    declined = bool(payment.get("declined"))
    return {
        "id": number,
        "provider_id": payment.get("provider_id", "custom"),
        "amount": payment["amount"],
        "offline": bool(payment.get("offline")),
        "is_declined": declined,
        "declined_message": "The gateway declined the refund." if declined else "",
        "transaction_id": "" if declined else str(number),
    }
