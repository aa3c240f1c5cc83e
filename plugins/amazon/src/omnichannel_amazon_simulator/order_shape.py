"""An order as Orders API 2026-01-01 answers it: what was asked for, what the role admits, what the state has."""

from __future__ import annotations

from omnichannel_amazon_simulator import people
from omnichannel_amazon_simulator.answers import Row
from omnichannel_amazon_simulator.dates import iso
from omnichannel_amazon_simulator.marketplaces import MARKETPLACES
from omnichannel_amazon_simulator.order import Line, Order, Package

WITHOUT_MONEY = frozenset({"PENDING", "PENDING_AVAILABILITY"})
DAY = 86400.0


def money(amount: int, order: Order) -> Row:
    place = MARKETPLACES[order.marketplace]
    text = (
        str(amount)
        if place.decimals == 0
        else f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"
    )
    return {"amount": text, "currencyCode": place.currency}


def render(order: Order, parts: frozenset[str], sign: int = 1) -> Row:
    """The order with the `includedData` in `parts`; `sign` is that of discounts."""
    place = MARKETPLACES[order.marketplace]
    amazon = order.sales == "AMAZON"
    channel: Row = {"channelName": order.sales}
    if amazon:
        channel |= {"marketplaceId": order.marketplace, "marketplaceName": place.name}
    row: Row = {
        "orderId": order.id,
        "createdTime": iso(order.created),
        "lastUpdatedTime": iso(order.updated),
        "salesChannel": channel,
        "orderItems": [_line(order, line, parts, sign) for line in order.lines],
    }
    if order.alias:
        row["orderAliases"] = [{"aliasId": order.alias, "aliasType": "SELLER_ORDER_ID"}]
    if order.programs:
        row["programs"] = list(order.programs)
    if order.replaces:
        row["associatedOrders"] = [{"orderId": order.replaces, "associationType": order.association}]
    if "FULFILLMENT" in parts:
        row["fulfillment"] = _fulfillment(order)
    if order.status not in WITHOUT_MONEY:
        _personal(order, parts, row)
        if "PROCEEDS" in parts:
            row["proceeds"] = _proceeds(order, sign)
        if "PAYMENT" in parts and place.region != "eu":
            row["payment"] = {"paymentExecutions": [{"paymentMethod": "CreditCard"}]}
    if "PACKAGES" in parts and order.packages and order.fulfilled_by == "MERCHANT":
        row["packages"] = [_package(package) for package in order.packages]
    return row | (order.extra or {})


def _personal(order: Order, parts: frozenset[str], row: Row) -> None:
    place = MARKETPLACES[order.marketplace]
    merchant = order.fulfilled_by == "MERCHANT"
    if "BUYER" in parts:
        buyer: Row = {"buyerName": people.name(place.country, order.person)}
        if merchant:
            buyer["buyerEmail"] = people.email(order.person, place.domain)
        if order.company:
            buyer["buyerCompanyName"] = order.company
        if order.purchase_order:
            buyer["buyerPurchaseOrderNumber"] = order.purchase_order
        row["buyer"] = buyer
    if "RECIPIENT" in parts:
        row["recipient"] = {"deliveryAddress": recipient(order)}
        if order.person % 11 == 0 and merchant:
            row["recipient"]["deliveryPreference"] = {"dropOffLocation": "NEIGHBOR", "addressInstruction": "Klingel 3"}
    if "TAX" in parts and order.vat_id:
        kind = {"entityType": "BUYER", "taxRegistrationType": "VAT", "taxRegistrationNumber": order.vat_id}
        row["tax"] = {"taxRegistrations": [kind | {"legalName": order.company}]}


def recipient(order: Order) -> Row:
    """The delivery address; for orders that Amazon ships without telephone and name lines beyond the city."""
    country = MARKETPLACES[order.marketplace].country
    address = people.address(country, order.person, order.address, order.layout, order.company)
    if order.fulfilled_by == "AMAZON":
        kept = ("city", "postalCode", "countryCode", "stateOrRegion", "addressType")
        return {key: address[key] for key in kept if key in address}
    return address | {"phone": people.phone(order.person)}


def _fulfillment(order: Order) -> Row:
    days = {"SAME_DAY": 0.5, "NEXT_DAY": 1, "SECOND_DAY": 2, "EXPEDITED": 2, "PRIORITY": 1}.get(order.service, 3)
    row: Row = {
        "fulfillmentStatus": order.status,
        "fulfilledBy": order.fulfilled_by,
        "fulfillmentServiceLevel": order.service,
    }
    if order.status not in WITHOUT_MONEY:
        ship, deliver = order.created + DAY, order.created + (1 + days) * DAY
        row["shipByWindow"] = {"earliestDateTime": iso(order.created), "latestDateTime": iso(ship)}
        row["deliverByWindow"] = {"earliestDateTime": iso(ship), "latestDateTime": iso(deliver)}
    return row


def _proceeds(order: Order, sign: int) -> Row:
    sums = {"ITEM": 0, "SHIPPING": 0, "GIFT_WRAP": 0, "DISCOUNT": 0, "TAX": 0}
    for line in order.lines:
        for kind, amount in _amounts(order, line).items():
            sums[kind] += amount
    total = sum(line.total for line in order.lines) + (sums["TAX"] if order.tax == "on_top" else 0)
    sums["DISCOUNT"] *= sign
    rows = [{"type": kind, "subtotal": money(amount, order)} for kind, amount in sums.items() if amount]
    return {"grandTotal": money(total, order), "breakdowns": rows}


def _amounts(order: Order, line: Line) -> dict[str, int]:
    tax = 0 if order.tax == "inside" else line.tax(order.tax)
    return {
        "ITEM": line.item,
        "SHIPPING": line.shipping,
        "GIFT_WRAP": line.gift_wrap,
        "DISCOUNT": line.discount,
        "TAX": tax,
    }


def _line(order: Order, line: Line, parts: frozenset[str], sign: int) -> Row:
    product: Row = {"asin": line.asin, "title": line.title, "sellerSku": line.sku}
    product["condition"] = {"conditionType": "NEW", "conditionSubtype": "NEW"}
    row: Row = {"orderItemId": line.id, "quantityOrdered": line.quantity, "product": product}
    paid = order.status not in WITHOUT_MONEY
    if paid:
        designation = {"priceDesignation": "BUSINESS_PRICE"} if order.business else {}
        product["price"] = {"unitPrice": money(line.price, order), **designation}
    if paid and "PROCEEDS" in parts:
        row["proceeds"] = _line_proceeds(order, line, sign)
    if "PROMOTION" in parts and line.discount:
        row["promotion"] = {"breakdowns": [{"promotionId": f"PAWS-V2-{line.id[-6:]}"}]}
    if "TAX" in parts and order.tax == "on_top":
        row["tax"] = {
            "taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services, Inc."}]
        }
    if "CANCELLATION" in parts and (line.wish or line.cancelled_by):
        row["cancellation"] = _cancellation(line)
    if "FULFILLMENT" in parts:
        row["fulfillment"] = _line_fulfillment(order, line)
    return row


def _line_proceeds(order: Order, line: Line, sign: int) -> Row:
    rows: list[Row] = []
    for kind, amount in _amounts(order, line).items():
        if not amount and kind != "ITEM":
            continue
        shown = amount * (sign if kind == "DISCOUNT" else 1)
        entry: Row = {"type": kind, "subtotal": money(shown, order)}
        if kind in {"TAX", "DISCOUNT"}:
            entry["detailedBreakdowns"] = [{"subtype": "ITEM", "value": money(shown, order)}]
        rows.append(entry)
    total = line.total + (line.tax(order.tax) if order.tax == "on_top" else 0)
    return {"proceedsTotal": money(total, order), "breakdowns": rows}


def _cancellation(line: Line) -> Row:
    row: Row = {}
    if line.wish:
        row["cancellationRequest"] = {"requester": "BUYER", "cancelReason": line.wish}
    if line.cancelled_by:
        row["cancellationExecution"] = {"cancelledBy": line.cancelled_by}
    return row


def _line_fulfillment(order: Order, line: Line) -> Row:
    cancelled = order.status == "CANCELLED"
    row: Row = {
        "quantityFulfilled": line.shipped,
        "quantityUnfulfilled": 0 if cancelled else line.quantity - line.shipped,
    }
    if line.gift is not None:
        row["packing"] = {"giftOption": {"giftMessage": line.gift, "giftWrapLevel": "Classic"}}
    if order.ioss:
        row["shipping"] = {"internationalShipping": {"iossNumber": order.ioss}}
    return row


def _package(package: Package) -> Row:
    return {
        "packageReferenceId": package.reference,
        "createdTime": iso(package.created),
        "packageStatus": {"status": package.status},
        "carrier": package.carrier,
        "shipTime": iso(package.at),
        "shippingService": package.method,
        "trackingNumber": package.tracking,
        "packageItems": [{"orderItemId": ident, "quantity": n} for ident, n in package.items.items()],
    }
