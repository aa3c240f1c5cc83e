"""Shipments and cancellations against the simulated store."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from omnichannel_bigcommerce.settings import OrderFilters
from omnichannel_bigcommerce.sync.cancellations import CANCELLATIONS
from omnichannel_bigcommerce.sync.orders import ORDERS
from omnichannel_bigcommerce.sync.shipments import SHIPMENTS

from omnichannel_core.driver import Accepted, Batch, Item, Later, Rejected
from omnichannel_core.records import Cancellation, Order, Shipment

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]


async def imported(shop: Make) -> Any:
    here = shop(OrderFilters(statuses=frozenset(range(15))), orders=60)
    await here.session.run(ORDERS)
    return here


def batch(record: Any, order: Order | None) -> Batch[Any]:
    return Batch(key="b1", items=[Item(key="k1", record=record, order=order)])


def parcel(order: Order, *, tracking: str = "1Z999", lines: dict[str, Decimal] | None = None, **said: Any) -> Shipment:
    return Shipment(id="s1", order_id=order.id, carrier="UPS", tracking=tracking, lines=lines or {}, **said)


def find(here: Any, addresses: int, *, lines: int = 1) -> Order:
    """An imported order with so many addresses that waits for its first shipment."""
    for key, order in here.session.records(Order).items():
        book = here.store.orders.get(int(key))
        waits = not book.shipments and (book.status_id in (9, 11) or addresses > 1)
        if len(book.addresses) == addresses and waits and len(order.lines) >= lines:
            return order  # type: ignore[no-any-return]
    raise AssertionError("no such order was seeded")


def posts(here: Any) -> int:
    return len([1 for method, path in here.asked() if method == "POST" and path.endswith("/shipments")])


async def test_whole_order(shop: Make):
    """Without lines, all that is open is shipped, the order is Shipped and the buyer gets one mail."""
    here = await imported(shop)
    order = find(here, 1)
    outcomes = await SHIPMENTS.push(here.session, batch(parcel(order), order))
    assert isinstance(outcomes["k1"], Accepted)
    book = here.store.orders.get(int(order.id))
    assert [str(row["id"]) for row in book.shipments] == outcomes["k1"].remote["shipment"].split(",")
    assert (book.status_id, book.shipments[0]["shipping_provider"], book.shipments[0]["tracking_number"]) == (
        2,
        "ups",
        "1Z999",
    )


async def test_part_of_an_order(shop: Make):
    """Named lines are shipped in the named quantity."""
    here = await imported(shop)
    order = find(here, 1, lines=2)
    line = next(iter(order.lines))  # type: ignore[arg-type]
    outcomes = await SHIPMENTS.push(here.session, batch(parcel(order, lines={line: Decimal(1)}), order))
    assert isinstance(outcomes["k1"], Accepted)
    (sent,) = here.store.orders.get(int(order.id)).shipments
    assert [(row["order_product_id"], row["quantity"]) for row in sent["items"]] == [(int(line), 1)]


async def test_several_addresses(shop: Make):
    """A parcel for two addresses becomes one shipment each."""
    here = await imported(shop)
    order = find(here, 2)
    outcomes = await SHIPMENTS.push(here.session, batch(parcel(order), order))
    assert isinstance(outcomes["k1"], Accepted)
    sent = here.store.orders.get(int(order.id)).shipments
    assert len({row["order_address_id"] for row in sent}) == len(sent) == 2


async def test_lost_answer(shop: Make):
    """After an answer was lost the shipment is found, and a retry ships nothing twice."""
    here = await imported(shop)
    order = find(here, 1)
    wanted = batch(parcel(order, lines={key: line.quantity for key, line in order.lines.items()}), order)  # type: ignore[union-attr]
    await here.control("POST", "//faults", {"kind": "drop_after", "method": "POST"})
    with pytest.raises(httpx2.ReadError):
        await SHIPMENTS.push(here.session, wanted)
    settled = await SHIPMENTS.settle(here.session, wanted)  # type: ignore[misc]
    assert isinstance(settled["k1"], Accepted)
    assert isinstance((await SHIPMENTS.push(here.session, wanted))["k1"], Accepted)
    assert len(here.store.orders.get(int(order.id)).shipments) == 1


async def test_lost_request(shop: Make):
    """A request that never arrived is found missing and may be sent again."""
    here = await imported(shop)
    order = find(here, 1)
    await here.control("POST", "//faults", {"kind": "drop_before", "method": "POST"})
    with pytest.raises(httpx2.ReadError):
        await SHIPMENTS.push(here.session, batch(parcel(order), order))
    settled = await SHIPMENTS.settle(here.session, batch(parcel(order), order))  # type: ignore[misc]
    assert isinstance(settled["k1"], Later)


async def test_lost_answer_of_all_that_was_open(shop: Make):
    """Without lines, nothing left open means that the parcel arrived."""
    here = await imported(shop)
    order = find(here, 1)
    await here.control("POST", "//faults", {"kind": "drop_after", "method": "POST"})
    with pytest.raises(httpx2.ReadError):
        await SHIPMENTS.push(here.session, batch(parcel(order), order))
    settled = await SHIPMENTS.settle(here.session, batch(parcel(order), order))  # type: ignore[misc]
    assert isinstance(settled["k1"], Accepted)
    assert settled["k1"].remote["shipment"]


async def test_half_refused(shop: Make):
    """When the second address is refused the first is not shipped again by the retry."""
    here = await imported(shop)
    order = find(here, 2)
    fault = {"kind": "status", "status": 400, "skip": 1, "method": "POST", "path": "shipments$"}
    await here.control("POST", "//faults", fault)
    first = await SHIPMENTS.push(here.session, batch(parcel(order), order))
    assert isinstance(first["k1"], Rejected)
    assert "already shipped" in first["k1"].reason
    assert isinstance((await SHIPMENTS.push(here.session, batch(parcel(order), order)))["k1"], Accepted)
    sent = here.store.orders.get(int(order.id)).shipments
    assert len({row["order_address_id"] for row in sent}) == len(sent) == 2


@pytest.mark.parametrize("kind", ["digital", "pickup"])
async def test_what_cannot_be_shipped(shop: Make, kind: str):
    """Downloads and pickups are refused with the reason, and nothing is sent."""
    here = await imported(shop)
    order = next(
        o
        for o in here.session.records(Order).values()
        if any(line.kind == kind or line.ship_to.startswith(kind) for line in o.lines.values())
    )
    line = next(iter(order.lines))  # type: ignore[arg-type]
    for lines in ({line: Decimal(1)}, {}, {"999999": Decimal(1)}):
        outcomes = await SHIPMENTS.push(here.session, batch(parcel(order, lines=lines), order))
        assert isinstance(outcomes["k1"], Rejected)
    assert posts(here) == 0


async def test_order_that_is_gone(shop: Make):
    """A refusal of the remote keeps its words."""
    here = await imported(shop)
    order = find(here, 1)
    key = next(iter(order.lines))  # type: ignore[arg-type]
    wanted = parcel(order, tracking="", lines={key: Decimal(99)})
    outcomes = await SHIPMENTS.push(here.session, batch(wanted, order))
    assert isinstance(outcomes["k1"], Rejected)
    assert "createOrderShipments" in outcomes["k1"].reason


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({"carrier": "DHL Express"}, {"tracking_carrier": "dhl-express"}),
        ({"carrier": "carrier_7"}, {"shipping_provider": "carrier_7"}),
        ({"carrier": "Hermes", "tracking_url": "https://t.example/1"}, {"tracking_link": "https://t.example/1"}),
        (
            {"carrier": "FedEx", "method": "Express", "note": "Thanks"},
            {"shipping_provider": "fedex", "shipping_method": "Express", "comments": "Thanks"},
        ),
    ],
)
async def test_carriers(said: dict[str, str], sent: dict[str, str]):
    """A carrier BigCommerce knows goes by its name, another by AfterShip's code, and an own link instead of it."""
    from omnichannel_bigcommerce.sync.shipments import body

    made = body(Shipment(id="s", order_id="1", tracking="T1", **said), 5, {7: 2})
    assert made == {
        "order_address_id": 5,
        "items": [{"order_product_id": 7, "quantity": 2}],
        "tracking_number": "T1",
        **sent,
    }


async def test_cancellation(shop: Make):
    """A whole order is cancelled by its status, twice without harm; single lines cannot be."""
    here = await imported(shop)
    order = find(here, 1)
    lines = {key: line.quantity for key, line in order.lines.items()}  # type: ignore[union-attr]
    for wanted in ({}, lines):
        outcomes = await CANCELLATIONS.push(
            here.session, batch(Cancellation(id="c", order_id=order.id, lines=wanted), order)
        )
        assert outcomes == {"k1": Accepted()}
    assert here.store.orders.get(int(order.id)).status_id == 5
    some = {next(iter(lines)): Decimal("0.5")}
    outcomes = await CANCELLATIONS.push(here.session, batch(Cancellation(id="c", order_id=order.id, lines=some), order))
    assert isinstance(outcomes["k1"], Rejected)
