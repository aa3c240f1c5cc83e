"""/v2/orders: lists, counts, one order, changes, archiving (orders.v2.oas2.yml, guide 1.10)."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from omnichannel_bigcommerce_simulator import order_edits
from omnichannel_bigcommerce_simulator.answers import JSON, Answer, Call, empty, reply
from omnichannel_bigcommerce_simulator.errors import Refused, not_found
from omnichannel_bigcommerce_simulator.order_query import Facts, Query
from omnichannel_bigcommerce_simulator.order_record import View
from omnichannel_bigcommerce_simulator.order_words import STATUSES, WRITABLE
from omnichannel_bigcommerce_simulator.paging import bounds
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()

_SORTS = {
    "id": "id",
    "customer_id": "customer_id",
    "date_created": "created",
    "date_modified": "date_modified",
    "status_id": "status_id",
    "channel_id": "channel_id",
    "external_id": "external_id",
}


def _view(call: Call) -> View:
    """`include=consignments,consignments.line_items,fees` and `consignment_structure=object`."""
    include = call.words("include")
    items = "consignments.line_items" in include
    structure = "object" if call.query.get("consignment_structure") == "object" else "array"
    return View("consignments" in include or items, items, "fees" in include, structure)


def _equals(name: str, wanted: Any, facts: Facts) -> bool:
    return bool(getattr(facts, name) == wanted)


def _within(low: float | None, high: float | None, facts: Facts) -> bool:
    return (low is None or facts.total >= low) and (high is None or facts.total <= high)


def _before(at: float, facts: Facts) -> bool:
    return facts.created <= at


def _amount(call: Call, name: str) -> float | None:
    try:
        return float(call.query[name]) if name in call.query else None
    except ValueError as error:
        raise Refused(400, f"The field '{name}' is invalid.") from error


def _query(call: Call) -> Query:
    """The filters; `status_id` takes one value only."""
    query = Query(
        min_id=call.integer("min_id") or 0,
        max_id=call.integer("max_id"),
        min_modified=call.date("min_date_modified"),
        max_modified=call.date("max_date_modified"),
        min_created=call.date("min_date_created"),
    )
    most = call.date("max_date_created")
    if most is not None:
        query.tests.append(partial(_before, most))
    for name in ("status_id", "customer_id", "channel_id"):
        wanted = call.integer(name)
        if wanted is not None:
            query.tests.append(partial(_equals, name, wanted))
    for name in ("email", "payment_method", "cart_id", "external_order_id"):
        if call.query.get(name):
            query.tests.append(partial(_equals, name, call.query[name]))
    low, high = _amount(call, "min_total"), _amount(call, "max_total")
    if low is not None or high is not None:
        query.tests.append(partial(_within, low, high))
    query.archived = _archived(call)
    return query


def _archived(call: Call) -> bool | None:
    """`is_deleted` is no longer documented: it works or is ignored, as the store is set (guide 1.10)."""
    options = call.store.options
    listed = None if options.archived_listed else False
    if options.is_deleted_filter != "works" or "is_deleted" not in call.query:
        return listed
    return call.query["is_deleted"].lower() in {"true", "1"}


@routes.get("/v2/orders", "orders")
def list_orders(call: Call) -> Answer:
    query = _query(call)
    field, _, direction = call.query.get("sort", "id:asc").partition(":")
    if field not in _SORTS or direction not in {"", "asc", "desc"}:
        raise Refused(400, "The field 'sort' is invalid.")
    query.sort, query.descending = _SORTS[field], direction == "desc"
    if query.archived is not False and query.sort == "date_modified":
        query.sort = "modified"
    page, limit = bounds(call)
    ids = call.store.orders.page(query, (page - 1) * limit, limit)
    if not ids:
        return empty()
    return Answer(200, call.store.orders.written(ids, _view(call)), JSON)


@routes.get("/v2/orders/count", "orders")
def count_orders(call: Call) -> Answer:
    query = _query(call)
    plain = not query.tests and query.archived is False and not call.query
    book = call.store.orders
    counts = book.counts() if plain else Counter(book.facts(order_id).status_id for order_id in book.matching(query))
    rows = [_status(call, number) | {"count": counts[number], "sort_order": STATUSES[number][1]} for number in STATUSES]
    return reply({"statuses": rows, "count": sum(counts.values())})


def _status(call: Call, number: int) -> Row:
    label = STATUSES[number][0]
    return {
        "id": number,
        "name": label,
        "system_label": label,
        "custom_label": call.store.labels[number],
        "system_description": f"Orders that are {label.lower()}.",
    }


@routes.get("/v2/order_statuses", "orders")
def list_statuses(call: Call) -> Answer:
    return reply([_status(call, number) | {"order": STATUSES[number][1]} for number in STATUSES])


@routes.get("/v2/order_statuses/{id}", "orders")
def get_status(call: Call) -> Answer:
    if call.id() not in STATUSES:
        raise not_found()
    return reply(_status(call, call.id()) | {"order": STATUSES[call.id()][1]})


@routes.get("/v2/orders/{id}", "orders")
def get_order(call: Call) -> Answer:
    """An archived order can still be read by its id."""
    call.store.orders.get(call.id())
    return Answer(200, call.store.orders.text(call.id(), _view(call)), JSON)


@routes.post("/v2/orders", "orders")
def add_order(call: Call) -> Answer:
    """An order by API: status 1 unless said, no mail to the customer."""
    words = call.object()
    _check_writable(words)
    record = order_edits.place(call.store, order_edits.plan_from_api(call.store, words), call.now)
    return Answer(201, call.store.orders.text(record.id, _view(call)), JSON)


def _check_writable(words: Row) -> None:
    for name in words:
        if name not in WRITABLE:
            raise Refused(
                400, f"The field '{name}' cannot be written to. Please remove it from your request before trying again."
            )
    if "status_id" in words and words["status_id"] not in STATUSES:
        raise Refused(400, "The field 'status_id' is invalid.")


@routes.put("/v2/orders/{id}", "orders")
def change_order(call: Call) -> Answer:
    words = call.object()
    call.store.orders.get(call.id())
    _check_writable(words)
    order_edits.change(call.store, call.id(), words, call.now)
    return Answer(200, call.store.orders.text(call.id(), _view(call)), JSON)


@routes.delete("/v2/orders/{id}", "orders")
def archive_order(call: Call) -> Answer:
    order_edits.archive(call.store, call.id(), call.now)
    return empty()


@routes.delete("/v2/orders", "orders")
def archive_all(call: Call) -> Answer:
    """Archives every order of the store: the trap of guide 1.10."""
    for order_id in list(call.store.orders.matching(Query())):
        order_edits.archive(call.store, order_id, call.now)
    return empty()
