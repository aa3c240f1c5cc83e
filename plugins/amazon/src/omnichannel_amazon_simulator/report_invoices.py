"""The VAT invoice data report: what lacks an invoice, what was uploaded (guide 6.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from omnichannel_amazon_simulator import people
from omnichannel_amazon_simulator.answers import names
from omnichannel_amazon_simulator.dates import offset
from omnichannel_amazon_simulator.marketplaces import MARKETPLACES
from omnichannel_amazon_simulator.order import Line, Order
from omnichannel_amazon_simulator.order_shape import money

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.reports import Report
    from omnichannel_amazon_simulator.sellers import Seller

_AMOUNTS = tuple(
    f"{part}-vat-{kind}"
    for part in ("item", "item-promo", "gift-wrap", "gift-promo", "shipping", "shipping-promo")
    for kind in ("incl-amount", "amount", "excl-amount", "rate")
)
COLUMNS = (
    *names("""
    marketplace-id order-id order-item-id shipping-id transaction-id transaction-type invoice-number invoice-status
    invoice-status-description is-amazon-invoiced order-date shipment-date buyer-vat-number seller-vat-number asin sku
    product-name quantity-purchased currency"""),
    *_AMOUNTS,
    *names("""
    is-business-order price-designation purchase-order-number recipient-name ship-service-level fulfilled-by
    ship-address-1 ship-address-2 ship-address-3 ship-city ship-state ship-postal-code ship-country ship-phone-number
    ship-from-country ship-from-state ship-from-city ship-from-postal-code billing-name bill-address-1 bill-address-2
    bill-address-3 bill-city bill-state bill-postal-code bill-country billing-phone-number buyer-name
    buyer-company-name recommended-invoice-format citation-es citation-it citation-fr citation-de citation-en
    export-outside-eu is-invoice-corrected original-vat-invoice-number invoice-correction-details"""),
)
MARKETPLACES_OF = frozenset({"IE", "ES", "GB", "FR", "BE", "NL", "DE", "IT", "SE", "PL"})


def shipping_id(order: Order) -> str:
    return f"Dx{order.id.replace('-', '')}S"


def transaction_id(order: Order) -> str:
    return f"{order.id.replace('-', '')}T"


def vidr(seller: Seller, report: Report) -> tuple[tuple[str, ...], Iterator[dict[str, object]]]:
    """Shipments of the range; those that lack an invoice unless `ReportOption=all` is asked for."""
    return COLUMNS, _rows(seller, report)


def _rows(seller: Seller, report: Report) -> Iterator[dict[str, object]]:
    everything = report.options.get("ReportOption=all") == "true"
    for order in seller.book.orders.values():
        if not order.shipped_at or not report.start <= order.shipped_at < report.end or order.sales != "AMAZON":
            continue
        if order.marketplace not in report.marketplaces:
            continue
        if MARKETPLACES[order.marketplace].country not in MARKETPLACES_OF:
            continue
        invoice = seller.invoices.by_order.get(order.id)
        if invoice is None or everything:
            state = {"invoice-status": "InvoicePending", "invoice-number": ""}
            if invoice is not None:
                state = {"invoice-status": "InvoiceUploaded", "invoice-number": invoice.number}
            for line in order.lines:
                yield _row(order, line) | state


def _row(order: Order, line: Line) -> dict[str, object]:
    place = MARKETPLACES[order.marketplace]
    row: dict[str, object] = {
        "marketplace-id": order.marketplace,
        "order-id": order.id,
        "order-item-id": line.id,
        "shipping-id": shipping_id(order),
        "transaction-id": transaction_id(order),
        "transaction-type": "SHIPMENT",
        "is-amazon-invoiced": "false",
        "order-date": offset(order.created),
        "shipment-date": offset(order.shipped_at),
        "buyer-vat-number": order.vat_id,
        "asin": line.asin,
        "sku": line.sku,
        "product-name": line.title,
        "quantity-purchased": line.quantity,
        "currency": place.currency,
        "is-business-order": str(order.business).lower(),
        "price-designation": "BusinessPrice" if order.business else "",
        "purchase-order-number": order.purchase_order,
    }
    return row | _people(order) | _amounts(order, line)


def _people(order: Order) -> dict[str, object]:
    place = MARKETPLACES[order.marketplace]
    address = people.address(place.country, order.person, order.address, order.layout, order.company)
    return {
        "recipient-name": address["name"],
        "fulfilled-by": order.fulfilled_by.capitalize(),
        "ship-address-1": address["addressLine1"],
        "ship-city": address["city"],
        "ship-postal-code": address["postalCode"],
        "ship-country": address["countryCode"],
        "ship-from-country": place.country,
        "buyer-name": people.name(place.country, order.person),
        "buyer-company-name": order.company,
        "export-outside-eu": "false",
    }


def _amounts(order: Order, line: Line) -> dict[str, object]:
    row: dict[str, object] = {}
    parts = {"item": line.item, "item-promo": -line.discount, "gift-wrap": line.gift_wrap, "shipping": line.shipping}
    for name, amount in parts.items():
        tax = line.tax("inside", amount)
        row[f"{name}-vat-incl-amount"] = money(amount, order)["amount"]
        row[f"{name}-vat-amount"] = money(tax, order)["amount"]
        row[f"{name}-vat-excl-amount"] = money(amount - tax, order)["amount"]
        row[f"{name}-vat-rate"] = f"{line.rate / 100:.2f}"
    return row
