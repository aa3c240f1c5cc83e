"""Control of orders: what the merchant and the shoppers do."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator import order_acts, order_totals, returning
from omnichannel_shopify_simulator.answers import Answer, Call, Refused, reply
from omnichannel_shopify_simulator.events import changed
from omnichannel_shopify_simulator.order_making import Plan, pay
from omnichannel_shopify_simulator.routing import Routes
from omnichannel_shopify_simulator.values import cents, iso, moment

Row = dict[str, Any]
routes = Routes()
ROOT = "/_control/stores/{shop:w}/orders"


def _order(call: Call) -> Row:
    try:
        return call.store.orders.edit(call.id())
    except KeyError as error:
        raise Refused(404, f"there is no order {call.id()}") from error


def _shown(value: Any) -> Any:
    """Without what is private to the simulator."""
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items() if not key.startswith("_")}
    return [_shown(one) for one in value] if isinstance(value, list) else value


def _done(call: Call, row: Row, *topics: str, part: Row | None = None, part_topic: str = "") -> Answer:
    order_totals.settle(row)
    changed(call.store, row, call.now, *topics, part=part, part_topic=part_topic)
    return reply(_shown(part if part is not None else row))


@routes.post(ROOT)
def place(call: Call) -> Answer:
    """Places `count` orders (default 1); the other words are those of `order_making.Plan`, `at` is the time of it."""
    words = call.object()
    count, at = int(words.pop("count", 1)), words.pop("at", None)
    now = call.now if at is None else moment(at) if isinstance(at, str) else float(at)
    numbers = []
    for _ in range(count):
        row = call.store.orders.place(Plan(**words), now)
        numbers.append(row["_number"])
        changed(call.store, row, now, "ORDERS_CREATE", *(["ORDERS_PAID"] if row["fullyPaid"] else []))
    return reply({"ids": [f"gid://shopify/Order/{n}" for n in numbers], "numbers": numbers}, 201)


@routes.get(f"{ROOT}/{{id}}")
def get(call: Call) -> Answer:
    """The order with everything below it, for assertions."""
    row = call.store.orders.row(call.id())
    if row is None:
        raise Refused(404, f"there is no order {call.id()}")
    order_acts.fulfillment_orders(row)
    return reply(_shown(row))


@routes.delete(f"{ROOT}/{{id}}")
def delete(call: Call) -> Answer:
    call.store.orders.remove(call.id())
    call.store.hooks.emit("ORDERS_DELETE", {"id": call.id()})
    return reply({})


@routes.post(f"{ROOT}/{{id}}/touch")
def touch(call: Call) -> Answer:
    """A change of nothing but the date; `{"at"?: seconds}`."""
    row, at = _order(call), call.object().get("at", call.now)
    changed(call.store, row, at)
    return reply({"updatedAt": row["updatedAt"]})


@routes.post(f"{ROOT}/{{id}}/pay")
def pay_now(call: Call) -> Answer:
    """What is due is paid, or captured where it was authorized; `{"amount"?, "gateway"?}`."""
    row, words = _order(call), call.object()
    due = row["_total_placed"] - row["_received"]
    parent = next((one for one in row["transactions"] if one["kind"] == "AUTHORIZATION"), None)
    amount = cents(words["amount"]) if "amount" in words else due
    kind = "CAPTURE" if parent else "SALE"
    pay(row, kind, "SUCCESS", amount, call.now, words.get("gateway", "shopify_payments"), parent)
    return _done(call, row, "ORDERS_PAID")


@routes.post(f"{ROOT}/{{id}}/cancel")
def cancel(call: Call) -> Answer:
    """`{"reason"?, "restock"?: true, "refund"?: true}`."""
    row, words = _order(call), call.object()
    order_acts.cancel(
        row, words.get("reason", "CUSTOMER"), call.now,
        restock=words.get("restock", True), give_back=words.get("refund", True)
    )  # fmt: skip
    return _done(call, row, "ORDERS_CANCELLED")


@routes.post(f"{ROOT}/{{id}}/close")
def close(call: Call) -> Answer:
    """`{"closed"?: true}`: archives it, or brings it back."""
    row = _order(call)
    order_acts.close(row, call.now if call.object().get("closed", True) else None)
    return _done(call, row)


@routes.post(f"{ROOT}/{{id}}/edit")
def edit(call: Call) -> Answer:
    """`{"line"?: 0, "remove"?: units}`: an order edit takes units away, without a refund."""
    row, words = _order(call), call.object()
    line = row["lineItems"][int(words.get("line", 0))]
    units = min(line["quantity"] - line["_removed"], int(words.get("remove", 1)))
    order_acts.take_away(row, line, units, call.now)
    line["_removed"] += units
    row["edited"] = True
    return _done(call, row, "ORDERS_EDITED")


@routes.post(f"{ROOT}/{{id}}/ship")
def ship(call: Call) -> Answer:
    """The merchant ships all that is left, or `units` of the first line; `{"number"?, "company"?, "url"?}`."""
    row, words = _order(call), call.object()
    info = (
        [{"company": words.get("company"), "number": words["number"], "url": words.get("url")}]
        if "number" in words
        else []
    )
    made = order_acts.fulfil_all(row, call.now, info, units=words.get("units"))
    if made is None:
        raise Refused(409, "nothing is left to ship")
    return _done(call, row, "ORDERS_FULFILLED", part=made, part_topic="FULFILLMENTS_CREATE")


@routes.post(f"{ROOT}/{{id}}/refund")
def refund(call: Call) -> Answer:
    """`{"lines"?: [{"line": 0, "quantity", "restock"?: NO_RESTOCK, "location"?}], "amount"?, "shipping"?, "note"?}`."""
    row, words = _order(call), call.object()
    lines = [
        (row["lineItems"][one["line"]], one["quantity"], one.get("restock", "NO_RESTOCK"), one.get("location"))
        for one in words.get("lines", ())
    ]
    amount = cents(words["amount"]) if "amount" in words else None
    if not lines and amount is None and "shipping" not in words:
        amount = row["_received"] - row["_refunded_total"]
    shipping = cents(words.get("shipping", "0"))
    other = amount or 0 if not lines and not shipping else 0
    made = order_acts.refund(
        row, lines, call.now, amount=amount, shipping=shipping, note=words.get("note", ""), other=other
    )  # fmt: skip
    return _done(call, row, part=made, part_topic="REFUNDS_CREATE")


# fulfillment orders


def _fulfillment_order(call: Call, row: Row, words: Row) -> Row:
    found: Row = order_acts.fulfillment_orders(row)[int(words.get("index", 0))]
    return found


@routes.post(f"{ROOT}/{{id}}/hold")
def hold(call: Call) -> Answer:
    """`{"index"?: 0, "reason"?: "INVENTORY_OUT_OF_STOCK", "notes"?, "release"?}`."""
    row, words = _order(call), call.object()
    one = _fulfillment_order(call, row, words)
    if words.get("release"):
        order_acts.release(row, one)
    else:
        order_acts.hold(row, one, words.get("reason", "INVENTORY_OUT_OF_STOCK"), words.get("notes", ""))
    return _done(call, row)


@routes.post(f"{ROOT}/{{id}}/move")
def move(call: Call) -> Answer:
    """`{"index"?: 0, "location"}`: to another location; 3 is somebody else's fulfillment service."""
    row, words = _order(call), call.object()
    one = _fulfillment_order(call, row, words)
    one["_location"], one["updatedAt"] = int(words["location"]), iso(call.now)
    call.store.hooks.emit("FULFILLMENT_ORDERS_MOVED", {"fulfillment_order": {"id": one["id"]}})
    return _done(call, row)


@routes.post(f"{ROOT}/{{id}}/split")
def split(call: Call) -> Answer:
    """`{"index"?: 0, "units"?: 1, "location"?}`: units of its first line become a fulfillment order of their own."""
    row, words = _order(call), call.object()
    one = _fulfillment_order(call, row, words)
    line = next(each for each in one["lineItems"] if each["remainingQuantity"])
    units = {line["id"]: int(words.get("units", 1))}
    made = order_acts.take_out(row, one, units, int(words.get("location") or one["_location"]), call.now)
    call.store.hooks.emit("FULFILLMENT_ORDERS_SPLIT", {"fulfillment_order": {"id": one["id"]}})
    changed(call.store, row, call.now)
    return reply(_shown(made))


@routes.post(f"{ROOT}/{{id}}/merge")
def merge(call: Call) -> Answer:
    """Its open fulfillment orders of one location become one."""
    row = _order(call)
    places: dict[int, list[Row]] = {}
    for one in order_acts.fulfillment_orders(row):
        if one["status"] == "OPEN":
            places.setdefault(one["_location"], []).append(one)
    merged = [order_acts.merge(row, ones, call.now) for ones in places.values() if len(ones) > 1]
    if merged:
        call.store.hooks.emit("FULFILLMENT_ORDERS_MERGED", {"fulfillment_order": {"id": merged[0]["id"]}})
    return _done(call, row)


@routes.post(f"{ROOT}/{{id}}/schedule")
def schedule(call: Call) -> Answer:
    """Its open fulfillment orders wait for a day."""
    row = _order(call)
    for one in order_acts.fulfillment_orders(row):
        if one["status"] == "OPEN":
            one["status"] = "SCHEDULED"
    return _done(call, row)


# what comes back


@routes.post(f"{ROOT}/{{id}}/return")
def begin_return(call: Call) -> Answer:
    """`{"units"?: 1, "requested"?, "reason"?, "note"?, "shipping_fee"?, "restocking_fee"?,
    "unverified"?, "exchange"?: [{"sku", "quantity"}]}`: of what was shipped.
    """
    row, words = _order(call), call.object()
    units = int(words.get("units", 1))
    items = [
        item
        for one in row["fulfillments"]
        for item in one["fulfillmentLineItems"]
        if item["quantity"] > item["_returned"]
    ]
    if not items and not words.get("unverified"):
        raise Refused(409, "nothing was shipped that could come back")
    made = returning.begin(
        row, [(items[0], min(units, items[0]["quantity"]))] if items else [], call.now,
        requested=bool(words.get("requested")), why=words.get("reason", "unwanted"), note=words.get("note", ""),
        shipping_fee=cents(words.get("shipping_fee", "0")), restocking_fee=cents(words.get("restocking_fee", "0")),
        unverified=int(words.get("unverified", 0)), exchange=words.get("exchange", ()),
    )  # fmt: skip
    return _done(call, row, part=made, part_topic="RETURNS_REQUEST" if words.get("requested") else "RETURNS_APPROVE")


@routes.post(f"{ROOT}/{{id}}/return/{{n}}")
def go_on(call: Call) -> Answer:
    """The return of that place (0 is the first): `{"approve"?, "decline"?, "dispose"?: {"type", "quantity"?,
    "location"?}, "refund"?, "close"?, "reopen"?, "cancel"?}`, in this order.
    """
    row, words = _order(call), call.object()
    made = row["returns"][call.id("n")]
    topic = "RETURNS_UPDATE"
    if words.get("approve"):
        made["status"], topic = "OPEN", "RETURNS_APPROVE"
        returning.expect(row, made)
    if words.get("decline") or words.get("cancel"):
        made["status"] = "DECLINED" if words.get("decline") else "CANCELED"
        topic = "RETURNS_DECLINE" if words.get("decline") else "RETURNS_CANCEL"
    if "dispose" in words:
        one, line = words["dispose"], made["returnLineItems"][0]
        place = one.get("location", 1 if one["type"] == "RESTOCKED" else None)
        returning.dispose(row, made, line, int(one.get("quantity", line["quantity"])), one["type"], place)
        topic = "RETURNS_PROCESS"
    if words.get("refund"):
        returning.pay_back(row, made, call.now)
    if words.get("close"):
        returning.close(row, made, call.now)
        topic = "RETURNS_CLOSE"
    if words.get("reopen"):
        made["status"], made["closedAt"], topic = "OPEN", None, "RETURNS_REOPEN"
    return _done(call, row, part=made, part_topic=topic)
