"""Reports of returns: what came back to Amazon, what buyers asked to send to the merchant (guide 6.5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from omnichannel_amazon_simulator.answers import names
from omnichannel_amazon_simulator.dates import offset
from omnichannel_amazon_simulator.marketplaces import MARKETPLACES
from omnichannel_amazon_simulator.order import Return
from omnichannel_amazon_simulator.order_shape import money

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.reports import Report
    from omnichannel_amazon_simulator.sellers import Seller

Rows = Iterator[dict[str, object]]
FBA = names("""
    return-date order-id sku asin fnsku product-name quantity fulfillment-center-id detailed-disposition reason status
    license-plate-number customer-comments""")
MERCHANT = (
    "Order ID",
    "Order date",
    "Return request date",
    "Return request status",
    "Amazon RMA ID",
    "Merchant RMA ID",
    "Label type",
    "Label cost",
    "Currency code",
    "Return carrier",
    "Tracking ID",
    "Label to be paid by",
    "A-to-Z Claim",
    "Is prime",
    "ASIN",
    "Merchant SKU",
    "Item Name",
    "Return quantity",
    "Return Reason",
    "In policy",
    "Return type",
    "Resolution",
    "Invoice number",
    "Return delivery date",
    "Order Amount",
    "Order quantity",
    "SafeT Action reason",
    "SafeT claim id",
    "SafeT claim state",
    "SafeT claim creation time",
    "SafeT claim reimbursement amount",
    "Refunded Amount",
)
ITEM = frozenset(
    {
        "ASIN",
        "Merchant SKU",
        "Item Name",
        "Return quantity",
        "Return Reason",
        "In policy",
        "Resolution",
        "Refunded Amount",
    }
)
LABEL = frozenset({"Label type", "Label cost", "Currency code", "Return carrier", "Tracking ID", "Label to be paid by"})


def fba(seller: Seller, report: Report) -> tuple[tuple[str, ...], Rows]:
    """Units that arrived at a fulfillment center in the range."""
    return FBA, _fba(seller, report)


def _fba(seller: Seller, report: Report) -> Rows:
    for back in seller.book.returns:
        if back.order.fulfilled_by != "AMAZON" or not report.start <= back.received < report.end:
            continue
        if back.order.marketplace in report.marketplaces:
            yield {
                "return-date": offset(back.received),
                "order-id": back.order.id,
                "sku": back.line.sku,
                "asin": back.line.asin,
                "fnsku": f"X{back.line.asin[1:]}",
                "product-name": back.line.title,
                "quantity": back.quantity,
                "fulfillment-center-id": back.order.center,
                "detailed-disposition": back.disposition,
                "reason": back.reason.removeprefix("CR-"),
                "status": back.status,
                "license-plate-number": back.plate,
                "customer-comments": back.comment,
            }


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d-%b-%Y")


def _found(seller: Seller, report: Report, *, prime: bool) -> Iterator[Return]:
    for back in seller.book.returns:
        order = back.order
        wanted = report.start <= back.requested < report.end and order.marketplace in report.marketplaces
        if wanted and order.fulfilled_by == "MERCHANT" and (not prime or "PRIME" in order.programs):
            yield back


def _row(back: Return) -> dict[str, object]:
    order, line = back.order, back.line
    plain = [str(money(amount, order)["amount"]) for amount in (sum(each.total for each in order.lines), back.refund)]
    return {
        "Order ID": order.id,
        "Order date": _day(order.created),
        "Return request date": _day(back.requested),
        "Return request status": back.state,
        "Amazon RMA ID": back.rma,
        "Label type": "AmazonPrePaidLabel" if "PRIME" in order.programs else "MerchantUnPaidLabel",
        "Label cost": "0",
        "Currency code": MARKETPLACES[order.marketplace].currency,
        "Return carrier": "DHL" if back.tracking else "",
        "Tracking ID": back.tracking,
        "Label to be paid by": "Seller",
        "A-to-Z Claim": "N",
        "Is prime": "Y" if "PRIME" in order.programs else "N",
        "ASIN": line.asin,
        "Merchant SKU": line.sku,
        "Item Name": line.title,
        "Return quantity": back.quantity,
        "Return Reason": back.reason,
        "In policy": "Y",
        "Return type": "C-Returns",
        "Resolution": "StandardRefund",
        "Return delivery date": _day(back.received) if back.received else "",
        "Order Amount": plain[0],
        "Order quantity": sum(each.quantity for each in order.lines),
        "Refunded Amount": plain[1],
    }


def merchant(seller: Seller, report: Report) -> tuple[tuple[str, ...], Rows]:
    """Returns that buyers asked for in the range."""
    return MERCHANT, (_row(back) for back in _found(seller, report, prime=False))


def prime(seller: Seller, report: Report) -> tuple[tuple[str, ...], Rows]:
    return MERCHANT, (_row(back) for back in _found(seller, report, prime=True))


def merchant_xml(seller: Seller, report: Report) -> bytes | None:
    return _xml(seller, [_row(back) for back in _found(seller, report, prime=False)])


def prime_xml(seller: Seller, report: Report) -> bytes | None:
    return _xml(seller, [_row(back) for back in _found(seller, report, prime=True)])


def _xml(seller: Seller, rows: list[dict[str, object]]) -> bytes | None:
    """An envelope with one message of return details each; names are the flat file's, in snake case.

    No official definition of this document is known; its shape is an assumption.
    """
    if not rows:
        return None
    messages = "".join(
        f"<Message><MessageID>{number}</MessageID><return_details>{_elements(row)}</return_details></Message>"
        for number, row in enumerate(rows, 1)
    )
    head = (
        f"<Header><DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>{seller.id}</MerchantIdentifier></Header>"
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<AmazonEnvelope>{head}{messages}</AmazonEnvelope>\n'.encode()


def _elements(row: dict[str, object]) -> str:
    plain = {name: value for name, value in row.items() if name not in ITEM | LABEL}
    item = {name: value for name, value in row.items() if name in ITEM}
    label = {name: value for name, value in row.items() if name in LABEL}
    return f"{_flat(plain)}<label_details>{_flat(label)}</label_details><item_details>{_flat(item)}</item_details>"


def _flat(row: dict[str, object]) -> str:
    names = {name: name.lower().replace("-", "_").replace(" ", "_") for name in row}
    return "".join(f"<{names[name]}>{escape(str(value))}</{names[name]}>" for name, value in row.items())
