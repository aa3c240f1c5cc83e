"""What happens to an order: fulfilled, refunded, cancelled, held, moved, split. Pure on its row; no events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omnichannel_shopify_simulator import order_totals
from omnichannel_shopify_simulator.order_making import pay
from omnichannel_shopify_simulator.order_totals import part_id, worth
from omnichannel_shopify_simulator.values import gid, iso, money

Row = dict[str, Any]
OPEN = frozenset({"OPEN", "IN_PROGRESS", "SCHEDULED", "ON_HOLD"})


def fulfillment_orders(row: Row) -> list[Row]:
    """The fulfillment orders, made when they are first asked for: one by location."""
    if "fulfillmentOrders" not in row:
        lines = [line for line in row["lineItems"] if line["requiresShipping"] and line["currentQuantity"]]
        row["fulfillmentOrders"] = []
        split = len(lines) // 2 if row["_second"] and len(lines) > 1 else len(lines)
        for place, part in ((row["_location"], lines[:split]), (row["_second"], lines[split:])):
            if part:
                _add(row, place, [(line, line["unfulfilledQuantity"]) for line in part], row["createdAt"])
        for one in row["fulfillmentOrders"]:
            if row["_hold"]:
                hold(row, one, row["_hold"], "")
            elif row["_scheduled"]:
                one["status"] = "SCHEDULED"
            if row["cancelledAt"]:
                one["status"] = "CANCELLED"
    found: list[Row] = row["fulfillmentOrders"]
    return found


def _add(row: Row, location: int, units: Iterable[tuple[Row, int]], at: str) -> Row:
    n = len(row["fulfillmentOrders"]) + 1
    made: Row = {
        "id": gid("FulfillmentOrder", row["_number"] * 1000 + n), "status": "OPEN", "requestStatus": "UNSUBMITTED",
        "orderId": row["id"], "fulfillAt": at, "createdAt": at, "updatedAt": at, "fulfillmentHolds": [],
        "_location": location,
    }  # fmt: skip
    made["lineItems"] = [
        {
            "id": gid("FulfillmentOrderLineItem", row["_number"] * 1000 + n * 100 + k),
            "_line": line["id"], "lineItem": line,
            "totalQuantity": quantity, "remainingQuantity": quantity,
        }
        for k, (line, quantity) in enumerate(units, 1)
    ]  # fmt: skip
    row["fulfillmentOrders"].append(made)
    return made


def fulfil(
    row: Row, parts: Iterable[tuple[Row, Iterable[tuple[Row, int]]]], tracking: list[Row], at: float, mail: bool = False
) -> Row:
    """Ships units of lines of fulfillment orders; one fulfillment."""
    made: Row = {
        "id": part_id(row, "Fulfillment"), "status": "SUCCESS", "displayStatus": "FULFILLED", "createdAt": iso(at),
        "updatedAt": iso(at), "trackingInfo": tracking, "fulfillmentLineItems": [],
        "_order": row["_number"], "_mail": mail,
    }  # fmt: skip
    for one, units in parts:
        made["_location"] = one["_location"]
        for line, quantity in units:
            line["remainingQuantity"] -= quantity
            line["lineItem"]["_fulfilled"] += quantity
            made["fulfillmentLineItems"].append(
                {
                    "id": part_id(row, "FulfillmentLineItem"), "quantity": quantity, "lineItem": line["lineItem"],
                    "_returned": 0, "_source": line,
                }
            )  # fmt: skip
        one["updatedAt"] = iso(at)
        left = sum(line["remainingQuantity"] for line in one["lineItems"])
        one["status"] = "IN_PROGRESS" if left else "CLOSED"
    row["fulfillments"].append(made)
    order_totals.settle(row)
    return made


def fulfil_all(row: Row, at: float, tracking: list[Row] | None = None, *, units: int | None = None) -> Row | None:
    """Ships all that is left (or `units` of the first line with some), of open fulfillment orders."""
    parts: list[tuple[Row, list[tuple[Row, int]]]] = []
    left = units
    for one in fulfillment_orders(row):
        if one["status"] not in {"OPEN", "IN_PROGRESS"}:
            continue
        some: list[tuple[Row, int]] = []
        for line in one["lineItems"]:
            take = line["remainingQuantity"] if left is None else min(left, line["remainingQuantity"])
            if take:
                some.append((line, take))
                left = None if left is None else left - take
        if some:
            parts.append((one, some))
    return fulfil(row, parts, tracking or [], at) if parts else None


def cancel_fulfillment(row: Row, made: Row, at: float) -> None:
    """The units can be shipped again."""
    made["status"], made["displayStatus"], made["updatedAt"] = "CANCELLED", "CANCELED", iso(at)
    for each in made["fulfillmentLineItems"]:
        each["lineItem"]["_fulfilled"] -= each["quantity"]
        each["_source"]["remainingQuantity"] += each["quantity"]
    for one in fulfillment_orders(row):
        if one["status"] == "CLOSED" and any(line["remainingQuantity"] for line in one["lineItems"]):
            one["status"] = "OPEN"
    order_totals.settle(row)


def hold(row: Row, one: Row, reason: str, notes: str) -> Row:
    """Puts a fulfillment order on hold."""
    made = {
        "id": part_id(row, "FulfillmentHold"), "reason": reason, "reasonNotes": notes or None,
        "displayReason": reason.replace("_", " ").capitalize(),
    }  # fmt: skip
    one["fulfillmentHolds"].append(made)
    one["status"] = "ON_HOLD"
    order_totals.settle(row)
    return made


def release(row: Row, one: Row) -> None:
    one["fulfillmentHolds"].clear()
    row["_hold"] = ""
    one["status"] = "OPEN"
    order_totals.settle(row)


def take_out(row: Row, one: Row, units: dict[str, int], location: int, at: float) -> Row:
    """Units of a fulfillment order become another one; the first is closed when nothing is left in it."""
    moved: list[tuple[Row, int]] = []
    for line in one["lineItems"]:
        quantity = min(units.get(line["id"], 0), line["remainingQuantity"])
        if quantity:
            moved.append((line["lineItem"], quantity))
            line["remainingQuantity"] -= quantity
            line["totalQuantity"] -= quantity
    one["lineItems"] = [line for line in one["lineItems"] if line["totalQuantity"]]
    made = _add(row, location, moved, iso(at))
    if not any(line["remainingQuantity"] for line in one["lineItems"]):
        one["status"] = "CLOSED"
    one["updatedAt"] = iso(at)
    order_totals.settle(row)
    return made


def merge(row: Row, ones: list[Row], at: float) -> Row:
    """Fulfillment orders of one location become the first of them."""
    first = ones[0]
    for other in ones[1:]:
        for line in other["lineItems"]:
            if not line["remainingQuantity"]:
                continue
            same = next((each for each in first["lineItems"] if each["lineItem"] is line["lineItem"]), None)
            if same is None:
                first["lineItems"].append(dict(line))
            else:
                same["totalQuantity"] += line["remainingQuantity"]
                same["remainingQuantity"] += line["remainingQuantity"]
            line["totalQuantity"] -= line["remainingQuantity"]
            line["remainingQuantity"] = 0
        other["status"], other["updatedAt"] = "CLOSED", iso(at)
    first["updatedAt"] = iso(at)
    return first


def refund(
    row: Row, lines: Iterable[tuple[Row, int, str, int | None]], at: float, *, shipping: int = 0, duties: int = 0,
    amount: int | None = None, note: str = "", of_return: str = "", gateway: str = "", other: int = 0,
) -> Row:  # fmt: skip
    """Gives money back: lines as (line, units, restock type, location); `amount` overrides what they come to."""
    made: Row = {
        "id": part_id(row, "Refund"), "createdAt": iso(at), "updatedAt": iso(at), "note": note or None,
        "return": {"id": of_return} if of_return else None, "_order": row["_number"], "duties": [],
        "refundLineItems": [], "refundShippingLines": [], "orderAdjustments": [], "transactions": [],
    }  # fmt: skip
    total, goods = shipping + duties + other, 0
    for line, units, restock, location in lines:
        subtotal = worth(line, units)
        tax = round(line["_tax"] * units / max(1, line["quantity"]))
        line["_refunded"] += units
        line["_removed"] = min(line["quantity"], line["_removed"] + units)
        if restock == "CANCEL":
            take_away(row, line, units, at)
        goods += subtotal + (0 if row["taxesIncluded"] else tax)
        made["refundLineItems"].append(
            {
                "id": part_id(row, "RefundLineItem"), "quantity": units, "restockType": restock,
                "restocked": restock != "NO_RESTOCK",
                "location": {"id": gid("Location", location)} if location else None, "lineItem": line,
                "subtotalSet": money(row, subtotal), "totalTaxSet": money(row, tax),
            }
        )  # fmt: skip
    total += goods
    if shipping:
        made["refundShippingLines"].append(
            {
                "id": part_id(row, "RefundShippingLine"), "subtotalAmountSet": money(row, shipping),
                "taxAmountSet": money(row, 0),
            }
        )  # fmt: skip
    if duties:
        made["duties"].append({"amountSet": money(row, duties)})
    given = total if amount is None else amount
    made["_other"], made["_duties"] = max(0, given - goods), duties
    _give(row, made, given, total, at, gateway)
    row["refunds"].append(made)
    order_totals.settle(row)
    return made


def take_away(row: Row, line: Row, units: int, at: float) -> None:
    """Units of a line that are not shipped are not to be shipped any more."""
    for one in reversed(fulfillment_orders(row)):
        for each in one["lineItems"] if one["status"] in OPEN else ():
            less = min(units, each["remainingQuantity"]) if each["_line"] == line["id"] else 0
            each["remainingQuantity"] -= less
            each["totalQuantity"] -= less
            units -= less
        if one["status"] in OPEN and not any(each["remainingQuantity"] for each in one["lineItems"]):
            one["status"], one["updatedAt"] = "CLOSED", iso(at)


def _give(row: Row, made: Row, amount: int, total: int, at: float, gateway: str) -> None:
    """The transaction, and an adjustment where more or less is given than the lines come to."""
    if amount != total:
        made["orderAdjustments"].append(
            {
                "id": part_id(row, "OrderAdjustment"), "reason": "REFUND_DISCREPANCY",
                "amountSet": money(row, total - amount), "taxAmountSet": money(row, 0),
            }
        )  # fmt: skip
    parent = next((one for one in row["transactions"] if one["kind"] in {"SALE", "CAPTURE"}), None)
    if amount > 0 and parent is not None:
        said = pay(row, "REFUND", "SUCCESS", amount, at, gateway or parent["gateway"], parent)
        made["transactions"].append(said)
    made["totalRefundedSet"] = money(row, amount if parent is not None else 0)


def cancel(row: Row, reason: str, at: float, *, restock: bool, give_back: bool) -> None:
    """Cancels what is not shipped; paid money goes back when asked."""
    for one in fulfillment_orders(row):
        if one["status"] in OPEN:
            one["status"], one["updatedAt"] = "CANCELLED", iso(at)
            for line in one["lineItems"]:
                line["remainingQuantity"] = 0
    lines = [
        (
            line,
            line["unfulfilledQuantity"],
            "CANCEL" if restock else "NO_RESTOCK",
            row["_location"] if restock else None,
        )
        for line in row["lineItems"]
        if line["unfulfilledQuantity"]
    ]
    row["cancelledAt"] = iso(at)
    row["cancelReason"] = reason
    if give_back and row["_received"]:
        whole = row["_received"] - row["_refunded_total"]
        refund(row, lines, at, amount=whole, shipping=row["_shipping"])
    elif row["capturable"]:
        parent = next(one for one in row["transactions"] if one["kind"] == "AUTHORIZATION")
        pay(row, "VOID", "SUCCESS", parent["_cents"], at, parent["gateway"], parent)
    order_totals.settle(row)


def close(row: Row, at: float | None) -> None:
    """Archives the order, or brings it back with None."""
    row["closedAt"] = iso(at) if at is not None else None
    row["closed"] = at is not None
