"""What a host tells: offers, stock, prices, and what becomes of orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from omnichannel_core.records import (
    Cancellation,
    Invoice,
    Money,
    Offer,
    OfferVariant,
    Order,
    Price,
    Record,
    Shipment,
    StockLevel,
    Value,
)
from omnichannel_core.testing.strategies.incoming import bought_of
from omnichannel_core.testing.strategies.parts import (
    amounts,
    built,
    currencies,
    fixed,
    ids,
    moments,
    quantities,
    texts,
    units,
)

R = TypeVar("R", bound=Record)


def offers(**given: Any) -> SearchStrategy[Offer]:
    """Products; variants have SKUs of their own and differ in their options."""
    return _offers(given)


@st.composite
def _offers(draw: DrawFn, given: Mapping[str, Any]) -> Offer:
    skus, option = draw(st.lists(ids(), min_size=1, max_size=4, unique=True)), draw(ids())
    variants = tuple(
        OfferVariant(sku=sku, options={option: str(number)}, values=draw(_values()))
        for number, sku in enumerate(skus[1:])
    )
    whole = built(
        Offer, given, id=ids(), sku=skus[0], set=st.just("") | ids(), values=_values(), variants=st.just(variants),
        colors=st.dictionaries(ids(), st.integers(0, 0xFFFFFF).map(lambda color: f"#{color:06x}"), max_size=2),
    )  # fmt: skip
    return draw(whole)


def _values() -> SearchStrategy[Mapping[str, Value]]:
    one = built(Value, {}, text=texts(), mapped=st.booleans())
    several = built(Value, {}, texts=st.lists(texts(), min_size=1, max_size=2).map(tuple))
    return st.dictionaries(ids(), one | several, max_size=3)


def stock_levels(**given: Any) -> SearchStrategy[StockLevel]:
    """Nothing is below zero. The id is the SKU, with the location where there is one."""
    return built(
        StockLevel, given, lambda one: "@".join(filter(None, (one.sku, one.location))),
        sku=ids(), quantity=quantities(0, 9_999), location="",
    )  # fmt: skip


def prices(**given: Any) -> SearchStrategy[Price]:
    """Above zero, in one currency; a sale price is no higher than the price; a time ends after it began."""
    return _prices(given)


@st.composite
def _prices(draw: DrawFn, given: Mapping[str, Any]) -> Price:
    price: Money = draw(fixed(given.get("price", currencies().flatmap(lambda one: amounts(one, 1)))))
    currency, most, begin = price.currency, units(price), draw(st.none() | moments())
    end = None if begin is None else draw(st.none() | st.integers(1, 60).map(lambda days: begin + timedelta(days=days)))
    whole = built(
        Price, {**given, "price": price}, lambda one: "@".join(filter(None, (one.sku, one.list))),
        sku=ids(), sale_price=st.none() | amounts(currency, 1, most),
        retail_price=st.none() | amounts(currency, most, most + 1_000), list="", valid_from=begin, valid_to=end,
    )  # fmt: skip
    return draw(whole)


def shipments(order: Order | None = None, **given: Any) -> SearchStrategy[Shipment]:
    """Parcels of an order, or of any: of all that is open, or of some lines, no more than was bought."""
    return built(
        Shipment, given, id=ids(), order_id=order.id if order else ids(), method=st.just("") | texts(),
        carrier=st.sampled_from(("DHL", "UPS", "DPD")), tracking=ids(), shipped_at=st.none() | moments(),
        lines=_of_lines(order), note=texts(),
    )  # fmt: skip


def invoices(order: Order | None = None, **given: Any) -> SearchStrategy[Invoice]:
    """Invoices and credit notes of an order, or of any, each a file that begins and ends as a PDF does."""
    pdf = ids().map(lambda some: b"%PDF-1.7\n%" + some.encode() + b"\n%%EOF\n")
    kinds = st.sampled_from(("invoice", "credit_note"))
    return built(Invoice, given, id=ids(), order_id=order.id if order else ids(), number=ids(), kind=kinds, pdf=pdf)


def cancellations(order: Order | None = None, **given: Any) -> SearchStrategy[Cancellation]:
    """Of a whole order, or of some of its lines."""
    lines = _of_lines(order)
    return built(Cancellation, given, id=ids(), order_id=order.id if order else ids(), reason=texts(), lines=lines)


@st.composite
def _of_lines(draw: DrawFn, order: Order | None) -> Mapping[str, Decimal]:
    bought = bought_of(order) if order is not None else {}
    names = draw(st.lists(st.sampled_from(sorted(bought)), unique=True)) if bought else []
    return {name: draw(quantities(1, bought[name])) for name in names}


def like(one: R) -> SearchStrategy[R]:
    """A state of the same thing, told anew: another quantity, another price in its currency; all else as it is."""
    if isinstance(one, StockLevel):
        return quantities(0, 9_999).map(lambda quantity: msgspec.structs.replace(one, quantity=quantity))
    if isinstance(one, Price) and one.price is not None:
        dear = max(units(one.sale_price), 1)
        rich = units(one.retail_price) or dear + 100_000
        return amounts(one.price.currency, dear, max(rich, dear)).map(
            lambda price: msgspec.structs.replace(one, price=price)
        )
    return st.just(one)
