"""Cancellations, refunds and their suggestion (guide 2.9, 2.11)."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator import order_acts
from omnichannel_shopify_simulator.events import changed
from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.fulfilling import Wrong
from omnichannel_shopify_simulator.idempotency import once
from omnichannel_shopify_simulator.order_fields import visible
from omnichannel_shopify_simulator.order_totals import worth
from omnichannel_shopify_simulator.requests import Problem, Request
from omnichannel_shopify_simulator.values import cents, error, gid, money, number

Row = dict[str, Any]
Line = tuple[Row, int, str, int | None]


def held(request: Request, value: str, field: str = "orderId") -> Row:
    """The order, kept for changing. Raises Wrong."""
    if visible(request, value) is None:
        raise Wrong("Order does not exist", [field], "NOT_FOUND")
    return request.store.orders.edit(number(value))


@resolves("Mutation", "orderCancel")
def cancel(request: Request, row: Row, args: Row) -> Row:
    """A job; the order is cancelled when it is done (at once where the shop takes no time for it)."""
    store = request.store
    try:
        order = held(request, args["orderId"])
        if order["cancelledAt"]:
            raise Wrong("Order has already been cancelled", ["orderId"], "INVALID")
        if any(one["status"] == "SUCCESS" for one in order["fulfillments"]):
            raise Wrong("Cannot cancel an order with fulfilled items", ["orderId"], "INVALID")
    except Wrong as wrong:
        return {"job": None, "orderCancelUserErrors": [wrong.entry], "userErrors": [wrong.entry]}
    job = f"{store.random.getrandbits(64):016x}"
    due = store.catalog.jobs[job] = request.now + store.options.cancel_seconds
    method = args.get("refundMethod") or {}
    store.later.append((due, number(args["orderId"]), args, bool(method.get("originalPaymentMethodsRefund"))))
    settle_jobs(request)
    done = {"id": gid("Job", job), "done": due <= request.now}
    return {"job": done, "orderCancelUserErrors": [], "userErrors": []}


def settle_jobs(request: Request) -> None:
    """Cancellations whose time has come."""
    store = request.store
    for one in [each for each in store.later if each[0] <= request.now]:
        store.later.remove(one)
        due, n, args, give_back = one
        order = store.orders.edit(n)
        order_acts.cancel(order, args["reason"], due, restock=args["restock"], give_back=give_back)
        if args.get("notifyCustomer"):
            store.mail("cancelled", order["email"], f"Order {order['name']} was cancelled")
        changed(store, order, max(due, request.now), "ORDERS_CANCELLED")


@resolves("Mutation", "orderClose")
def close(request: Request, row: Row, args: Row) -> Row:
    try:
        order = held(request, args["input"]["id"], "id")
    except Wrong as wrong:
        return {"order": None, "userErrors": [wrong.entry]}
    order_acts.close(order, request.now)
    changed(request.store, order, request.now)
    return {"order": order, "userErrors": []}


def chosen_lines(order: Row, given: list[Row] | None, *, over: bool = False) -> list[Line]:
    """Lines, units, restock type and location of a refund. Raises Wrong."""
    found: list[Line] = []
    for words in given or ():
        line = next((each for each in order["lineItems"] if each["id"] == words["lineItemId"]), None)
        if line is None:
            raise Wrong("Line item does not exist", ["refundLineItems"])
        if not 0 < words["quantity"] <= line["refundableQuantity"] and not over:
            raise Wrong("Refund line items cannot refund more items than were purchased", ["refundLineItems"])
        kind = words.get("restockType") or "NO_RESTOCK"
        place = number(words["locationId"]) if words.get("locationId") else None
        if kind in {"RETURN", "CANCEL"} and place is None:
            raise Wrong("A location is required to restock", ["refundLineItems", "0", "locationId"])
        found.append((line, words["quantity"], kind, place))
    return found


def lines_worth(order: Row, lines: list[Line]) -> int:
    total = 0
    for line, units, _, _ in lines:
        tax = round(line["_tax"] * units / max(1, line["quantity"]))
        total += worth(line, units) + (0 if order["taxesIncluded"] else tax)
    return total


@resolves("Order", "suggestedRefund")
def suggested(request: Request, row: Row, args: Row) -> Row:
    """What lines and shipping come to, and the transactions that would give it back; never more than was received."""
    full = bool(args.get("suggestFullRefund"))
    try:
        lines = chosen_lines(row, args.get("refundLineItems"), over=True)
    except Wrong as wrong:
        raise Problem(wrong.entry["message"], "BAD_REQUEST") from wrong
    total = lines_worth(row, lines)
    shipping = row["_shipping"] - sum(each.get("_shipping", 0) for each in row["refunds"])
    if args.get("shippingAmount"):
        total += cents(args["shippingAmount"])
    elif args.get("refundShipping"):
        total += shipping
    left = row["_received"] - row["_refunded_total"]
    total = left if full else min(total, left)
    return {"amountSet": money(row, total), "suggestedTransactions": _suggestions(row, total)}


def _suggestions(row: Row, total: int) -> list[Row]:
    found: list[Row] = []
    for one in row["transactions"]:
        if one["kind"] in {"SALE", "CAPTURE"} and total > 0:
            part = min(total, one["_cents"])
            total -= part
            found.append(
                {
                    "kind": "SUGGESTED_REFUND",
                    "gateway": one["gateway"],
                    "amountSet": money(row, part),
                    "parentTransaction": one,
                }
            )
    return found


@resolves("Mutation", "refundCreate")
def refund(request: Request, row: Row, args: Row) -> Row:
    return once(request, "refundCreate", args, lambda: _refund(request, args["input"]))


def _refund(request: Request, words: Row) -> Row:
    try:
        order = held(request, words["orderId"])
        lines = chosen_lines(order, words.get("refundLineItems"))
        amount = _amount(order, words)
        duties = _duties(order, words.get("refundDuties") or [])
        if words.get("refundMethods"):
            raise Wrong("Store credit is not enabled in this shop", ["refundMethods"])
    except (Wrong, ValueError) as wrong:
        entry = wrong.entry if isinstance(wrong, Wrong) else error(str(wrong))
        return {"refund": None, "order": None, "userErrors": [entry]}
    shipping = _shipping(order, words.get("shipping") or {})
    made = order_acts.refund(
        order, lines, request.now, amount=amount, shipping=shipping, duties=duties, note=words.get("note") or "",
        other=amount if not lines and not shipping and not duties else 0,
    )  # fmt: skip
    made["_shipping"] = shipping
    if words.get("notify"):
        request.store.mail("refunded", order["email"], f"Refund of order {order['name']}")
    changed(request.store, order, request.now, part=made, part_topic="REFUNDS_CREATE")
    return {"refund": made, "order": order, "userErrors": []}


def _amount(order: Row, words: Row) -> int:
    """What the transactions give back, in cents of the shop's currency. Raises Wrong."""
    other = order["presentmentCurrencyCode"]
    if other != order["currencyCode"] and words.get("currency") != other:
        raise Wrong(f"Currency must be {other}, the one the order was paid in", ["currency"])
    total = 0
    for one in words.get("transactions") or ():
        if one["kind"] != "REFUND":
            raise Wrong("Transactions of a refund must be refunds", ["transactions"])
        if not one.get("parentId"):
            raise Wrong("A refund needs the transaction that it gives back", ["transactions", "0", "parentId"])
        total += round(cents(one["amount"]) / order["_rate"])
    left = order["_received"] - order["_refunded_total"]
    if total > left + 1 and not words.get("allowOverRefunding"):
        raise Wrong("Refund amount is more than what is left to refund", ["transactions"])
    return min(total, left) if total <= left + 1 else total


def _duties(order: Row, given: list[Row]) -> int:
    """What duties come back to, in cents. Raises Wrong."""
    worths = {duty["id"]: line["_duty"] for line in order["lineItems"] for duty in line["duties"]}
    if any(one["dutyId"] not in worths for one in given):
        raise Wrong("Duty does not exist", ["refundDuties"])
    return sum(worths[one["dutyId"]] for one in given)


def _shipping(order: Row, words: Row) -> int:
    if words.get("fullRefund"):
        return int(order["_shipping"])
    return cents(words["amount"]) if words.get("amount") else 0
