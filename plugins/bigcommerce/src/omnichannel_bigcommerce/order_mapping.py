"""BigCommerce's orders as records (guide bigcommerce-and-shopify 1.10).

Amounts are those of the transactional currency. `is_tax_inclusive_pricing` says which side BigCommerce calculated
with: that side is exact here, the other one follows from it and the tax.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from msgspec import UNSET, UnsetType

from omnichannel_bigcommerce import order_wire, wire
from omnichannel_bigcommerce.charge_mapping import Purse, charges
from omnichannel_bigcommerce.wire import moment, text
from omnichannel_core.records import Address, Charge, Line, Money, Order, Payment

State: TypeAlias = Literal["open", "paid", "shipped", "completed", "cancelled", "refunded", "unknown"]
STATES: Mapping[int, State] = {
    0: "open", 1: "open", 2: "shipped", 3: "paid", 4: "refunded", 5: "cancelled", 6: "cancelled", 7: "open",
    8: "paid", 9: "paid", 10: "completed", 11: "paid", 12: "open", 13: "open", 14: "paid",
}  # fmt: skip
KINDS = {"physical": "product", "digital": "digital", "giftcertificate": "gift_card"}
MOVES = {"authorized": "authorization", "captured": "capture", "paid": "capture", "pending": "pending", "": "pending"}
"""What happened to an order's money when it moved once, by `payment_status`."""


class Details(NamedTuple):
    """What had to be asked for besides the order's row; None was not asked."""

    products: Sequence[order_wire.Product] | None = None
    addresses: Sequence[order_wire.Address] | None = None
    coupons: Sequence[wire.Coupon] = ()
    taxes: Sequence[wire.TaxRow] = ()
    transactions: Sequence[wire.Transaction] | None = None


def consignments(order: order_wire.Order) -> list[order_wire.Consignments]:
    """Both shapes: the object, and the old list of it; [] when they are mere links."""
    found = order.consignments
    every = found if isinstance(found, list) else [found] if found is not None else []
    return [one for one in every if not one.url and one.street_1 is None]


def carried(order: order_wire.Order) -> Iterator[tuple[str, order_wire.Lines]]:
    """The lines of every consignment, with the id of the address they go to ('' is none)."""
    for group in consignments(order):
        for address in group.shipping or ():
            yield str(address.id), address.line_items
        for pickup in group.pickups or ():
            yield f"pickup:{pickup.id}", pickup.line_items
        emails = group.email.gift_certificates if isinstance(group.email, order_wire.Emails) else None
        for parcelless in [*(group.downloads or ()), *(emails or ())]:
            yield "", parcelless.line_items


def included(order: order_wire.Order) -> list[tuple[str, order_wire.Product]] | None:
    """The lines that came with the row; None when some are mere links, or fewer than the row counts."""
    found = list[tuple[str, order_wire.Product]]()
    for ship_to, lines in carried(order):
        rows = lines if isinstance(lines, list) else [lines] if lines is not None else []
        if any(not row.id for row in rows):
            return None
        found += [(ship_to, row) for row in rows]
    counted = sum((row.quantity for _, row in found), Decimal(0))
    return None if not found or counted < (order.items_total or 0) else found


def needs(order: order_wire.Order, *, history: bool) -> frozenset[str]:
    """Which parts must be asked for, one request each.

    Args:
        history: the order comes with a first import. A finished one of those then does without the names and rates
            of its taxes (the amounts are in the row), which spares a request per order.
    """
    wanted = set[str]()
    if included(order) is None:
        wanted.add("products")
        if not consignments(order):
            wanted.add("addresses")
    if order.coupon_discount:
        wanted.add("coupons")
    if order.total_tax and not (history and STATES.get(order.status_id, "open") not in ("open", "paid")):
        wanted.add("taxes")
    credit = (order.store_credit_amount or 0) + (order.gift_certificate_amount or 0)
    if credit or order.status_id in (4, 14) or (order.payment_status or "").lower() not in MOVES:
        wanted.add("transactions")
    return frozenset(wanted)


def to_order(order: order_wire.Order, details: Details = Details(), *, known_only: bool = False) -> Order:  # noqa: B008
    """The record of one order.

    Raises:
        ValueError: a date is none, an amount is not a number, the order has no currency.
    """
    changed, placed = moment(order.date_modified), moment(order.date_created)
    if changed is None or placed is None:
        raise ValueError("date_created or date_modified is missing")
    purse = Purse(order.default_currency_code or order.currency_code or "", bool(order.is_tax_inclusive_pricing))
    lines = {line.id: line for line in _lines(order, details, purse)}
    billing = order.billing_address
    return Order(
        id=str(order.id),
        revision=changed.isoformat(timespec="seconds"),
        known_only=known_only,
        number=str(order.id),
        channel=text(order.channel_id),
        placed_at=placed,
        status=str(order.status_id),
        state=STATES.get(order.status_id, "unknown"),
        archived=bool(order.is_deleted),
        customer=str(order.customer_id) if order.customer_id else "",
        email=(billing.email or "") if billing else "",
        currency=purse.currency,
        prices_include_tax=UNSET if order.is_tax_inclusive_pricing is None else order.is_tax_inclusive_pricing,
        net=purse.money(order.total_ex_tax),
        gross=purse.money(order.total_inc_tax),
        tax=purse.money(order.total_tax),
        bill_to=_address(billing) if billing else UNSET,
        addresses=_addresses(order, details),
        lines=lines,
        charges=_charges(order, details, purse, lines),
        payments={payment.id: payment for payment in _payments(order, details, purse)},
        note=order.customer_message or "",
        extra=_extra(order),
    )


def _lines(order: order_wire.Order, details: Details, purse: Purse) -> Iterator[Line]:
    asked = details.products
    rows = included(order) or [] if asked is None else [(_place(row), row) for row in asked]
    for ship_to, row in rows:
        yield _line(row, ship_to, details.taxes, purse)


def _place(row: order_wire.Product) -> str:
    if row.order_address_id:
        return str(row.order_address_id)
    return f"pickup:{row.order_pickup_method_id}" if row.order_pickup_method_id else ""


def _line(row: order_wire.Product, ship_to: str, taxes: Sequence[wire.TaxRow], purse: Purse) -> Line:
    net, gross, tax, discount = purse.line(row)
    named = [
        one for one in taxes if (one.line_item_type or "item") == "item" and text(one.order_product_id) == str(row.id)
    ]
    price = row.price_inc_tax if purse.inclusive else row.price_ex_tax
    return Line(
        id=str(row.id),
        sku=row.sku or "",
        name=row.name or "",
        quantity=row.quantity,
        price=purse.money(price if price is not None else row.base_price),
        net=net,
        gross=gross,
        tax=tax,
        taxes=purse.taxes(named, tax),
        discount=discount,
        shipped=UNSET if row.quantity_shipped is None else row.quantity_shipped,
        refunded=UNSET if row.quantity_refunded is None else row.quantity_refunded,
        kind=KINDS.get(row.type or "", row.type or "product"),
        ship_to=ship_to,
        options=_options(row),
        extra=_line_extra(row),
    )


def _options(row: order_wire.Product) -> dict[str, str]:
    """What the buyer chose, by the name shown; a second option of the same name gets a number."""
    chosen = dict[str, str]()
    pairs = [(one.display_name or one.name or str(one.id), one.display_value) for one in row.product_options or ()]
    pairs += [(one.name or "", text(one.value)) for one in row.configurable_fields or ()]
    for name, value in pairs:
        free, number = name, 2
        while free in chosen:
            free, number = f"{name} ({number})", number + 1
        chosen[free] = value or ""
    return chosen


def _line_extra(row: order_wire.Product) -> dict[str, str]:
    said: dict[str, object] = {
        name: getattr(row, name)
        for name in (
            "product_id", "variant_id", "upc", "brand", "return_id", "wrapping_name", "wrapping_message",
            "bin_picking_number", "external_id", "parent_order_product_id", "gift_certificate_id", "event_name",
            "event_date",
        )
    }  # fmt: skip
    said["discounts"] = ", ".join(one.code or one.name or text(one.id) for one in row.applied_discounts or ())
    said["bundled"] = "true" if row.is_bundled_product else ""
    return {name: text(value) for name, value in said.items() if value not in (None, "", 0, "0")}


def _address(said: order_wire.Address) -> Address:
    fields = {f"form:{field.name}": text(field.value) for field in said.form_fields or () if field.name}
    named = {"shipping_method": said.shipping_method, "shipping_zone": said.shipping_zone_name}
    country = {"country_name": said.country} if said.country_iso2 else {}
    return Address(
        id=str(said.id) if said.id else "",
        first_name=said.first_name or "",
        last_name=said.last_name or "",
        company=said.company or "",
        street1=said.street_1 or "",
        street2=said.street_2 or "",
        city=said.city or "",
        region=said.state or "",
        postal_code=text(said.zip),
        country=(said.country_iso2 or said.country or ""),
        phone=text(said.phone),
        email=said.email or "",
        extra={**fields, **{name: value for name, value in {**named, **country}.items() if value}},
    )


def _pickup(said: order_wire.Pickup) -> Address:
    place = said.location or order_wire.PickupLocation()
    extra = {"pickup": said.pickup_method_display_name or "", "location": text(place.id), "code": place.code or ""}
    return Address(
        id=f"pickup:{said.id}",
        company=place.name or "",
        street1=place.address_line_1 or "",
        street2=place.address_line_2 or "",
        city=place.city or "",
        region=place.state or "",
        postal_code=text(place.postal_code),
        country=place.country_alpha2 or "",
        phone=text(place.phone),
        email=place.email or "",
        extra={name: value for name, value in extra.items() if value},
    )


def _addresses(order: order_wire.Order, details: Details) -> dict[str, Address]:
    ships = [address for group in consignments(order) for address in group.shipping or ()]
    found = {str(one.id): _address(one) for one in (ships if details.addresses is None else details.addresses)}
    return found | {f"pickup:{one.id}": _pickup(one) for group in consignments(order) for one in group.pickups or ()}


def _charges(order: order_wire.Order, details: Details, purse: Purse, lines: Mapping[str, Line]) -> dict[str, Charge]:
    ships = [address for group in consignments(order) for address in group.shipping or ()]
    places = ships if details.addresses is None else details.addresses
    return {charge.id: charge for charge in charges(order, places, details.coupons, details.taxes, purse, lines)}


def _payments(order: order_wire.Order, details: Details, purse: Purse) -> Iterator[Payment]:
    """The movements of money; the order's own word where it moved once and nothing else was asked."""
    for one in details.transactions or ():
        method = (one.offline and one.offline.display_name) or (one.custom and one.custom.payment_method) or one.method
        extra = {"gateway": one.gateway, "replaces": text(one.reference_transaction_id), "test": one.test and "true"}
        currency = (one.currency or purse.currency).upper()
        yield Payment(
            id=str(one.id),
            kind=one.event or "",
            method=method or "",
            status=one.status or "",
            amount=UNSET if one.amount is None else Money(one.amount, currency),
            at=moment(one.date_created),
            reference=one.gateway_transaction_id or "",
            extra={name: text(value) for name, value in extra.items() if value},
        )
    if details.transactions or not (order.payment_method or order.payment_status):
        return
    credit = (order.store_credit_amount or 0) + (order.gift_certificate_amount or 0)
    due: Money | UnsetType = UNSET if order.total_inc_tax is None else purse.sure(order.total_inc_tax - credit)
    status = order.payment_status or ""
    yield Payment(
        id="order",
        kind=MOVES.get(status.lower(), status),
        method=order.payment_method or "",
        status=status,
        amount=due,
        reference=text(order.payment_provider_id),
    )


def _extra(order: order_wire.Order) -> dict[str, str]:
    said: dict[str, object] = {
        name: getattr(order, name)
        for name in (
            "payment_status", "order_source", "external_source", "external_id", "external_order_id",
            "external_merchant_id", "cart_id", "customer_locale", "staff_notes", "date_shipped", "tax_provider_id",
        )
    }  # fmt: skip
    said["status_label"] = order.custom_status or order.status
    said["display_currency"] = order.currency_code if order.currency_code != order.default_currency_code else ""
    said["store_currency"] = order.store_default_currency_code
    if order.store_default_currency_code and order.store_default_currency_code != order.default_currency_code:
        said["exchange_rate"] = order.store_default_to_transactional_exchange_rate
    said["digital"] = "true" if order.order_is_digital else ""
    return {name: text(value) for name, value in said.items() if value not in (None, "", 0, "0")}
