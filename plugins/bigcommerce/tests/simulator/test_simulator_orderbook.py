"""Queries of the order book against a plain filter over all orders."""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from omnichannel_bigcommerce_simulator import create, dates, order_edits
from omnichannel_bigcommerce_simulator.answers import decode
from omnichannel_bigcommerce_simulator.order_query import Facts, Query
from omnichannel_bigcommerce_simulator.order_record import OrderRecord, View
from omnichannel_bigcommerce_simulator.orderbook import OrderBook
from omnichannel_bigcommerce_simulator.store import Store

NOW = 1_790_000_000
COUNT, FIRST = 40, 100

Edit = tuple[str, int, int]
edits = st.lists(
    st.tuples(
        st.sampled_from(["touch", "archive", "restore", "place", "redate"]), st.integers(0, 45), st.integers(-5000, 500)
    ),
    max_size=12,
)
times = st.none() | st.integers(NOW - 7000, NOW + 600)
queries = st.fixed_dictionaries(
    {
        "min_id": st.integers(0, 150),
        "max_id": st.none() | st.integers(90, 150),
        "min_modified": times,
        "max_modified": times,
        "min_created": times,
        "sort": st.sampled_from(["id", "date_modified"]),
        "descending": st.booleans(),
        "archived": st.just(False),
    }
)


def fresh() -> Store:
    words = {"hash": "s", "orders": COUNT, "first_order_id": FIRST, "products": 3, "last_order_at": NOW - 3600}
    store: Store = create(clock="manual", now=NOW, stores=[words]).state.world.stores["s"]
    return store


def play(store: Store, steps: list[Edit]) -> None:
    book = store.orders
    for kind, n, shift in steps:
        number = FIRST + n
        if kind == "place":
            order_edits.place(store, order_edits.plan_from_control(store, {}), NOW + shift)
        elif number < book.next_id:
            if kind == "touch":
                book.touch(book.edit(number), NOW + shift)
            elif kind == "redate":
                book.redate(book.edit(number), NOW + shift)
                book.touch(book.edit(number), NOW)
            else:
                book.archive(number, NOW + shift, archived=kind == "archive")


def expected(book: OrderBook, query: Query) -> list[int]:
    """The plain way: look at every order."""

    def fits(record: OrderRecord) -> bool:
        return (
            record.id not in book.archived
            and record.id >= query.min_id
            and (query.max_id is None or record.id <= query.max_id)
            and (query.min_modified is None or record.modified >= query.min_modified)
            and (query.max_modified is None or record.modified <= query.max_modified)
            and (query.min_created is None or record.created >= query.min_created)
        )

    found = [record for record in map(book.get, range(FIRST, book.next_id)) if fits(record)]
    key = (lambda r: (r.modified, r.id)) if query.sort == "date_modified" else (lambda r: (r.id, 0))
    return [record.id for record in sorted(found, key=key, reverse=query.descending)]


@settings(max_examples=150, deadline=None)
@given(edits, queries, edits, st.booleans())
def test_queries_find_what_a_plain_filter_finds(
    before: list[Edit], words: dict[str, Any], after: list[Edit], indexed: bool
) -> None:
    """Whatever happened to the orders, before or after the index was built, a query finds what a filter over all
    finds.
    """
    store = fresh()
    play(store, before)
    if indexed:
        store.orders.page(Query(sort="date_modified"), 0, 1)
    play(store, after)
    wanted = expected(store.orders, Query(**words))
    assert store.orders.page(Query(**words), 0, 1000) == wanted
    assert store.orders.page(Query(**words), 3, 4) == wanted[3:7]


@settings(max_examples=60, deadline=None)
@given(st.integers(FIRST, FIRST + COUNT - 1), st.booleans(), st.booleans(), st.sampled_from(["object", "array"]))
def test_templates_write_what_the_order_itself_writes(number: int, items: bool, fees: bool, structure: str) -> None:
    """A seeded order reads the same through its shape's template and built alone."""
    book, view = fresh().orders, View(items, items, fees, structure)
    alone = book.get(number).document(view, book.labels, book.base)
    assert decode(book.text(number, view)) == decode(_json(alone))


def _json(document: Any) -> bytes:
    from omnichannel_bigcommerce_simulator.answers import encode

    return encode(document)


@settings(max_examples=60, deadline=None)
@given(edits)
def test_counts_by_arithmetic_equal_counting(steps: list[Edit]) -> None:
    """Counts by status equal those of looking at every order that is not archived."""
    store = fresh()
    play(store, steps)
    seen: dict[int, int] = {}
    for number in store.orders.matching(Query(tests=[partial(_any)])):
        status = store.orders.get(number).status_id
        seen[status] = seen.get(status, 0) + 1
    assert {status: n for status, n in store.orders.counts().items() if n} == seen


@settings(max_examples=60, deadline=None)
@given(edits, times, times)
def test_refunds_by_date_are_those_of_looking_at_every_order(
    steps: list[Edit], least: int | None, most: int | None
) -> None:
    """Cutting the seeded refunds by date finds all that lie between two dates, each once and in order."""
    store = fresh()
    play(store, steps)
    book = store.orders
    everything = [(number, n) for number in range(FIRST, book.next_id) for n in range(len(book.get(number).refunds))]
    found = book.refunds(least, most, None)
    wanted = [each for each in everything if each[0] in book.changed or _between(book, each, least, most)]
    assert found == wanted


def _between(book: OrderBook, each: tuple[int, int], least: int | None, most: int | None) -> bool:
    at = dates.parse(book.get(each[0]).refunds[each[1]]["created"])
    return (least is None or at >= least) and (most is None or at <= most)


def _any(facts: Facts) -> bool:
    return facts.id > 0
