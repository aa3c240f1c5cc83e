"""What a remote tells: orders, returns, its data model, a till's day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from msgspec import UNSET

from omnichannel_core.records import (
    Attribute,
    AttributeSet,
    Bad,
    CashEntry,
    Charge,
    Choice,
    Choices,
    Closing,
    Line,
    Order,
    Payment,
    PosStore,
    Record,
    Return,
    ReturnLine,
    Tax,
)
from omnichannel_core.testing.strategies.parts import (
    addresses,
    amounts,
    built,
    by_id,
    currencies,
    emails,
    extras,
    fixed,
    ids,
    moments,
    money,
    quantities,
    revisions,
    texts,
    units,
)

R = TypeVar("R", bound=Record)
STATES = ("open", "paid", "shipped", "completed", "cancelled", "refunded", "unknown")
TYPES = ("text", "html", "integer", "decimal", "money", "boolean", "date", "enum", "image", "file", "object")
PAYMENTS = ("authorization", "capture", "purchase", "refund", "void")


def orders(**given: Any) -> SearchStrategy[Order]:
    """Whole ones, of one currency: `gross` is the sum of lines and charges, and `net` with `tax` is `gross`."""
    return _orders(given)


@st.composite
def _orders(draw: DrawFn, given: Mapping[str, Any]) -> Order:
    currency = draw(fixed(given.get("currency", currencies())))
    addressed = draw(by_id(addresses(), most=2))
    lines = draw(by_id(_lines(currency, sorted(addressed)), least=1))
    charges = draw(by_id(_charges(currency), most=2))
    gross = sum(units(one.gross) for one in (*lines.values(), *charges.values()))
    tax = sum(units(one.tax) for one in lines.values())
    whole = built(
        Order, {**given, "currency": currency}, id=ids(), revision=revisions(), number=ids(),
        channel=st.just("") | ids(), placed_at=moments(), status=ids(), state=st.sampled_from(STATES),
        business=st.booleans(), archived=st.booleans(), shipped_by_remote=st.booleans(), customer=st.just("") | ids(),
        email=emails(), prices_include_tax=st.booleans(), net=money(gross - tax, currency),
        gross=money(gross, currency), tax=money(tax, currency), bill_to=addresses(), addresses=addressed, lines=lines,
        charges=charges, payments=by_id(_payments(currency), most=2), note=texts(), extra=extras(),
    )  # fmt: skip
    return draw(whole)


@st.composite
def _lines(draw: DrawFn, currency: str, addressed: Sequence[str]) -> Line:
    price, count = draw(amounts(currency)), draw(quantities())
    gross = units(price) * int(count)
    tax = gross * draw(st.integers(0, 25)) // 100
    return Line(
        id=draw(ids()), sku=draw(ids()), name=draw(texts()), quantity=count, price=price, gross=money(gross, currency),
        net=money(gross - tax, currency), tax=money(tax, currency), discount=money(0, currency),
        taxes=(Tax(name="VAT", amount=money(tax, currency)),) if tax else (),
        shipped=draw(quantities(0, int(count))), refunded=draw(quantities(0, int(count))),
        ship_to=draw(st.sampled_from(addressed)) if addressed else "",
    )  # fmt: skip


def _charges(currency: str) -> SearchStrategy[Charge]:
    return amounts(currency, 0, 5_000).flatmap(
        lambda paid: built(
            Charge, {}, id=ids(), kind=st.sampled_from(("shipping", "handling", "fee")), net=paid, gross=paid
        )
    )


def _payments(currency: str) -> SearchStrategy[Payment]:
    return built(
        Payment, {}, id=ids(), kind=st.sampled_from(PAYMENTS), method=texts(), amount=amounts(currency),
        at=st.none() | moments(), reference=texts(),
    )  # fmt: skip


def returns(order: Order | None = None, **given: Any) -> SearchStrategy[Return]:
    """Of an order, or of any: no more of a line comes back than was bought; `amount` is the sum of the lines."""
    return _returns(order, given)


@st.composite
def _returns(draw: DrawFn, order: Order | None, given: Mapping[str, Any]) -> Return:
    order = draw(orders()) if order is None else order
    currency = order.currency if isinstance(order.currency, str) else "EUR"
    lines = dict[str, ReturnLine]()
    for name, bought in bought_of(order).items():
        if draw(st.booleans()):
            lines[f"r{name}"] = ReturnLine(
                id=f"r{name}", order_line=name, quantity=draw(quantities(1, bought)), amount=draw(amounts(currency)),
                restock=draw(st.none() | st.booleans()), reason=draw(texts()),
            )  # fmt: skip
    amount = sum(units(one.amount) for one in lines.values())
    whole = built(
        Return, given, id=ids(), revision=revisions(), number=ids(), order_id=order.id, at=moments(), status=ids(),
        reason=texts(), amount=money(amount, currency), lines=lines, payments=by_id(_payments(currency), most=1),
        extra=extras(),
    )  # fmt: skip
    return draw(whole)


def bought_of(order: Order) -> Mapping[str, int]:
    """How many of each line were bought, where it says so."""
    lines = order.lines if isinstance(order.lines, Mapping) else {}
    return {name: int(one.quantity) for name, one in lines.items() if isinstance(one.quantity, Decimal)}


def choices(**given: Any) -> SearchStrategy[Choices]:
    """A list, or a tree: every `parent` is there, and stands before its children."""
    return built(Choices, given, id=ids(), revision=revisions(), label=texts(), items=_items())


@st.composite
def _items(draw: DrawFn) -> Mapping[str, Choice]:
    found = dict[str, Choice]()
    for value in draw(st.lists(ids(), unique=True, min_size=1, max_size=4)):
        found[value] = Choice(value=value, label=draw(texts()), parent=draw(st.sampled_from(("", *found))))
    return found


def attributes(**given: Any) -> SearchStrategy[Attribute]:
    """Fields of offers: an enum has choices, a text may have a longest length; nothing else has either."""
    kinds = fixed(given.get("type", st.sampled_from(TYPES)))
    return kinds.flatmap(lambda kind: _attributes(kind, {**given, "type": kind}))


def _attributes(kind: str, given: Mapping[str, Any]) -> SearchStrategy[Attribute]:
    enum, long = kind == "enum", kind in ("text", "html")
    return built(
        Attribute, given, id=ids(), revision=revisions(), label=texts(), writable=st.booleans(),
        level=st.sampled_from(("", "product", "variant")), unit=st.sampled_from(("", "kg", "cm")),
        required=st.booleans(), multiple=st.booleans(), localized=st.booleans(),
        max_length=st.none() | st.integers(1, 500) if long else None,
        choices=_items() if enum else {}, open=st.booleans() if enum else False,
    )  # fmt: skip


def attribute_sets(of: Sequence[str] = (), **given: Any) -> SearchStrategy[AttributeSet]:
    """Some of the attributes with these ids, each once; any, where none are named."""
    chosen = st.lists(st.sampled_from(tuple(of)) if of else ids(), unique=True, max_size=4).map(tuple)
    return built(AttributeSet, given, id=ids(), revision=revisions(), label=texts(), attributes=chosen)


def pos_stores(**given: Any) -> SearchStrategy[PosStore]:
    """Shops in a street."""
    return built(
        PosStore, given, id=ids(), name=texts(), address=texts(), currency=currencies(), gross_prices=st.booleans()
    )


def cash_entries(**given: Any) -> SearchStrategy[CashEntry]:
    """Cash put in (above zero) and taken out (below)."""
    amount = currencies().flatmap(lambda one: amounts(one, -100_000))
    kinds = st.sampled_from(("float", "paid_in", "paid_out"))
    return built(CashEntry, given, id=ids(), kind=kinds, at=moments(), amount=amount, note=texts())


def closings(**given: Any) -> SearchStrategy[Closing]:
    """The end of a till's day, with totals of one currency."""
    totals = currencies().flatmap(lambda one: st.dictionaries(ids(), amounts(one), max_size=3))
    return built(Closing, given, id=ids(), number=st.integers(1, 10_000), at=moments(), totals=totals)


def bad(kind: type[Record], **given: Any) -> SearchStrategy[Bad]:
    """What could not be read of a kind, sometimes without so much as an id."""
    raw = st.binary(max_size=20)
    return built(Bad, given, kind=st.just(kind), id=st.just("") | ids(), reason=texts(), raw=raw)


def partial(whole: SearchStrategy[R]) -> SearchStrategy[R]:
    """The same with some of the fields left out that may be, as reports and callbacks bring them."""

    def less(one: R) -> SearchStrategy[R]:
        may = tuple(field.name for field in msgspec.structs.fields(one) if field.default is UNSET)
        names = st.sets(st.sampled_from(may)) if may else st.just(set[str]())
        return names.map(lambda out: msgspec.structs.replace(one, partial=True, **dict.fromkeys(out, UNSET)))

    return whole.flatmap(less)
