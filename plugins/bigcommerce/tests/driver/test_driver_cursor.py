"""Where order pulls go on: nothing is lost, nothing goes on forever, whatever changes meanwhile."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omnichannel_bigcommerce.settings import OrderFilters, Variants
from omnichannel_bigcommerce.sync.order_cursor import (
    OVERLAP,
    Backfill,
    OrderCursor,
    Seen,
    Track,
    advance,
    advance_backfill,
    backfill_query,
    is_new,
    query,
    widen,
)

from omnichannel_core import errors

BASE = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = 4


class Shop:
    """Orders as `getOrders` lists them, a few a page."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[datetime, int]] = {}  # id -> (modified, version)

    def set(self, key: int, second: int) -> None:
        _, version = self.rows.get(key, (BASE, 0))
        self.rows[key] = (BASE + timedelta(seconds=second), version + 1)

    def page(self, asked: dict[str, str], limit: int = SIZE) -> list[Seen]:
        rows = [Seen(key, at, str(version)) for key, (at, version) in self.rows.items()]
        rows = [r for r in rows if r.id >= int(asked.get("min_id", 0))]
        for name, keep in (("min_date_modified", 1), ("max_date_modified", -1)):
            if name in asked:
                bound = datetime.fromisoformat(asked[name])
                rows = [r for r in rows if r.modified is not None and (r.modified - bound).total_seconds() * keep >= 0]
        by_id = asked["sort"] == "id:asc"
        return sorted(rows, key=lambda r: (r.id,) if by_id else (r.modified, -r.id))[:limit]  # type: ignore[arg-type]


def walk(shop: Shop, track: Track, taken: dict[int, str], changes: list[list[tuple[int, int]]]) -> Track:
    """One run; before each page some orders change. The track is stored and read back between pages."""
    for _ in range(300):
        for key, second in changes.pop(0) if changes else []:
            shop.set(key, second)
        if track.phase == "new":
            start = max((at for at, _ in shop.rows.values()), default=None)
            track = msgspec.structs.replace(track, phase="first", start=start)
        rows = shop.page(query(track, OrderFilters(), None))
        for row in rows:
            if is_new(track, row):
                taken[row.id] = row.digest
        after, more = advance(track, rows, full=len(rows) >= SIZE)
        track = msgspec.json.decode(msgspec.json.encode(after), type=Track)
        if not more:
            return track
    raise AssertionError("the run does not end")


STATES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 8)), max_size=30)


@settings(max_examples=150, deadline=None)
@given(first=STATES, during=st.lists(STATES, max_size=8), later=st.lists(STATES, max_size=4))
def test_nothing_is_lost(
    first: list[tuple[int, int]], during: list[list[tuple[int, int]]], later: list[list[tuple[int, int]]]
):
    """Every order's last state is taken, with many equal times, changes between pages, and later runs."""
    shop, taken = Shop(), dict[int, str]()
    for key, second in first:
        shop.set(key, second)
    rising = [[(key, second + 10 * (turn + 1)) for key, second in some] for turn, some in enumerate(during)]
    track = walk(shop, Track(), taken, rising)
    clock = 10 * (len(during) + 2)
    for some in later:
        clock += 10
        for key, second in some:
            shop.set(key, clock + second)
        track = walk(shop, track, taken, [])
    assert taken == {key: str(version) for key, (_, version) in shop.rows.items()}


@settings(max_examples=60, deadline=None)
@given(first=STATES, resume=st.integers(0, 30))
def test_resuming_gives_the_same_tail(first: list[tuple[int, int]], resume: int):
    """From any cursor of a run, the rest of it is the same again."""
    shop = Shop()
    for key, second in first:
        shop.set(key, second)
    start = max((at for at, _ in shop.rows.values()), default=None)
    track, steps = Track(phase="first", start=start), list[tuple[Track, list[Seen]]]()
    more = True
    while more:
        rows = [row for row in shop.page(query(track, OrderFilters(), None)) if is_new(track, row)]
        steps.append((track, rows))
        page = shop.page(query(track, OrderFilters(), None))
        track, more = advance(track, page, full=len(page) >= SIZE)
    at = resume % len(steps)
    again, taken = msgspec.json.decode(msgspec.json.encode(steps[at][0]), type=Track), []
    more = True
    while more:
        page = shop.page(query(again, OrderFilters(), None))
        taken += [row for row in page if is_new(again, row)]
        again, more = advance(again, page, full=len(page) >= SIZE)
    assert taken == [row for _, rows in steps[at:] for row in rows]


def test_a_late_record_is_covered():
    """An order that appears with a time before the newest one seen is taken by the next run."""
    shop, taken = Shop(), dict[int, str]()
    shop.set(1, 1000)
    track = walk(shop, Track(), taken, [])
    shop.set(2, 1000 - int(OVERLAP.total_seconds()) + 5)
    walk(shop, track, taken, [])
    assert taken == {1: "1", 2: "1"}


def test_more_equal_times_than_a_page():
    """A hundred orders of one second come completely, however small the page."""
    shop, taken = Shop(), dict[int, str]()
    shop.set(1, 0)
    track = walk(shop, Track(), taken, [])
    for key in range(1, 101):
        shop.set(key, 50)
    walk(shop, track, taken, [])
    assert len(taken) == 100
    assert taken[1] == "2"


def test_nothing_new_is_one_page():
    """A run with nothing new asks once and takes nothing."""
    shop, taken = Shop(), dict[int, str]()
    for key in range(1, 4):
        shop.set(key, 7)
    track = walk(shop, Track(), taken, [])
    rows = shop.page(query(track, OrderFilters(), None))
    assert not [row for row in rows if is_new(track, row)]
    assert advance(track, rows, full=False) == (track, False)


def test_an_unreadable_page_is_the_remotes_trouble():
    """A full page of rows without ids or dates is an error instead of a walk without end."""
    rows = [Seen(0, None)] * SIZE
    with pytest.raises(errors.RemoteUnavailable):
        advance(Track(phase="first"), rows, full=True)
    with pytest.raises(errors.RemoteUnavailable):
        advance(Track(phase="changes", since=BASE), rows, full=True)
    with pytest.raises(errors.RemoteUnavailable):
        advance_backfill(Backfill(), rows, full=True)


def test_memory_has_an_end():
    """A track remembers the last thousand rows at most, and none older than the overlap."""
    track = Track(phase="changes", since=BASE)
    rows = [Seen(key, BASE + timedelta(milliseconds=key), "x") for key in range(1, 3000)]
    after, _ = advance(track, rows, full=False)
    assert len(after.seen) == 1000
    later, _ = advance(after, [Seen(1, BASE + timedelta(hours=1), "y")], full=False)
    assert list(later.seen) == ["1"]


def test_first_query():
    """The first import begins strictly after the id and at the given moment."""
    filters = OrderFilters(id_greater_than=100)
    assert query(Track(phase="first"), filters, BASE) == {
        "sort": "id:asc",
        "min_id": "101",
        "min_date_created": "2026-01-01T00:00:00+00:00",
    }
    assert query(Track(phase="first", after_id=250), filters, None)["min_id"] == "251"


DONE = OrderCursor(live=Track(phase="changes", since=BASE, after_id=900))
OPEN = OrderFilters(statuses=frozenset({11}), id_greater_than=100, created_after=date(2026, 1, 5))


def changed(**to: object) -> OrderFilters:
    return OPEN.model_copy(update=to)


@pytest.mark.parametrize(
    ("now", "backfill"),
    [
        (changed(id_greater_than=50), Backfill(upto=100)),
        (changed(id_greater_than=None), Backfill(upto=100)),
        (changed(created_after=date(2026, 1, 2)), Backfill(created_before=date(2026, 1, 5))),
        (changed(created_after=None), Backfill(created_before=date(2026, 1, 5))),
        (changed(statuses=frozenset({11, 2})), Backfill(status=2)),
        (changed(statuses=frozenset({2, 3})), Backfill()),
        (changed(id_greater_than=None, statuses=frozenset({2})), Backfill()),
        (changed(archived=True), Backfill()),
    ],
)
def test_widening(now: OrderFilters, backfill: Backfill):
    """Each widened filter begins a walk over no more than it newly admits, beside the incremental one."""
    wider = widen(DONE, OPEN, now)
    assert wider is not None
    assert (wider.backfill, wider.live) == (backfill, DONE.live)


@pytest.mark.parametrize(
    "now",
    [
        OPEN,
        changed(id_greater_than=500),
        changed(created_after=date(2026, 2, 1)),
        changed(statuses=frozenset()),
        Variants(),
    ],
)
def test_narrowing(now: object):
    """What narrows, or is another page, changes no cursor."""
    assert widen(DONE, OPEN, now) is None  # type: ignore[arg-type]


def test_widening_before_anything_began():
    """Before the first import nothing is back-filled: it will see the new filters itself."""
    assert widen(OrderCursor(), OPEN, OrderFilters()) is None


def test_widening_twice():
    """A second widening while a back-fill runs begins it anew, over everything."""
    once = widen(DONE, OPEN, changed(id_greater_than=50))
    assert once is not None
    twice = widen(once, changed(id_greater_than=50), changed(id_greater_than=50, statuses=frozenset({11, 5})))
    assert twice is not None
    assert twice.backfill == Backfill()


def test_backfill_walk():
    """A back-fill asks from the floor to its bounds and ends with a short page."""
    backfill = Backfill(upto=100, created_before=date(2026, 1, 5), status=2)
    asked = backfill_query(backfill, OrderFilters(id_greater_than=10), BASE, BASE + timedelta(days=1))
    assert asked == {
        "sort": "id:asc",
        "min_id": "11",
        "max_id": "100",
        "min_date_created": "2026-01-01T00:00:00+00:00",
        "max_date_created": "2026-01-02T00:00:00+00:00",
        "status_id": "2",
    }
    after = advance_backfill(backfill, [Seen(20, BASE), Seen(30, BASE)], full=True)
    assert after is not None
    assert after.after_id == 30
    assert advance_backfill(after, [Seen(40, BASE)], full=False) is None
