"""All orders of a shop: seeded ones are made when they are read, changed ones are kept; indexed by change and by id."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any

from omnichannel_shopify_simulator import order_acts, order_making, order_totals, returning
from omnichannel_shopify_simulator.order_making import Habits, Plan
from omnichannel_shopify_simulator.paging import BadCursor, Slice, opened
from omnichannel_shopify_simulator.search import Search
from omnichannel_shopify_simulator.values import iso

Row = dict[str, Any]
DAY = 86_400
TWO = [{"quantity": 2}, {"quantity": 1}]
FINISHED, CYCLE = 22, 40


class Entry:
    """What is known of an order without making it."""

    __slots__ = ("created", "kind", "number", "row", "sequence", "state", "updated")

    def __init__(self, number: int, sequence: int, created: float, kind: int, updated: float) -> None:
        self.number, self.sequence, self.created, self.kind, self.updated = number, sequence, created, kind, updated
        self.state: tuple[Any, ...] = ()
        self.row: Row | None = None


def plan_of(kind: int, habits: Habits) -> Plan:
    """The plan of a seeded order of that kind, of `CYCLE` kinds; the first `FINISHED` are done and plain."""
    match kind:
        case 26:
            return Plan(financial="PENDING", gateway="manual")
        case 27:
            return Plan(financial="AUTHORIZED")
        case 28 | 30 | 38:
            return Plan(lines=[dict(each) for each in TWO])
        case 32:
            return Plan(presentment=habits.foreign, rate=habits.foreign_rate)
        case 33:
            return Plan(code="SAVE10")
        case 34:
            return Plan(tip="2.50", duties="7.25", fee="1.20")
        case 35:
            return Plan(lines=[{"gift_card": True, "price": "25.00", "quantity": 1}, {}], gift_card="10.00")
        case 36:
            return Plan(test=True)
        case 37:
            return Plan(lines=[{"quantity": 3}], removed=1, added=True)
        case 39:
            return Plan(digital=True, guest=True)
        case _:
            return Plan(second=2 if kind == 25 else 0)


def age(row: Row, kind: int, at: float) -> None:
    """What has happened since to a seeded order of that kind."""
    later = at + 3600
    if kind < FINISHED or kind in {30, 31, 38}:
        number = row["_number"]
        info = [{"company": "UPS", "number": f"1Z{number % 10**10:010d}", "url": f"https://track.example/{number}"}]
        order_acts.fulfil_all(row, later, info)
    if kind < FINISHED:
        order_acts.close(row, later)
    elif kind == 28:
        order_acts.fulfil_all(row, later, units=1)
    elif kind == 29:
        order_acts.cancel(row, "CUSTOMER", later, restock=True, give_back=True)
        order_acts.close(row, later)
    elif kind == 30:
        order_acts.refund(row, [(row["lineItems"][0], 1, "RETURN", 1)], later)
    elif kind == 31:
        lines = [(line, line["refundableQuantity"], "RETURN", 1) for line in row["lineItems"]]
        order_acts.refund(row, lines, later, amount=row["_received"], shipping=row["_shipping"])
    elif kind == 38:
        returning.whole_story(row, later)


class OrderBook:
    """Orders by number. `seed` says how many there are and when."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.entries: dict[int, Entry] = {}
        self.by_change: list[tuple[float, int]] = []
        self._created: list[tuple[float, int]] | None = None
        self._by_id: list[tuple[float, int]] = []  # kept together with `_created`; numbers only grow
        self.first, self.next_number, self.next_sequence = 0, 1, 1001
        self.states: dict[int, tuple[Any, ...]] = {}

    def seed(self, orders: int, first: int, last_at: int, step: int, burst: int) -> None:
        """`orders` orders, the last placed at `last_at`; `burst` share a second, then `step` seconds pass."""
        self.first = self.next_number = first
        start = last_at - ((max(orders, 1) - 1) // burst) * step
        for n in range(orders):
            created = start + n // burst * step
            kind = (n * 7 + n // CYCLE) % CYCLE
            updated = created if kind in {22, 23, 24, 25, 26, 27, 32, 33, 34, 35, 36, 37, 39} else created + 3600
            entry = Entry(first + n, 1001 + n, created, kind, min(updated, last_at + 3600))
            entry.state = self._state_of(kind)
            self.entries[entry.number] = entry
        self.next_number, self.next_sequence = first + orders, 1001 + orders
        self.by_change = sorted((entry.updated, number) for number, entry in self.entries.items())

    def _state_of(self, kind: int) -> tuple[Any, ...]:
        if kind not in self.states:
            self.states[kind] = state(self._made(Entry(1, 1, DAY, kind, DAY)))
        return self.states[kind]

    def _made(self, entry: Entry) -> Row:
        row = order_making.make(
            self.habits, entry.number, entry.sequence, entry.created, plan_of(entry.kind, self.habits)
        )  # fmt: skip
        age(row, entry.kind, entry.created)
        row["updatedAt"], row["_updated"] = iso(entry.updated), entry.updated
        return row

    def row(self, number: int) -> Row | None:
        """The order, for reading."""
        entry = self.entries.get(number)
        return None if entry is None else entry.row if entry.row is not None else self._made(entry)

    def edit(self, number: int) -> Row:
        """The order, for changing; it is kept from now on. Raises KeyError."""
        entry = self.entries[number]
        if entry.row is None:
            entry.row = self._made(entry)
        return entry.row

    def place(self, plan: Plan, at: float) -> Row:
        """A new order."""
        entry = Entry(self.next_number, self.next_sequence, at, -1, at)
        self.next_number += 1
        self.next_sequence += 1
        entry.row = order_making.make(self.habits, entry.number, entry.sequence, at, plan)
        order_acts.fulfillment_orders(entry.row)
        order_totals.settle(entry.row)
        entry.state = state(entry.row)
        self.entries[entry.number] = entry
        insort(self.by_change, (entry.updated, entry.number))
        self._created = None
        return entry.row

    def touch(self, number: int, at: float) -> None:
        """The order changed: `updatedAt` and the index follow."""
        entry = self.entries[number]
        self.edit(number)
        del self.by_change[bisect_left(self.by_change, (entry.updated, number))]
        entry.updated = float(int(at))
        insort(self.by_change, (entry.updated, number))
        row = self.edit(number)
        row["updatedAt"], row["_updated"] = iso(at), entry.updated
        entry.state = state(row)

    def remove(self, number: int) -> None:
        """The merchant deletes it."""
        entry = self.entries.pop(number)
        del self.by_change[bisect_left(self.by_change, (entry.updated, number))]
        self._created = None

    # reading in order

    def index(self, key: str) -> list[tuple[float, int]]:
        if key == "UPDATED_AT":
            return self.by_change
        if self._created is None:
            self._created = sorted((entry.created, number) for number, entry in self.entries.items())
            self._by_id = [(0.0, number) for number in self.entries]
        return self._by_id if key in {"ID", "ORDER_NUMBER"} else self._created

    def rows(self, key: str, search: Search) -> list[tuple[float, int]]:
        """The index, or of a search for single orders only these."""
        if search.exact is None:
            return self.index(key)
        found = [self.entries[number] for number in set(search.exact) if number in self.entries]
        if key in {"ID", "ORDER_NUMBER"}:
            return sorted((0.0, one.number) for one in found)
        return sorted((one.updated if key == "UPDATED_AT" else one.created, one.number) for one in found)

    def chosen(self, key: str, search: Search, since: float, *, reverse: bool = False) -> Iterator[Entry]:
        """Entries in order that the search admits and that were placed since."""
        rows = self.rows(key, search)
        low = 0
        if search.plain and not reverse:
            low = bisect_left(rows, _lowest(key, search))
        span: Any = range(len(rows) - 1, -1, -1) if reverse else range(low, len(rows))
        for n in span:
            entry = self.entries[rows[n][1]]
            if entry.created >= since and search.matches(entry):
                yield entry

    def page(self, args: Row, search: Search, since: float) -> tuple[list[Entry], list[Any], bool, bool]:
        """Entries of one page, their cursor keys, whether there are some before and after it."""
        key, reverse = args.get("sortKey") or "PROCESSED_AT", bool(args.get("reverse"))
        rows = self.rows(key, search)
        size = args.get("first") if args.get("first") is not None else args.get("last")
        start, end = 0, len(rows)
        if search.plain and not reverse:
            start = bisect_left(rows, _lowest(key, search))
        low = start
        if args.get("after"):
            mark = _mark(args["after"])
            if reverse:
                end = min(end, bisect_left(rows, mark))
            else:
                start = max(start, bisect_right(rows, mark))
        found: list[Entry] = []
        keys: list[Any] = []
        for n in range(end - 1, start - 1, -1) if reverse else range(start, end):
            entry = self.entries[rows[n][1]]
            if entry.created < since or not search.matches(entry):
                continue
            if len(found) == size:
                return found, keys, bool(args.get("after")), True
            found.append(entry)
            keys.append(list(rows[n]))
        return found, keys, bool(args.get("after")) or start > low, False


def _lowest(key: str, search: Search) -> tuple[float, int]:
    if key in {"ID", "ORDER_NUMBER"}:
        return (0.0, int(search.lows.get("id", 0)))
    name = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at"}.get(key, "processed_at")
    return (search.lows.get(name, 0.0), 0)


def _mark(cursor: str) -> tuple[float, int]:
    key = opened(cursor)
    if not isinstance(key, list) or len(key) != 2:
        raise BadCursor("Invalid cursor")
    return (float(key[0]), int(key[1]))


def slice_of(book: OrderBook, found: tuple[list[Entry], list[Any], bool, bool]) -> Slice:
    entries, keys, before, after = found
    rows = [entry.row if entry.row is not None else book.row(entry.number) for entry in entries]
    return Slice([row for row in rows if row is not None], keys, before=before, after=after)


def state(row: Row) -> tuple[Any, ...]:
    """What searches look at."""
    return (
        row["displayFinancialStatus"].lower(), row["displayFulfillmentStatus"].lower(), row["returnStatus"].lower(),
        row["test"], row["cancelledAt"] is not None, row["closedAt"] is not None, row["sourceName"],
        tuple(row["tags"]), row["sourceIdentifier"] or "", row["email"],
    )  # fmt: skip
