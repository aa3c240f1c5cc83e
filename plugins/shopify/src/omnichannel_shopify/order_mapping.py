"""Shopify's orders as records (guide bigcommerce-and-shopify 2.9).

Amounts are those the buyer saw (presentment); where the shop's own currency differs, its amounts stand in `extra`.
Totals are those before returns and refunds; what is left of them stands in `extra`. `taxes_included` says which side
of a line is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import UNSET, UnsetType

from omnichannel_core.records import Address, Charge, Line, Money, Order, Payment, Tax
from omnichannel_shopify import order_wire
from omnichannel_shopify.wire import Bag, moment, pairs

State: TypeAlias = Literal["open", "paid", "shipped", "completed", "cancelled", "refunded", "unknown"]
PAID = frozenset({"PAID", "PARTIALLY_REFUNDED", "AUTHORIZED"})
MOVES = {"SALE": "purchase", "EMV_AUTHORIZATION": "authorization", "SUGGESTED_REFUND": "refund"}
SHIP_TO = "shipping"


def cash(bag: Bag | None) -> Money | None:
    """What the buyer saw; the shop's amount where only that is there."""
    found = (bag.presentment_money or bag.shop_money) if bag is not None else None
    return Money(found.amount, found.currency_code) if found is not None else None


def money(bag: Bag | None) -> Money | UnsetType:
    """The same, for a field of a record."""
    found = cash(bag)
    return UNSET if found is None else found


def nonzero(bag: Bag | None) -> Money | None:
    """None where nothing is."""
    found = cash(bag)
    return found if found is not None and found.amount else None


def taxes(rows: Sequence[order_wire.TaxLine]) -> tuple[Tax, ...]:
    """Tax lines with their rates in percent."""
    return tuple(Tax(name=one.title, rate=one.rate_percentage, amount=cash(one.price_set)) for one in rows)


def sides(
    total: Money | UnsetType, rows: Sequence[order_wire.TaxLine], *, included: bool
) -> tuple[Money | UnsetType, Money | UnsetType, Money | UnsetType]:
    """Net, gross and tax of an amount that holds its taxes or does not."""
    if not isinstance(total, Money):
        return UNSET, UNSET, UNSET
    sums = [found.amount for one in rows if (found := cash(one.price_set)) is not None]
    tax = Money(sum(sums, Decimal(0)), total.currency)
    if included:
        return Money(total.amount - tax.amount, total.currency), total, tax
    return total, Money(total.amount + tax.amount, total.currency), tax


def state_of(order: order_wire.Order) -> State:
    """What all remotes share, from cancellation, payment and fulfillment."""
    financial, fulfillment = order.display_financial_status or "", order.display_fulfillment_status or ""
    if order.cancelled_at:
        return "cancelled"
    if financial == "REFUNDED":
        return "refunded"
    if financial in ("VOIDED", "EXPIRED"):
        return "cancelled"
    if fulfillment in ("FULFILLED", "FULFILLMENT_NOT_REQUIRED"):
        return "completed" if financial in PAID and fulfillment == "FULFILLMENT_NOT_REQUIRED" else "shipped"
    return "paid" if financial in PAID else "open"


def to_order(order: order_wire.Order, *, known_only: bool = False) -> Order:
    """The record of one order whose parts are all there.

    Raises:
        ValueError: a date is none, an amount is not a number.
    """
    changed, placed = moment(order.updated_at), moment(order.processed_at or order.created_at)
    if changed is None or placed is None:
        raise ValueError("updatedAt or createdAt is missing")
    included = bool(order.taxes_included)
    total = cash(order.total_price_set or order.current_total_price_set)
    tax = cash(order.total_tax_set or order.current_total_tax_set)
    customer, tips = order.customer, tip_lines(order)
    return Order(
        id=order.id,
        revision=changed.isoformat(timespec="seconds"),
        known_only=known_only,
        number=order.name or str(order.number),
        channel=order.source_name or "",
        placed_at=placed,
        status=f"{order.display_financial_status or ''}/{order.display_fulfillment_status or ''}",
        state=state_of(order),
        business=bool(order.purchasing_entity and order.purchasing_entity.type == "PurchasingCompany"),
        archived=order.closed_at is not None,
        customer=customer.id if customer else "",
        email=_email(order),
        currency=total.currency if total else order.presentment_currency_code or order.currency_code,
        prices_include_tax=UNSET if order.taxes_included is None else order.taxes_included,
        net=Money(total.amount - tax.amount, total.currency) if total and tax else UNSET,
        gross=total or UNSET,
        tax=tax or UNSET,
        bill_to=_address(order.billing_address, "billing", order) if order.billing_address else UNSET,
        addresses={SHIP_TO: _address(order.shipping_address, SHIP_TO, order)} if order.shipping_address else {},
        lines={row.id: _line(row, order, included, tip=row.id in tips) for row in order.line_items.nodes},
        charges={charge.id: charge for charge in _charges(order, included) if not (tips and charge.kind == "tip")},
        payments={one.id: payment(one) for one in order.transactions},
        note=order.note or "",
        extra=_extra(order),
    )


def _email(order: order_wire.Order) -> str:
    mine = order.customer.default_email_address if order.customer else None
    return order.email or (mine.email_address if mine else None) or ""


def _address(said: order_wire.Address, name: str, order: order_wire.Order) -> Address:
    extra = {"province": said.province, "country_name": said.country}
    return Address(
        id=name,
        first_name=said.first_name or "",
        last_name=said.last_name or "",
        company=said.company or "",
        street1=said.address1 or "",
        street2=said.address2 or "",
        city=said.city or "",
        region=said.province_code or said.province or "",
        postal_code=said.zip or "",
        country=said.country_code or "",
        phone=said.phone or order.phone or "",
        email=_email(order),
        extra={key: value for key, value in extra.items() if value},
    )


def tip_lines(order: order_wire.Order) -> frozenset[str]:
    """Lines that are the tip, of which the order tells the sum too (admin_2026-10: TipSale.lineItem): those of that
    name, else one of nothing the shop sells that is worth just as much.
    """
    bare = [row for row in order.line_items.nodes if not (row.product or row.variant or row.requires_shipping)]
    called = frozenset(row.id for row in bare if (row.title or "").lower() == "tip")
    tip = nonzero(order.total_tip_received_set)
    alike = [row.id for row in bare if tip is not None and _after_discounts(row) == tip]
    return called or frozenset(alike[:1])


def _line(row: order_wire.Line, order: order_wire.Order, included: bool, *, tip: bool) -> Line:
    """`discounted_total_set` is after the line's own discounts; those of the whole cart are allocated to it too."""
    net, gross, tax = sides(_after_discounts(row), row.tax_lines, included=included)
    gone = row.quantity - row.current_quantity if row.current_quantity is not None else 0
    open_now = row.unfulfilled_quantity
    return Line(
        id=row.id,
        sku=row.sku or "",
        name=row.name or row.title or "",
        quantity=Decimal(row.quantity),
        price=money(row.original_unit_price_set),
        net=net,
        gross=gross,
        tax=tax,
        taxes=taxes(row.tax_lines),
        discount=_discount(row),
        shipped=UNSET if open_now is None else Decimal(max(0, row.quantity - gone - open_now)),
        refunded=Decimal(max(0, gone)),
        kind="tip" if tip else _kind(row),
        ship_to=SHIP_TO if row.requires_shipping and order.shipping_address else "",
        options={"variant": row.variant_title} if row.variant_title else {},
        extra=_line_extra(row),
    )


def _kind(row: order_wire.Line) -> str:
    if row.is_gift_card:
        return "gift_card"
    return "product" if row.requires_shipping else "digital"


def _after_discounts(row: order_wire.Line) -> Money | UnsetType:
    unit, less = cash(row.original_unit_price_set), _discount(row)
    if unit is None:
        return money(row.discounted_total_set)
    total = unit.amount * row.quantity - (less.amount if isinstance(less, Money) else 0)
    return Money(total, unit.currency)


def _discount(row: order_wire.Line) -> Money | UnsetType:
    """All that is allocated to the line; where nothing is, what the discounted total is below the original."""
    parts = [found for one in row.discount_allocations if (found := cash(one.allocated_amount_set)) is not None]
    unit, total = cash(row.original_unit_price_set), cash(row.discounted_total_set)
    if parts:
        return Money(sum((one.amount for one in parts), Decimal(0)), parts[0].currency)
    if unit is None or total is None:
        return UNSET
    return Money(max(Decimal(0), unit.amount * row.quantity - total.amount), unit.currency)


def _line_extra(row: order_wire.Line) -> dict[str, str]:
    duties = [found for one in row.duties if (found := cash(one.price)) is not None]
    said = {
        "product_id": row.product.id if row.product else "",
        "variant_id": row.variant.id if row.variant else "",
        "vendor": row.vendor,
        "bundle": row.line_item_group.id if row.line_item_group else "",
        "bundle_title": row.line_item_group.title if row.line_item_group else "",
        "duties": str(sum((one.amount for one in duties), Decimal(0))) if duties else "",
        "removed": str(row.quantity - row.current_quantity)
        if row.current_quantity is not None and row.current_quantity != row.quantity else "",
    }  # fmt: skip
    return {name: value for name, value in said.items() if value} | dict(pairs(row.custom_attributes, "attribute:"))


def _charges(order: order_wire.Order, included: bool) -> Iterator[Charge]:
    """Shipping, fees, duties, tips and rounding; what is taken off the lines stands with the lines. Duties are those
    before returns, as the totals are; of an edited order only today's are told.
    """
    for at, row in enumerate(order.shipping_lines.nodes):
        yield _carriage(row, at, included)
    for fee in order.additional_fees:
        net, gross, _ = sides(money(fee.price), fee.tax_lines, included=included)
        yield Charge(id=fee.id, kind="fee", name=fee.name or "", net=net, gross=gross, taxes=taxes(fee.tax_lines))
    before, now = nonzero(order.original_total_duties_set), nonzero(order.current_total_duties_set)
    duties = (now or before) if order.edited else (before or now)
    if duties is not None:
        yield Charge(id="duties", kind="duty", name="Duties", net=duties, gross=duties)
    tip = nonzero(order.total_tip_received_set)
    if tip is not None:
        yield Charge(id="tip", kind="tip", name="Tip", net=tip, gross=tip)
    rounding = order.total_cash_rounding_adjustment
    rounded = nonzero(rounding.payment_set) if rounding else None
    if rounded is not None:
        yield Charge(id="rounding", kind="rounding", name="Cash rounding", net=rounded, gross=rounded)


def _carriage(row: order_wire.Carriage, at: int, included: bool) -> Charge:
    net, gross, _ = sides(money(row.discounted_price_set or row.original_price_set), row.tax_lines, included=included)
    if row.is_removed:
        net = gross = Money(Decimal(0), net.currency) if isinstance(net, Money) else net
    said = {"code": row.code, "source": row.source, "carrier": row.carrier_identifier}
    said["removed"] = "true" if row.is_removed else ""
    return Charge(
        id=row.id or f"shipping:{at}",
        kind="shipping",
        name=row.title or "",
        net=net,
        gross=gross,
        taxes=() if row.is_removed else taxes(row.tax_lines),
        extra={name: value for name, value in said.items() if value},
    )


def payment(one: order_wire.Movement) -> Payment:
    """One movement of money; a gift card is a gateway of that name."""
    own, seen = (one.amount_set.shop_money, one.amount_set.presentment_money) if one.amount_set else (None, None)
    said = {
        "gateway": one.gateway,
        "parent": one.parent_transaction.id if one.parent_transaction else "",
        "test": "true" if one.test else "",
        "shop_amount": f"{own.amount} {own.currency_code}" if own and seen and own != seen else "",
    }
    return Payment(
        id=one.id,
        kind=MOVES.get(one.kind, one.kind.lower()),
        method=one.formatted_gateway or one.gateway or "",
        status=one.status.lower(),
        amount=money(one.amount_set),
        at=moment(one.processed_at),
        reference=one.payment_id or "",
        extra={name: value for name, value in said.items() if value},
    )


def _extra(order: order_wire.Order) -> dict[str, str]:
    own = order.total_price_set.shop_money if order.total_price_set else None
    foreign = bool(order.currency_code) and order.currency_code != order.presentment_currency_code
    said: Mapping[str, str | None] = {
        "financial_status": order.display_financial_status,
        "fulfillment_status": order.display_fulfillment_status,
        "return_status": order.return_status if order.return_status != "NO_RETURN" else "",
        "cancel_reason": order.cancel_reason if order.cancelled_at else "",
        "cancelled_at": order.cancelled_at,
        "closed_at": order.closed_at,
        "edited": "true" if order.edited else "",
        "test": "true" if order.test else "",
        "confirmation": order.confirmation_number,
        "po_number": order.po_number,
        "source_identifier": order.source_identifier,
        "tags": ", ".join(order.tags),
        "discount_codes": ", ".join(order.discount_codes),
        "gateways": ", ".join(order.payment_gateway_names),
        "locale": order.customer_locale,
        "phone": order.phone,
        "tax_exempt": "true" if order.tax_exempt else "",
        "duties_included": "true" if order.duties_included else "",
        "shop_currency": order.currency_code if foreign else "",
        "shop_total": f"{own.amount} {own.currency_code}" if own and foreign else "",
        "current_total": _left(order),
    }
    return {name: value for name, value in said.items() if value} | dict(pairs(order.custom_attributes, "attribute:"))


def _left(order: order_wire.Order) -> str:
    """The total after edits and returns, where they changed it."""
    placed, now = cash(order.total_price_set), cash(order.current_total_price_set)
    return f"{now.amount} {now.currency}" if placed and now and placed != now else ""
