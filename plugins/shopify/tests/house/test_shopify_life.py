"""What happens to orders, tokens and permissions over time, in the real house against the simulator."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.records import Cancellation, Money, Order, Shipment

pytestmark = pytest.mark.anyio
Lab = Any
PAIR = [{"quantity": 2, "price": "10.00"}, {"quantity": 1, "price": "5.00"}]


def parcel(number: str, tracking: str, **lines: int) -> Shipment:
    """Of an order; `line_1` is so many of its first line."""
    key = f"gid://shopify/LineItem/{number}"
    named = {f"{key}{int(name[5:]):03d}": Decimal(many) for name, many in lines.items()}
    return Shipment(
        id=tracking, order_id=f"gid://shopify/Order/{number}", carrier="UPS", tracking=tracking, lines=named
    )


def shipped(lab: Lab, number: str) -> dict[str, int]:
    """Units by tracking number, as the shop has them."""
    found = dict[str, int]()
    for one in lab.say(f"/orders/{number}")["fulfillments"]:
        (info,) = one["trackingInfo"]
        units = sum(line["quantity"] for line in one["fulfillmentLineItems"])
        found[info["number"]] = found.get(info["number"], 0) + units
    return found


async def test_s19_fulfillment_orders_change_under_our_hands(lab: Lab):
    """S19: parcels arrive however the shop has split, moved and merged the order since it was imported."""
    lab.opened()
    number = lab.placed(lines=PAIR)
    await lab.connected()
    lab.say(f"/orders/{number}/split", {"units": 1})
    lab.say(f"/orders/{number}/move", {"index": 1, "location": 2})
    done = await lab.delivered("shipments", parcel(number, "T1", line_1=2))
    assert done.state == "accepted", done.reason
    assert shipped(lab, number) == {"T1": 2}
    lab.say(f"/orders/{number}/merge", {})
    done = await lab.delivered("shipments", parcel(number, "T2"))
    assert done.state == "accepted", done.reason
    assert shipped(lab, number) == {"T1": 2, "T2": 1}


@pytest.mark.parametrize(
    ("act", "words", "why"),
    [
        ("hold", {"reason": "HIGH_RISK_OF_FRAUD"}, "holds it back"),
        ("schedule", {}, "scheduled"),
        ("move", {"location": 3}, "Parcel Partner"),
        ("ship", {"number": "BY-HAND"}, "Not open"),
        ("cancel", {}, "cancelled"),
    ],
)
async def test_s19_what_the_shop_does_not_let_us_ship(lab: Lab, act: str, words: dict[str, Any], why: str):
    """S19: what is held, scheduled, somebody else's, shipped or cancelled meanwhile is refused with the reason."""
    lab.opened()
    number = lab.placed(lines=PAIR)
    await lab.connected()
    lab.say(f"/orders/{number}/{act}", words)
    before = shipped(lab, number)
    done = await lab.delivered("shipments", parcel(number, "T1"))
    assert (done.state, why in done.reason) == ("rejected", True), done.reason
    assert shipped(lab, number) == before


async def test_a_hold_that_is_released(lab: Lab):
    """A parcel that was refused because of a hold is taken when it is pushed again after the release."""
    lab.opened()
    number = lab.placed(lines=PAIR, hold="AWAITING_PAYMENT")
    await lab.connected()
    assert (await lab.delivered("shipments", parcel(number, "T1"))).state == "rejected"
    lab.say(f"/orders/{number}/hold", {"release": True})
    assert (await lab.delivered("shipments", parcel(number, "T1"))).state == "accepted"
    assert shipped(lab, number) == {"T1": 3}


async def test_some_lines_are_cancelled(lab: Lab):
    """A cancelled line is paid back, goes into stock where it was to be shipped from, and can be shipped no more."""
    lab.opened()
    number = lab.placed(lines=PAIR, location=2)
    await lab.connected()
    line = f"gid://shopify/LineItem/{number}001"
    done = await lab.delivered(
        "cancellations", Cancellation(id="c", order_id=f"gid://shopify/Order/{number}", lines={line: Decimal(2)})
    )
    assert done.state == "accepted", done.reason
    (refund,) = lab.say(f"/orders/{number}")["refunds"]
    (row,) = refund["refundLineItems"]
    assert (row["quantity"], row["restockType"], row["location"]["id"]) == (2, "CANCEL", "gid://shopify/Location/2")
    assert (await lab.delivered("shipments", parcel(number, "T1"))).state == "accepted"
    assert shipped(lab, number) == {"T1": 1}


def adds_up(order: Order) -> Decimal:
    """Lines and charges less the total."""
    rows = [*order.lines.values(), *order.charges.values()]  # type: ignore[union-attr]
    parts = sum((row.gross.amount for row in rows if isinstance(row.gross, Money)), Decimal(0))
    assert isinstance(order.gross, Money)
    return parts - order.gross.amount


@pytest.mark.parametrize("included", [False, True])
async def test_every_kind_of_order_adds_up(lab: Lab, included: bool):
    """Taxed either way, in two currencies, with tips, duties, fees, gift cards, codes and edits: to the cent."""
    lab.opened(orders=80, taxes_included=included)
    for plan in (
        {"tip": "3.33", "duties": "7.25", "fee": "1.20", "rounding": "-0.02"},
        {"gift_card": "10.00", "lines": [{"gift_card": True, "price": "25.00", "quantity": 1}, {"quantity": 2}]},
        {"presentment": "CAD", "rate": 1.37, "tip": "1.00", "duties": "2.00"},
        {"removed": 1, "added": True, "lines": [{"quantity": 3, "price": "9.99"}]},
        {"removed_shipping": True, "code": "SAVE10"},
        {"tip": "4.40", "tip_line": True},
        {"tax_exempt": True},
    ):
        lab.placed(taxes_included=included, **plan)
    await lab.connected()
    found = await lab.stored()
    assert len(found) == 87
    wrong = {key: adds_up(order) for key, order in found.items() if abs(adds_up(order)) > Decimal("0.03")}
    assert wrong == {}


async def test_s04_a_token_of_24_hours(lab: Lab):
    """S4: the merchant's own app asks for its token by itself, and for another one when that is over."""
    app = {"client_id": "own", "client_secret": "own-secret-0123456789", "organization": "acme", "public": False}
    from omnichannel_core.testing import simulator

    simulator.control(lab.address, "apps", app)
    lab.opened(orders=5, organization="acme")
    simulator.control(lab.address, "apps/own/install", {"shop": lab.shop})
    way = {"way": "organization", "client_id": "own"}
    with pytest.raises(errors.CredentialsRejected):
        await lab.connected({**way, "client_secret": "another-secret"})
    await lab.connected({**way, "client_secret": "own-secret-0123456789"})
    assert len(await lab.stored()) == 5
    lab.placed()
    simulator.control(lab.address, "clock", {"advance": 86_400 + 60})  # Shopify's own clock: the token is over there
    await lab.synchronized()
    assert len(await lab.stored()) == 6


async def test_sixty_days(lab: Lab):
    """Without `read_all_orders` the check names the window, and nothing older comes in; with it all comes."""
    scopes = ["read_orders", "read_returns", "read_products", "read_locations", "read_fulfillments"]
    lab.opened(orders=30, order_step=86_400 * 6, order_burst=1, scopes=scopes, last_order_at=time.time() - 3600)
    seen = await lab.connected()
    assert "60 days" in seen.missing["order history"]
    assert len(await lab.stored()) == 10
    lab.say("/access", {"scopes": [*scopes, "read_all_orders"]}, "PUT")
    checked = await lab.house.connections.check("acme", lab.connection)
    assert "order history" not in checked.missing


async def test_s09_no_protected_data_at_all(lab: Lab):
    """S9: an app that is approved for nothing sees no orders: that is said, and the rest of the shop is there."""
    lab.opened(orders=5, level=0)
    typed = {"shop": lab.shop, "access": {"way": "token", "access_token": "shpat_of-the-shop-0123456789"}}
    saved = await lab.house.connections.create("acme", "shopify", "Shop", typed)
    assert "protected customer data" in saved.connection.missing["orders"]
    assert "data-model" in saved.connection.works
