"""Mutations of returns (guide 2.11)."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator import order_fields, returning
from omnichannel_shopify_simulator.events import changed
from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.fulfilling import Wrong
from omnichannel_shopify_simulator.order_totals import settle
from omnichannel_shopify_simulator.refunding import held as held_order
from omnichannel_shopify_simulator.requests import Request
from omnichannel_shopify_simulator.values import cents, number

Row = dict[str, Any]


def held(request: Request, value: str) -> tuple[Row, Row]:
    """Order and return, kept for changing. Raises Wrong."""
    if order_fields.find(request, value) is None:
        raise Wrong("Return does not exist.", ["id"], "NOT_FOUND")
    order = request.store.orders.edit(number(value) // 1000)
    return order, next(one for one in order["returns"] if one["id"] == value)


def _told(request: Request, order: Row, made: Row, topic: str) -> Row:
    settle(order)
    changed(request.store, order, request.now, part=made, part_topic=topic)
    return {"return": made, "userErrors": []}


def _refused(wrong: Wrong) -> Row:
    return {"return": None, "userErrors": [wrong.entry]}


@resolves("Mutation", "returnRequest")
def ask(request: Request, row: Row, args: Row) -> Row:
    words = args["input"]
    try:
        order = held_order(request, words["orderId"])
        items = _items(order, words["returnLineItems"])
    except Wrong as wrong:
        return _refused(wrong)
    reason_id = next((one.get("returnReasonDefinitionId") for one in words["returnLineItems"]), None)
    why = returning.REASONS[(number(reason_id) - 1) % len(returning.REASONS)] if reason_id else "unknown"
    fee = ((words.get("returnShippingFee") or {}).get("amount") or {}).get("amount")
    made = returning.begin(
        order, items, request.now, requested=True, why=why, shipping_fee=cents(fee) if fee else 0
    )  # fmt: skip
    for line, given in zip(made["returnLineItems"], words["returnLineItems"], strict=True):
        line["customerNote"] = given.get("customerNote")
    return _told(request, order, made, "RETURNS_REQUEST")


def _items(order: Row, given: list[Row]) -> list[tuple[Row, int]]:
    shipped = {
        item["id"]: item
        for one in order["fulfillments"]
        if one["status"] == "SUCCESS"
        for item in one["fulfillmentLineItems"]
    }
    found: list[tuple[Row, int]] = []
    for words in given:
        item = shipped.get(words["fulfillmentLineItemId"])
        if item is None:
            raise Wrong("Fulfillment line item does not exist.", ["returnLineItems"], "NOT_FOUND")
        if not 0 < words["quantity"] <= item["quantity"] - item["_returned"]:
            raise Wrong("Return line item has an invalid quantity.", ["returnLineItems"], "INVALID")
        found.append((item, words["quantity"]))
    return found


@resolves("Mutation", "returnApproveRequest")
def approve(request: Request, row: Row, args: Row) -> Row:
    try:
        order, made = held(request, args["input"]["id"])
        _must_be(made, "REQUESTED")
    except Wrong as wrong:
        return _refused(wrong)
    made["status"] = "OPEN"
    returning.expect(order, made)
    return _told(request, order, made, "RETURNS_APPROVE")


def _must_be(made: Row, *states: str) -> None:
    if made["status"] not in states:
        raise Wrong(f"Return is {made['status'].lower()}.", ["id"], "INVALID_STATE")


def _undo(made: Row) -> None:
    for line in made["returnLineItems"]:
        if "fulfillmentLineItem" in line:
            line["fulfillmentLineItem"]["_returned"] -= line["quantity"]


@resolves("Mutation", "returnDeclineRequest")
def decline(request: Request, row: Row, args: Row) -> Row:
    try:
        order, made = held(request, args["input"]["id"])
        _must_be(made, "REQUESTED")
    except Wrong as wrong:
        return _refused(wrong)
    made["status"] = "DECLINED"
    _undo(made)
    return _told(request, order, made, "RETURNS_DECLINE")


@resolves("Mutation", "returnCancel")
def cancel(request: Request, row: Row, args: Row) -> Row:
    try:
        order, made = held(request, args["id"])
        _must_be(made, "REQUESTED", "OPEN")
        if made["refunds"]:
            raise Wrong("A return with refunds cannot be canceled.", ["id"], "INVALID_STATE")
    except Wrong as wrong:
        return _refused(wrong)
    made["status"] = "CANCELED"
    _undo(made)
    return _told(request, order, made, "RETURNS_CANCEL")


@resolves("Mutation", "returnClose")
def close(request: Request, row: Row, args: Row) -> Row:
    try:
        order, made = held(request, args["id"])
        _must_be(made, "OPEN")
    except Wrong as wrong:
        return _refused(wrong)
    returning.close(order, made, request.now)
    return _told(request, order, made, "RETURNS_CLOSE")


@resolves("Mutation", "returnProcess")
def process(request: Request, row: Row, args: Row) -> Row:
    """Dispositions say where the goods are, the transfer gives the money back; each without the other."""
    words = args["input"]
    try:
        order, made = held(request, words["returnId"])
        _must_be(made, "OPEN")
        chosen = _chosen(made, words.get("returnLineItems") or ())
    except Wrong as wrong:
        return _refused(wrong)
    for line, given in chosen:
        for one in given.get("dispositions") or ():
            place = number(one["locationId"]) if one.get("locationId") else None
            returning.dispose(order, made, line, one["quantity"], one["dispositionType"], place)
    if (words.get("financialTransfer") or {}).get("issueRefund"):
        returning.pay_back(order, made, request.now, {line["id"]: given["quantity"] for line, given in chosen})
    return _told(request, order, made, "RETURNS_PROCESS")


def _chosen(made: Row, given: Any) -> list[tuple[Row, Row]]:
    found: list[tuple[Row, Row]] = []
    for words in given:
        line = next((one for one in made["returnLineItems"] if one["id"] == words["id"]), None)
        if line is None:
            raise Wrong("Return line item does not exist.", ["returnLineItems"], "NOT_FOUND")
        if not 0 < words["quantity"] <= line["quantity"]:
            raise Wrong("Return line item has an invalid quantity.", ["returnLineItems"], "INVALID")
        found.append((line, words))
    return found
