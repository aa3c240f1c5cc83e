"""Reports about orders and listings: rows from the seller's own book."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from omnichannel_amazon_simulator import people
from omnichannel_amazon_simulator.answers import names
from omnichannel_amazon_simulator.dates import offset
from omnichannel_amazon_simulator.marketplaces import MARKETPLACES
from omnichannel_amazon_simulator.order import Line, Order
from omnichannel_amazon_simulator.order_shape import WITHOUT_MONEY, money

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.reports import Report
    from omnichannel_amazon_simulator.sellers import Seller

Rows = Iterator[dict[str, object]]
SHIPMENTS = names("""
    amazon-order-id merchant-order-id shipment-id shipment-item-id amazon-order-item-id merchant-order-item-id
    purchase-date payments-date shipment-date reporting-date buyer-email buyer-name buyer-phone-number sku product-name
    quantity-shipped currency item-price item-tax shipping-price shipping-tax gift-wrap-price gift-wrap-tax
    ship-service-level recipient-name ship-address-1 ship-address-2 ship-address-3 ship-city ship-state
    ship-postal-code ship-country ship-phone-number bill-address-1 bill-address-2 bill-address-3 bill-city bill-state
    bill-postal-code bill-country item-promotion-discount ship-promotion-discount carrier tracking-number
    estimated-arrival-date fulfillment-center-id fulfillment-channel sales-channel""")
ALL_ORDERS = names("""
    amazon-order-id merchant-order-id purchase-date last-updated-date order-status fulfillment-channel sales-channel
    order-channel ship-service-level product-name sku asin item-status quantity currency item-price item-tax
    shipping-price shipping-tax gift-wrap-price gift-wrap-tax item-promotion-discount ship-promotion-discount ship-city
    ship-state ship-postal-code ship-country promotion-ids is-business-order purchase-order-number
    price-designation""")
LISTINGS = names("""
    item-name item-description listing-id seller-sku price quantity open-date image-url item-is-marketplace
    product-id-type zshop-shipping-fee item-note item-condition zshop-category1 zshop-browse-path
    zshop-storefront-feature asin1 asin2 asin3 will-ship-internationally expedited-shipping zshop-boldface product-id
    bid-for-featured-placement add-delete pending-quantity fulfillment-channel merchant-shipping-group status""")
V0_STATUS = {
    "PENDING_AVAILABILITY": "PendingAvailability",
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
    "UNFULFILLABLE": "Unfulfillable",
}


def split(seller: Seller, order: Order, line: Line, amount: int) -> tuple[str, str]:
    """(price, tax) of an amount of a line, as the seller's prices are written in flat files.

    The option `fba_prices`: `auto` is net with tax under the VAT calculation service and gross without tax otherwise;
    `net`; `gross`; `gross_with_tax` is what contradicts a reader that adds the two.
    """
    style = seller.options.fba_prices
    if style == "auto":
        style = "net" if seller.options.vcs or order.tax == "on_top" else "gross"
    tax = line.tax(order.tax, amount)
    if style == "gross":
        return _plain(amount, order), _plain(0, order)
    inside = order.tax != "on_top" and style == "net"
    return _plain(amount - tax if inside else amount, order), _plain(tax, order)


def _plain(amount: int, order: Order) -> str:
    return str(money(amount, order)["amount"])


def _amounts(seller: Seller, order: Order, line: Line, part: int, whole: int) -> dict[str, object]:
    """Price columns of `part` of `whole` pieces of a line."""
    row: dict[str, object] = {"currency": MARKETPLACES[order.marketplace].currency}
    for name, amount in (("item", line.item), ("shipping", line.shipping), ("gift-wrap", line.gift_wrap)):
        row[f"{name}-price"], row[f"{name}-tax"] = split(seller, order, line, amount * part // max(1, whole))
    row["item-promotion-discount"] = _plain(-line.discount * part // max(1, whole), order)
    return row | {"ship-promotion-discount": _plain(0, order)}


def channel(order: Order) -> str:
    place = MARKETPLACES[order.marketplace]
    return place.domain.removeprefix("www.").capitalize() if order.sales == "AMAZON" else f"Non-Amazon {place.country}"


def fba_shipments(seller: Seller, report: Report) -> tuple[tuple[str, ...], Rows]:
    """One row per shipment item of what Amazon shipped in the range; an odd buyer's pieces leave in two parcels."""
    return SHIPMENTS, _shipments(seller, report)


def _shipments(seller: Seller, report: Report) -> Rows:
    seen = seller.clock.now() - seller.options.fba_report_lag
    for order in seller.book.orders.values():
        if order.fulfilled_by != "AMAZON" or not report.start <= order.shipped_at < min(report.end, seen):
            continue
        if order.marketplace not in report.marketplaces:
            continue
        for number, line in enumerate(order.lines):
            halves = [line.shipped // 2, line.shipped - line.shipped // 2] if order.person % 2 else [line.shipped]
            for parcel, quantity in enumerate(part for part in halves if part):
                yield _shipment(seller, order, line, quantity) | {
                    "shipment-id": f"D{order.id.replace('-', '')[-8:]}{parcel}",
                    "shipment-item-id": f"D{order.id.replace('-', '')[-6:]}{number}{parcel}",
                }


def _shipment(seller: Seller, order: Order, line: Line, quantity: int) -> dict[str, object]:
    place = MARKETPLACES[order.marketplace]
    address = people.address(place.country, order.person, order.address, order.layout, order.company)
    row: dict[str, object] = {
        "amazon-order-id": order.id,
        "merchant-order-id": order.alias,
        "amazon-order-item-id": line.id,
        "purchase-date": offset(order.created),
        "payments-date": offset(order.created + 600),
        "shipment-date": offset(order.shipped_at),
        "reporting-date": offset(order.shipped_at + 3600),
        "buyer-email": people.email(order.person, place.domain),
        "buyer-name": people.name(place.country, order.person),
        "sku": line.sku,
        "product-name": line.title,
        "quantity-shipped": quantity,
        "ship-service-level": order.service.capitalize(),
        "recipient-name": address["name"],
        "carrier": "AMZN_DE" if place.region == "eu" else "AMZN_US",
        "tracking-number": f"TBA{order.person:09d}",
        "estimated-arrival-date": offset(order.shipped_at + 2 * 86400),
        "fulfillment-center-id": order.center,
        "fulfillment-channel": "AFN",
        "sales-channel": channel(order),
    }
    return row | _address(address) | _amounts(seller, order, line, quantity, line.quantity)


def _address(address: dict[str, Any]) -> dict[str, object]:
    return {
        "ship-address-1": address["addressLine1"],
        "ship-address-2": address.get("addressLine2", ""),
        "ship-city": address["city"],
        "ship-state": address.get("stateOrRegion", ""),
        "ship-postal-code": address["postalCode"],
        "ship-country": address["countryCode"],
    }


def by_update(seller: Seller, report: Report) -> tuple[tuple[str, ...], Rows]:
    return ALL_ORDERS, _all(seller, report, "updated")


def by_creation(seller: Seller, report: Report) -> tuple[tuple[str, ...], Rows]:
    return ALL_ORDERS, _all(seller, report, "created")


def _all(seller: Seller, report: Report, by: str) -> Rows:
    for _, order in seller.book.walk(by, (report.start, ""), report.end):
        if order.marketplace not in report.marketplaces:
            continue
        place = MARKETPLACES[order.marketplace]
        address = people.address(place.country, order.person, order.address)
        ship = {key: value for key, value in _address(address).items() if "address" not in key}
        for line in order.lines:
            row: dict[str, object] = {
                "amazon-order-id": order.id,
                "merchant-order-id": order.alias,
                "purchase-date": offset(order.created),
                "last-updated-date": offset(order.updated),
                "order-status": V0_STATUS[order.status],
                "fulfillment-channel": "Amazon" if order.fulfilled_by == "AMAZON" else "Merchant",
                "sales-channel": channel(order),
                "ship-service-level": order.service.capitalize(),
                "product-name": line.title,
                "sku": line.sku,
                "asin": line.asin,
                "item-status": V0_STATUS[order.status],
                "quantity": line.quantity,
                "is-business-order": str(order.business).lower(),
                "purchase-order-number": order.purchase_order,
                "price-designation": "Business Price" if order.business else "",
            }
            if order.status not in WITHOUT_MONEY:
                row |= ship | _amounts(seller, order, line, 1, 1)
            yield row


def listings(seller: Seller, report: Report) -> tuple[tuple[str, ...], Rows]:
    return LISTINGS, seller.listings.rows(report.marketplaces[0])
