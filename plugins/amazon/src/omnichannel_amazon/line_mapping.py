"""Lines and money of an order: net or gross is not said, so the sums decide (guide amazon 4.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec import UNSET, UnsetType

from omnichannel_amazon import order_wire
from omnichannel_core.records import Charge, Line, Money, Tax

CHARGES = {"SHIPPING": "shipping", "GIFT_WRAP": "wrapping", "COD_FEE": "fee", "OTHER": "fee"}
Side = Literal["gross", "net", "unclear"]


class Sums(NamedTuple):
    """Amounts of a line by type, and on which side of the tax they are. `discount` is never negative."""

    currency: str
    by_type: dict[str, Decimal]
    tax_of: dict[str, Decimal]
    discount_of: dict[str, Decimal]
    total: Decimal | None
    side: Side

    def tax(self, kind: str) -> Decimal:
        """The tax on one type; all of it is the item's where Amazon does not split it."""
        return self.tax_of.get(kind, Decimal(0))

    def after_discount(self, kind: str) -> Decimal:
        """What of one type is paid."""
        return self.by_type.get(kind, Decimal(0)) - self.discount_of.get(kind, Decimal(0))


def sums(item: order_wire.Item) -> Sums | None:
    """None where the order has no money (pending, or not asked for)."""
    said = item.proceeds
    rows = [one for one in (said.breakdowns if said else None) or () if one.subtotal and one.subtotal.value()]
    if not rows:
        return None
    by_type = dict[str, Decimal]()
    for row in rows:
        by_type[row.type] = by_type.get(row.type, Decimal(0)) + _amount(row.subtotal)
    discount = abs(by_type.pop("DISCOUNT", Decimal(0)))
    tax = by_type.pop("TAX", Decimal(0))
    total = _amount(said.proceeds_total) if said and said.proceeds_total and said.proceeds_total.value() else None
    plain = sum(by_type.values(), Decimal(0)) - discount
    return Sums(
        currency=rows[0].subtotal.currency_code if rows[0].subtotal else "",
        by_type=by_type,
        tax_of=_split(rows, "TAX", tax),
        discount_of=_split(rows, "DISCOUNT", discount),
        total=total,
        side=_side(total, plain, tax),
    )


def _amount(money: order_wire.Money | None) -> Decimal:
    found = money.value() if money else None
    return found.amount if found else Decimal(0)


def _split(rows: Sequence[order_wire.Breakdown], kind: str, whole: Decimal) -> dict[str, Decimal]:
    """Tax or discount by what it is on; whatever the parts leave is the item's."""
    parts = dict[str, Decimal]()
    for row in rows:
        for one in (row.detailed_breakdowns if row.type == kind else None) or ():
            parts[one.subtype] = parts.get(one.subtype, Decimal(0)) + abs(_amount(one.value))
    rest = whole - sum(parts.values(), Decimal(0))
    return parts | ({"ITEM": parts.get("ITEM", Decimal(0)) + rest} if rest else {})


def _side(total: Decimal | None, plain: Decimal, tax: Decimal) -> Side:
    """Whether the total is reached with the tax inside the prices, or on top of them."""
    if total is None:
        return "unclear"
    if total == plain:
        return "gross"
    return "net" if total == plain + tax else "unclear"


def tax_inside(items: Sequence[order_wire.Item]) -> bool | UnsetType:
    """For the whole order; unsaid when its lines disagree or have no money."""
    sides = {found.side for one in items if (found := sums(one)) is not None}
    return sides == {"gross"} if sides and sides <= {"gross", "net"} and len(sides) == 1 else UNSET


def line(item: order_wire.Item) -> Line:
    """One line; price is per unit as Amazon shows it, sums are of the goods alone after discounts."""
    product, found, done = item.product, sums(item), item.fulfillment
    price = product.price.unit_price.value() if product.price and product.price.unit_price else None
    values = _values(found) if found else (UNSET, UNSET, UNSET, UNSET)
    net, gross, tax, discount = values
    taxes = (Tax(name="tax", amount=tax),) if isinstance(tax, Money) and tax.amount else ()
    return Line(
        id=item.order_item_id,
        sku=product.seller_sku or UNSET,
        name=product.title or UNSET,
        quantity=Decimal(item.quantity_ordered),
        price=price or UNSET,
        net=net,
        gross=gross,
        tax=tax,
        taxes=taxes,
        discount=discount,
        shipped=Decimal(done.quantity_fulfilled) if done and done.quantity_fulfilled is not None else UNSET,
        extra=dict(_extra(item, found)),
    )


Values = tuple[Money | UnsetType, Money | UnsetType, Money | UnsetType, Money | UnsetType]


def _values(found: Sums) -> Values:
    """(net, gross, tax, discount) of the goods. A gross price without tax amount tells no net one."""
    goods, tax = found.after_discount("ITEM"), found.tax("ITEM")
    discount = Money(found.discount_of.get("ITEM", Decimal(0)), found.currency)
    if found.side == "net":
        return Money(goods, found.currency), Money(goods + tax, found.currency), Money(tax, found.currency), discount
    if found.side == "gross" and tax:
        return Money(goods - tax, found.currency), Money(goods, found.currency), Money(tax, found.currency), discount
    return UNSET, Money(goods, found.currency) if found.side == "gross" else UNSET, UNSET, discount


def charges(item: order_wire.Item) -> Iterator[Charge]:
    """Shipping, wrapping and fees of a line, after discounts."""
    found = sums(item)
    for kind, amount in found.by_type.items() if found else ():
        if kind == "ITEM" or found is None or not (amount or found.tax(kind)):
            continue
        paid, tax = found.after_discount(kind), found.tax(kind)
        net = paid if found.side == "net" else paid - tax if tax else None
        gross = paid + tax if found.side == "net" else paid
        yield Charge(
            id=f"{item.order_item_id}:{kind.lower()}",
            kind=CHARGES.get(kind, "fee"),
            name=kind,
            net=UNSET if net is None or found.side == "unclear" else Money(net, found.currency),
            gross=UNSET if found.side == "unclear" else Money(gross, found.currency),
            taxes=(Tax(name="tax", amount=Money(tax, found.currency)),) if tax else (),
        )


def _extra(item: order_wire.Item, found: Sums | None) -> Iterator[tuple[str, str]]:
    product, done = item.product, item.fulfillment
    yield from _said("asin", product.asin)
    if product.price:
        yield from _said("price_designation", product.price.price_designation)
    if product.customization:
        yield from _said("customized_url", product.customization.customized_url)
    gift = done.packing.gift_option if done and done.packing else None
    if gift:
        yield from _said("gift_message", gift.gift_message)
        yield from _said("gift_wrap", gift.gift_wrap_level)
    if done and done.shipping and done.shipping.international_shipping:
        yield from _said("ioss", done.shipping.international_shipping.ioss_number)
    for collection in (item.tax.tax_collections if item.tax else None) or ():
        yield from _said("tax_collection", collection.model)
    for scheme in (item.tax.tax_calculation_breakdowns if item.tax else None) or ():
        yield from _said("tax_scheme", scheme.reporting_scheme)
    if found and found.side == "unclear":
        yield "amounts", ", ".join(f"{name} {value}" for name, value in found.by_type.items())
        yield "warning", "Amazon's amounts add up neither with nor without tax: check them by hand"


def _said(name: str, text: str | None) -> Iterator[tuple[str, str]]:
    if text:
        yield name, text
