"""Pain points of polling orders, each shown against the simulator (guide amazon 15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from omnichannel_amazon.api import API
from omnichannel_amazon.sync.orders import ORDERS, fetch

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Page, Wait
from omnichannel_core.records import Order

pytestmark = pytest.mark.anyio
DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
Make = Callable[..., Any]
RATE = 0.0056


def truth(here: Any, place: str = DE) -> set[str]:
    """What the seller's book has for a marketplace: no pending ones, none of other shops."""
    return {
        one.id for one in here.seller.book.orders.values()
        if one.marketplace == place and one.sales == "AMAZON" and not one.status.startswith("PENDING")
    }  # fmt: skip


async def turn(here: Any, cursors: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Page[Any]]]:
    """One page of the poll, committed; the cursors after it, as they are stored."""
    pages = await ORDERS.pull_together({place: (here.sessions[place], one) for place, one in cursors.items()})
    for place, page in pages.items():
        here.sessions[place].commit(page.records)
    stored = {p: msgspec.json.decode(msgspec.json.encode(one.cursor), type=ORDERS.cursor) for p, one in pages.items()}
    return {**cursors, **stored}, pages


async def begun(here: Any) -> dict[str, Any]:
    """Cursors in the middle of a window: its first page is in, its token is known."""
    cursors = {place: ORDERS.cursor() for place in here.sessions}
    for _ in range(200):
        cursors, _ = await turn(here, cursors)
        if any(one.window is not None and one.window.page for one in cursors.values()):
            return cursors
    raise AssertionError("no window has a second page")


async def test_pain_01_one_call_in_three_minutes(amazon: Make):
    """A first import of two marketplaces outlives the burst: one call for both, a hundred at once, never refused."""
    here = amazon(orders=3000, days=80, marketplaces=[DE, FR])
    await here.authorize()
    cursors = await here.run(ORDERS)
    figures = await here.figures("searchOrders")
    assert figures["used"] > figures["burst"] + 10
    assert figures["refused"] == 0
    assert {place: set(here.sessions[place].records(Order)) for place in (DE, FR)} == {
        DE: truth(here, DE), FR: truth(here, FR)
    }  # fmt: skip
    assert all(one.window is None and one.history is None for one in cursors.values())


async def test_pain_02_role_lost_later(amazon: Make):
    """What is personal is refused although the check admitted it: minutes later orders come without, and a day later
    with it again."""
    here = amazon(orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/grants", {"roles": ["orders", "listing", "fba"]})
    await here.control("POST", "/orders", {"kind": "mfn", "id": "first"})
    await here.advance(1200)
    cursors, pages = await turn(here, cursors)
    assert isinstance(pages[DE].more, Wait)
    await here.advance(pages[DE].more.seconds)
    cursors = await here.run(ORDERS, cursors)
    assert not here.session.records(Order)["first"].addresses
    await here.control("POST", "/grants", {"roles": ["orders", "shipping", "tax_invoicing", "listing", "fba"]})
    await here.control("POST", "/orders", {"kind": "mfn", "id": "second"})
    await here.advance(25 * 3600)
    await here.run(ORDERS, cursors)
    assert here.session.records(Order)["second"].addresses["ship"].city


async def test_pain_02_transient_403(amazon: Make):
    """A burst of refusals that ends by itself bothers nobody and costs nothing but minutes."""
    here = amazon(orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/orders", {"kind": "mfn", "id": "one"})
    await here.advance(1200)
    await here.control("POST", "//faults", {
        "kind": "status", "operation": "searchOrders", "status": 403, "code": "Unauthorized",
        "message": "Access to requested resource is denied.",
    })  # fmt: skip
    await here.run(ORDERS, cursors)
    (order,) = here.session.records(Order).values()
    assert order.addresses["ship"].city


async def test_pain_02_refused_for_good(amazon: Make):
    """A role that is gone altogether is said, once it was refused with and without what is personal."""
    here = amazon(orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/grants", {"roles": ["listing"]})
    await here.advance(1200)
    with pytest.raises(errors.AccessMissing):
        await here.run(ORDERS, cursors)
    assert [status for status in here.seller.requests if "403" in status] == ["searchOrders 403"]
    assert here.seller.requests["searchOrders 403"] == 3


async def test_pain_02_one_marketplace_refused(amazon: Make):
    """A marketplace that is no longer the seller's stops no other one, takes no address from it, and is told alone."""
    here = amazon(orders=0, marketplaces=[DE, FR])
    await here.authorize()
    cursors = await here.run(ORDERS)
    here.seller.marketplaces.remove(FR)
    await here.control("POST", "/orders", {"kind": "mfn", "id": "new"})
    await here.advance(1200)
    cursors = await here.run(ORDERS, cursors)
    assert here.session.records(Order)["new"].addresses["ship"].city
    await here.advance(1200)
    with pytest.raises(errors.AccessMissing):
        await here.run(ORDERS, {FR: cursors[FR], DE: cursors[DE]})
    here.seller.marketplaces.append(FR)
    await here.control("POST", "/orders", {"kind": "mfn", "id": "back", "marketplace": FR})
    await here.advance(25 * 3600)
    await here.run(ORDERS, cursors)
    assert "back" in here.sessions[FR].records(Order)


async def test_pain_03_next_token_encoded_once(amazon: Make):
    """A token with plus, slash and equals is understood, with its query unchanged, and every page arrives."""
    here = amazon(orders=900, days=2)
    await here.authorize()
    await here.run(ORDERS)
    later = [ask.url for ask in here.asked("searchOrders") if "paginationToken" in ask.url]
    assert len(later) > 5
    assert all("%2B" in url or "%2F" in url for url in later)
    assert set(here.session.records(Order)) == truth(here)


async def test_pain_03_token_expired(amazon: Make):
    """A token that died in the middle of a window begins the window anew, in smaller steps, and nothing is lost."""
    here = amazon(orders=900, days=60)
    await here.authorize()
    cursors = await begun(here)
    span = cursors[DE].slice
    await here.advance(25 * 3600)
    cursors, _ = await turn(here, cursors)
    assert cursors[DE].window is None
    assert cursors[DE].slice < span
    await here.run(ORDERS, cursors)
    assert set(here.session.records(Order)) == truth(here)


async def test_pain_03_no_token_is_ever_good(amazon: Make):
    """A second page that is refused whatever its token is said, not asked for without end; later it is tried anew."""
    here = amazon(orders=900, days=2)
    await here.authorize()
    send, broken = here.session.http.send, [True]

    async def refuse(operation: str, *rest: Any, **more: Any) -> Any:
        if broken and operation == "searchOrders" and "paginationToken" in more["params"]:
            await here.advance(180)
            raise errors.RemoteRejected("searchOrders: 400: InvalidInput", "400")
        return await send(operation, *rest, **more)

    here.session.http.send = refuse
    cursors, said = {DE: ORDERS.cursor()}, list[Exception]()
    while not said and len(here.asked("searchOrders")) < 30:
        try:
            cursors, _ = await turn(here, cursors)
        except errors.RemoteRejected as trouble:
            said.append(trouble)
    assert said
    broken.clear()
    await here.advance(30 * 3600)
    await here.run(ORDERS, cursors)
    assert set(here.session.records(Order)) == truth(here)


async def test_pain_03_query_frozen(amazon: Make):
    """A connection that is switched off in the middle of a window does not change the query that its token is for."""
    here = amazon(orders=1200, days=20, marketplaces=[DE, FR])
    await here.authorize()
    cursors = await begun(here)
    await here.run(ORDERS, {DE: cursors[DE]})
    assert set(here.session.records(Order)) == truth(here, DE)
    assert "searchOrders 400" not in here.seller.requests


@pytest.mark.parametrize("ahead", [-3600.0, 50.0, 400.0, 7200.0])
async def test_pain_04_two_minutes(amazon: Make, ahead: float):
    """However wrong this machine's clock is, windows end two minutes ago by Amazon's, and orders come."""
    here = amazon(orders=0)
    await here.authorize()
    here.session.clock.time += timedelta(seconds=ahead)
    cursors = await here.run(ORDERS)
    await here.control("POST", "/orders", {"kind": "mfn", "id": "new"})
    for _ in range(6):
        await here.advance(900)
        cursors = await here.run(ORDERS, cursors)
    assert set(here.session.records(Order)) == {"new"}
    refused = here.seller.requests["searchOrders 400"]
    assert refused <= (8 if ahead > 60 else 0)
    before = refused
    await here.advance(900)
    await here.run(ORDERS, cursors)
    assert here.seller.requests["searchOrders 400"] == before


async def test_pain_05_doubled_between_pages(amazon: Make):
    """A page that begins with the last order of the one before, and an order that moves while it is paged, are one."""
    here = amazon(orders=700, days=30, duplicates=True)
    await here.authorize()
    cursors = await begun(here)
    await here.control("POST", f"/orders/{min(here.session.records(Order))}/touch", {})
    await here.run(ORDERS, cursors)
    assert set(here.session.records(Order)) == truth(here)
    for ident, order in here.session.records(Order).items():
        assert set(order.lines) == {line.id for line in here.seller.book.orders[ident].lines}


async def test_pain_05_indexed_late(amazon: Make):
    """An order that lists show minutes after its own time is in the next window, which reaches back."""
    here = amazon(orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/orders", {"kind": "mfn", "id": "late", "late": 700})
    for seconds in (600, 300):
        await here.advance(seconds)
        cursors = await here.run(ORDERS, cursors)
    assert set(here.session.records(Order)) == {"late"}


async def test_pain_06_absent_is_not_empty(amazon: Make):
    """An address and a buyer that Amazon no longer tells stay as they were, while the rest goes on."""
    here = amazon(orders=0, personal="omit")
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/orders", {"kind": "b2b", "id": "one"})
    await here.advance(1200)
    cursors = await here.run(ORDERS, cursors)
    before = here.session.records(Order)["one"]
    assert before.addresses["ship"].city
    assert before.extra["vat_id"]
    await here.control("POST", "/grants", {"roles": ["orders", "listing", "fba"]})
    await here.control("POST", "/orders/one/ship", {})
    await here.advance(1200)
    await here.run(ORDERS, cursors)
    after = here.session.records(Order)["one"]
    assert (before.state, after.state) == ("paid", "shipped")
    assert (after.addresses, after.bill_to, after.email, after.extra["vat_id"]) == (
        before.addresses, before.bill_to, before.email, before.extra["vat_id"]
    )  # fmt: skip


@pytest.mark.parametrize("headers", [0.0, 1.0])
async def test_pain_07_no_storm(amazon: Make, headers: float):
    """Somebody else has emptied the bucket: one refusal, a wait that no header has to tell, and never a storm."""
    here = amazon(orders=0, rate_headers=headers)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/take", {"client_id": here.client, "operation": "searchOrders", "tokens": 20})
    await here.advance(180)
    await here.control("POST", "/take", {"client_id": here.client, "operation": "searchOrders", "tokens": 20})
    await here.advance(30)
    with pytest.raises(errors.RateLimited) as refused:
        await turn(here, cursors)
    assert refused.value.wait == pytest.approx(1 / RATE)
    await here.advance(refused.value.wait)
    await here.run(ORDERS, cursors)
    assert (await here.figures("searchOrders"))["refused"] == 1


def test_pain_07_wait_of_every_operation():
    """A 429 names no wait: it is what one more request takes to drip in, and never more than five minutes."""
    for limit in API.limits:
        for operation in limit.operations or ():
            with pytest.raises(errors.RateLimited) as refused:
                API.judge(Answer(operation=operation, status=429, headers={}, content=b""))
            assert 0 < refused.value.wait <= 300
            assert refused.value.wait >= min(300.0, 1 / limit.rate)


async def test_pain_20_wish_to_cancel(amazon: Make):
    """A buyer's wish to cancel is on the order, whether it was there at the import or came afterwards."""
    here = amazon(orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "/orders", {"kind": "mfn", "id": "before", "wish": "Found it cheaper"})
    await here.control("POST", "/orders", {"kind": "mfn", "id": "after"})
    await here.advance(1200)
    cursors = await here.run(ORDERS, cursors)
    said = here.session.records(Order)
    assert said["before"].extra["buyer_wants_to_cancel"] == "Found it cheaper"
    assert "buyer_wants_to_cancel" not in said["after"].extra
    await here.control("POST", "/orders/after/wish", {"reason": "Ordered twice"})
    await here.advance(1200)
    await here.run(ORDERS, cursors)
    assert here.session.records(Order)["after"].extra["buyer_wants_to_cancel"] == "Ordered twice"


async def test_pain_23_trouble_for_hours(amazon: Make):
    """While Amazon answers InternalFailure for hours the cursor stays, and afterwards everything of them arrives."""
    here = amazon(orders=0)
    await here.authorize()
    cursors = await here.run(ORDERS)
    await here.control("POST", "//faults", {
        "kind": "status", "operation": "searchOrders", "status": 500, "code": "InternalFailure", "times": -1,
    })  # fmt: skip
    for hour in range(6):
        await here.control("POST", "/orders", {"kind": "mfn", "id": f"hour {hour}"})
        await here.advance(3600)
        with pytest.raises(errors.RemoteUnavailable):
            await turn(here, cursors)
    await here.control("DELETE", "//faults")
    await here.advance(600)
    await here.run(ORDERS, cursors)
    assert set(here.session.records(Order)) == {f"hour {hour}" for hour in range(6)}


async def test_pain_23_single_order_fails(amazon: Make):
    """One order that cannot be read now is the remote's trouble, not an order that is gone."""
    here = amazon(orders=0)
    await here.authorize()
    await here.control("POST", "/orders", {"kind": "mfn", "id": "one"})
    await here.control("POST", "//faults", {"kind": "status", "operation": "getOrder", "status": 500})
    with pytest.raises(errors.RemoteUnavailable):
        await fetch(here.session, ["one"])
    (order,) = await fetch(here.session, ["one"])
    assert order.id == "one"
