"""What Amazon calculated for invoices: imported onto stored orders, and used when the invoice is uploaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from omnichannel_amazon.settings import Export
from omnichannel_amazon.sync.invoice_data import INVOICE_DATA, PREFIX, Facts, records, wanted
from omnichannel_amazon.sync.invoices import INVOICES
from omnichannel_amazon.sync.orders import ORDERS

from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Pending
from omnichannel_core.records import Bad, Invoice, Order

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]
DE, US = "A1PA6795UKMFR9", "ATVPDKIKX0DER"
BOXES = Export(invoices_b2b={DE}, invoices_b2c={DE})


async def imported(here: Any, orders: Any = None) -> dict[str, Any]:
    """Orders, then what Amazon calculated for those that were shipped."""
    cursors = await here.run(ORDERS, orders)
    await here.run(INVOICE_DATA)
    return cursors


def told(order: Order) -> list[Facts]:
    return [Facts(**json.loads(text)) for key, text in order.extra.items() if key.startswith(PREFIX)]


async def test_calculated(amazon: Make):
    """Every shipped order learns its shipping and transaction id and the sums that Amazon calculated."""
    here = amazon(BOXES, orders=120, days=40)
    await here.authorize()
    before = here.session.clock.now().timestamp()
    await imported(here)
    shipped = {
        one.id for one in here.seller.book.orders.values()
        if one.shipped_at and one.shipped_at < before and one.sales == "AMAZON"
    }  # fmt: skip
    stored = here.session.records(Order)
    assert shipped
    assert shipped & set(stored) <= {key for key, one in stored.items() if told(one)}
    for key in shipped & set(stored):
        (facts,) = told(stored[key])
        order = here.seller.book.orders[key]
        assert Decimal(facts.total) * 100 == sum(line.total for line in order.lines)
        assert (facts.type, facts.currency, facts.by_amazon) == ("SHIPMENT", "EUR", False)
        assert facts.transaction_id


async def test_uploaded_with_it(amazon: Make):
    """An invoice that says only its number is uploaded with Amazon's shipping id and sums."""
    here = amazon(BOXES, orders=0)
    await here.authorize()
    await here.control("POST", "/orders", {"kind": "mfn", "id": "303-1"})
    cursors = await imported(here)
    await here.advance(1200)
    await here.control("POST", "/orders/303-1/ship", {})
    await here.advance(6 * 3600)
    await imported(here, cursors)
    order = here.session.records(Order)["303-1"]
    record = Invoice(id="i", order_id="303-1", number="RE-1", pdf=b"%PDF")
    (said,) = (
        await INVOICES.push(here.session, Batch(key="b", items=[Item(key="i", record=record, order=order)]))
    ).values()
    assert isinstance(said, Pending)
    options = json.loads(here.asked("createFeed")[0].body)["feedOptions"]
    (facts,) = told(order)
    assert options["metadata:shippingid"] == facts.shipping_id
    assert (options["metadata:totalamount"], options["metadata:totalvatamount"]) == (facts.total, facts.vat)
    assert "metadata:orderid" not in options
    await here.advance(600)
    done = await INVOICES.settle(
        here.session, Batch(key="b", items=[Item(key="i", record=record, order=order, ticket=said.ticket)])
    )
    assert isinstance(done["i"], Accepted)


@pytest.mark.parametrize("place", [DE, US])
async def test_not_asked_for(amazon: Make, place: str):
    """Where no invoices are uploaded, or Amazon has no such report, none is asked for."""
    boxes = Export(invoices_b2c={US}) if place == US else Export()
    here = amazon(boxes, orders=10, marketplaces=[place])
    await here.authorize()
    await here.run(INVOICE_DATA)
    assert not here.asked("createReport")


async def test_role_missing(amazon: Make):
    """Without the restricted role nothing is imported, and it is said why."""
    here = amazon(BOXES, orders=10)
    await here.authorize(roles=["orders", "listing"])
    with pytest.raises(errors.AccessMissing, match="a role of the app"):
        await here.run(INVOICE_DATA)


PLAIN = {"order_id": "1", "shipping_id": "S", "transaction_id": "T", "item_vat_incl_amount": "11.90",
         "item_vat_amount": "1.90", "item_promo_vat_incl_amount": "-1.19",
         "item_promo_vat_amount": "-0.19"}  # fmt: skip


def row(**more: str) -> dict[str, str]:
    return PLAIN | more


def test_sums_of_lines():
    """Lines of one shipment are one document, promotions taken off whatever their sign."""
    (order,) = records([row(), row(item_promo_vat_incl_amount="1.19", item_promo_vat_amount="0.19")])
    (facts,) = told(order)
    assert (facts.total, facts.vat) == ("21.42", "3.42")


def test_which_one():
    """Of two shipments only the named one is known; a refund is for a credit note; Amazon's own are told apart."""
    (order,) = records([
        row(), row(shipping_id="S2"), row(transaction_id="R", transaction_type="REFUND", is_amazon_invoiced="true"),
    ])  # fmt: skip
    assert wanted(order.extra, credit=False) is None
    assert wanted(order.extra, credit=False, shipping_id="S2").shipping_id == "S2"
    assert wanted(order.extra, credit=True).transaction_id == "R"
    assert wanted(order.extra, credit=True).by_amazon


def test_unreadable():
    """A number that is none makes the order a bad record, and the others go on."""
    bad, good = records([row(item_vat_amount="x"), row(order_id="2")])
    assert isinstance(bad, Bad)
    assert good.id == "2"
