"""Stock, prices, shipments and invoices: sent, refused, verified."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from omnichannel_amazon import feeds
from omnichannel_amazon.settings import Carrier, Export, Offers, ShippingProviders
from omnichannel_amazon.sync.invoices import INVOICES
from omnichannel_amazon.sync.orders import fetch
from omnichannel_amazon.sync.prices import PRICES
from omnichannel_amazon.sync.shipments import SHIPMENTS
from omnichannel_amazon.sync.stock import STOCK

from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Pending, Rejected
from omnichannel_core.records import Invoice, Money, Price, Shipment, StockLevel

pytestmark = pytest.mark.anyio
DE = "A1PA6795UKMFR9"
Make = Callable[..., Any]
ALL = Export(**{f"{what}_{who}": {DE} for what in ("shipments", "invoices") for who in ("b2b", "b2c")})


def batch(*records: Any, order: Any = None, tickets: Mapping[str, str] = {}) -> Batch[Any]:
    items = [Item(key=one.id, record=one, order=order, ticket=tickets.get(one.id, "")) for one in records]
    return Batch(key="b", items=items)


async def ended(here: Any, stream: Any, *records: Any, order: Any = None, rounds: int = 40) -> dict[str, Any]:
    """Pushed, then settled until nothing is pending; `Later` is pushed again."""
    said = dict(await stream.push(here.session, batch(*records, order=order)))
    for _ in range(rounds):
        open_ = [one for one in records if isinstance(said[one.id], Pending | Later)]
        if not open_:
            return said
        await here.advance(max(1.0, *(said[one.id].wait.seconds for one in open_)))
        waiting = [one for one in open_ if isinstance(said[one.id], Pending)]
        tickets = {one.id: said[one.id].ticket for one in waiting}
        if waiting:
            said |= await stream.settle(here.session, batch(*waiting, order=order, tickets=tickets))
        again = [one for one in open_ if one not in waiting]
        if again:
            said |= await stream.push(here.session, batch(*again, order=order))
    raise AssertionError(f"never settled: {said}")


def level(sku: str, quantity: int) -> StockLevel:
    return StockLevel(id=sku, sku=sku, quantity=Decimal(quantity))


def own(here: Any) -> list[str]:
    return [sku for sku, one in here.seller.listings.all.items() if one.fba is None]


def theirs(here: Any) -> list[str]:
    return [sku for sku, one in here.seller.listings.all.items() if one.fba is not None]


def live(here: Any, sku: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = here.seller.listings.all[sku].availability("eu")
    return found


async def test_stock(amazon: Make):
    """A quantity is accepted once it is live, and is live then."""
    here = amazon()
    await here.authorize()
    sku = own(here)[0]
    assert isinstance((await ended(here, STOCK, level(sku, 77)))[sku], Accepted)
    assert {"fulfillmentChannelCode": "DEFAULT", "quantity": 77} in live(here, sku)


async def test_stock_by_feed(amazon: Make):
    """Many quantities go as one feed, and each has its own outcome."""
    here = amazon(listings=320)
    await here.authorize()
    skus = own(here)[:230]
    said = await ended(here, STOCK, *[level(sku, 5) for sku in skus], level("unknown", 1))
    assert len(here.asked("createListingsFeed")) == 1
    assert not here.asked("patchListingsItem")
    assert all(isinstance(said[sku], Accepted) for sku in skus)
    assert "no listing" in said["unknown"].reason


async def test_stock_behind_a_feed(amazon: Make):
    """A value that is newer than one in a feed under way does not overtake it, so that the newer one stays."""
    here = amazon(listings=320, feed_delay=1800)
    await here.authorize()
    sku, *others = own(here)[:210]
    await STOCK.push(here.session, batch(*[level(one, 5) for one in (sku, *others)]))
    await here.advance(60)
    assert isinstance((await ended(here, STOCK, level(sku, 3), rounds=80))[sku], Accepted)
    for _ in range(8):
        await here.advance(900)
    assert {"fulfillmentChannelCode": "DEFAULT", "quantity": 3} in live(here, sku)
    await ended(here, STOCK, level(sku, 2))
    assert len(here.asked("patchListingsItem")) == 1


async def test_stock_refused(amazon: Make):
    """Half a piece is no stock."""
    here = amazon()
    await here.authorize()
    sku = own(here)[0]
    said = await STOCK.push(here.session, batch(StockLevel(id="x", sku=sku, quantity=Decimal("0.5"))))
    assert isinstance(said["x"], Rejected)


async def test_price(amazon: Make):
    """Price and sale price are live afterwards; a price without sale ends the sale."""
    here = amazon()
    await here.authorize()
    sku = own(here)[0]
    price, sale = Money(Decimal("24.95"), "EUR"), Money(Decimal("19.95"), "EUR")
    assert isinstance((await ended(here, PRICES, Price(id="p", sku=sku, price=price, sale_price=sale)))["p"], Accepted)
    (offer,) = here.seller.listings.all[sku].live["purchasable_offer"]
    assert offer["discounted_price"][0]["schedule"][0]["value_with_tax"] == 19.95
    assert isinstance((await ended(here, PRICES, Price(id="p", sku=sku, price=price)))["p"], Accepted)
    (offer,) = here.seller.listings.all[sku].live["purchasable_offer"]
    assert "discounted_price" not in offer
    assert offer["our_price"][0]["schedule"][0]["value_with_tax"] == 24.95


async def test_price_in_another_currency(amazon: Make):
    """A price in another currency than the marketplace's is refused before it leaves."""
    here = amazon()
    await here.authorize()
    record = Price(id="p", sku=own(here)[0], price=Money(Decimal(5), "USD"))
    assert "EUR" in (await PRICES.push(here.session, batch(record)))["p"].reason


async def ordered(here: Any, **plan: Any) -> Any:
    """A new order as it is stored, with everything of Amazon's."""
    await here.control("POST", "/orders", {"kind": "mfn", "id": "303-1", **plan})
    (order,) = await fetch(here.session, ["303-1"])
    return order


async def test_shipment(amazon: Make):
    """A parcel is confirmed with the mapped carrier and accepted once Amazon shows it."""
    carriers = ShippingProviders(carriers={"dhl-paket": Carrier(code="DHL", method="DHL Paket")})
    here = amazon(ALL, carriers)
    await here.authorize()
    order = await ordered(here)
    record = Shipment(id="s", order_id=order.id, carrier="dhl-paket", tracking="00340434161094000001")
    assert isinstance((await ended(here, SHIPMENTS, record, order=order))["s"], Accepted)
    assert here.seller.book.orders[order.id].status == "SHIPPED"
    assert here.seller.book.orders[order.id].packages[0].method == "DHL Paket"


async def test_shipment_in_parts(amazon: Make):
    """Part of an order is shipped with its own pieces, the rest by a parcel that names none."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here, lines=[{"quantity": 3}])
    (line,) = order.lines
    first = Shipment(id="1", order_id=order.id, carrier="DHL", tracking="T1", lines={line: Decimal(2)})
    await ended(here, SHIPMENTS, first, order=order)
    assert here.seller.book.orders[order.id].status == "PARTIALLY_SHIPPED"
    (order,) = await fetch(here.session, [order.id])
    await ended(here, SHIPMENTS, Shipment(id="2", order_id=order.id, carrier="DHL", tracking="T2"), order=order)
    assert here.seller.book.orders[order.id].status == "SHIPPED"


async def test_shipment_that_the_poll_saw_first(amazon: Make):
    """A parcel of all that is open is accepted although the order, as it is stored by then, has nothing open."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here)
    record = Shipment(id="s", order_id=order.id, carrier="DHL", tracking="T1")
    said = (await SHIPMENTS.push(here.session, batch(record, order=order)))["s"]
    await here.advance(600)
    (order,) = await fetch(here.session, [order.id])
    settled = await SHIPMENTS.settle(here.session, batch(record, order=order, tickets={"s": said.ticket}))
    assert isinstance(settled["s"], Accepted), settled


async def test_shipment_of_a_cancelled_order(amazon: Make):
    """An order that was cancelled meanwhile has nothing open either, and is not taken for shipped."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here)
    await here.control("POST", f"/orders/{order.id}/status", {"status": "CANCELLED"})
    record = Shipment(id="s", order_id=order.id, carrier="DHL", tracking="T1")
    said = (await SHIPMENTS.push(here.session, batch(record, order=order)))["s"]
    assert isinstance(said, Rejected), said


async def test_shipment_without_tracking(amazon: Make):
    """Without a tracking number the parcel goes by feed."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here)
    said = await ended(here, SHIPMENTS, Shipment(id="s", order_id=order.id, carrier="Bote"), order=order)
    assert isinstance(said["s"], Accepted), said
    assert len(here.asked("createFeed")) == 1
    assert not here.asked("confirmShipment")


async def test_shipment_by_feed_whose_answer_was_lost(amazon: Make):
    """A part of an order that left by feed is not sent again while a feed that may be it goes on, and is found then."""
    here = amazon(ALL, feed_delay=1800)
    await here.authorize()
    order = await ordered(here, lines=[{"quantity": 4, "price": 1000}])
    (line,) = order.lines
    record = Shipment(id="s", order_id=order.id, carrier="Bote", lines={line: Decimal(2)})
    await SHIPMENTS.push(here.session, batch(record, order=order))
    ticket, looks = "", list[Any]()
    for _ in range(12):
        said = (await SHIPMENTS.settle(here.session, batch(record, order=order, tickets={"s": ticket})))["s"]
        looks.append(type(said))
        if not isinstance(said, Pending):
            break
        ticket = said.ticket
        await here.advance(said.wait.seconds)
    assert looks[-1] is Accepted
    assert len(looks) > 6
    assert len(here.asked("createFeed")) == 1
    assert here.seller.book.orders[order.id].lines[0].shipped == 2


async def test_shipment_by_feed_that_never_arrived(amazon: Make):
    """Without any feed that may be it the parcel is sent again, minutes later."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here)
    record = Shipment(id="s", order_id=order.id, carrier="Bote")
    ticket, said = "", dict[str, Any]()
    for _ in range(4):
        said = dict(await SHIPMENTS.settle(here.session, batch(record, order=order, tickets={"s": ticket})))
        ticket = getattr(said["s"], "ticket", "")
        if isinstance(said["s"], Later):
            break
        await here.advance(300)
    assert isinstance(said["s"], Later)
    assert isinstance((await ended(here, SHIPMENTS, record, order=order))["s"], Accepted)


@pytest.mark.parametrize(("kind", "words"), [("fba", "Amazon ships"), ("prime", "label"), ("b2b", "B2B")])
async def test_shipment_not_wanted(amazon: Make, kind: str, words: str):
    """What is held back is not wanted, which is no error, and nothing is sent."""
    here = amazon(Export(shipments_b2c={DE}))
    await here.authorize()
    order = await ordered(here, kind=kind)
    record = Shipment(id="s", order_id=order.id, carrier="DHL", tracking="T")
    said = (await SHIPMENTS.push(here.session, batch(record, order=order)))["s"]
    assert isinstance(said, Accepted)
    assert words in said.note
    assert not here.asked("confirmShipment")


async def test_invoice(amazon: Make):
    """An invoice is uploaded with its facts; the same number again is there already."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here, status="SHIPPED")
    record = Invoice(
        id="i", order_id=order.id, number="RE-1", pdf=b"%PDF-1.7", extra={"total": "119.00", "vat": "19.00"}
    )
    for _ in range(2):
        said = (await ended(here, INVOICES, record, order=order))["i"]
        assert isinstance(said, Accepted), said
    (facts,) = (await here.control("GET", "/invoices"))["invoices"]
    assert (facts["number"], facts["total"], facts["vat"]) == ("RE-1", "119.00", "19.00")


async def test_invoice_refused(amazon: Make):
    """A feed that is done tells in its report that the seller is not enrolled."""
    here = amazon(ALL, invoicing=False)
    await here.authorize()
    order = await ordered(here, status="SHIPPED")
    record = Invoice(id="i", order_id=order.id, number="RE-1", pdf=b"%PDF-1.7", extra={"total": "1", "vat": "0"})
    said = (await ended(here, INVOICES, record, order=order))["i"]
    assert "FeatureNotAvailable" in said.reason


@pytest.mark.parametrize(("kind", "boxes"), [("b2b", Export(invoices_b2c={DE})), ("mfn", Export(invoices_b2b={DE}))])
async def test_invoice_not_wanted(amazon: Make, kind: str, boxes: Export):
    """Invoices of business buyers and of others are held back apart, which is no error, and nothing is sent."""
    here = amazon(boxes)
    await here.authorize()
    order = await ordered(here, kind=kind, status="SHIPPED")
    record = Invoice(id="i", order_id=order.id, number="RE-1", pdf=b"%PDF", extra={"total": "1", "vat": "0"})
    said = (await INVOICES.push(here.session, batch(record, order=order)))["i"]
    assert isinstance(said, Accepted)
    assert said.note.startswith("not wanted")
    assert not here.asked("createFeed")


async def test_credit_note_needs_a_transaction(amazon: Make):
    """A credit note without the refund's transaction id is refused before it leaves."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here, status="SHIPPED")
    record = Invoice(id="i", order_id=order.id, number="G-1", pdf=b"%PDF", kind="credit_note",
                     extra={"total": "1", "vat": "0"})  # fmt: skip
    said = (await INVOICES.push(here.session, batch(record, order=order)))["i"]
    assert "transaction" in said.reason
    assert not here.asked("createFeed")


# --- pain points (guide 15)
async def test_pain_16_stock_never_turns_an_fba_offer_into_mfn(amazon: Make):
    """With the setting off, stock for what Amazon fulfills is not sent; with it on, it is."""
    here = amazon()
    await here.authorize()
    sku = theirs(here)[0]
    said = (await STOCK.push(here.session, batch(level(sku, 3))))[sku]
    assert isinstance(said, Accepted)
    assert "not wanted" in said.note
    assert not here.asked("patchListingsItem")
    here.session.set(Offers(fba_stock=True))
    await ended(here, STOCK, level(sku, 3))
    assert {"fulfillmentChannelCode": "DEFAULT", "quantity": 3} in live(here, sku)


async def test_pain_16_not_told_who_fulfills(amazon: Make):
    """A listing of which Amazon tells neither channels nor attributes may be its own: no stock is sent for it."""
    here = amazon()
    await here.authorize()
    send = here.session.http.send

    async def poor(operation: str, *rest: Any, **more: Any) -> Any:
        if operation == "searchListingsItems":
            more["params"] = {**more["params"], "includedData": "summaries"}
        return await send(operation, *rest, **more)

    here.session.http.send = poor
    sku = theirs(here)[0]
    said = (await STOCK.push(here.session, batch(level(sku, 3))))[sku]
    assert isinstance(said, Rejected)
    assert "fulfills" in said.reason
    assert not here.asked("patchListingsItem")


async def test_pain_16_accepted_and_never_shown(amazon: Make):
    """A PATCH that Amazon accepts and forgets ends as refused after a day, not as done."""
    here = amazon(lose_submissions=1)
    await here.authorize()
    sku = own(here)[0]
    said = (await ended(here, STOCK, level(sku, 999), rounds=200))[sku]
    assert "never became visible" in said.reason


async def test_pain_17_shipment_fields(amazon: Make):
    """The reference is text, items are a list, and a carrier without code is Other with a name."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here)
    record = Shipment(id="s", order_id=order.id, carrier="Fahrradkurier", tracking="T")
    await ended(here, SHIPMENTS, record, order=order)
    detail = json.loads(here.asked("confirmShipment")[0].body)["packageDetail"]
    assert detail["packageReferenceId"].isdigit()
    assert isinstance(detail["orderItems"], list)
    assert (detail["carrierCode"], detail["carrierName"]) == ("Other", "Fahrradkurier")


async def test_pain_17_silent_drop(amazon: Make):
    """A confirmation that was answered 204 and forgotten is confirmed once more, and then is there."""
    here = amazon(ALL, drop_confirmations=1)
    await here.authorize()
    order = await ordered(here)
    record = Shipment(id="s", order_id=order.id, carrier="DHL GoGreen", tracking="T")
    assert isinstance((await ended(here, SHIPMENTS, record, order=order))["s"], Accepted)
    assert len(here.asked("confirmShipment")) == 2


async def test_pain_17_dropped_for_good(amazon: Make):
    """A carrier that Amazon does not know is dropped twice, and then is for a person."""
    here = amazon(ALL, ShippingProviders(carriers={"x": Carrier(code="Dhl-Paket")}))
    await here.authorize()
    order = await ordered(here)
    record = Shipment(id="s", order_id=order.id, carrier="x", tracking="T")
    assert "carrier's code" in (await ended(here, SHIPMENTS, record, order=order))["s"].reason


async def test_pain_18_invoice_metadata(amazon: Make):
    """Every option of an invoice is prefixed, and all that Amazon demands is there."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here, status="SHIPPED")
    record = Invoice(id="i", order_id=order.id, number="RE-1", pdf=b"%PDF", extra={"total": "1", "vat": "0"})
    await ended(here, INVOICES, record, order=order)
    options = json.loads(here.asked("createFeed")[0].body)["feedOptions"]
    assert all(name.startswith("metadata:") for name in options)
    assert {"metadata:orderid", "metadata:invoicenumber", "metadata:totalamount", "metadata:totalvatamount"} <= set(
        options
    )


async def test_pain_15_upload_signature(amazon: Make):
    """The upload says the announced content type, byte for byte, and carries no header of Amazon's."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here, status="SHIPPED")
    record = Invoice(id="i", order_id=order.id, number="RE-1", pdf=b"%PDF", extra={"total": "1", "vat": "0"})
    await ended(here, INVOICES, record, order=order)
    at = next(n for n, ask in enumerate(here.session.sent) if ask.operation == "feedFile")
    assert here.session.http.heads[at]["content-type"] == "application/pdf"
    assert not any(name.startswith("x-amz") for name in here.session.http.heads[at])


@pytest.mark.parametrize("sku", ["A/B", "with space", "plus+plus", "50%", "grün", "a?b#c", 'in"ch'])
async def test_pain_14_sku_in_a_path(amazon: Make, sku: str):
    """A SKU with a slash, a space, a plus or an umlaut reaches its own listing."""
    here = amazon()
    await here.authorize()
    book = here.seller.listings.all
    book[sku] = book.pop(own(here)[0])
    book[sku].sku = sku
    assert isinstance((await ended(here, STOCK, level(sku, 12)))[sku], Accepted)
    assert {"fulfillmentChannelCode": "DEFAULT", "quantity": 12} in live(here, sku)


async def test_pain_19_feed_that_hangs(amazon: Make):
    """A feed that hangs stays pending and nothing is sent twice."""
    here = amazon(listings=320)
    await here.authorize()
    await here.control("POST", "/feeds", {"fate": "HANG"})
    skus = own(here)[:210]
    said = await STOCK.push(here.session, batch(*[level(sku, 5) for sku in skus]))
    tickets = {sku: one.ticket for sku, one in said.items()}
    await here.advance(6 * 3600)
    later = await STOCK.settle(here.session, batch(*[level(sku, 5) for sku in skus], tickets=tickets))
    assert all(isinstance(one, Pending) for one in later.values())
    assert len(here.asked("createListingsFeed")) == 1


async def test_pain_19_fatal_feed(amazon: Make):
    """Of a feed that ended as fatal, what did not arrive is sent again at once, not given up a day later."""
    here = amazon(listings=320)
    await here.authorize()
    await here.control("POST", "/feeds", {"fate": "FATAL"})
    begun, skus = here.session.clock.now(), own(here)[:210]
    said = await ended(here, STOCK, *[level(sku, 5) for sku in skus])
    assert all(isinstance(one, Accepted) for one in said.values())
    assert all({"fulfillmentChannelCode": "DEFAULT", "quantity": 5} in live(here, sku) for sku in skus)
    assert here.session.clock.now() - begun < timedelta(hours=2)


async def test_pain_19_feed_that_never_ends(amazon: Make):
    """A feed that has not ended after a day is given up, and what is live decides."""
    here = amazon(listings=320)
    await here.authorize()
    await here.control("POST", "/feeds", {"fate": "HANG"})
    skus = own(here)[:210]
    said = await STOCK.push(here.session, batch(*[level(sku, 5) for sku in skus]))
    tickets = {sku: one.ticket for sku, one in said.items()}
    await here.advance(25 * 3600)
    later = await STOCK.settle(here.session, batch(*[level(sku, 5) for sku in skus], tickets=tickets))
    assert all(isinstance(one, Pending) and one.ticket.startswith("seen:") for one in later.values())


async def test_pain_19_five_listings_feeds_in_five_minutes(amazon: Make):
    """Feeds of listings keep to their own limit: a sixth waits, none is refused, and the general bucket stays full."""
    here = amazon(listings=320, feed_delay=1)
    await here.authorize()
    skus, begun = own(here)[:210], here.session.clock.now()
    for quantity in range(7):
        await STOCK.push(here.session, batch(*[level(sku, quantity) for sku in skus]))
    assert (here.session.clock.now() - begun).total_seconds() >= 300
    assert here.seller.requests["createFeed 202"] == 7
    assert not any(one.endswith(" 429") for one in here.seller.requests)


async def test_pain_19_too_large(amazon: Make, monkeypatch: pytest.MonkeyPatch):
    """What does not fit into one feed waits for the next one, and all of it arrives."""
    here = amazon(listings=320)
    await here.authorize()
    monkeypatch.setattr(feeds, "MOST_BYTES", 40_000)
    skus = own(here)[:210]
    said = await STOCK.push(here.session, batch(*[level(sku, 5) for sku in skus]))
    left = [sku for sku, one in said.items() if isinstance(one, Later)]
    assert 0 < len(left) < len(skus)
    assert all(len(ask.body) <= 40_000 for ask in here.asked("feedFile"))
    monkeypatch.undo()
    assert all(isinstance(one, Accepted) for one in (await ended(here, STOCK, *[level(s, 5) for s in left])).values())


async def test_pain_19_refused_for_its_rate(amazon: Make):
    """A 429 on createFeed below the documented quota means later: nothing was sent, and the wait is the quota's."""
    here = amazon(ALL)
    await here.authorize()
    order = await ordered(here, status="SHIPPED")
    await here.control("POST", "//faults", {"kind": "status", "operation": "createFeed", "status": 429})
    record = Invoice(id="i", order_id=order.id, number="RE-1", pdf=b"%PDF", extra={"total": "1", "vat": "0"})
    with pytest.raises(errors.RateLimited) as refused:
        await INVOICES.push(here.session, batch(record, order=order))
    assert refused.value.wait == pytest.approx(1 / 0.0083)
    assert isinstance((await ended(here, INVOICES, record, order=order))["i"], Accepted)
    assert len((await here.control("GET", "/invoices"))["invoices"]) == 1


async def test_pain_21_no_removed_feed_type(amazon: Make):
    """Of listings feeds only the JSON one is ever sent."""
    here = amazon(listings=320)
    await here.authorize()
    await STOCK.push(here.session, batch(*[level(sku, 5) for sku in own(here)[:210]]))
    assert {json.loads(ask.body)["feedType"] for ask in here.asked("createListingsFeed")} == {"JSON_LISTINGS_FEED"}


async def test_pain_22_listings_are_searched_by_twenties(amazon: Make):
    """Listings are read twenty at a time, never one by one."""
    here = amazon(listings=60)
    await here.authorize()
    await STOCK.push(here.session, batch(*[level(sku, 5) for sku in own(here)[:40]]))
    assert len(here.asked("searchListingsItems")) == 2
    assert not here.asked("getListingsItem")
