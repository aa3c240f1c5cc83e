"""All orders of a store: seeded ones computed on demand, changed and new ones kept; queries and pre-rendered rows.

Hot path: a page of seeded orders is cut out of a range by arithmetic and written through templates, a few
milliseconds for 250.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from omnichannel_bigcommerce_simulator.answers import encode
from omnichannel_bigcommerce_simulator.dates import rfc2822
from omnichannel_bigcommerce_simulator.errors import not_found
from omnichannel_bigcommerce_simulator.order_plan import Plan
from omnichannel_bigcommerce_simulator.order_query import (
    Facts,
    Query,
    Test,
    between,
    ceiled,
    facts_of,
    not_after,
    not_before,
)
from omnichannel_bigcommerce_simulator.order_record import PLAIN, OrderRecord, View
from omnichannel_bigcommerce_simulator.order_shapes import Habits, dressed, plan_of

SHAPES = 997  # a prime, so that shapes and page sizes do not beat
DELAY = 900  # seconds from creation to the last change of a seeded order
_MARK = 9_007_199_254  # stands for an order's number in a template
_CREATED, _MODIFIED = 86_400 * 3650 + 1, 86_400 * 3650 + 2  # stand for its dates
_SHIFT = 1 << 31


class OrderBook:
    """Orders `first` to `first + count - 1` are seeded: `burst` of them share a second, `step` seconds lie between
    bursts.
    """

    def __init__(self, base: str, labels: dict[int, str], habits: Habits) -> None:
        self.base = base
        self.labels = labels
        self.habits = habits
        self.first = 1
        self.count = 0
        self.first_at = 0
        self.step = 60
        self.burst = 1
        self.next_id = 1
        self.archived: set[int] = set()
        self.changed: dict[int, OrderRecord] = {}
        self._plans: dict[int, Plan] = {}
        self._shape_facts: dict[int, Facts] = {}
        self._templates: dict[View, dict[int, bytes]] = {}
        self._recent: dict[int, OrderRecord] = {}
        self._by_modified: array[int] | None = None
        self._visible: array[int] | None = None
        self._redated: set[int] = set()  # seeded orders whose date of creation was written
        self._added_from: float = float("inf")  # earliest creation of orders that were not seeded

    def seed(self, count: int, first: int, last_at: int, step: int, burst: int) -> None:
        """Puts `count` orders in, the last created at `last_at`; nothing is built yet."""
        self.count, self.first, self.step, self.burst = count, first, step, max(1, burst)
        self.first_at = last_at - max(0, count - 1) // self.burst * step
        self.next_id = first + count

    # one order

    def created_at(self, order_id: int) -> int:
        return self.first_at + (order_id - self.first) // self.burst * self.step

    def _seeded(self, order_id: int) -> bool:
        return self.first <= order_id < self.first + self.count

    def _plan(self, order_id: int) -> tuple[int, Plan]:
        shape = (order_id - self.first) % SHAPES
        if shape not in self._plans:
            self._plans[shape] = plan_of(shape, self.habits)
        return shape, self._plans[shape]

    def get(self, order_id: int) -> OrderRecord:
        """An order to read.

        Raises:
            Refused: 404 when there is none.
        """
        if order_id in self.changed:
            return self.changed[order_id]
        if not self._seeded(order_id):
            raise not_found()
        if order_id not in self._recent:
            if len(self._recent) > 2048:
                self._recent.clear()
            created = self.created_at(order_id)
            self._recent[order_id] = dressed(self._plan(order_id)[1], order_id, created, created + DELAY, self.habits)
        return self._recent[order_id]

    def edit(self, order_id: int) -> OrderRecord:
        """An order to change; call `touch` afterwards."""
        record = self.get(order_id)
        self._recent.pop(order_id, None)
        self.changed[order_id] = record
        return record

    def touch(self, record: OrderRecord, now: float) -> None:
        """Bumps the date of modification: by status, shipment, refund, any edit."""
        self._unindex(record)
        record.modified = int(now)
        record.rendered.clear()
        if record.id not in self.archived:
            self._index_one(record)

    def _index_one(self, record: OrderRecord) -> None:
        if self._by_modified is not None:
            key = record.modified * _SHIFT + record.id
            self._by_modified.insert(bisect_left(self._by_modified, key), key)

    def _unindex(self, record: OrderRecord) -> None:
        keys, key = self._by_modified, record.modified * _SHIFT + record.id
        at = bisect_left(keys, key) if keys is not None else 0
        if keys is not None and at < len(keys) and keys[at] == key:
            del keys[at]

    def redate(self, record: OrderRecord, created: float) -> None:
        """Writes the date of creation."""
        record.created = int(created)
        if self._seeded(record.id):
            self._redated.add(record.id)
        self._added_from = min(self._added_from, created)

    def add(self, make: Callable[[int], OrderRecord]) -> OrderRecord:
        """A new order; `make` gets its number."""
        record = make(self.next_id)
        self.next_id += 1
        self.changed[record.id] = record
        self._added_from = min(self._added_from, record.created)
        self._index_one(record)
        if self._visible is not None:
            self._visible.append(record.id)
        return record

    def archive(self, order_id: int, now: float, *, archived: bool = True) -> bool:
        """Archives or brings back; False when nothing changed."""
        record = self.edit(order_id)
        if (order_id in self.archived) == archived:
            return False
        record.order["is_deleted"] = archived
        self._unindex(record)
        self._visible = None
        (self.archived.add if archived else self.archived.discard)(order_id)
        self.touch(record, now)
        return True

    def relabel(self) -> None:
        """Labels changed: what was rendered is stale."""
        self._templates.clear()
        for record in self.changed.values():
            record.rendered.clear()

    # lists

    def facts(self, order_id: int) -> Facts:
        record = self.changed.get(order_id)
        if record is not None:
            return facts_of(record)
        shape, plan = self._plan(order_id)
        if shape not in self._shape_facts:
            self._shape_facts[shape] = facts_of(dressed(plan, _MARK, _CREATED, _MODIFIED, self.habits))
        created = self.created_at(order_id)
        return self._shape_facts[shape]._replace(id=order_id, created=created, modified=created + DELAY)

    def page(self, query: Query, start: int, limit: int) -> list[int]:
        """Ids of rows `start` to `start + limit` of the answer."""
        found = self._candidates(query)
        if not query.tests:
            return list(found[start : start + limit])
        return list(islice(self._passing(found, query.tests), start, start + limit))

    def matching(self, query: Query) -> Iterator[int]:
        return self._passing(self._candidates(query), query.tests)

    def _passing(self, ids: Iterable[int], tests: list[Test]) -> Iterator[int]:
        for order_id in ids:
            facts = self.facts(order_id)
            if all(test(facts) for test in tests):
                yield order_id

    def _candidates(self, query: Query) -> Sequence[int]:
        """Ids in the asked order, with as many filters as can be had by cutting; the rest stays in `query.tests`."""
        if query.sort == "date_modified" and query.archived is False:
            return self._cut_by_modified(query)
        if query.min_modified is not None:
            query.tests.append(partial(not_before, "modified", query.min_modified))
        if query.max_modified is not None:
            query.tests.append(partial(not_after, "modified", query.max_modified))
        ids = self._cut_by_id(query)
        if query.sort != "id":
            ids = sorted(ids, key=lambda each: (getattr(self.facts(each), query.sort), each))
        return ids[::-1] if query.descending else ids

    def _cut_by_modified(self, query: Query) -> Sequence[int]:
        if self._by_modified is None:
            self._by_modified = self._index()
        keys = self._by_modified
        low = 0 if query.min_modified is None else bisect_left(keys, ceiled(query.min_modified) * _SHIFT)
        high = len(keys) if query.max_modified is None else bisect_left(keys, (int(query.max_modified) + 1) * _SHIFT)
        if query.min_id or query.max_id is not None:
            query.tests.append(partial(between, query.min_id, query.max_id))
        if query.min_created is not None:
            query.tests.append(partial(not_before, "created", query.min_created))
        return _Ids(keys, low, max(low, high), query.descending)

    def _index(self) -> array[int]:
        changed, archived, first, burst, step = self.changed, self.archived, self.first, self.burst, self.step
        start = self.first_at + DELAY
        keys = [(start + n // burst * step) * _SHIFT + first + n for n in range(self.count)]
        if changed:
            keys = [key for key in keys if key % _SHIFT not in changed]
            keys += [record.modified * _SHIFT + i for i, record in changed.items() if i not in archived]
            keys.sort()
        return array("q", keys)

    def _cut_by_id(self, query: Query) -> Sequence[int]:
        ids: Sequence[int] = range(self.first, self.next_id)
        if query.archived is True:
            ids = sorted(self.archived)
        elif query.archived is False and self.archived:
            if self._visible is None:
                self._visible = array("q", [i for i in range(self.first, self.next_id) if i not in self.archived])
            ids = self._visible
        least = max(query.min_id, self._first_created(query))
        low = bisect_left(ids, least)
        high = len(ids) if query.max_id is None else bisect_left(ids, query.max_id + 1)
        return ids[low : max(low, high)]

    def _first_created(self, query: Query) -> int:
        """Least id that `min_created` admits; added orders that need looking at become a test."""
        if query.min_created is None:
            return 0
        behind = max(0, ceiled(query.min_created) - self.first_at)
        least = self.first + -(-behind // self.step) * self.burst
        if self._added_from < query.min_created or self._redated:
            query.tests.append(partial(not_before, "created", query.min_created))
        return 0 if self._redated else min(least, self.first + self.count)

    def counts(self) -> Counter[int]:
        """Orders that are not archived, by status; seeded ones by arithmetic."""
        found: Counter[int] = Counter()
        for shape in range(min(SHAPES, self.count)):
            found[self._plan(self.first + shape)[1].status_id] += (self.count - 1 - shape) // SHAPES + 1
        for order_id, record in self.changed.items():
            if self._seeded(order_id):
                found[self._plan(order_id)[1].status_id] -= 1
            if order_id not in self.archived:
                found[record.status_id] += 1
        return found

    def refunds(self, least: float | None, most: float | None, orders: set[int] | None) -> list[tuple[int, int]]:
        """(order id, place among its refunds) of all refunds made between two dates, oldest order first."""
        shapes = {s for s in range(min(SHAPES, self.count)) if self._plan(self.first + s)[1].status_id in {4, 14}}
        seeded: Iterable[int] = range(self._refunded_from(least), self.first + self.count)
        if orders is not None:
            seeded = sorted(orders)
        found: list[tuple[int, int]] = []
        for order_id in seeded:
            if (order_id - self.first) % SHAPES in shapes and self._seeded(order_id) and order_id not in self.changed:
                at = self.created_at(order_id) + DELAY
                if (least is None or at >= least) and (most is None or at <= most):
                    found.append((order_id, 0))
        for order_id, record in self.changed.items():
            if orders is None or order_id in orders:
                found += [(order_id, n) for n in range(len(record.refunds))]
        return sorted(found)

    def _refunded_from(self, least: float | None) -> int:
        """The first seeded order whose refund can be as young as `least`."""
        behind = 0 if least is None else max(0, ceiled(least) - DELAY - self.first_at)
        return min(self.first + behind // self.step * self.burst, self.first + self.count)

    # text

    def written(self, ids: Sequence[int], view: View = PLAIN) -> bytes:
        """The JSON array of orders."""
        parts: list[bytes] = []
        changed, templates, first = self.changed, self._templates.setdefault(view, {}), self.first
        last, created, modified = -1, b"", b""
        for order_id in ids:
            if order_id in changed:
                parts.append(self._rendered(changed[order_id], view))
                continue
            at = self.first_at + (order_id - first) // self.burst * self.step
            if at != last:
                last, created, modified = at, rfc2822(at).encode(), rfc2822(at + DELAY).encode()
            template = templates.get((order_id - first) % SHAPES) or self._template(order_id, view)
            parts.append(template % {b"i": order_id, b"c": created, b"m": modified})
        return b"[" + b",".join(parts) + b"]"

    def text(self, order_id: int, view: View = PLAIN) -> bytes:
        """The JSON of one order."""
        return self.written([order_id], view)[1:-1]

    def _rendered(self, record: OrderRecord, view: View) -> bytes:
        if view not in record.rendered:
            record.rendered[view] = encode(record.document(view, self.labels, self.base))
        return record.rendered[view]

    def _template(self, order_id: int, view: View) -> bytes:
        shape, plan = self._plan(order_id)
        record = dressed(plan, _MARK, _CREATED, _MODIFIED, self.habits)
        text = encode(record.document(view, self.labels, self.base)).decode().replace("%", "%%")
        text = text.replace(rfc2822(_CREATED), "%(c)s").replace(rfc2822(_MODIFIED), "%(m)s")
        made = self._templates[view][shape] = text.replace(str(_MARK), "%(i)d").encode()
        return made


class _Ids(Sequence[int]):
    """A stretch of the index by modification, read as ids."""

    def __init__(self, keys: array[int], low: int, high: int, descending: bool) -> None:
        self._keys, self._low, self._high, self._descending = keys, low, high, descending

    def __len__(self) -> int:
        return self._high - self._low

    def __getitem__(self, at: Any) -> Any:
        whole = range(self._high - 1, self._low - 1, -1) if self._descending else range(self._low, self._high)
        if isinstance(at, slice):
            return [self._keys[n] % _SHIFT for n in whole[at]]
        return self._keys[whole[at]] % _SHIFT
