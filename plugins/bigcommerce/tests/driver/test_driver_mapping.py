"""Orders and refunds as records: exact amounts, both shapes, unknown values, bad rows."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from omnichannel_bigcommerce import order_wire, wire
from omnichannel_bigcommerce.charge_mapping import Purse
from omnichannel_bigcommerce.order_mapping import Details, included, needs, to_order
from omnichannel_bigcommerce.sync.order_rows import read
from omnichannel_bigcommerce.sync.returns import attempt, to_return
from omnichannel_bigcommerce.wire import moment

from omnichannel_core import errors
from omnichannel_core.driver import Answer
from omnichannel_core.records import Bad, Money, Order, Return


def line(**said: Any) -> dict[str, Any]:
    row = {
        "id": 901, "product_id": 77, "variant_id": 88, "order_address_id": 51, "sku": "S-1", "name": "Towel",
        "type": "physical", "quantity": 2, "quantity_shipped": 0, "quantity_refunded": 0, "base_price": "10.0000",
        "price_ex_tax": "10.0000", "price_inc_tax": "11.9000", "price_tax": "1.9000", "total_ex_tax": "20.0000",
        "total_inc_tax": "23.8000", "total_tax": "3.8000", "discounted_total_inc_tax": "23.8000",
        "applied_discounts": [], "product_options": [{"display_name": "Size", "display_value": "M"}],
    }  # fmt: skip
    return row | said


def order(**said: Any) -> dict[str, Any]:
    row = {
        "id": 100, "status_id": 11, "status": "Awaiting Fulfillment", "custom_status": "To pack",
        "date_created": "Wed, 10 Jan 2018 21:05:30 +0000", "date_modified": "Wed, 10 Jan 2018 22:05:30 +0100",
        "date_shipped": "", "customer_id": 20, "channel_id": 1, "currency_code": "EUR", "default_currency_code": "USD",
        "store_default_currency_code": "USD", "is_tax_inclusive_pricing": False, "total_ex_tax": "25.0000",
        "total_inc_tax": "29.7500", "total_tax": "4.7500", "shipping_cost_ex_tax": "5.0000",
        "shipping_cost_inc_tax": "5.9500", "shipping_cost_tax": "0.9500", "handling_cost_ex_tax": "0.0000",
        "handling_cost_inc_tax": "0.0000", "handling_cost_tax": "0.0000", "discount_amount": "0.0000",
        "coupon_discount": "0.0000", "store_credit_amount": "0.0000", "gift_certificate_amount": "0.0000",
        "payment_method": "Credit Card", "payment_status": "captured", "payment_provider_id": "ch_1",
        "items_total": 2, "customer_message": "Ring twice", "order_source": "www", "external_source": None,
        "billing_address": {
            "first_name": "Jane", "last_name": "Doe", "street_1": "1 Main", "zip": "78751", "country": "United States",
            "country_iso2": "US", "email": "jane@example.com", "form_fields": [{"name": "VAT", "value": "X1"}],
        },
        "consignments": {
            "pickups": [], "downloads": [], "email": {"gift_certificates": []},
            "shipping": [{
                "id": 51, "first_name": "Jane", "city": "Austin", "country_iso2": "US", "shipping_method": "Flat",
                "cost_ex_tax": 5.0, "cost_inc_tax": 5.95, "cost_tax": 0.95, "line_items": [line()],
            }],
        },
        "fees": [],
    }  # fmt: skip
    return row | said


def parsed(**said: Any) -> order_wire.Order:
    return msgspec.json.decode(json.dumps(order(**said)), type=order_wire.Order)


def mapped(details: Details | None = None, **said: Any) -> Order:
    return to_order(parsed(**said), details or Details())


def usd(text: str) -> Money:
    return Money(Decimal(text), "USD")


def shipping(*lines: dict[str, Any], **said: Any) -> dict[str, Any]:
    place = order()["consignments"]["shipping"][0]
    return {"shipping": [place | {"line_items": list(lines)} | said]}


def total(record: Order) -> Decimal:
    assert isinstance(record.lines, dict)
    assert isinstance(record.charges, dict)
    parts = [*record.lines.values(), *record.charges.values()]
    return sum((part.gross.amount for part in parts if isinstance(part.gross, Money)), Decimal(0))


def test_order():
    """Times carry their zone, amounts the transactional currency, and lines and charges add up to the total."""
    record = mapped()
    assert (record.id, record.number, record.status, record.state) == ("100", "100", "11", "paid")
    assert record.placed_at == datetime(2018, 1, 10, 21, 5, 30, tzinfo=UTC)
    assert record.revision == "2018-01-10T21:05:30+00:00"
    assert (record.currency, record.net, record.gross, record.tax) == (
        "USD",
        usd("25.0000"),
        usd("29.7500"),
        usd("4.7500"),
    )
    assert (record.customer, record.email, record.note, record.archived) == (
        "20",
        "jane@example.com",
        "Ring twice",
        False,
    )
    assert record.extra["status_label"] == "To pack"
    assert record.extra["display_currency"] == "EUR"
    assert record.bill_to.extra["form:VAT"] == "X1"  # type: ignore[union-attr]
    assert total(record) == Decimal("29.75")


def test_lines():
    """A line knows its address, its options and both sides of its tax."""
    found = mapped().lines["901"]  # type: ignore[index]
    assert (found.sku, found.quantity, found.ship_to, found.kind) == ("S-1", Decimal(2), "51", "product")
    assert (found.price, found.net, found.gross, found.tax) == (usd("10"), usd("20"), usd("23.8"), usd("3.8"))
    assert found.options == {"Size": "M"}
    assert found.extra["product_id"] == "77"


def test_inclusive_side():
    """Where prices include tax the price and the exact side are the inclusive ones."""
    record = mapped(is_tax_inclusive_pricing=True)
    found = record.lines["901"]  # type: ignore[index]
    assert (record.prices_include_tax, found.price) == (True, usd("11.9"))
    assert record.charges["shipping:51"].gross == usd("5.95")  # type: ignore[index]


def off(amount: str, **said: Any) -> dict[str, Any]:
    return line(applied_discounts=[{"id": "c", "amount": amount, "name": "C", "code": "C5"}], **said)


@pytest.mark.parametrize(
    ("inclusive", "row", "sums"),
    [
        # taken off the gross, tax still that before the discount: both shrink together
        (True, off("2.3800", discounted_total_inc_tax="21.4200"), ("18.0000", "21.4200", "3.4200")),
        (False, off("2.3800", discounted_total_inc_tax="21.4200"), ("18.0000", "21.4200", "3.4200")),
        # taken off the net, the tax is that after the discount
        (
            False,
            off("2.0000", total_tax="3.4200", discounted_total_inc_tax="21.4200"),
            ("18.0000", "21.4200", "3.4200"),
        ),
        # an older order without the discounted total
        (False, off("2.0000", discounted_total_inc_tax=None), ("18.0000", "21.4200", "3.4200")),
        (True, off("2.3800", discounted_total_inc_tax=None), ("18.0000", "21.4200", "3.4200")),
        # all of it off
        (True, off("23.8000", discounted_total_inc_tax="0.0000"), ("0.0000", "0.0000", "0.0000")),
        # a zero there without any discount says nothing
        (False, line(discounted_total_inc_tax="0.0000"), ("20.0000", "23.8000", "3.8000")),
    ],
)
def test_discounts(inclusive: bool, row: dict[str, Any], sums: tuple[str, str, str]):
    """A line is after its discounts on every side, and net and tax make the gross."""
    record = mapped(is_tax_inclusive_pricing=inclusive, consignments=shipping(row))
    found = record.lines["901"]  # type: ignore[index]
    assert (found.net, found.gross, found.tax) == tuple(usd(one) for one in sums)


def test_discount_of_the_order():
    """A discount that no line carries is a charge of its own, so that the sum is the order's total."""
    record = mapped(discount_amount="2.0000", total_inc_tax="27.7500")
    assert record.charges["discount"].gross == usd("-2.0000")  # type: ignore[index]
    assert total(record) == Decimal("27.75")


def test_unexplained_differences_are_not_invented():
    """Without a declared discount no charge is made up."""
    assert "discount" not in mapped(total_inc_tax="20.0000").charges  # type: ignore[operator]


def test_charges():
    """Fees, wrapping and handling are charges; a coupon names itself and takes nothing off twice."""
    coupons = [wire.Coupon(id=3, code="S25", discount=Decimal("2.5"), type=2)]
    record = mapped(
        Details(coupons=coupons),
        fees=[{"id": 9, "type": "custom_fee", "display_name_customer": "Care", "cost_ex_tax": "1.0000",
               "cost_inc_tax": "1.1900", "cost_tax": "0.1900"}],
        wrapping_cost_ex_tax="2.0000", wrapping_cost_inc_tax="2.3800", wrapping_cost_tax="0.3800",
        handling_cost_ex_tax="1.0000", handling_cost_inc_tax="1.1900", handling_cost_tax="0.1900",
    )  # fmt: skip
    found = record.charges
    assert isinstance(found, dict)
    assert set(found) == {"shipping:51", "handling", "wrapping", "fee:9", "coupon:3"}
    assert (found["fee:9"].name, found["fee:9"].gross) == ("Care", usd("1.19"))
    assert (found["coupon:3"].gross, found["coupon:3"].extra["code"]) == (UNSET, "S25")


def test_shipping_that_does_not_add_up():
    """Where the addresses' costs are not the order's, the order's own cost stands."""
    record = mapped(shipping_cost_ex_tax="4.0000", shipping_cost_inc_tax="4.7600", shipping_cost_tax="0.7600")
    assert record.charges["shipping"].net == usd("4")  # type: ignore[index]
    assert "shipping:51" not in record.charges  # type: ignore[operator]


def test_taxes_by_name():
    """Asked for, a line's taxes have name and rate; else the amount alone."""
    rows = [
        wire.TaxRow(
            order_product_id="901", name="VAT", rate=Decimal(19), line_amount=Decimal("3.8"), line_item_type="item"
        ),
        wire.TaxRow(
            order_address_id=51, name="VAT", rate=Decimal(19), line_amount=Decimal("0.95"), line_item_type="shipping"
        ),
    ]
    record = mapped(Details(taxes=rows))
    (tax,) = record.lines["901"].taxes  # type: ignore[index]
    assert (tax.name, tax.rate, tax.amount) == ("VAT", Decimal(19), usd("3.8"))
    assert record.charges["shipping:51"].taxes[0].rate == Decimal(19)  # type: ignore[index]
    (bare,) = mapped().lines["901"].taxes  # type: ignore[index]
    assert (bare.name, bare.rate, bare.amount) == ("", None, usd("3.8"))


def test_payment_by_the_row():
    """Money that moved once is told by the order itself."""
    (payment,) = mapped().payments.values()  # type: ignore[union-attr]
    assert (payment.kind, payment.method, payment.reference) == ("capture", "Credit Card", "ch_1")
    assert payment.amount == usd("29.75")


def test_payments_by_transactions():
    """Transactions, where asked for, stand instead, each with its currency and time."""
    row = wire.Transaction(
        id=5, event="refund", method="credit_card", amount=Decimal("1.10"), currency="usd", status="ok",
        gateway_transaction_id="re_1", date_created="2018-01-11T00:00:00+00:00",
    )  # fmt: skip
    (payment,) = mapped(Details(transactions=[row])).payments.values()  # type: ignore[union-attr]
    assert (payment.id, payment.kind, payment.amount, payment.reference) == ("5", "refund", usd("1.10"), "re_1")
    assert payment.at == datetime(2018, 1, 11, tzinfo=UTC)


def test_old_array_of_consignments():
    """The old array form of consignments is read like the object."""
    new = mapped()
    assert mapped(consignments=[order()["consignments"]]) == new


def test_pickup_and_downloads():
    """Lines of a pickup go to its location, downloads and gift certificates to no address."""
    record = mapped(
        items_total=4,
        consignments={
            "pickups": [{"id": 9, "location": {"id": 1, "name": "Shop", "country_alpha2": "US"},
                         "line_items": [line(id=1, order_address_id=0, order_pickup_method_id=9)]}],
            "shipping": [],
            "downloads": [{"recipient_email": "x@example.com", "line_items": [line(id=2, type="digital", quantity=1)]}],
            "email": {"gift_certificates": [{"line_items": [line(id=3, type="giftcertificate", quantity=1)]}]},
        },
    )  # fmt: skip
    assert isinstance(record.lines, dict)
    assert [(one.ship_to, one.kind) for one in record.lines.values()] == [
        ("pickup:9", "product"),
        ("", "digital"),
        ("", "gift_card"),
    ]
    assert record.addresses["pickup:9"].company == "Shop"  # type: ignore[index]


def test_unknown_values_survive():
    """A status, type or payment status of tomorrow arrives as it is called."""
    record = mapped(
        status_id=99, status="Orbiting", custom_status="", payment_status="beamed", items_total=2,
        consignments=shipping(line(type="hologram")),
    )  # fmt: skip
    assert (record.status, record.state, record.extra["status_label"]) == ("99", "unknown", "Orbiting")
    assert record.lines["901"].kind == "hologram"  # type: ignore[index]
    assert record.payments["order"].kind == "beamed"  # type: ignore[index]
    assert record.extra["payment_status"] == "beamed"


def test_options_of_one_name():
    """Two options of one name are both kept."""
    twice = [{"display_name": "Text", "display_value": "a"}, {"display_name": "Text", "display_value": "b"}]
    record = mapped(consignments=shipping(line(product_options=twice)))
    assert record.lines["901"].options == {"Text": "a", "Text (2)": "b"}  # type: ignore[index]


@pytest.mark.parametrize(
    ("said", "history", "parts"),
    [
        ({}, True, {"taxes"}),
        ({"status_id": 10}, True, set()),
        ({"status_id": 10}, False, {"taxes"}),
        ({"total_tax": "0.0000"}, False, set()),
        ({"status_id": 10, "coupon_discount": "1.0000"}, True, {"coupons"}),
        ({"status_id": 10, "store_credit_amount": "1.0000"}, True, {"transactions"}),
        ({"status_id": 14}, True, {"taxes", "transactions"}),
        ({"status_id": 10, "payment_status": "partially refunded"}, True, {"transactions"}),
        ({"status_id": 10, "items_total": 3}, True, {"products"}),
        ({"status_id": 10, "consignments": {"url": "https://x", "resource": "/x"}}, True, {"products", "addresses"}),
        ({"status_id": 10, "consignments": shipping({"url": "u", "resource": "r"})}, True, {"products"}),
    ],
)
def test_what_must_be_asked_for(said: dict[str, Any], history: bool, parts: set[str]):
    """A part costs a request only where the row does not tell it."""
    assert needs(parsed(**said), history=history) == parts


def test_lines_asked_for():
    """Lines that were asked for stand instead of links."""
    links = {"shipping": [order()["consignments"]["shipping"][0] | {"line_items": {"url": "u", "resource": "r"}}]}
    assert included(parsed(consignments=links)) is None
    product = msgspec.convert(line(), order_wire.Product, strict=False)
    record = mapped(Details(products=[product]), consignments=links)
    assert record.lines["901"].ship_to == "51"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Wed, 10 Jan 2018 21:05:30 +0000", datetime(2018, 1, 10, 21, 5, 30, tzinfo=UTC)),
        ("2018-01-10T21:05:30Z", datetime(2018, 1, 10, 21, 5, 30, tzinfo=UTC)),
        ("2018-01-10T16:05:30-05:00", datetime(2018, 1, 10, 21, 5, 30, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_moments(text: str | None, when: datetime | None):
    """Both notations of a time are read, and an unset one is none."""
    assert moment(text) == when


@given(st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"))
def test_moments_fail_as_values(text: str):
    """Whatever the text, it is a time, none, or a ValueError."""
    try:
        found = moment(text)
    except ValueError:
        return
    assert found is None or found.tzinfo is not None


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(operation="getOrders", status=status, headers={}, content=body)


def test_bad_rows():
    """A row that cannot be read is kept with its id, reason and bytes, and its page goes on."""
    rows = [order(id=1), order(id=2, status_id="x"), order(id=3, date_modified="yesterday"), {"nothing": 1}]
    found = read(answer(json.dumps(rows).encode()))
    bad = {row.bad.id: row.bad for row in found if row.bad is not None}
    assert [row.seen.id for row in found if row.order is not None and row.bad is None] == [1]
    assert set(bad) == {"", "2", "3"}
    assert b'"nothing"' in bad[""].raw
    assert "jane@example.com" not in "".join(one.reason for one in bad.values())


def test_empty_pages():
    """204 without a body is an empty page."""
    assert read(answer(b"", 204)) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(order())), JSON, max_size=5), st.binary(max_size=30))
def test_reading_never_breaks(changes: dict[str, Any], noise: bytes):
    """Any row becomes a record or a bad one, any other body is the remote's trouble."""
    (row,) = read(answer(json.dumps([order(**changes)]).encode()))
    if row.order is not None and row.bad is None:
        with suppress(ValueError, ArithmeticError):
            assert isinstance(to_order(row.order), Order)
        needs(row.order, history=True)
    with suppress(errors.RemoteUnavailable):
        read(answer(noise))


@given(st.decimals(min_value=0, max_value=10**9, places=4), st.decimals(min_value=0, max_value=10**9, places=4))
def test_sides_agree(exact: Decimal, tax: Decimal):
    """The exact side stays as it is and the other one differs by exactly the tax."""
    net, gross = Purse("USD", inclusive=True).sides(None, exact + tax, tax)
    assert (net, gross) == (exact, exact + tax)
    net, gross = Purse("USD", inclusive=False).sides(exact, None, tax)
    assert (net, gross) == (exact, exact + tax)


REFUND = {
    "id": 7, "order_id": 100, "user_id": 1, "created": "2018-02-01T10:00:00+00:00", "reason": "Broken",
    "total_amount": 1.99, "total_tax": 0.32,
    "items": [
        {"item_type": "PRODUCT", "item_id": 901, "quantity": 1, "requested_amount": 1.5, "reason": "torn"},
        {"item_type": "SHIPPING", "item_id": 51, "requested_amount": 0.49},
    ],
    "payments": [{"id": 3, "provider_id": "stripe", "amount": 1.99, "offline": False, "is_declined": False}],
}  # fmt: skip


def refund(**said: Any) -> wire.Refund:
    return msgspec.json.decode(json.dumps(REFUND | said), type=wire.Refund)


def test_refund():
    """A refund is a return of its order's lines and charges, exact to the cent."""
    record = to_return(refund(), Purse("USD", inclusive=True))
    assert (record.id, record.order_id, record.amount, record.tax) == ("7", "100", usd("1.99"), usd("0.32"))
    first, second = record.lines["1"], record.lines["2"]
    assert (first.order_line, first.quantity, first.kind, first.reason) == ("901", Decimal(1), "product", "torn")
    assert (second.kind, second.order_line, second.extra["item_id"]) == ("shipping", "", "51")
    assert (record.status, record.payments["3"].status) == ("refunded", "ok")


def test_declined_refund():
    """A declined payment is said so."""
    record = to_return(
        refund(payments=[{"id": 3, "amount": 1, "is_declined": True, "declined_message": "no"}]), Purse("USD", True)
    )
    assert (record.status, record.payments["3"].extra["declined"]) == ("declined", "no")


@pytest.mark.parametrize(("said", "currency"), [({"created": "x"}, "USD"), ({"created": ""}, "USD"), ({}, "")])
def test_bad_refund(said: dict[str, Any], currency: str):
    """A refund without a time or currency is kept as a bad one."""
    found = attempt(refund(**said), currency)
    assert isinstance(found, Bad)
    assert (found.kind, found.id) == (Return, "7")
