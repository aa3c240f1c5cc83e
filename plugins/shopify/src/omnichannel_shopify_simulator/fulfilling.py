"""Mutations of fulfillment orders and fulfillments (guide 2.10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omnichannel_shopify_simulator import order_acts, order_fields
from omnichannel_shopify_simulator.events import changed
from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.order_totals import settle
from omnichannel_shopify_simulator.requests import Request
from omnichannel_shopify_simulator.values import error, iso, number

Row = dict[str, Any]


class Wrong(Exception):
    """A `userErrors` entry: message, field, code."""

    def __init__(self, message: str, field: list[str] | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.entry = error(message, field, code)


def held(request: Request, value: str, kind: str = "FulfillmentOrder") -> tuple[Row, Row]:
    """Order and part, both kept for changing. Raises Wrong."""
    n = number(value) // 1000
    if order_fields.visible(request, f"/{n}") is None:
        raise Wrong(f"{kind} does not exist.", ["id"], "FULFILLMENT_ORDER_NOT_FOUND")
    row = request.store.orders.edit(n)
    found = next((one for one in order_fields.PARTS[kind](row) if one["id"] == value), None)
    if found is None:
        raise Wrong(f"{kind} does not exist.", ["id"], "FULFILLMENT_ORDER_NOT_FOUND")
    return row, found


def _actions(request: Request, one: Row) -> set[str]:
    return {each["action"] for each in order_fields.supported_actions(request, one, {})}


def units_of(one: Row, given: Iterable[Row] | None) -> list[tuple[Row, int]]:
    """Lines of a fulfillment order with how many of each; all that is left when none are given. Raises Wrong."""
    if not given:
        return [(line, line["remainingQuantity"]) for line in one["lineItems"] if line["remainingQuantity"]]
    found: list[tuple[Row, int]] = []
    for words in given:
        line = next((each for each in one["lineItems"] if each["id"] == words["id"]), None)
        if line is None:
            raise Wrong("Fulfillment order line item does not exist.", code="INVALID_LINE_ITEM_QUANTITY")
        if not 0 < words["quantity"] <= line["remainingQuantity"]:
            raise Wrong("Invalid fulfillment order line item quantity requested.", code="INVALID_LINE_ITEM_QUANTITY")
        found.append((line, words["quantity"]))
    return found


def _tracking(words: Row | None) -> list[Row]:
    words = words or {}
    numbers = words.get("numbers") or ([words["number"]] if words.get("number") else [])
    urls = words.get("urls") or ([words["url"]] if words.get("url") else [])
    rows = [
        {"company": words.get("company"), "number": one, "url": urls[n] if n < len(urls) else None}
        for n, one in enumerate(numbers)
    ]
    return rows or ([{"company": words.get("company"), "number": None, "url": urls[0]}] if urls else [])


@resolves("Mutation", "fulfillmentCreate")
def ship(request: Request, row: Row, args: Row) -> Row:
    words = args["fulfillment"]
    try:
        order, parts = _parts(request, words["lineItemsByFulfillmentOrder"])
    except Wrong as wrong:
        return {"fulfillment": None, "userErrors": [wrong.entry | {"field": ["fulfillment"]}]}
    mail = bool(words.get("notifyCustomer"))
    made = order_acts.fulfil(order, parts, _tracking(words.get("trackingInfo")), request.now, mail)
    if mail:
        request.store.mail("shipped", order["email"], f"Order {order['name']} is on its way")
    done = "ORDERS_FULFILLED" if order["displayFulfillmentStatus"] == "FULFILLED" else "ORDERS_PARTIALLY_FULFILLED"
    changed(request.store, order, request.now, done, part=made, part_topic="FULFILLMENTS_CREATE")
    return {"fulfillment": made, "userErrors": []}


def _parts(request: Request, given: list[Row]) -> tuple[Row, list[tuple[Row, list[tuple[Row, int]]]]]:
    """All of one order and one location, each ready to be shipped by this app. Raises Wrong."""
    if not given:
        raise Wrong("At least one fulfillment order is required.")
    found: list[tuple[Row, list[tuple[Row, int]]]] = []
    orders: dict[str, Row] = {}
    for words in given:
        order, one = held(request, words["fulfillmentOrderId"])
        orders[order["id"]] = order
        if "CREATE_FULFILLMENT" not in _actions(request, one):
            status = one["status"].lower().replace("_", " ")
            raise Wrong(f"Fulfillment order {number(one['id'])} has an unfulfillable status= {status}.")
        units = units_of(one, words.get("fulfillmentOrderLineItems"))
        if not units:
            raise Wrong(f"Fulfillment order {number(one['id'])} has nothing left to fulfill.")
        found.append((one, units))
    if len(orders) > 1:
        raise Wrong("All fulfillment orders must be of the same order.")
    if len({one["_location"] for one, _ in found}) > 1:
        raise Wrong("All fulfillment orders must be assigned to the same location.")
    return next(iter(orders.values())), found


@resolves("Mutation", "fulfillmentTrackingInfoUpdate")
def track(request: Request, row: Row, args: Row) -> Row:
    try:
        order, made = held(request, args["fulfillmentId"], "Fulfillment")
    except Wrong as wrong:
        return {"fulfillment": None, "userErrors": [wrong.entry]}
    if made["status"] == "CANCELLED":
        return {"fulfillment": None, "userErrors": [error("Fulfillment is cancelled.", ["fulfillmentId"])]}
    made["trackingInfo"], made["updatedAt"] = _tracking(args["trackingInfoInput"]), iso(request.now)
    if args.get("notifyCustomer"):
        request.store.mail("tracking", order["email"], f"Order {order['name']}: tracking changed")
    changed(request.store, order, request.now, part=made, part_topic="FULFILLMENTS_UPDATE")
    return {"fulfillment": made, "userErrors": []}


@resolves("Mutation", "fulfillmentCancel")
def cancel_fulfillment(request: Request, row: Row, args: Row) -> Row:
    try:
        order, made = held(request, args["id"], "Fulfillment")
    except Wrong as wrong:
        return {"fulfillment": None, "userErrors": [wrong.entry]}
    if made["status"] != "CANCELLED":
        order_acts.cancel_fulfillment(order, made, request.now)
        changed(request.store, order, request.now, part=made, part_topic="FULFILLMENTS_UPDATE")
    return {"fulfillment": made, "userErrors": []}


def _allowed(request: Request, value: str, action: str) -> tuple[Row, Row]:
    order, one = held(request, value)
    if action not in _actions(request, one):
        raise Wrong(f"The fulfillment order does not support {action}.", ["id"])
    return order, one


@resolves("Mutation", "fulfillmentOrderHold")
def hold(request: Request, row: Row, args: Row) -> Row:
    words = args["fulfillmentHold"]
    try:
        order, one = _allowed(request, args["id"], "HOLD")
        units = {line["id"]: n for line, n in units_of(one, words.get("fulfillmentOrderLineItems"))}
    except Wrong as wrong:
        return {"userErrors": [wrong.entry]}
    rest = None
    if words.get("fulfillmentOrderLineItems"):
        left = {line["id"]: line["remainingQuantity"] - units.get(line["id"], 0) for line in one["lineItems"]}
        rest = order_acts.take_out(order, one, left, one["_location"], request.now)
    made = order_acts.hold(order, one, words["reason"], words.get("reasonNotes") or "")
    changed(request.store, order, request.now)
    request.store.hooks.emit("FULFILLMENT_ORDERS_PLACED_ON_HOLD", {"fulfillment_order": {"id": one["id"]}})
    return {"fulfillmentOrder": one, "remainingFulfillmentOrder": rest, "fulfillmentHold": made, "userErrors": []}


@resolves("Mutation", "fulfillmentOrderReleaseHold")
def release(request: Request, row: Row, args: Row) -> Row:
    try:
        order, one = _allowed(request, args["id"], "RELEASE_HOLD")
    except Wrong as wrong:
        return {"fulfillmentOrder": None, "userErrors": [wrong.entry]}
    order_acts.release(order, one)
    changed(request.store, order, request.now)
    request.store.hooks.emit("FULFILLMENT_ORDERS_HOLD_RELEASED", {"fulfillment_order": {"id": one["id"]}})
    return {"fulfillmentOrder": one, "userErrors": []}


@resolves("Mutation", "fulfillmentOrderMove")
def move(request: Request, row: Row, args: Row) -> Row:
    place = number(args["newLocationId"])
    try:
        order, one = _allowed(request, args["id"], "MOVE")
        if place not in request.store.locations or not request.store.locations[place]["isActive"]:
            raise Wrong("The location does not exist or is not active.", ["newLocationId"])
        units = units_of(one, args.get("fulfillmentOrderLineItems"))
    except Wrong as wrong:
        return {"userErrors": [wrong.entry]}
    whole = not args.get("fulfillmentOrderLineItems") and one["status"] == "OPEN"
    made, rest = one, None
    if whole:
        one["_location"], one["updatedAt"] = place, iso(request.now)
    else:
        made = order_acts.take_out(order, one, {line["id"]: n for line, n in units}, place, request.now)
        rest = one if one["status"] != "CLOSED" else None
    changed(request.store, order, request.now)
    request.store.hooks.emit("FULFILLMENT_ORDERS_MOVED", {"fulfillment_order": {"id": made["id"]}})
    return {
        "movedFulfillmentOrder": made, "originalFulfillmentOrder": one, "remainingFulfillmentOrder": rest,
        "userErrors": [],
    }  # fmt: skip


@resolves("Mutation", "fulfillmentOrderSplit")
def split(request: Request, row: Row, args: Row) -> Row:
    done: list[Row] = []
    try:
        for words in args["fulfillmentOrderSplits"]:
            order, one = _allowed(request, words["fulfillmentOrderId"], "SPLIT")
            units = {line["id"]: n for line, n in units_of(one, words["fulfillmentOrderLineItems"])}
            rest = order_acts.take_out(order, one, units, one["_location"], request.now)
            settle(order)
            changed(request.store, order, request.now)
            request.store.hooks.emit("FULFILLMENT_ORDERS_SPLIT", {"fulfillment_order": {"id": one["id"]}})
            done.append({"fulfillmentOrder": one, "remainingFulfillmentOrder": rest})
    except Wrong as wrong:
        return {"fulfillmentOrderSplits": done or None, "userErrors": [wrong.entry]}
    return {"fulfillmentOrderSplits": done, "userErrors": []}
