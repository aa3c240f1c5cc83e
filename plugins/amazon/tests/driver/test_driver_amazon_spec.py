"""Requests the driver sends, and the answers it reads, agree with Amazon's official models.

Whatever any test of the driver sends is held against them when it is over (fixture `amazon`); here everything is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from omnichannel_amazon.authorization import check, restricted
from omnichannel_amazon.settings import Export, OrderImport
from omnichannel_amazon.sync.data_model import DATA_MODEL
from omnichannel_amazon.sync.fba import FBA
from omnichannel_amazon.sync.invoices import INVOICES
from omnichannel_amazon.sync.offers import OFFERS
from omnichannel_amazon.sync.orders import ORDERS, fetch
from omnichannel_amazon.sync.prices import PRICES
from omnichannel_amazon.sync.returns import RETURNS
from omnichannel_amazon.sync.shipments import SHIPMENTS
from omnichannel_amazon.sync.stock import STOCK

from omnichannel_core.driver import Accepted, Answer, Ask, Batch, Item, Pending
from omnichannel_core.records import Invoice, Money, Offer, Price, Shipment, StockLevel, Value

pytestmark = pytest.mark.anyio
DE = "A1PA6795UKMFR9"
BOXES = Export(**{f"{what}_{who}": {DE} for what in ("shipments", "invoices") for who in ("b2b", "b2c")})
BASE = "https://sellingpartnerapi-eu.amazon.com"
MONEY = '{"currency": "EUR", "audience": "ALL", "our_price": [{"schedule": [{"value_with_tax": 9.95}]}]}'
SHIRT = {"item_name": "Hemd", "brand": "Acme", "bullet_point": "warm", "country_of_origin": "DE",
         "product_description": "Ein Hemd", "item_type_keyword": "shirts", "condition_type": "new_new",
         "purchasable_offer": MONEY,
         "fulfillment_availability": '{"fulfillment_channel_code": "DEFAULT", "quantity": 3}'}  # fmt: skip


@pytest.fixture
def models(official: Any) -> Any:
    """The models, or a loud skip."""
    if official is None:
        pytest.skip("THE OFFICIAL MODELS ARE NOT HERE (../shared/specs/amazon): requests are NOT validated")
    return official


def agreed(here: Any, models: Any) -> set[str]:
    """All that was sent and answered is as the models say; which operations that were."""
    wrong = models.wrong(here.session.http.answers)
    assert not wrong, "\n".join(sorted(wrong))
    return {ask.operation for ask in here.session.sent}


async def accepted(here: Any, stream: Any, *records: Any, order: Any = None) -> None:
    """Pushed and settled until all of them are accepted."""
    items = {one.id: Item(key=one.id, record=one, order=order) for one in records}
    said = dict(await stream.push(here.session, Batch(key="b", items=list(items.values()))))
    for _ in range(60):
        waits = {key: one for key, one in said.items() if isinstance(one, Pending)}
        if not waits:
            break
        await here.advance(max(1.0, *(one.wait.seconds for one in waits.values())))
        again = [Item(key=key, record=items[key].record, order=order, ticket=one.ticket) for key, one in waits.items()]
        said |= await stream.settle(here.session, Batch(key="b", items=again))
    assert all(isinstance(one, Accepted) for one in said.values()), said


async def test_pulls(amazon: Callable[..., Any], models: Any):
    """Path, method, parameters and body of everything that is asked are as the models say, and so are the answers."""
    here = amazon(orders=60, days=30, returns=0.5, fba_report_lag=0.0)
    await here.authorize()
    await check(here.session)
    for stream in (DATA_MODEL, ORDERS, FBA, RETURNS):
        await here.run(stream)
    await fetch(here.session, list(here.seller.book.orders)[:1])
    assert agreed(here, models) >= {
        "getMarketplaceParticipations", "searchOrders", "getOrder", "createReport", "getReport", "getReports",
        "getReportDocument", "searchListingsItems", "searchDefinitionsProductTypes", "getDefinitionsProductType",
    }  # fmt: skip


async def test_pushed_listings(amazon: Callable[..., Any], models: Any):
    """Offers, prices and stock, one by one and as a feed, are sent as the models say, and so are the answers."""
    here = amazon(listings=320)
    await here.authorize()
    skus = [sku for sku, one in here.seller.listings.all.items() if one.fba is None]
    made = Offer(id="o", sku="N/1 +", set="SHIRT", values={f"SHIRT.{k}": Value(text=v) for k, v in SHIRT.items()})
    await accepted(here, OFFERS, made)
    await accepted(here, OFFERS, Offer(id="o", sku="N/1 +", set="SHIRT",
                                       values={"SHIRT.item_name": Value(text="Hemd, neu")}))  # fmt: skip
    await accepted(here, OFFERS, Offer(id="o", sku="N/1 +", set="SHIRT", extra={"delete": "yes"}))
    await accepted(here, STOCK, StockLevel(id=skus[0], sku=skus[0], quantity=Decimal(4)))
    price, sale = Money(Decimal("9.99"), "EUR"), Money(Decimal("7.99"), "EUR")
    await accepted(here, PRICES, Price(id="p", sku=skus[0], price=price, sale_price=sale))
    await accepted(here, STOCK, *(StockLevel(id=sku, sku=sku, quantity=Decimal(5)) for sku in skus[:210]))
    await accepted(here, PRICES, *(Price(id=sku, sku=sku, price=price) for sku in skus[:210]))
    assert agreed(here, models) >= {
        "putListingsItem", "patchListingsItem", "deleteListingsItem", "searchListingsItems", "createFeedDocument",
        "feedFile", "createListingsFeed", "getFeed", "getFeedDocument",
    }  # fmt: skip


async def test_pushed_about_orders(amazon: Callable[..., Any], models: Any):
    """Shipments with and without tracking number and invoices are sent as the models say, and so are the answers."""
    here = amazon(BOXES)
    await here.authorize()
    for number, tracking in enumerate(("T1", "")):
        await here.control("POST", "/orders", {"kind": "mfn", "id": f"303-{number}"})
        (order,) = await fetch(here.session, [f"303-{number}"])
        record = Shipment(id="s", order_id=order.id, carrier="DHL GoGreen", method="Paket", tracking=tracking)
        await accepted(here, SHIPMENTS, record, order=order)
    bill = Invoice(id="i", order_id=order.id, number="RE-1", pdf=b"%PDF", extra={"total": "1", "vat": "0"})
    await accepted(here, INVOICES, bill, order=order)
    assert agreed(here, models) >= {"confirmShipment", "getOrder", "createFeed", "getFeed", "getFeedDocument"}


async def test_restricted_token(amazon: Callable[..., Any], models: Any):
    """A restricted data token is asked for as the models say."""
    here = amazon(OrderImport(fba_from=date(2026, 10, 25)), orders=60, days=20, fba_report_lag=0.0)
    await here.authorize()
    await here.run(FBA)
    token = await restricted(here.session, urlsplit(here.asked("getReportDocument")[0].url).path)
    assert token.expires is not None
    assert "createRestrictedDataToken" in agreed(here, models)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (Ask(operation="searchOrders", method="GET", url=f"{BASE}/orders/2026-01-01/order?colour=red"), "colour"),
        (Ask(operation="searchOrders", method="GET", url=f"{BASE}/orders/2026-01-01/orders?includedData=X"), "never X"),
        (Ask(operation="confirmShipment", method="POST", url=f"{BASE}/orders/v0/orders/1/shipmentConfirmation",
             body=b'{"marketplaceId": "A1PA6795UKMFR9", "packageDetail": {"packageReferenceId": 1}}'), "tracking"),
        (Ask(operation="patchListingsItem", method="PATCH", url=f"{BASE}/listings/2021-08-01/items/A/a/b"), "a/b"),
        (Ask(operation="createFeed", method="POST", url=f"{BASE}/feeds/2021-06-30/feeds", body=b"{}"), "feedType"),
        (Ask(operation="feedFile", method="PUT", url="https://s3/x", body=b'{"header": {}, "messages": []}'), "feed"),
    ],
)  # fmt: skip
def test_the_check_can_fail(models: Any, ask: Ask, words: str):
    """A parameter, value, path or body that the models do not have is objected to."""
    assert any(words in bad for bad in models.objections(ask))


def test_the_check_of_answers_can_fail(models: Any):
    """An answer without what the models require, or of another status, is objected to."""
    ask = Ask(operation="getOrder", method="GET", url=f"{BASE}/orders/2026-01-01/orders/1?includedData=BUYER")
    for status, content in ((200, b'{"order": {"orderId": "1"}}'), (207, b"{}")):
        assert models.wrong([(ask, Answer(operation="getOrder", status=status, headers={}, content=content))])
