"""Fulfillment orders, shipments and returns."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio
Api = Any
LOOK = """query O($id: ID!) { order(id: $id) { displayFulfillmentStatus returnStatus updatedAt
  lineItems(first: 10) { nodes { id unfulfilledQuantity refundableQuantity } }
  fulfillments(first: 10) { id status trackingInfo(first: 5) { company number url }
    fulfillmentLineItems(first: 10) { nodes { id quantity } } }
  refunds(first: 10) { id return { id } refundLineItems(first: 5) { nodes { restockType } } }
  returns(first: 10) { nodes { ...R } }
  fulfillmentOrders(first: 10) { nodes { id status supportedActions { action } assignedLocation { name }
    fulfillmentHolds { id reason reasonNotes }
    lineItems(first: 10) { nodes { id totalQuantity remainingQuantity } } } } } }
fragment R on Return { id name status totalQuantity closedAt returnShippingFees { amountSet { shopMoney { amount } } }
  returnLineItems(first: 5) { nodes { __typename id quantity refundableQuantity refundedQuantity returnReasonNote
    returnReasonDefinition { handle } ... on ReturnLineItem { fulfillmentLineItem { lineItem { id } } } } }
  reverseFulfillmentOrders(first: 5) { nodes { status lineItems(first: 5) { nodes { id totalQuantity
    dispositions { type quantity location { id } } } } } } }"""
SHIP = """mutation S($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { id status } userErrors { field message } } }"""


async def look(api: Api, order: str) -> Any:
    return (await api.data(LOOK, id=order))["order"]


async def ship(api: Api, *works: Any, **words: Any) -> Any:
    parts = [
        one if isinstance(one, dict) and "fulfillmentOrderId" in one else {"fulfillmentOrderId": one["id"]}
        for one in works
    ]
    return (await api.data(SHIP, f={"lineItemsByFulfillmentOrder": parts, **words}))["fulfillmentCreate"]


async def works_of(api: Api, order: str) -> Any:
    return (await look(api, order))["fulfillmentOrders"]["nodes"]


async def test_shipping_all_with_tracking(api: Api) -> None:
    """Without lines all that is left is shipped; tracking and mail are as told, and the order is fulfilled."""
    order = await api.order()
    (work,) = await works_of(api, order)
    info = {"company": "UPS", "numbers": ["1Z1", "1Z2"], "urls": ["https://t.example/1"]}
    made = await ship(api, work, trackingInfo=info, notifyCustomer=True)
    assert made["userErrors"] == []
    said = await look(api, order)
    assert said["displayFulfillmentStatus"] == "FULFILLED"
    assert [one["number"] for one in said["fulfillments"][0]["trackingInfo"]] == ["1Z1", "1Z2"]
    assert said["fulfillmentOrders"]["nodes"][0]["status"] == "CLOSED"
    assert [one["kind"] for one in (await api.control("GET", "/stores/demo/mails"))["mails"]] == ["shipped"]
    again = await ship(api, work)
    assert "unfulfillable status= closed" in again["userErrors"][0]["message"]


async def test_shipping_in_parts(api: Api) -> None:
    """Units of lines are shipped one after the other; more than is left is refused."""
    order = await api.order(lines=[{"quantity": 3}])
    (work,) = await works_of(api, order)
    line = work["lineItems"]["nodes"][0]["id"]
    part = {"fulfillmentOrderId": work["id"], "fulfillmentOrderLineItems": [{"id": line, "quantity": 2}]}
    assert (await ship(api, part))["userErrors"] == []
    said = await look(api, order)
    assert said["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    assert said["fulfillmentOrders"]["nodes"][0]["status"] == "IN_PROGRESS"
    assert said["lineItems"]["nodes"][0]["unfulfilledQuantity"] == 1
    assert "quantity" in (await ship(api, part))["userErrors"][0]["message"]


async def test_two_locations_need_two_shipments(api: Api) -> None:
    """Fulfillment orders of two locations, or of two orders, cannot be shipped together."""
    order = await api.order(lines=[{}, {}], second=2)
    first, second = await works_of(api, order)
    assert "same location" in (await ship(api, first, second))["userErrors"][0]["message"]
    other = (await works_of(api, await api.order()))[0]
    assert "same order" in (await ship(api, first, other))["userErrors"][0]["message"]
    assert (await ship(api, first))["userErrors"] == []
    assert (await ship(api, second))["userErrors"] == []


async def test_s19_moved_to_somebody_elses_service(api: Api) -> None:
    """S19: what was moved to a foreign fulfillment service cannot be shipped by us, and says so in its actions."""
    order = await api.order()
    await api.act(order, "move", location=3)
    (work,) = await works_of(api, order)
    assert work["assignedLocation"]["name"] == "Parcel Partner"
    assert "CREATE_FULFILLMENT" not in {one["action"] for one in work["supportedActions"]}
    assert (await ship(api, work))["userErrors"]


async def test_s19_held_split_merged_and_scheduled(api: Api) -> None:
    """S19: held and scheduled ones cannot be shipped; split ones are two, merged ones are one again."""
    order = await api.order(lines=[{"quantity": 2}])
    await api.act(order, "hold", reason="AWAITING_PAYMENT", notes="wait")
    (work,) = await works_of(api, order)
    assert work["fulfillmentHolds"][0]["reason"] == "AWAITING_PAYMENT"
    assert (await look(api, order))["displayFulfillmentStatus"] == "ON_HOLD"
    assert "on hold" in (await ship(api, work))["userErrors"][0]["message"]
    await api.act(order, "hold", release=True)
    await api.act(order, "split", units=1)
    assert [one["lineItems"]["nodes"][0]["totalQuantity"] for one in await works_of(api, order)] == [1, 1]
    await api.act(order, "merge")
    first, second = await works_of(api, order)
    assert (first["lineItems"]["nodes"][0]["remainingQuantity"], second["status"]) == (2, "CLOSED")
    await api.act(order, "schedule")
    assert (await look(api, order))["displayFulfillmentStatus"] == "SCHEDULED"
    assert (await ship(api, first))["userErrors"]


async def test_the_same_by_mutations(api: Api) -> None:
    """An app can hold, release, split and move fulfillment orders itself."""
    order = await api.order(lines=[{"quantity": 3}])
    (work,) = await works_of(api, order)
    hold = "mutation H($id: ID!) { fulfillmentOrderHold(id: $id, fulfillmentHold: {reason: OTHER}) {"
    hold += " fulfillmentOrder { status } userErrors { code } } }"
    assert (await api.data(hold, id=work["id"]))["fulfillmentOrderHold"]["fulfillmentOrder"]["status"] == "ON_HOLD"
    free = "mutation F($id: ID!) { fulfillmentOrderReleaseHold(id: $id) { fulfillmentOrder { status } } }"
    assert (await api.data(free, id=work["id"]))["fulfillmentOrderReleaseHold"]["fulfillmentOrder"]["status"] == "OPEN"
    line = work["lineItems"]["nodes"][0]["id"]
    split = "mutation S($s: [FulfillmentOrderSplitInput!]!) { fulfillmentOrderSplit(fulfillmentOrderSplits: $s) {"
    split += " fulfillmentOrderSplits { remainingFulfillmentOrder { id } } userErrors { code } } }"
    words = [{"fulfillmentOrderId": work["id"], "fulfillmentOrderLineItems": [{"id": line, "quantity": 1}]}]
    assert (await api.data(split, s=words))["fulfillmentOrderSplit"]["userErrors"] == []
    move = 'mutation M($id: ID!) { fulfillmentOrderMove(id: $id, newLocationId: "gid://shopify/Location/2") {'
    move += " movedFulfillmentOrder { assignedLocation { name } } userErrors { code } } }"
    moved = (await api.data(move, id=work["id"]))["fulfillmentOrderMove"]["movedFulfillmentOrder"]
    assert moved["assignedLocation"]["name"] == "Store Milwaukee"


async def test_a_cancelled_fulfillment_can_be_shipped_again(api: Api) -> None:
    """Cancelling a fulfillment opens its fulfillment order again."""
    order = await api.order()
    made = await ship(api, (await works_of(api, order))[0])
    text = "mutation C($id: ID!) { fulfillmentCancel(id: $id) { fulfillment { status } userErrors { message } } }"
    assert (await api.data(text, id=made["fulfillment"]["id"]))["fulfillmentCancel"]["fulfillment"][
        "status"
    ] == "CANCELLED"
    assert (await look(api, order))["displayFulfillmentStatus"] == "UNFULFILLED"
    assert (await ship(api, (await works_of(api, order))[0]))["userErrors"] == []


async def test_s22_a_return_from_request_to_close(api: Api) -> None:
    """S22: where goods are is told by dispositions, where money is by refunds; neither restocks by itself."""
    order = await api.order(lines=[{"quantity": 2}])
    await api.act(order, "ship")
    item = (await look(api, order))["fulfillments"][0]["fulfillmentLineItems"]["nodes"][0]["id"]
    ask = (
        "mutation A($i: ReturnRequestInput!) { returnRequest(input: $i) { return { id status } userErrors { code } } }"
    )
    words = {
        "orderId": order,
        "returnLineItems": [{"fulfillmentLineItemId": item, "quantity": 1, "customerNote": "torn"}],
    }
    made = (await api.data(ask, i=words))["returnRequest"]["return"]
    assert made["status"] == "REQUESTED"
    assert (await look(api, order))["returnStatus"] == "RETURN_REQUESTED"
    approve = "mutation P($i: ReturnApproveRequestInput!) { returnApproveRequest(input: $i) { return { status } } }"
    assert (await api.data(approve, i={"id": made["id"]}))["returnApproveRequest"]["return"]["status"] == "OPEN"
    said = await look(api, order)
    assert said["returnStatus"] == "IN_PROGRESS"
    (found,) = said["returns"]["nodes"]
    (line,) = found["returnLineItems"]["nodes"]
    (back,) = found["reverseFulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"]
    disposition = {"quantity": 1, "dispositionType": "RESTOCKED", "locationId": "gid://shopify/Location/2"}
    disposition["reverseFulfillmentOrderLineItemId"] = back["id"]
    process = "mutation G($i: ReturnProcessInput!) { returnProcess(input: $i) { return { id } userErrors { code } } }"
    lines = [{"id": line["id"], "quantity": 1, "dispositions": [disposition]}]
    transfer = {"issueRefund": {"orderTransactions": []}}
    given = {"returnId": made["id"], "returnLineItems": lines, "financialTransfer": transfer}
    assert (await api.data(process, i=given))["returnProcess"]["userErrors"] == []
    said = await look(api, order)
    assert said["returnStatus"] == "INSPECTION_COMPLETE"
    (found,) = said["returns"]["nodes"]
    (back,) = found["reverseFulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"]
    assert back["dispositions"] == [
        {"type": "RESTOCKED", "quantity": 1, "location": {"id": "gid://shopify/Location/2"}}
    ]
    assert said["refunds"][0]["return"] == {"id": made["id"]}
    assert said["refunds"][0]["refundLineItems"]["nodes"] == [{"restockType": "NO_RESTOCK"}]
    close = "mutation C($id: ID!) { returnClose(id: $id) { return { status } userErrors { code } } }"
    assert (await api.data(close, id=made["id"]))["returnClose"]["return"]["status"] == "CLOSED"
    assert (await look(api, order))["returnStatus"] == "RETURNED"


async def test_returns_by_the_merchant(api: Api) -> None:
    """A test makes returns with fees, things of no line, missing goods, and closes or declines them."""
    order = await api.order(lines=[{"quantity": 2}])
    await api.act(order, "ship")
    await api.act(order, "return", shipping_fee="4.00", unverified=1, reason="defective", note="loud")
    await api.act(order, "return/0", dispose={"type": "MISSING"})
    said = (await look(api, order))["returns"]["nodes"][0]
    kinds = [one["__typename"] for one in said["returnLineItems"]["nodes"]]
    assert kinds == ["ReturnLineItem", "UnverifiedReturnLineItem"]
    assert said["totalQuantity"] == 2
    assert said["returnLineItems"]["nodes"][0]["returnReasonDefinition"] == {"handle": "defective"}
    assert said["returnShippingFees"][0]["amountSet"]["shopMoney"]["amount"] == "4.0"
    await api.act(order, "return/0", refund=True, close=True)
    await api.act(order, "return/0", reopen=True)
    assert (await look(api, order))["returns"]["nodes"][0]["status"] == "OPEN"
    await api.act(order, "return", requested=True)
    await api.act(order, "return/1", decline=True)
    assert (await look(api, order))["returns"]["nodes"][1]["status"] == "DECLINED"


async def test_s11_what_happens_to_an_order_moves_its_date(api: Api) -> None:
    """S11: shipping, refunding, returning and cancelling each move `updatedAt`."""
    order, seen = await api.order(lines=[{"quantity": 3}]), []
    for what, words in (
        ("ship", {"units": 1}), ("refund", {"amount": "1.00"}), ("return", {}), ("edit", {}), ("close", {}),
    ):  # fmt: skip
        await api.control("POST", "/clock", {"advance": 60})
        await api.act(order, what, **words)
        seen.append((await look(api, order))["updatedAt"])
    assert sorted(set(seen)) == seen


async def test_what_is_taken_away_is_not_to_be_shipped(api: Api) -> None:
    """Units that an edit removes or a refund cancels leave the fulfillment orders; one without any is closed."""
    order = await api.order(lines=[{"quantity": 3, "price": "10.00"}, {"quantity": 1, "price": "5.00"}])
    await api.act(order, "edit", remove=1)
    first, second = (line["id"] for line in (await shown(api, order))["lineItems"])
    await api.act(order, "refund", lines=[{"line": 0, "quantity": 1, "restock": "CANCEL", "location": 1}])
    rows = (await shown(api, order))["fulfillmentOrders"][0]["lineItems"]
    assert {row["lineItem"]["id"]: row["remainingQuantity"] for row in rows} == {first: 1, second: 1}
    await api.act(
        order, "refund", lines=[{"line": n, "quantity": 1, "restock": "CANCEL", "location": 1} for n in (0, 1)]
    )
    (one,) = (await shown(api, order))["fulfillmentOrders"]
    assert (one["status"], [row["remainingQuantity"] for row in one["lineItems"]]) == ("CLOSED", [0, 0])


async def shown(api: Api, order: str) -> Any:
    """All of an order."""
    return await api.control("GET", f"/stores/demo/orders/{order.rsplit('/', 1)[-1]}")
