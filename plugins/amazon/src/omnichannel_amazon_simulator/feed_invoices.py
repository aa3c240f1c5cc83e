"""UPLOAD_VAT_INVOICE: one PDF, its facts in the feed's options (guide 6.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from omnichannel_amazon_simulator.feed_xml import processing_report
from omnichannel_amazon_simulator.order import Order
from omnichannel_amazon_simulator.order_shape import money
from omnichannel_amazon_simulator.report_invoices import shipping_id

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.feeds import Feed
    from omnichannel_amazon_simulator.sellers import Seller

NEEDED = (
    "Please provide metadata:shippingid or metadata:orderid,metadata:invoicenumber,metadata:totalamount,"
    "metadata:totalvatamount"
)


@dataclass(frozen=True, slots=True)
class Invoice:
    """An uploaded document; `kind` is Invoice or CreditNote, amounts as they were said."""

    number: str
    order: str
    kind: str
    total: str
    vat: str
    size: int


@dataclass(slots=True)
class Invoices:
    """What was uploaded, by number and by order."""

    by_number: dict[str, Invoice] = field(default_factory=dict)
    by_order: dict[str, Invoice] = field(default_factory=dict)


def work(seller: Seller, feed: Feed, body: bytes) -> tuple[bytes, bool]:
    """A processing report in XML; the feed is DONE whatever it says."""
    words = {key.removeprefix("metadata:").lower(): text for key, text in feed.options.items() if "metadata:" in key}
    code, text = _refused(seller, words, body)
    if code:
        return _report(feed, code, text), False
    order = _order(seller, words)
    assert order is not None  # noqa: S101 - _refused found it
    kind = words.get("documenttype", "Invoice")
    made = Invoice(words["invoicenumber"], order.id, kind, words["totalamount"], words["totalvatamount"], len(body))
    seller.invoices.by_number[made.number] = made
    if kind == "Invoice":
        seller.invoices.by_order[order.id] = made
    return _report(feed, "", ""), False


def _refused(seller: Seller, words: dict[str, str], body: bytes) -> tuple[str, str]:
    """(code, text) of what is wrong, ('', '') when nothing is."""
    if not seller.options.invoicing:
        return "FeatureNotAvailable", "The seller is not enrolled in the invoice upload program."
    known = words.get("shippingid") or words.get("orderid")
    if not known or not all(words.get(name) for name in ("invoicenumber", "totalamount", "totalvatamount")):
        return "79513", NEEDED
    if not body.startswith(b"%PDF"):
        return "79512", "The document is not a PDF."
    order = _order(seller, words)
    if order is None or not order.shipped_at:
        return "79514", "The order or shipment does not exist, or is not shipped yet."
    if words.get("documenttype", "Invoice") == "CreditNote" and not words.get("transactionid"):
        return "79515", "metadata:transactionid is needed for a credit note."
    if words["invoicenumber"] in seller.invoices.by_number:
        return "79516", f"An invoice with number {words['invoicenumber']} was uploaded already."
    return _sums(seller, order, words)


def _sums(seller: Seller, order: Order, words: dict[str, str]) -> tuple[str, str]:
    """Amounts must be numbers; where Amazon calculates the VAT they must be Amazon's."""
    try:
        total, _ = Decimal(words["totalamount"]), Decimal(words["totalvatamount"])
    except InvalidOperation:
        return "79517", "metadata:totalamount and metadata:totalvatamount must be numbers."
    expected = Decimal(str(money(sum(line.total for line in order.lines), order)["amount"]))
    if seller.options.vcs and words.get("documenttype", "Invoice") == "Invoice" and total != expected:
        return "79518", f"metadata:totalamount does not match the amount of the shipment, {expected}."
    return "", ""


def _order(seller: Seller, words: dict[str, str]) -> Order | None:
    if words.get("orderid"):
        return seller.book.orders.get(words["orderid"])
    return next((order for order in seller.book.orders.values() if shipping_id(order) == words.get("shippingid")), None)


def _report(feed: Feed, code: str, text: str) -> bytes:
    """Of all feeds of this type the result is the older XML processing report; its exact text is an assumption."""
    return processing_report(feed.id, code or "0", [("1", text)] if code else [], 1)
