"""Strategies for records: what they make is valid, can be stored, and is what it is said to be."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from omnichannel_core import records
from omnichannel_core.records import Attribute, Bad, Money, Offer, Order, Price, Record, Return, StockLevel
from omnichannel_core.storage import pages
from omnichannel_core.storage.bodies import decode
from omnichannel_core.storage.schema import record
from omnichannel_core.storage.store import Store
from omnichannel_core.testing import strategies

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = sorted(
    (one for one in vars(records).values() if isinstance(one, type) and issubclass(one, Record) and one is not Record),
    key=lambda one: one.__name__,
)
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
LONGER = settings(QUICK, max_examples=300)
NUMBER = itertools.count(1)


def test_names() -> None:
    """Every name is there once, and every kind of record has its strategy."""
    assert len(set(strategies.__all__)) == len(strategies.__all__)
    assert all(callable(getattr(strategies, name)) for name in strategies.__all__)
    assert len(KINDS) == 14
    with pytest.raises(KeyError):
        strategies.records_of(Record)


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(data=st.data())
def test_every_kind_is_stored_as_it_is(store: Store, kind: type[Record], data: st.DataObject) -> None:
    """A record of each kind, whole or in parts, is what is read again after it was stored."""
    whole = strategies.records_of(kind)
    one = data.draw(whole | strategies.partial(whole))
    assert type(one) is kind
    assert one.id
    ready, connection = pages.prepare([one]), next(NUMBER)
    store.write_now(lambda tx: pages.store(tx, "acme", connection, "stream", ready, run=0, now=NOW))
    wanted = record.select().where(record.c.connection_id == connection)
    (row,) = store.read_now(lambda tx: tx.execute(wanted).all())
    assert decode(row.kind, row.body) == one


@QUICK
@given(strategies.orders())
def test_an_order_adds_up(order: Any) -> None:
    """Lines and charges are what is paid; everything is in one currency, and what a line names is there."""
    parts = [*order.lines.values(), *order.charges.values()]
    assert order.gross == Money(sum((one.gross.amount for one in parts), Decimal(0)), order.currency)
    assert order.net.amount + order.tax.amount == order.gross.amount
    assert all(line.price.amount * line.quantity == line.gross.amount for line in order.lines.values())
    assert {one.gross.currency for one in parts} == {order.currency}
    assert all(line.ship_to in {"", *order.addresses} for line in order.lines.values())
    assert {name: one.id for name, one in order.lines.items()} == {name: name for name in order.lines}


@QUICK
@given(st.data())
def test_what_belongs_to_an_order_fits_it(data: st.DataObject) -> None:
    """No more comes back, is shipped or cancelled than was bought, and all of it names the order."""
    order = data.draw(strategies.orders())
    lines: Any = order.lines
    back = data.draw(strategies.returns(order))
    for line in back.lines.values():
        assert 1 <= line.quantity <= lines[line.order_line].quantity
    for made in (strategies.shipments, strategies.cancellations):
        one: Any = data.draw(made(order))
        assert one.order_id == order.id
        assert all(1 <= quantity <= lines[name].quantity for name, quantity in one.lines.items())


@QUICK
@given(strategies.prices(), strategies.offers(), strategies.attributes())
def test_what_is_told_is_sound(price: Price, offer: Offer, attribute: Attribute) -> None:
    """A sale is no dearer, a time ends later, SKUs differ, and only an enum has choices."""
    assert isinstance(price.price, Money)
    assert price.sale_price is None or price.sale_price.amount <= price.price.amount
    assert price.valid_to is None or (price.valid_from is not None and price.valid_from < price.valid_to)
    skus = [offer.sku, *(one.sku for one in offer.variants)]
    assert len(set(skus)) == len(skus)
    assert bool(attribute.choices) is (attribute.type == "enum")


@QUICK
@given(st.data())
def test_a_state_told_anew_is_of_the_same_thing(data: st.DataObject) -> None:
    """Only the quantity or the price differs."""
    for one in (data.draw(strategies.stock_levels()), data.draw(strategies.prices())):
        other: Any = data.draw(strategies.like(one))
        name = "quantity" if isinstance(one, StockLevel) else "price"
        assert msgspec.structs.replace(other, **{name: getattr(one, name)}) == one
        if isinstance(other, Price) and other.sale_price is not None and other.price is not None:
            assert other.sale_price.amount <= other.price.amount


def test_fixed_fields() -> None:
    """A value or a strategy for a field is taken; a field that does not exist is refused."""
    levels = strategies.stock_levels(sku=st.sampled_from("ab"), quantity=Decimal(3))
    one = find(levels, lambda one: one.sku == "b", settings=LONGER)
    assert (one.id, one.quantity) == ("b", 3)
    assert find(strategies.pos_stores(currency="JPY"), lambda one: True, settings=LONGER).currency == "JPY"
    with pytest.raises(TypeError, match="StockLevel has no field colour"):
        strategies.stock_levels(colour="red")


def test_they_shrink_to_something_small() -> None:
    """The smallest record that shows something is one that a person reads at a glance."""
    cash: Any = find(strategies.cash_entries(), lambda one: one.amount.amount < 0, settings=LONGER)
    assert (cash.note, cash.kind, cash.amount) == ("", "float", Money(Decimal("-0.01"), "EUR"))


@QUICK
@given(strategies.bad(Return) | strategies.bad(Order))
def test_bad_ones_are_kept_apart(bad: Bad) -> None:
    """What could not be read has its kind, and is no record."""
    ready = pages.prepare([bad])
    assert not ready.by_kind
    assert bad.kind in (Return, Order)
