"""Amounts of an order: exact sides, what is paid besides the lines, and what was taken off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from omnichannel_bigcommerce import order_wire, wire
from omnichannel_bigcommerce.wire import text
from omnichannel_core.records import Charge, Line, Money, Tax

ZERO, FOUR = Decimal(0), Decimal("0.0001")


class Sums(NamedTuple):
    """Of a whole line."""

    net: Money | UnsetType
    gross: Money | UnsetType
    tax: Money | UnsetType
    discount: Money | UnsetType


def _shrunk(row: order_wire.Product, after: Decimal, before: Decimal | None) -> Decimal:
    """The tax after a discount: in proportion where the row's tax is still the one before it."""
    tax = row.total_tax or ZERO
    if not before or row.total_ex_tax is None or row.total_inc_tax is None:
        return tax
    untouched = row.total_ex_tax + tax == row.total_inc_tax
    return (tax * after / before).quantize(FOUR, ROUND_HALF_UP) if untouched else tax


class Purse:
    """One order's currency, and which side of its prices is exact."""

    def __init__(self, currency: str, inclusive: bool) -> None:
        if not currency:
            raise ValueError("the order has no currency")
        self.currency, self.inclusive = currency.upper(), inclusive

    def sure(self, amount: Decimal) -> Money:
        """An amount in this currency.

        Raises:
            ValueError: it is not a number.
        """
        if not amount.is_finite():
            raise ValueError("an amount is not a number")
        return Money(amount, self.currency)

    def money(self, amount: Decimal | None) -> Money | UnsetType:
        """The same, where the remote says nothing: unset."""
        return UNSET if amount is None else self.sure(amount)

    def sides(
        self, net: Decimal | None, gross: Decimal | None, tax: Decimal | None
    ) -> tuple[Decimal | None, Decimal | None]:
        """Net and gross: the exact side as the remote says it, the other from it and the tax."""
        if tax is None:
            return net, gross
        if self.inclusive:
            return (net if gross is None else gross - tax), gross
        return net, (gross if net is None else net + tax)

    def line(self, row: order_wire.Product) -> Sums:
        """Net, gross, tax and discount of a whole line, after all discounts.

        `total_*` are before discounts and `discounted_total_inc_tax` is after them, the figure for accounting
        (orders.v2.oas2.yml, getOrderProducts). Without a discount all three are BigCommerce's own. With one, the exact
        side is BigCommerce's, and the tax shrinks with it unless BigCommerce has taken the discount off it already.
        """
        off = sum((one.amount for one in row.applied_discounts or () if one.amount is not None), ZERO)
        whole, net, tax, after = row.total_inc_tax, row.total_ex_tax, row.total_tax, row.discounted_total_inc_tax
        if after == 0 and not off:
            after = None  # older orders carry a zero there
        if not off and after in (None, whole):
            return Sums(self.money(net), self.money(whole), self.money(tax), self.money(off))
        by_gross = self.inclusive or (whole is not None and whole - off == after)
        if not by_gross and net is not None:
            net, before = net - off, net
            gross = after if after is not None else net + _shrunk(row, net, before)
            return Sums(self.money(net), self.money(gross), self.money(gross - net), self.money(off))
        gross_after = after if after is not None else None if whole is None else whole - off
        if gross_after is None:
            return Sums(self.money(net), UNSET, self.money(tax), self.money(off))
        less = _shrunk(row, gross_after, whole)
        return Sums(self.money(gross_after - less), self.money(gross_after), self.money(less), self.money(off))

    def taxes(self, rows: Sequence[wire.TaxRow], tax: Money | UnsetType) -> tuple[Tax, ...]:
        """The named taxes, or the bare amount where their names were not asked for."""
        if rows:
            return tuple(
                Tax(
                    name=one.name or "",
                    rate=one.rate,
                    amount=None if one.line_amount is None else self.sure(one.line_amount),
                )
                for one in rows
            )
        return (Tax(amount=tax),) if isinstance(tax, Money) and tax.amount else ()


def charges(
    order: order_wire.Order,
    places: Sequence[order_wire.Address],
    coupons: Sequence[wire.Coupon],
    taxes: Sequence[wire.TaxRow],
    purse: Purse,
    lines: Mapping[str, Line],
) -> Iterator[Charge]:
    """Shipping and handling (per address where those add up to the order's), wrapping, fees, coupons, discounts."""
    found = [
        *_carriage("shipping", order, places, taxes, purse),
        *_carriage("handling", order, places, taxes, purse),
    ]
    if order.wrapping_cost_inc_tax or order.wrapping_cost_ex_tax:
        sides = (order.wrapping_cost_ex_tax, order.wrapping_cost_inc_tax, order.wrapping_cost_tax)
        named = [one for one in taxes if one.line_item_type == "gift-wrapping"]
        found.append(_charge("wrapping", "wrapping", "", sides, named, purse))
    fees = order.fees if isinstance(order.fees, list) else [order.fees] if order.fees else []
    for fee in fees:
        if fee.id:
            name = fee.display_name_customer or fee.name or fee.display_name_merchant or ""
            sides = (fee.cost_ex_tax, fee.cost_inc_tax, fee.cost_tax)
            found.append(_charge(f"fee:{fee.id}", "fee", name, sides, (), purse, {"type": fee.type or ""}))
    yield from found
    for coupon in coupons:
        yield _coupon(coupon)
    yield from _rest(order, [*lines.values(), *found], purse)


def _carriage(
    kind: str, order: order_wire.Order, places: Sequence[order_wire.Address], taxes: Sequence[wire.TaxRow], purse: Purse
) -> Iterator[Charge]:
    prefix = "cost" if kind == "shipping" else "handling_cost"
    whole = tuple(getattr(order, f"{kind}_cost_{side}") for side in ("ex_tax", "inc_tax", "tax"))
    parts = [
        (place, tuple(getattr(place, f"{prefix}_{side}") for side in ("ex_tax", "inc_tax", "tax"))) for place in places
    ]
    exact = 1 if purse.inclusive else 0
    known = [sides[exact] for _, sides in parts if sides[exact] is not None]
    if parts and len(known) == len(parts) and (whole[exact] is None or sum(known) == whole[exact]):
        for place, sides in parts:
            if kind == "shipping" or any(sides):
                named = [t for t in taxes if t.line_item_type == kind and t.order_address_id == place.id]
                method = place.shipping_method or "" if kind == "shipping" else ""
                yield _charge(f"{kind}:{place.id}", kind, method, sides, named, purse, {"address": str(place.id)})
    elif any(whole):
        named = [one for one in taxes if one.line_item_type == kind]
        method = places[0].shipping_method or "" if kind == "shipping" and len(places) == 1 else ""
        yield _charge(kind, kind, method, whole, named, purse)


def _charge(
    key: str,
    kind: str,
    name: str,
    sides: tuple[Decimal | None, ...],
    named: Sequence[wire.TaxRow],
    purse: Purse,
    extra: Mapping[str, str] | None = None,
) -> Charge:
    net, gross = purse.sides(sides[0], sides[1], sides[2])
    taxes = purse.taxes(named, purse.money(sides[2]))
    said = {name: value for name, value in (extra or {}).items() if value}
    return Charge(id=key, kind=kind, name=name, net=purse.money(net), gross=purse.money(gross), taxes=taxes, extra=said)


def _coupon(coupon: wire.Coupon) -> Charge:
    """Which coupon it was. It carries no amount of its own: the lines are after discounts already."""
    said = {
        "code": coupon.code or "",
        "discount": text(coupon.discount),
        "amount": text(coupon.amount),
        "type": text(coupon.type),
        "coupon_id": text(coupon.coupon_id),
    }
    return Charge(
        id=f"coupon:{coupon.id}",
        kind="coupon",
        name=coupon.code or "",
        extra={name: value for name, value in said.items() if value},
    )


def _rest(order: order_wire.Order, parts: Sequence[Line | Charge], purse: Purse) -> Iterator[Charge]:
    """A discount of the order that its lines do not carry: what is missing to the order's own total."""
    off = (order.discount_amount or ZERO) + (order.coupon_discount or ZERO)
    if order.total_inc_tax is None or not off:
        return
    grosses = [part.gross for part in parts]
    if any(not isinstance(gross, Money) for gross in grosses):
        return
    rest = order.total_inc_tax - sum((gross.amount for gross in grosses if isinstance(gross, Money)), ZERO)
    if -off <= rest < 0:
        yield Charge(id="discount", kind="discount", gross=purse.sure(rest))
