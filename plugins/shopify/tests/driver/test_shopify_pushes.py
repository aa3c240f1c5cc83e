"""Stock, prices, shipments, cancellations, refunds and offers out."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from omnichannel_shopify import settings
from omnichannel_shopify.client import Client
from omnichannel_shopify.operations import OPERATIONS
from omnichannel_shopify.sync import cancellations, offers, prices, refunds, shipments, stock
from omnichannel_shopify.sync.offer_bodies import is_there, option_inputs
from omnichannel_shopify.sync.skus import places, quoted

from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Pending, Rejected
from omnichannel_core.records import (
    Cancellation,
    Choice,
    Money,
    Offer,
    OfferVariant,
    Price,
    Return,
    ReturnLine,
    Shipment,
    StockLevel,
    Value,
)

pytestmark = pytest.mark.anyio
Lone = Callable[..., Any]
WHOLE = {"hasNextPage": False}


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


BERLIN, SERVICE = gid("Location", 1), gid("Location", 2)


def one(
    record: Any, key: str = "k1", remote: dict[str, str] | None = None, ticket: str = "", batch: str = "b1"
) -> Batch[Any]:
    return Batch(key=batch, items=[Item(key=key, record=record, remote=remote or {}, ticket=ticket)])


def variants(*skus: str, tracked: bool = True) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A catalog that finds more than was asked for, as Shopify's search does."""
    rows = [
        {
            "id": gid("ProductVariant", n),
            "sku": sku,
            "product": {"id": gid("Product", 1)},
            "inventoryItem": {"id": gid("InventoryItem", n), "tracked": tracked, "duplicateSkuCount": 0},
        }
        for n, sku in enumerate(skus, 1)
    ]
    return lambda _: {"productVariants": {"nodes": rows, "pageInfo": WHOLE}}


class Warehouse:
    """Stock with compare-and-set and a memory for keys, as Shopify has since 2026-04."""

    def __init__(self, shop: Any, levels: dict[str, int | None]) -> None:
        self.levels, self.memory, self.sets = levels, dict[str, tuple[str, dict[str, Any]]](), 0
        self.lose = 0
        shop.on("StockLevels", self.read)
        shop.on("SetStock", self.set)
        shop.on("ActivateStock", self.activate)

    def read(self, said: dict[str, Any]) -> dict[str, Any]:
        def level(key: str) -> dict[str, Any] | None:
            quantity = self.levels.get(key)
            return (
                None
                if quantity is None
                else {"id": "l", "quantities": [{"name": said["names"][0], "quantity": quantity}]}
            )

        return {"nodes": [{"id": key, "tracked": True, "inventoryLevel": level(key)} for key in said["ids"]]}

    def activate(self, said: dict[str, Any]) -> dict[str, Any]:
        self.levels[said["item"]] = 0
        return {"inventoryActivate": {"inventoryLevel": {"id": "l"}, "userErrors": []}}

    def set(self, said: dict[str, Any]) -> Any:
        known = self.memory.get(said["key"])
        text = json.dumps(said["input"], sort_keys=True)
        if known is not None:
            wrong = [{"message": "mismatch", "code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "field": ["input"]}]
            return known[1] if known[0] == text else {"inventorySetQuantities": {"userErrors": wrong}}
        refused = []
        for at, row in enumerate(said["input"]["quantities"]):
            assert "changeFromQuantity" in row
            before = row["changeFromQuantity"]
            if before is not None and before != self.levels[row["inventoryItemId"]]:
                refused.append(
                    {
                        "message": "stale",
                        "code": "CHANGE_FROM_QUANTITY_STALE",
                        "field": ["input", "quantities", str(at), "changeFromQuantity"],
                    }
                )
        if not refused:
            self.sets += 1
            for row in said["input"]["quantities"]:
                self.levels[row["inventoryItemId"]] = row["quantity"]
        answer = {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": refused}}
        self.memory[said["key"]] = (text, answer)
        if self.lose:
            self.lose -= 1
            return httpx2.Response(503)
        return answer


def with_locations(session: Any) -> Any:
    session.listed(
        "locations",
        Choice(value=BERLIN, label="Berlin", extra={"active": "true", "service": "false"}),
        Choice(value=SERVICE, label="Warehouse Inc", extra={"active": "true", "service": "true"}),
    )
    return session


def level(sku: str, quantity: str, location: str = "") -> StockLevel:
    return StockLevel(id=f"{sku}@{location}", sku=sku, quantity=Decimal(quantity), location=location)


# --- stock
async def test_s05_stock_is_compared_and_keyed(lone: Lone, shop: Any):
    """S5: every quantity says from which one it changes, under a key; an item that is not stocked is stocked first."""
    house = Warehouse(shop, {gid("InventoryItem", 1): 5, gid("InventoryItem", 2): None})
    shop.on("VariantsBySku", variants("A", "B"))
    session = with_locations(lone())
    items = [Item(key=k, record=level(k, "7")) for k in "AB"]
    done = await stock.push(session, Batch(key="b", items=items))
    assert all(isinstance(one, Accepted) for one in done.values())
    (said,) = session.asked("SetStock")
    assert [row["changeFromQuantity"] for row in said["input"]["quantities"]] == [5, 0]
    assert len(said["key"]) == 32
    assert house.levels == {gid("InventoryItem", 1): 7, gid("InventoryItem", 2): 7}


async def test_stock_sent_again_after_no_answer(lone: Lone, shop: Any):
    """The same batch after a lost answer is answered from memory: a sale in between is not overwritten."""
    house = Warehouse(shop, {gid("InventoryItem", 1): 5})
    house.lose = 1
    shop.on("VariantsBySku", variants("A"))
    session = with_locations(lone())
    with pytest.raises(errors.RemoteUnavailable):
        await stock.push(session, one(level("A", "10")))
    house.levels[gid("InventoryItem", 1)] = 9  # sold
    done = await stock.push(session, one(level("A", "10")))
    assert isinstance(done["k1"], Accepted)
    assert (house.levels[gid("InventoryItem", 1)], house.sets) == (9, 1)


async def test_stock_sale_in_between(lone: Lone, shop: Any):
    """A sale between looking and setting is not overwritten: that row is tried again, the others are set."""
    house = Warehouse(shop, {gid("InventoryItem", 1): 5, gid("InventoryItem", 2): 5})
    shop.on("VariantsBySku", variants("A", "B"))
    session = with_locations(lone())
    looked = house.read

    def sold(said: dict[str, Any]) -> dict[str, Any]:
        answer = looked(said)
        house.levels[gid("InventoryItem", 1)] = 4
        return answer

    shop.on("StockLevels", sold)
    items = [Item(key=k, record=level(k, "8")) for k in "AB"]
    done = await stock.push(session, Batch(key="b", items=items))
    assert isinstance(done["A"], Later)
    assert isinstance(done["B"], Accepted)
    assert house.levels == {gid("InventoryItem", 1): 4, gid("InventoryItem", 2): 8}


async def test_stock_without_protection(lone: Lone, shop: Any):
    """Without protection the quantity is overwritten, which Shopify wants said as null."""
    house = Warehouse(shop, {gid("InventoryItem", 1): 5})
    shop.on("VariantsBySku", variants("A"))
    session = with_locations(lone(settings.Stock(protect=False, quantity="on_hand")))
    await stock.push(session, one(level("A", "3")))
    (said,) = session.asked("SetStock")
    assert said["input"]["quantities"][0]["changeFromQuantity"] is None
    assert (said["input"]["name"], house.levels[gid("InventoryItem", 1)]) == ("on_hand", 3)


@pytest.mark.parametrize(
    ("quantity", "location", "why"),
    [
        ("1", "gid://shopify/Location/2", "fulfillment service"),
        ("1", "moon", "no stock location"),
        ("1.5", "", "whole"),
        ("NaN", "", "whole"),
    ],
)
async def test_s20_stock_that_cannot_be_set(lone: Lone, shop: Any, quantity: str, location: str, why: str):
    """S20: stock at a fulfillment service's location, at no location, or in parts is refused with the reason."""
    Warehouse(shop, {})
    shop.on("VariantsBySku", variants("A"))
    done = await stock.push(with_locations(lone()), one(level("A", quantity, location)))
    assert isinstance(done["k1"], Rejected)
    assert why in done["k1"].reason


async def test_untracked_and_unknown_skus(lone: Lone, shop: Any):
    """An untracked item, an unknown SKU and one that several variants have are each refused, and told apart."""
    shop.on("VariantsBySku", variants("A", "D", "D", tracked=False))
    items = [Item(key=sku, record=level(sku, "1")) for sku in ("A", "X", "D")]
    done = await stock.push(with_locations(lone()), Batch(key="b", items=items))
    assert "track" in done["A"].reason
    assert "no variant" in done["X"].reason
    assert "unique" in done["D"].reason


async def test_warehouses_are_mapped(lone: Lone, shop: Any):
    """The host's warehouse goes to the location the settings say, and of two quantities for a SKU the last counts."""
    house = Warehouse(shop, {gid("InventoryItem", 1): 5})
    shop.on("VariantsBySku", variants("A"))
    session = with_locations(lone(settings.Stock(locations={"main": BERLIN})))
    items = [Item(key=str(n), record=level("A", str(n), "main")) for n in (1, 2)]
    done = await stock.push(session, Batch(key="b", items=items))
    assert all(isinstance(outcome, Accepted) for outcome in done.values())
    assert house.levels[gid("InventoryItem", 1)] == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("IDEMPOTENCY_CONCURRENT_REQUEST", Later),
        ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", Later),
        ("INVALID_REASON", Rejected),
    ],
)
async def test_idempotency_codes(lone: Lone, shop: Any, code: str, kind: type):
    """A concurrent or failed attempt is tried again, any other refusal of the whole is final."""
    Warehouse(shop, {gid("InventoryItem", 1): 5})
    shop.on("VariantsBySku", variants("A"))
    shop.on(
        "SetStock", {"inventorySetQuantities": {"userErrors": [{"message": "no", "code": code, "field": ["input"]}]}}
    )
    done = await stock.push(with_locations(lone()), one(level("A", "1")))
    assert isinstance(done["k1"], kind)


@given(st.text(max_size=30))
def test_sku_is_quoted(sku: str):
    """Whatever a SKU holds, it cannot end its own quotes."""
    text = quoted(sku)
    inner = text[1:-1].replace("\\\\", "").replace("\\'", "")
    assert text[0] == text[-1] == "'"
    assert "'" not in inner
    assert not inner.endswith("\\")


async def test_skus_are_asked_together(lone: Lone, shop: Any):
    """Many SKUs take few searches, and what the search finds beyond them is not believed."""
    shop.on("VariantsBySku", variants("A", "A-1", "a"))
    session = lone()
    found = await places(Client(session), ["A", "zzz", ""])
    assert found["A"].variant == gid("ProductVariant", 1)
    assert isinstance(found["zzz"], str)
    assert isinstance(found[""], str)
    assert len(session.sent) == 1


# --- prices
def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


async def test_prices(lone: Lone, shop: Any):
    """A sale price is charged and the regular one struck through; a price alone takes an old comparison away."""
    shop.on("VariantsBySku", variants("A", "B"))
    shop.on("UpdateVariants", {"productVariantsBulkUpdate": {"userErrors": []}})
    session = lone()
    rows = [Price(id="A", sku="A", price=euro("10"), sale_price=euro("8.5")), Price(id="B", sku="B", price=euro("5"))]
    done = await prices.push(session, Batch(key="b", items=[Item(key=r.id, record=r) for r in rows]))
    assert all(isinstance(outcome, Accepted) for outcome in done.values())
    (said,) = session.asked("UpdateVariants")
    assert [(row["price"], row["compareAtPrice"]) for row in said["variants"]] == [("8.5", "10"), ("5", None)]


async def test_price_of_one_variant_refused(lone: Lone, shop: Any):
    """What Shopify refuses of a product's variants is refused alone."""
    shop.on("VariantsBySku", variants("A", "B"))
    refused = [{"message": "too high", "field": ["variants", "1", "price"], "code": "INVALID"}]
    shop.on("UpdateVariants", {"productVariantsBulkUpdate": {"userErrors": refused}})
    items = [Item(key=sku, record=Price(id=sku, sku=sku, price=euro("5"))) for sku in "AB"]
    done = await prices.push(lone(), Batch(key="b", items=items))
    assert isinstance(done["A"], Accepted)
    assert isinstance(done["B"], Rejected)


async def test_price_lists(lone: Lone, shop: Any):
    """Prices of a list are fixed prices in its currency; another currency is refused before anything is sent."""
    shop.on("VariantsBySku", variants("A", "B"))
    shop.on("ListPrices", {"priceListFixedPricesAdd": {"userErrors": []}})
    session = lone()
    session.listed("price_lists", Choice(value=gid("PriceList", 1), label="US", extra={"currency": "USD"}))
    rows = [
        Price(id="A", sku="A", price=Money(Decimal(9), "USD"), list=gid("PriceList", 1)),
        Price(id="B", sku="B", price=euro("9"), list=gid("PriceList", 1)),
    ]
    done = await prices.push(session, Batch(key="b", items=[Item(key=r.id, record=r) for r in rows]))
    assert isinstance(done["A"], Accepted)
    assert "USD" in done["B"].reason
    (said,) = session.asked("ListPrices")
    assert said["prices"] == [{"variantId": gid("ProductVariant", 1), "price": {"amount": "9", "currencyCode": "USD"}}]


# --- shipments
def fulfillment_order(
    number: int, lines: dict[int, int], *, status: str = "OPEN", ours: bool = True, place: str = BERLIN, held: str = ""
) -> dict[str, Any]:
    rows = [
        {
            "id": gid("FulfillmentOrderLineItem", number * 10 + n),
            "totalQuantity": left,
            "remainingQuantity": left,
            "lineItem": {"id": gid("LineItem", n)},
        }
        for n, left in lines.items()
    ]
    return {
        "id": gid("FulfillmentOrder", number),
        "status": status,
        "assignedLocation": {"name": "Berlin", "location": {"id": place}},
        "supportedActions": [{"action": "CREATE_FULFILLMENT"}] if ours else [{"action": "REQUEST_FULFILLMENT"}],
        "fulfillmentHolds": [{"id": "h", "reason": "OTHER", "displayReason": held}] if held else [],
        "lineItems": {"nodes": rows, "pageInfo": WHOLE},
    }


def to_ship(
    shop: Any, *orders: dict[str, Any], there: list[dict[str, Any]] | None = None, cancelled: str | None = None
) -> None:
    shop.on("Fulfillments", {"order": {"id": gid("Order", 1), "cancelledAt": cancelled, "fulfillments": there or []}})
    shop.on("FulfillmentOrders", {"order": {"fulfillmentOrders": {"nodes": list(orders), "pageInfo": WHOLE}}})
    shop.on(
        "Ship",
        {"fulfillmentCreate": {"fulfillment": {"id": gid("Fulfillment", 9), "status": "SUCCESS"}, "userErrors": []}},
    )


def parcel(**more: Any) -> Shipment:
    return Shipment(**{"id": "p", "order_id": gid("Order", 1), "carrier": "dhl", "tracking": "T1", **more})


async def test_shipment_through_fulfillment_orders(lone: Lone, shop: Any):
    """Named lines are taken from the fulfillment orders as they are now, split over several if need be."""
    to_ship(shop, fulfillment_order(1, {7: 1}), fulfillment_order(2, {7: 3, 8: 1}))
    session = lone(settings.Shipping(notify=True, carriers={"dhl": "DHL Express"}))
    done = await shipments.push(session, one(parcel(lines={gid("LineItem", 7): Decimal(2)})))
    assert done["k1"] == Accepted(remote={"fulfillment": gid("Fulfillment", 9)})
    (said,) = session.asked("Ship")
    taken = {
        row["fulfillmentOrderId"]: [line["quantity"] for line in row["fulfillmentOrderLineItems"]]
        for row in said["fulfillment"]["lineItemsByFulfillmentOrder"]
    }
    assert taken == {gid("FulfillmentOrder", 1): [1], gid("FulfillmentOrder", 2): [1]}
    assert said["fulfillment"]["notifyCustomer"] is True
    assert said["fulfillment"]["trackingInfo"] == {"company": "DHL Express", "number": "T1"}
    assert session.http.unrepeatable == ["Ship"]


async def test_s15_fulfillment_orders_are_paged_to_the_end(lone: Lone, shop: Any):
    """S15: a line on the last page of the last fulfillment order is found before a parcel is told."""
    to_ship(shop)
    first, last = fulfillment_order(1, {1: 1}), fulfillment_order(2, {2: 1})
    last["lineItems"]["pageInfo"] = {"hasNextPage": True, "endCursor": "l1"}
    more = fulfillment_order(2, {7: 1})["lineItems"]
    pages = {None: ([first], {"hasNextPage": True, "endCursor": "o1"}), "o1": ([last], WHOLE)}
    shop.on(
        "FulfillmentOrders",
        lambda said: {
            "order": {"fulfillmentOrders": dict(zip(("nodes", "pageInfo"), pages[said["after"]], strict=True))}
        },
    )
    shop.on(
        "FulfillmentOrderLines",
        lambda said: {"fulfillmentOrder": {"lineItems": more if said["after"] == "l1" else None}},
    )
    session = lone()
    done = await shipments.push(session, one(parcel(lines={gid("LineItem", 7): Decimal(1)})))
    assert isinstance(done["k1"], Accepted)
    (said,) = session.asked("Ship")
    (row,) = said["fulfillment"]["lineItemsByFulfillmentOrder"]
    assert row["fulfillmentOrderId"] == gid("FulfillmentOrder", 2)
    assert row["fulfillmentOrderLineItems"] == [{"id": gid("FulfillmentOrderLineItem", 27), "quantity": 1}]


async def test_everything_that_is_open_ships_from_each_place(lone: Lone, shop: Any):
    """Without named lines all that is open ships, with one call for each place it lies at."""
    to_ship(shop, fulfillment_order(1, {7: 2}), fulfillment_order(2, {8: 1}, place=SERVICE))
    session = lone()
    await shipments.push(session, one(parcel()))
    assert len(session.asked("Ship")) == 2


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (fulfillment_order(1, {7: 2}, ours=False), "may not do"),
        (fulfillment_order(1, {7: 2}, ours=False, status="ON_HOLD", held="Fraud check"), "Fraud check"),
        (fulfillment_order(1, {7: 2}, ours=False, status="SCHEDULED"), "scheduled"),
        (fulfillment_order(1, {7: 1}), "Not open"),
        (fulfillment_order(1, {8: 9}), "Not open"),
        (fulfillment_order(1, {7: 0}), "Not open"),
    ],
)
async def test_s19_what_cannot_be_shipped(lone: Lone, shop: Any, order: dict[str, Any], why: str):
    """S19: what is held, scheduled, another service's, moved away or shipped already is refused with the reason."""
    to_ship(shop, order)
    session = lone()
    done = await shipments.push(session, one(parcel(lines={gid("LineItem", 7): Decimal(2)})))
    assert isinstance(done["k1"], Rejected)
    assert why in done["k1"].reason
    assert session.asked("Ship") == []


def fulfilled(number: int, tracking: str, lines: dict[int, int], status: str = "SUCCESS") -> dict[str, Any]:
    rows = [{"id": "x", "quantity": count, "lineItem": {"id": gid("LineItem", n)}} for n, count in lines.items()]
    return {
        "id": gid("Fulfillment", number),
        "status": status,
        "trackingInfo": [{"number": tracking}],
        "fulfillmentLineItems": {"nodes": rows, "pageInfo": WHOLE},
    }


async def test_shipment_is_never_told_twice(lone: Lone, shop: Any):
    """A parcel whose tracking number is there is not told again; a cancelled one of the same number is."""
    to_ship(shop, fulfillment_order(1, {7: 2}), there=[fulfilled(3, "T1", {7: 2})])
    session = lone()
    named = parcel(lines={gid("LineItem", 7): Decimal(2)})
    assert (await shipments.push(session, one(named)))["k1"].remote == {"fulfillment": gid("Fulfillment", 3)}
    assert (await shipments.settle(session, one(named)))["k1"].remote == {"fulfillment": gid("Fulfillment", 3)}
    assert session.asked("Ship") == []
    to_ship(shop, fulfillment_order(1, {7: 2}), there=[fulfilled(3, "T1", {7: 2}, "CANCELLED")])
    assert isinstance((await shipments.settle(session, one(named)))["k1"], Later)
    await shipments.push(session, one(named))
    assert len(session.asked("Ship")) == 1


@pytest.mark.parametrize("lines", [{}, {gid("LineItem", 7): Decimal(1), gid("LineItem", 8): Decimal(1)}])
async def test_s19_half_of_a_split_parcel(lone: Lone, shop: Any, lines: dict[str, Decimal]):
    """S19: of a parcel from two places of which one was told and the other was lost, the other is told, and only it."""
    half = [fulfilled(3, "T1", {7: 1}), fulfilled(4, "OTHER", {9: 1})]
    to_ship(shop, fulfillment_order(1, {7: 0}), fulfillment_order(2, {8: 1}, place=SERVICE), there=half)
    session = lone()
    assert isinstance((await shipments.settle(session, one(parcel(lines=lines))))["k1"], Later)
    done = await shipments.push(session, one(parcel(lines=lines)))
    assert done["k1"].remote == {"fulfillment": f"{gid('Fulfillment', 3)},{gid('Fulfillment', 9)}"}
    (said,) = session.asked("Ship")
    assert said["fulfillment"]["lineItemsByFulfillmentOrder"] == [
        {
            "fulfillmentOrderId": gid("FulfillmentOrder", 2),
            "fulfillmentOrderLineItems": [{"id": gid("FulfillmentOrderLineItem", 28), "quantity": 1}],
        }
    ]
    to_ship(shop, fulfillment_order(2, {8: 0}), there=[*half, fulfilled(9, "T1", {8: 1})])
    for settled in (
        await shipments.settle(session, one(parcel(lines=lines))),
        await shipments.push(session, one(parcel(lines=lines))),
    ):
        assert settled["k1"].remote == {"fulfillment": f"{gid('Fulfillment', 3)},{gid('Fulfillment', 9)}"}
    assert len(session.asked("Ship")) == 1


async def test_a_parcel_without_number_is_not_another_one(lone: Lone, shop: Any):
    """Goods that somebody shipped without a tracking number are not the parcel that is to be told."""
    to_ship(shop, fulfillment_order(1, {7: 1}), there=[fulfilled(3, "", {7: 1})])
    session, wanted = lone(), parcel(tracking="", lines={gid("LineItem", 7): Decimal(2)})
    assert isinstance((await shipments.settle(session, one(wanted)))["k1"], Later)
    assert "Not open" in (await shipments.push(session, one(wanted)))["k1"].reason
    await shipments.push(session, one(parcel(tracking="")))
    assert len(session.asked("Ship")) == 1


async def test_s15_a_fulfillment_of_many_lines_is_read_to_the_end(lone: Lone, shop: Any):
    """S15: a parcel without number is not taken for a fulfillment of which only the first lines were looked at."""
    other = fulfilled(3, "", dict.fromkeys(range(100, 150), 1))
    other["fulfillmentLineItems"]["pageInfo"] = {"hasNextPage": True, "endCursor": "f1"}
    rest = fulfilled(3, "", {150: 1})["fulfillmentLineItems"]
    shop.on("FulfillmentLines", lambda said: {"fulfillment": {"fulfillmentLineItems": rest}})
    to_ship(shop, fulfillment_order(1, {7: 1}), there=[other])
    session, mine = lone(), parcel(tracking="", lines={gid("LineItem", 7): Decimal(1)})
    assert isinstance((await shipments.settle(session, one(mine)))["k1"], Later)
    assert (await shipments.push(session, one(mine)))["k1"].remote == {"fulfillment": gid("Fulfillment", 9)}
    theirs = parcel(tracking="", lines={gid("LineItem", n): Decimal(1) for n in range(100, 151)})
    assert (await shipments.settle(session, one(theirs)))["k1"].remote == {"fulfillment": gid("Fulfillment", 3)}


async def test_tracking_is_changed(lone: Lone, shop: Any):
    """A parcel told before that comes again with another number changes the tracking of what was made."""
    to_ship(shop, there=[fulfilled(3, "T1", {7: 2}), fulfilled(4, "T1", {8: 1})])
    shop.on("UpdateTracking", {"fulfillmentTrackingInfoUpdate": {"fulfillment": None, "userErrors": []}})
    session = lone()
    both = {"fulfillment": f"{gid('Fulfillment', 3)},{gid('Fulfillment', 4)}"}
    done = await shipments.push(session, one(parcel(tracking="T2"), remote=both))
    assert done["k1"] == Accepted(remote=both)
    said = [(one["id"], one["info"]["number"]) for one in session.asked("UpdateTracking")]
    assert said == [(gid("Fulfillment", 3), "T2"), (gid("Fulfillment", 4), "T2")]


async def test_shipment_of_a_cancelled_order(lone: Lone, shop: Any):
    """A parcel of an order that is cancelled or gone is refused."""
    to_ship(shop, cancelled="2026-10-01T00:00:00Z")
    assert "cancelled" in (await shipments.push(lone(), one(parcel())))["k1"].reason
    shop.on("Fulfillments", {"order": None})
    assert "no order" in (await shipments.push(lone(), one(parcel())))["k1"].reason


# --- cancellations and refunds
async def test_cancellation_is_a_job(lone: Lone, shop: Any):
    """Cancelling a whole order is pending until Shopify's job is through; what was cancelled is seen at the order."""
    to_ship(shop)
    shop.on(
        "CancelOrder",
        {"orderCancel": {"job": {"id": "gid://shopify/Job/1", "done": False}, "orderCancelUserErrors": []}},
    )
    session, wanted = lone(), Cancellation(id="c", order_id=gid("Order", 1), reason="inventory")
    pending = (await cancellations.push(session, one(wanted)))["k1"]
    assert isinstance(pending, Pending)
    (said,) = session.asked("CancelOrder")
    assert (said["reason"], said["restock"], said["refund"]) == (
        "INVENTORY",
        True,
        {"originalPaymentMethodsRefund": True},
    )
    assert session.http.unrepeatable == ["CancelOrder"]
    for job, order, kind in (
        ({"id": "j", "done": False}, {"id": "o", "cancelledAt": None}, Pending),
        ({"id": "j", "done": True}, {"id": "o", "cancelledAt": None}, Rejected),
        ({"id": "j", "done": True}, {"id": "o", "cancelledAt": "2026-10-01T00:00:00Z"}, Accepted),
    ):
        shop.on("CancelJob", {"job": job, "order": order})
        assert isinstance((await cancellations.settle(session, one(wanted, ticket=pending.ticket)))["k1"], kind)


async def test_cancellation_looks_first(lone: Lone, shop: Any):
    """An order that is cancelled is not cancelled again, and after no answer the order says what became of it."""
    to_ship(shop, cancelled="2026-10-01T00:00:00Z")
    session, wanted = lone(), Cancellation(id="c", order_id="1")
    assert isinstance((await cancellations.push(session, one(wanted)))["k1"], Accepted)
    assert isinstance((await cancellations.settle(session, one(wanted)))["k1"], Accepted)
    to_ship(shop)
    assert isinstance((await cancellations.settle(session, one(wanted)))["k1"], Later)
    assert session.asked("CancelOrder") == []


class Cashier:
    """Refunds with a memory for keys."""

    def __init__(self, shop: Any, *, most: str = "23.80", presentment: str = "EUR") -> None:
        self.made: list[dict[str, Any]] = []
        self.most, self.presentment, self.lose = most, presentment, 0
        shop.on("OrderRefunds", lambda _: {"order": {"refunds": self.made}})
        shop.on("SuggestRefund", self.suggest)
        shop.on("Refund", self.refund)

    def suggest(self, said: dict[str, Any]) -> dict[str, Any]:
        money = {"amount": self.most, "currencyCode": self.presentment}
        way = {
            "kind": "SUGGESTED_REFUND",
            "gateway": "paypal",
            "parentTransaction": {"id": gid("OrderTransaction", 1)},
            "amountSet": {"shopMoney": money, "presentmentMoney": money},
        }
        return {
            "order": {
                "id": said["id"],
                "currencyCode": "EUR",
                "presentmentCurrencyCode": self.presentment,
                "suggestedRefund": {"suggestedTransactions": [way]},
            }
        }

    def refund(self, said: dict[str, Any]) -> Any:
        assert said["key"]
        self.made.append({"id": gid("Refund", len(self.made) + 1), "note": said["input"]["note"]})
        if self.lose:
            self.lose -= 1
            return httpx2.Response(503)
        return {"refundCreate": {"refund": {"id": self.made[-1]["id"]}, "userErrors": []}}


def wanted_refund(amount: str = "", restock: bool = True, currency: str = "EUR") -> Return:
    row = ReturnLine(id="1", order_line=gid("LineItem", 7), quantity=Decimal(1), restock=restock)
    more = {"amount": Money(Decimal(amount), currency)} if amount else {}
    return Return(id="r", order_id=gid("Order", 1), lines={"1": row}, extra={"location": BERLIN}, **more)


async def test_refund(lone: Lone, shop: Any):
    """Money goes back the way Shopify suggests, up to the amount named; goods go where they are said to go."""
    cashier, session = Cashier(shop), lone()
    done = await refunds.push(session, one(wanted_refund("10.00")))
    assert done["k1"] == Accepted(remote={"refund": gid("Refund", 1)})
    (said,) = session.asked("Refund")
    (money,) = said["input"]["transactions"]
    assert (money["amount"], money["kind"], money["gateway"]) == ("10.00", "REFUND", "paypal")
    assert said["input"]["refundLineItems"] == [
        {"lineItemId": gid("LineItem", 7), "quantity": 1, "restockType": "RETURN", "locationId": BERLIN}
    ]
    await refunds.push(lone(), one(wanted_refund(restock=False), key="k2"))
    assert len(cashier.made) == 2


async def test_refund_is_never_made_twice(lone: Lone, shop: Any):
    """After a lost answer the refund is found by its mark, by looking and by trying again, in any batch."""
    cashier, session = Cashier(shop), lone()
    cashier.lose = 1
    with pytest.raises(errors.RemoteUnavailable):
        await refunds.push(session, one(wanted_refund("10.00")))
    assert isinstance((await refunds.settle(session, one(wanted_refund("10.00"), batch="b2")))["k1"], Accepted)
    assert isinstance((await refunds.push(session, one(wanted_refund("10.00"), batch="b3")))["k1"], Accepted)
    assert len(cashier.made) == 1
    assert isinstance((await refunds.settle(session, one(wanted_refund("10.00"), key="other")))["other"], Later)


@pytest.mark.parametrize(
    ("record", "why"), [(wanted_refund("30"), "23.80"), (wanted_refund("1", currency="USD"), "EUR")]
)
async def test_refund_that_cannot_be(lone: Lone, shop: Any, record: Return, why: str):
    """More than was paid, or another currency than was paid in, is refused before anything is sent."""
    cashier = Cashier(shop)
    done = await refunds.push(lone(), one(record))
    assert why in done["k1"].reason
    assert cashier.made == []


@pytest.mark.parametrize("quantity", ["0.5", "1.5", "0", "-1", "NaN"])
async def test_parts_of_a_piece_are_not_refunded(lone: Lone, shop: Any, quantity: str):
    """A quantity that is not whole, or nothing, is refused in a refund and a cancellation, and never cut off."""
    cashier, session = Cashier(shop), lone()
    to_ship(shop, fulfillment_order(1, {7: 2}))
    rows = {"1": ReturnLine(id="1", order_line=gid("LineItem", 7), quantity=Decimal(quantity))}
    done = await refunds.push(session, one(replace(wanted_refund(), lines=rows)))
    assert "line 7" in done["k1"].reason
    wanted = Cancellation(id="c", order_id="1", lines={"7": Decimal(quantity)})
    assert "line 7" in (await cancellations.push(session, one(wanted)))["k1"].reason
    assert cashier.made == []


async def test_shipping_in_another_currency_is_not_refunded(lone: Lone, shop: Any):
    """Shipping that is to be paid back in another currency than was paid in is refused before anything is sent."""
    cashier = Cashier(shop)
    rows = {"s": ReturnLine(id="s", kind="shipping", amount=Money(Decimal("4.90"), "USD"))}
    done = await refunds.push(lone(), one(replace(wanted_refund(), lines=rows)))
    assert "not in USD" in done["k1"].reason
    assert cashier.made == []


async def test_cancellation_that_is_still_at_work(lone: Lone, shop: Any):
    """Shopify cancels as a job: after no answer it is not asked a second time before that job has had its time."""
    to_ship(shop)
    later = (await cancellations.settle(lone(), one(Cancellation(id="c", order_id="1"))))["k1"]
    assert isinstance(later, Later)
    assert later.wait.seconds >= 60


async def test_cancelling_some_lines(lone: Lone, shop: Any):
    """Some lines are cancelled by refunding them, and are put back into stock where they were to be shipped from."""
    Cashier(shop)
    to_ship(shop, fulfillment_order(1, {7: 0}, place=SERVICE), fulfillment_order(2, {7: 2}, place=BERLIN))
    session = lone()
    await cancellations.push(session, one(Cancellation(id="c", order_id="1", lines={"7": Decimal(1)})))
    assert session.asked("Refund")[0]["input"]["refundLineItems"] == [
        {"lineItemId": gid("LineItem", 7), "quantity": 1, "restockType": "CANCEL", "locationId": BERLIN}
    ]
    assert isinstance(
        (await cancellations.settle(session, one(Cancellation(id="c", order_id="1", lines={"7": Decimal(1)}))))["k1"],
        Accepted,
    )


async def test_goods_go_back_to_the_only_location(lone: Lone, shop: Any):
    """A shop with one location of its own is not asked where goods go; a warehouse of the host is a location."""
    cashier, session = Cashier(shop), lone(settings.Stock(locations={"cellar": gid("Location", 9)}))
    session.listed("locations", Choice(value=BERLIN, label="Berlin"))
    for key, extra in (("k1", {}), ("k2", {"location": "cellar"})):
        await refunds.push(session, one(replace(wanted_refund(), extra=extra), key=key))
    said = [one["input"]["refundLineItems"][0]["locationId"] for one in session.asked("Refund")]
    assert (said, len(cashier.made)) == ([BERLIN, gid("Location", 9)], 2)


async def test_goods_that_go_nowhere(lone: Lone, shop: Any):
    """Where nothing says to which location goods go back, no money is paid and the host is told what to say."""
    cashier, session = Cashier(shop), lone()
    to_ship(shop)
    done = await refunds.push(session, one(replace(wanted_refund(), extra={})))
    assert "to which location the goods of line 7" in done["k1"].reason
    assert cashier.made == []


# --- offers
def towel(**more: Any) -> Offer:
    said = {
        "title": "Towel",
        "descriptionHtml": "<p>Soft</p>",
        "tags": "a",
        "metafield:erp.origin": "PT",
        "seo.title": "T",
        "variant.price": "19.90",
        "variant.weight": "0.5",
    }
    values = {name: Value(text=text) for name, text in said.items()}
    values["images"] = Value(texts=("https://img.example/a.jpg",))
    values["vendor"] = Value(text="Default Inc", mapped=False)
    rows = tuple(OfferVariant(sku=f"T-{size}", options={"option:Size": size}) for size in "SM")
    return Offer(**{"id": "o", "sku": "T", "values": values, "variants": rows, **more})


def catalog(shop: Any, product: dict[str, Any] | None) -> None:
    rows = [
        {"id": row["id"], "sku": row["sku"], "product": {"id": product["id"]}, "inventoryItem": {"id": "i"}}
        for row in (product["variants"]["nodes"] if product else [])
    ]
    shop.on("VariantsBySku", {"productVariants": {"nodes": rows, "pageInfo": WHOLE}})
    shop.on("ProductById", lambda said: {"product": product if product and said["id"] == product["id"] else None})
    shop.on("CreateProduct", {"productSet": {"product": {"id": gid("Product", 5)}, "userErrors": []}})
    shop.on("Publish", {"publishablePublish": {"userErrors": []}})
    shop.on("UpdateProduct", {"productUpdate": {"product": {"id": "x"}, "userErrors": []}})
    shop.on("UpdateVariants", {"productVariantsBulkUpdate": {"userErrors": []}})
    shop.on("CreateVariants", {"productVariantsBulkCreate": {"userErrors": []}})
    shop.on("CreateOptions", {"productOptionsCreate": {"userErrors": []}})
    shop.on("SetMetafields", {"metafieldsSet": {"userErrors": []}})


def there(*skus: str, options: tuple[str, ...] = ("Size",)) -> dict[str, Any]:
    return {
        "id": gid("Product", 5),
        "status": "ACTIVE",
        "options": [{"id": name, "name": name} for name in options],
        "media": {"nodes": [{"id": "m", "originalSource": {"url": "https://cdn.example/files/A_1234.jpg?v=1"}}]},
        "variants": {
            "nodes": [{"id": gid("ProductVariant", n), "sku": sku} for n, sku in enumerate(skus)],
            "pageInfo": WHOLE,
        },
    }


async def test_new_product(lone: Lone, shop: Any):
    """A new product is made whole and published; attributes that nobody mapped are not sent."""
    catalog(shop, None)
    session = lone(settings.Offers(publications=frozenset({gid("Publication", 1)}), new_status="ACTIVE"))
    session.listed("shop", Choice(value="weight_unit", label="POUNDS"))
    done = await offers.push(session, one(towel()))
    assert done["k1"] == Accepted(remote={"product": gid("Product", 5)})
    (said,) = session.asked("CreateProduct")
    body = said["input"]
    assert (body["title"], body["status"], body["seo"], body["tags"]) == ("Towel", "ACTIVE", {"title": "T"}, ["a"])
    assert "vendor" not in body
    assert body["productOptions"] == [{"name": "Size", "values": [{"name": "S"}, {"name": "M"}]}]
    assert [row["optionValues"] for row in body["variants"]] == [[{"optionName": "Size", "name": n}] for n in "SM"]
    assert body["variants"][0]["price"] == "19.90"
    weight = body["variants"][0]["inventoryItem"]
    assert weight == {"sku": "T-S", "measurement": {"weight": {"value": 0.5, "unit": "POUNDS"}}}
    assert body["metafields"] == [{"namespace": "erp", "key": "origin", "value": "PT"}]
    assert [one["input"] for one in session.asked("Publish")] == [[{"publicationId": gid("Publication", 1)}]]
    assert session.http.unrepeatable == ["CreateProduct"]


async def test_existing_product_loses_nothing(lone: Lone, shop: Any):
    """A product that is there is changed piece by piece, never set as a whole: what is left out stays."""
    catalog(shop, there("T-S", "OTHER"))
    session = lone()
    done = await offers.push(session, one(towel()))
    assert isinstance(done["k1"], Accepted)
    assert session.asked("CreateProduct") == []
    (said,) = session.asked("UpdateProduct")
    assert said["media"] == []  # the image is there, under the name Shopify gave it
    assert set(said["product"]) == {"id", "title", "descriptionHtml", "tags", "seo"}
    assert [row["id"] for row in session.asked("UpdateVariants")[0]["variants"]] == [gid("ProductVariant", 0)]
    assert [row["inventoryItem"]["sku"] for row in session.asked("CreateVariants")[0]["variants"]] == ["T-M"]
    assert session.asked("SetMetafields")[0]["metafields"][0]["ownerId"] == gid("Product", 5)


async def test_a_sku_that_is_twice_there_is_not_made_a_third_time(lone: Lone, shop: Any):
    """An offer of several SKUs, one of which two variants have, is refused, and not made as a new product."""
    catalog(shop, None)
    shop.on("VariantsBySku", variants("T-S", "T-S"))
    session = lone()
    done = await offers.push(session, one(towel()))
    assert "unique" in done["k1"].reason
    assert session.asked("CreateProduct") == []


async def test_tags_of_an_existing_product_stay(lone: Lone, shop: Any):
    """Shopify overwrites tags (admin_2026-10: ProductUpdateInput.tags): those that others gave a product are kept."""
    catalog(shop, {**there("T-S", "T-M"), "tags": ["preorder", "A"]})
    session = lone()
    await offers.push(session, one(towel(values={"tags": Value(texts=("a", "new"))})))
    assert session.asked("UpdateProduct")[0]["product"]["tags"] == ["preorder", "A", "new"]


def test_all_images_of_a_product_are_looked_at():
    """A product may have 250 images: the last of them is known, and not sent again with every push."""
    assert "media(first: 250)" in " ".join(OPERATIONS["ProductById"].split())


@pytest.mark.parametrize("failing", ["CreateProduct", "Publish"])
async def test_a_new_product_is_published_after_a_lost_answer(lone: Lone, shop: Any, failing: str):
    """A new product whose answer or publication was lost is published with the next push; an older one is not."""
    catalog(shop, None)
    shop.on(failing, httpx2.Response(503))
    session = lone(settings.Offers(publications=frozenset({gid("Publication", 1)})))
    with pytest.raises(errors.RemoteUnavailable):
        await offers.push(session, one(towel()))
    catalog(shop, there("T-S", "T-M"))
    before = len(session.asked("Publish"))
    for _ in range(2):
        assert isinstance((await offers.push(session, one(towel())))["k1"], Accepted)
    assert len(session.asked("Publish")) == before + 1
    assert list(session.scratch.iterdir()) == []


async def test_variants_are_not_added_where_unwished(lone: Lone, shop: Any):
    """With adding switched off, a variant that the product lacks is refused, and all else is saved."""
    catalog(shop, there("T-S"))
    session = lone(settings.Offers(new_variants=False))
    done = await offers.push(session, one(towel()))
    assert "T-M" in done["k1"].reason
    assert session.asked("CreateVariants") == []
    assert session.asked("UpdateVariants")


async def test_new_option(lone: Lone, shop: Any):
    """An option that the product lacks is made before the variants that have it."""
    catalog(shop, there("T-S", options=("Title",)))
    session = lone()
    await offers.push(session, one(towel()))
    names = [one.operation for one in session.sent]
    assert names.index("CreateOptions") < names.index("CreateVariants")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"nonsense": "1"}, "no attribute"),
        ({"category:9": "1"}, "read-only"),
        ({"variant.price": "much"}, "not a number"),
        ({"status": "SOLD"}, "none of"),
        ({"collections": "Nowhere"}, "no single entry"),
        ({"title": "x" * 256}, "longer"),
        ({"metafield:nokey": "1"}, "NAMESPACE"),
    ],
)
async def test_offers_that_cannot_be_said(lone: Lone, shop: Any, values: dict[str, str], why: str):
    """What Shopify has no way for is refused with the reason before anything is sent."""
    catalog(shop, None)
    session = lone()
    said = {"title": Value(text="T")} | {name: Value(text=text) for name, text in values.items()}
    done = await offers.push(session, one(towel(values=said)))
    assert why in done["k1"].reason
    assert session.asked("CreateProduct") == []


async def test_refused_part_is_told(lone: Lone, shop: Any):
    """Where Shopify refuses a part, the offer says which, and that the rest was saved."""
    catalog(shop, there("T-S", "T-M"))
    refused = [{"message": "is not a color", "field": ["metafields", "0", "value"], "elementIndex": 0}]
    shop.on("SetMetafields", {"metafieldsSet": {"userErrors": refused}})
    done = await offers.push(lone(), one(towel()))
    assert "is not a color" in done["k1"].reason
    assert "saved" in done["k1"].reason


async def test_offer_settles_by_sku(lone: Lone, shop: Any):
    """After no answer the SKU is looked for; pushing again completes the product and doubles nothing. One that is not
    found is not made anew before Shopify's search has had the time to know it.
    """
    session = lone()
    catalog(shop, None)
    unknown = (await offers.settle(session, one(towel())))["k1"]
    assert isinstance(unknown, Later)
    assert unknown.wait.seconds >= 60
    catalog(shop, there("T-S", "T-M"))
    found = (await offers.settle(session, one(towel())))["k1"]
    assert isinstance(found, Later)
    assert found.wait.seconds == 0
    await offers.push(session, one(towel()))
    assert session.asked("CreateProduct") == []


def test_variants_are_told_apart():
    """More than three options, and two variants with the same ones, are refused; no option is Shopify's own."""
    rows = [OfferVariant(sku="1", options={"A": "1", "B": "1", "C": "1", "D": "1"})]
    with pytest.raises(ValueError, match="three"):
        option_inputs(rows)
    with pytest.raises(ValueError, match="same"):
        option_inputs([OfferVariant(sku="1", options={"A": "1"}), OfferVariant(sku="2", options={"A": "1"})])
    assert option_inputs([OfferVariant(sku="1")])[0]["name"] == "Title"


def test_images_are_known_again():
    """An image is known by its file's name, also when Shopify added to it."""
    assert is_there("https://x.example/p/Shirt.JPG?v=2", ["https://cdn.example/shirt_8f2.jpg?v=1"])
    assert not is_there("https://x.example/shirt2.jpg", ["https://cdn.example/shirt.jpg"])
