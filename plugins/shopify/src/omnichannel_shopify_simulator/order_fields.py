"""Queries of orders and the computed fields below them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from omnichannel_shopify_simulator import order_acts, returning
from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.orderbook import slice_of
from omnichannel_shopify_simulator.paging import Slice, sliced
from omnichannel_shopify_simulator.requests import Request
from omnichannel_shopify_simulator.search import Field, Search, searched
from omnichannel_shopify_simulator.values import number

Row = dict[str, Any]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _state(n: int) -> Any:
    return lambda entry: entry.state[n]


def _status(entry: Any) -> str:
    return "cancelled" if entry.state[4] else "closed" if entry.state[5] else "open"


FINANCIAL = _words("paid pending authorized partially_paid partially_refunded refunded voided expired any")
FULFILLMENT = _words("unshipped shipped fulfilled partial scheduled on_hold unfulfilled request_declined")
SHIPPED = {"partially_fulfilled": "partial", "fulfilled": "fulfilled,shipped", "unfulfilled": "unfulfilled,unshipped"}
RETURN = _words("return_requested in_progress inspection_complete returned return_failed no_return")

FIELDS = {
    "updated_at": Field(lambda entry: entry.updated, "date"),
    "created_at": Field(lambda entry: entry.created, "date"),
    "processed_at": Field(lambda entry: entry.created, "date"),
    "id": Field(lambda entry: entry.number, "id"),
    "financial_status": Field(_state(0), words=FINANCIAL),
    "fulfillment_status": Field(_state(1), words=FULFILLMENT),
    "return_status": Field(_state(2), words=RETURN),
    "test": Field(_state(3), "bool", _words("true false")),
    "status": Field(_status, words=_words("open closed cancelled not_closed any")),
    "source_name": Field(_state(6)),
    "tag": Field(_state(7), "has"),
    "tag_not": Field(lambda entry: "", "word"),
    "source_identifier": Field(_state(8)),
    "email": Field(_state(9)),
    "name": Field(lambda entry: f"#{entry.sequence}", "prefix"),
}
"""Filters of `orders` (specs shopify, argument `query` of `QueryRoot.orders`)."""


def _fulfillment(entry: Any) -> str:
    return str(entry.state[1])


class OrderSearch(Search):
    """Two filters of orders mean more than an equal word."""

    def _compared(self, name: str, field: Field, sign: str, word: str) -> Any:
        test = super()._compared(name, field, sign, word)
        wanted = set(word.lower().split(","))
        if name == "status" and "not_closed" in wanted:
            return lambda entry: not entry.state[5]
        if name in {"status", "financial_status"} and "any" in wanted:
            return lambda entry: True
        if name == "fulfillment_status":
            return lambda entry: bool(
                wanted & ({_fulfillment(entry)} | set(SHIPPED.get(_fulfillment(entry), "").split(",")))
            )
        if name == "tag_not":
            return lambda entry: word.lower() not in {one.lower() for one in entry.state[7]}
        return test


def _search(request: Request, text: str | None, field: str) -> Search:
    return searched(request, text, FIELDS, path=field, kind=OrderSearch)


@resolves("QueryRoot", "orders")
def orders(request: Request, row: Row, args: Row) -> Slice:
    book = request.store.orders
    search, since = _search(request, args.get("query"), "orders"), request.store.since(request.install, request.now)
    if args.get("first") is None and args.get("last") is None:  # a bulk operation's, which asks for all
        return Slice([], [], before=False, after=False)
    if args.get("last") is not None:
        args = args | {"reverse": not args.get("reverse")}
    return slice_of(book, book.page(args, search, since))


@resolves("QueryRoot", "ordersCount")
def orders_count(request: Request, row: Row, args: Row) -> Row:
    """Exact up to the limit (guide 2.5)."""
    search, since = (
        _search(request, args.get("query"), "ordersCount"),
        request.store.since(request.install, request.now),
    )
    limit = args.get("limit")
    count = 0
    for _ in request.store.orders.chosen("ID", search, since):
        count += 1
        if count == limit:
            return {"count": count, "precision": "AT_LEAST"}
    return {"count": count, "precision": "EXACT"}


def visible(request: Request, value: Any) -> Row | None:
    """The order of an id, None when there is none or it is older than the app may see."""
    n = number(value)
    entry = request.store.orders.entries.get(n)
    if entry is None or entry.created < request.store.since(request.install, request.now):
        return None
    return request.store.orders.row(n)


@resolves("QueryRoot", "order")
def order(request: Request, row: Row, args: Row) -> Row | None:
    return visible(request, args["id"])


# below an order


@resolves("Order", "fulfillmentOrders")
def fulfillment_orders(request: Request, row: Row, args: Row) -> list[Row]:
    return order_acts.fulfillment_orders(row)


@resolves("Order", "fulfillments")
def fulfillments(request: Request, row: Row, args: Row) -> list[Row]:
    found: list[Row] = row["fulfillments"]
    return found


@resolves("Order", "shippingLines")
def shipping_lines(request: Request, row: Row, args: Row) -> list[Row]:
    return [one for one in row["shippingLines"] if args.get("includeRemovals") or not one["isRemoved"]]


@resolves("Order", "transactions")
def transactions(request: Request, row: Row, args: Row) -> list[Row]:
    found: list[Row] = row["transactions"]
    if args.get("capturable"):
        return [one for one in found if one["kind"] == "AUTHORIZATION" and row["capturable"]]
    return found


@resolves("LineItem", "discountedTotalSet")
def discounted_total(request: Request, row: Row, args: Row) -> Row:
    bag: Row = row["_with_codes"] if args.get("withCodeDiscounts") else row["_plain"]
    return bag


@resolves("LineItem", "product")
def line_product(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.products.get(row["_product"])


@resolves("LineItem", "variant")
def line_variant(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.variants.get(row["_variant"])


def _of_order(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.orders.row(row["_order"])


for _kind in ("Refund", "Return", "Fulfillment"):
    resolves(_kind, "order")(_of_order)


@resolves("FulfillmentOrder", "order")
def fulfillment_order_order(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.orders.row(number(row["orderId"]))


@resolves("Refund", "return")
def refund_return(request: Request, row: Row, args: Row) -> Row | None:
    if row["return"] is None:
        return None
    return find(request, row["return"]["id"])


@resolves("FulfillmentOrder", "assignedLocation")
def assigned_location(request: Request, row: Row, args: Row) -> Row:
    place = request.store.locations.get(row["_location"])
    return {"name": place["name"] if place else "", "location": place}


@resolves("FulfillmentOrder", "supportedActions")
def supported_actions(request: Request, row: Row, args: Row) -> list[Row]:
    """What the app may do now; orders of somebody else's service are not its own (guide 2.10)."""
    place = request.store.locations.get(row["_location"]) or {}
    foreign = bool(place.get("isFulfillmentService"))
    match row["status"]:
        case "OPEN":
            names = ["REQUEST_FULFILLMENT"] if foreign else ["CREATE_FULFILLMENT", "HOLD", "MOVE", "SPLIT"]
        case "IN_PROGRESS":
            names = ["REQUEST_CANCELLATION"] if foreign else ["CREATE_FULFILLMENT", "MOVE", "SPLIT"]
        case "ON_HOLD":
            names = ["RELEASE_HOLD", "HOLD"]
        case "SCHEDULED":
            names = ["MARK_AS_OPEN"]
        case _:
            names = []
    return [{"action": name} for name in names]


def _located(request: Request, row: Row, args: Row) -> Row | None:
    place = row.get("location")
    return request.store.locations.get(number(place["id"])) if place else None


resolves("RefundLineItem", "location")(_located)
resolves("ReverseFulfillmentOrderDisposition", "location")(_located)

PARTS: Mapping[str, Callable[[Row], list[Row]]] = {
    "LineItem": lambda row: row["lineItems"],
    "FulfillmentOrder": order_acts.fulfillment_orders,
    "Fulfillment": lambda row: row["fulfillments"],
    "Refund": lambda row: row["refunds"],
    "Return": lambda row: row["returns"],
    "ReverseFulfillmentOrder": lambda row: [one for each in row["returns"] for one in each["reverseFulfillmentOrders"]],
    "OrderTransaction": lambda row: row["transactions"],
}
"""Parts of orders that have an id of their own: the order's number times 1000 and a bit."""


def find(request: Request, value: str) -> Row | None:
    """A part of an order, by its id."""
    kind = value.split("/")[3] if value.count("/") >= 4 else ""
    order_row = visible(request, number(value) // 1000)
    if order_row is None or kind not in PARTS:
        return None
    return next((one for one in PARTS[kind](order_row) if one["id"] == value), None)


def _found(request: Request, row: Row, args: Row) -> Row | None:
    return find(request, args["id"])


for _name in ("return", "fulfillment", "fulfillmentOrder", "reverseFulfillmentOrder"):
    resolves("QueryRoot", _name)(_found)


@resolves("QueryRoot", "fulfillmentOrders")
def all_fulfillment_orders(request: Request, row: Row, args: Row) -> Slice:
    """Open ones of orders that were read or changed since they were seeded, and of placed ones."""
    rows = [
        one
        for entry in request.store.orders.entries.values()
        if entry.row is not None
        for one in order_acts.fulfillment_orders(entry.row)
        if args.get("includeClosed") or one["status"] not in {"CLOSED", "CANCELLED"}
    ]
    return sliced(rows, args)


@resolves("QueryRoot", "returnReasonDefinitions")
def return_reasons(request: Request, row: Row, args: Row) -> list[Row]:
    wanted = args.get("handles")
    return [returning.reason(one) for one in returning.REASONS if not wanted or one in wanted]


@resolves("QueryRoot", "customer")
def customer(request: Request, row: Row, args: Row) -> Row | None:
    for entry in request.store.orders.entries.values():
        if entry.row is not None and entry.row["customer"] and entry.row["customer"]["id"] == args["id"]:
            found: Row = entry.row["customer"]
            return found
    return None


@resolves("QueryRoot", "job")
def job(request: Request, row: Row, args: Row) -> Row | None:
    due = request.store.catalog.jobs.get(args["id"].rsplit("/", 1)[-1])
    return None if due is None else {"id": args["id"], "done": due <= request.now}
