"""The list of connections against a slow and simple model of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from omnichannel_core import errors
from omnichannel_core.connections.listing import Listing, pattern, span, understand
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.model.view import COLUMNS, OPERATORS, Filter, Look
from omnichannel_core.storage import listing as rows
from omnichannel_core.storage.connections import Connections, Kept
from omnichannel_core.storage.schema import account, connection
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.times import micros

pytestmark = pytest.mark.anyio
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def make(number: int, owner: str = "a", **said: Any) -> Connection:
    """A connection with something in every column."""
    facts: dict[str, Any] = {
        "name": f"shop {number % 7}",
        "driver": ("amazon", "bigcommerce", "pos")[number % 3],
        "status": Status.ACTIVE if number % 4 else Status.INACTIVE,
        "health": (Health.OK, Health.ATTENTION, Health.WAITING)[number % 3],
        "health_reason": "" if number % 2 else f"Reason {number % 5}",
        "remote_account": f"store-{number * 37 % 11}",
        "remote_title": f"Title {number % 4}",
        "created_at": DAY + timedelta(hours=5 * number),
        "last_synced_at": None if number % 3 == 0 else DAY + timedelta(hours=number * 7 % 100),
    }
    return Connection(id=number, account=owner, **(facts | said))


def put(store: Store, *some: Connection, errors_of: dict[int, tuple[int, int]] | None = None) -> None:
    """Store them, with (order or return errors, other errors) by id."""

    def work(tx: Any) -> None:
        for owner in {one.account for one in some}:
            tx.execute(account.insert().values(id=owner, name=owner, created_at=0))
        for one in some:
            Connections(tx, one.account).add(
                Kept(seen=one, credentials={}, grant=0, subject="", callback_key="", fence=0, arrived_at=None)
            )
            if one.last_synced_at is not None:
                Connections(tx, one.account).note(one.id, synced_at=one.last_synced_at)
        for number, (failed, other) in (errors_of or {}).items():
            tx.execute(
                connection.update()
                .where(connection.c.id == number)
                .values(order_return_errors=failed, other_errors=other)
            )

    store.write_now(work)


@pytest.fixture
def full(store: Store) -> Store:
    """60 connections of account a, and one of account b that looks like them."""
    put(
        store,
        *(make(number) for number in range(1, 61)),
        make(61, "b"),
        errors_of={number: (number % 3, number % 5) for number in range(1, 61)},
    )
    return store


def value_of(one: Connection, column: str) -> Any:
    """As the model compares it: text folded, truth and times as numbers, never as None."""
    value = getattr(one, column)
    if isinstance(value, datetime):
        return micros(value)
    return value.lower() if isinstance(value, str) else value


def simply(column: str, operator: str, value: str, value2: str, one: Connection) -> bool:
    """What the filter means, said without SQL."""
    have = value_of(one, column)
    if column in ("created_at", "last_synced_at"):
        low, high = span(value, whole=operator == "like")
        last = span(value2)[1] if operator == "between" else high
    elif column == "order_return_errors":
        low = high = value == "yes"
        last = value2 == "yes"
        if operator == "like":
            return value in ("yes" if have else "no")
    elif isinstance(have, int):
        if operator == "like":
            return value in str(have)
        low = high = int(value)
        last = int(value2) if value2 else low
    else:
        if operator == "like":
            return value.lower() in have
        low = high = value.lower()
        last = value2.lower()
    if have is None:
        return operator == "!="
    return {
        "=": low <= have <= high, "!=": not low <= have <= high, "<": have < low, "<=": have <= high,
        ">": have > high, ">=": have >= low, "between": low <= have <= last, "like": low <= have <= high,
    }[operator]  # fmt: skip


SOME = {
    "name": ("SHOP 3", "shop 5"), "status": ("Active", "inactive"), "driver": ("bigcommerce", "pos"),
    "order_return_errors": ("yes", "yes"), "id": ("20", "40"), "health": ("ok", "waiting"),
    "health_reason": ("reason 2", "reason 4"), "last_synced_at": ("2026-01-02", "2026-01-03"),
    "created_at": ("05.01.2026", "2026-01-08"), "remote_account": ("store-3", "store-7"),
    "remote_title": ("title 1", "title 2"), "other_errors": ("2", "3"),
}  # fmt: skip


@pytest.mark.parametrize("few", [0, 500])
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("column", COLUMNS)
async def test_every_operator_on_every_column_finds_what_it_means(
    full: Store, column: str, operator: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter finds exactly the account's connections of which it is true, for the page, the ids and the count."""
    monkeypatch.setattr(rows, "FEW", few)
    value, value2 = SOME[column]
    one = Filter(column=column, operator=operator, value=value, value2=value2)  # type: ignore[arg-type]
    listing, look = Listing(full), Look(filters=(one,), sort=("name",))
    everything = (await listing.page("a", Look(), limit=500)).rows
    expected = [row for row in everything if simply(column, operator, value, value2, row)]
    found = (await listing.page("a", look, limit=500)).rows
    assert len(everything) == 60
    assert [row.id for row in found] == [row.id for row in sorted(expected, key=lambda row: (row.name, row.id))]
    assert await listing.ids("a", look) == sorted(row.id for row in expected)
    assert (await listing.count("a", look)).number == len(expected)


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("column", COLUMNS)
async def test_pages_walk_every_column_both_ways(full: Store, column: str, down: bool) -> None:
    """Page after page shows every row once, in order, rows without a value first, whatever is sorted."""
    listing, look = Listing(full), Look(sort=(f"-{column}" if down else column,))
    seen: list[Connection] = []
    cursor: str | None = None
    while True:
        page = await listing.page("a", look, cursor=cursor, limit=7)
        seen += page.rows
        if page.next is None:
            break
        cursor = page.next
    raw = {row.id: row for row in (await listing.page("a", Look(), limit=500)).rows}
    assert sorted(row.id for row in seen) == sorted(raw)
    keys = [(value_of(row, column) is not None, value_of(row, column) or 0, row.id) for row in seen]
    if column in ("name", "driver", "health_reason", "status", "health", "remote_account", "remote_title"):
        keys = [(True, value_of(row, column), row.id) for row in seen]
    elif column == "order_return_errors":  # counts below, yes and no above: only that no comes before yes is promised
        flags = [row.order_return_errors for row in seen]
        assert flags == sorted(flags, reverse=down)
        return
    assert keys == sorted(keys, reverse=down)


async def test_pages_walk_a_sort_of_several_columns(full: Store) -> None:
    """Several columns sort in their own directions, and a page goes on where the last one ended."""
    look = Look(sort=("status", "-last_synced_at", "name"))
    listing = Listing(full)
    seen: list[Connection] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        page = await listing.page("a", look, cursor=cursor, limit=4)
        seen, cursor = [*seen, *page.rows], page.next
        if cursor is None:
            break
    expected = sorted(
        (await listing.page("a", Look(), limit=500)).rows,
        key=lambda row: (row.status, -micros(row.last_synced_at) if row.last_synced_at else 1, row.name, row.id),
    )
    assert [row.id for row in seen] == [row.id for row in expected]


@pytest.mark.parametrize("few", [0, 500])
async def test_rare_rows_behind_many_steps_are_found(full: Store, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """What the first steps along the sort do not show comes from the other columns' indexes, page after page."""
    monkeypatch.setattr(rows, "PROBE", 3)
    monkeypatch.setattr(rows, "FEW", few)
    look = Look(
        filters=(
            Filter(column="remote_title", operator="like", value="title 1"),
            Filter(column="status", operator="=", value="active"),
        ),
        sort=("-created_at",),
    )
    listing, seen, cursor = Listing(full), [], None
    for _ in range(10):
        page = await listing.page("a", look, cursor=cursor, limit=4)
        seen += [row.id for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [number for number in range(60, 0, -1) if number % 4 == 1]
    assert await listing.ids("a", look) == sorted(seen)


async def test_a_paused_filter_is_kept_and_not_used(full: Store) -> None:
    """A paused filter hides nothing, but what is wrong with it is still said."""
    paused = Filter(column="id", operator="=", value="3", paused=True)
    assert len(await Listing(full).ids("a", Look(filters=(paused,)))) == 60
    wrong = Filter(column="id", operator="=", value="three", paused=True)
    with pytest.raises(errors.FormInvalid):
        understand(Look(filters=(wrong,)))


async def test_wildcards_of_users_are_theirs_and_signs_are_signs(store: Store) -> None:
    """A like contains its text, a typed % is a wildcard, an underscore and an escaped percent are characters."""
    names = ["50% off", "500 off", "a_b", "axb", "back\\slash", "Zebra", "apple"]
    put(store, *(make(at, name=name) for at, name in enumerate(names, 1)))

    async def find(typed: str) -> list[str]:
        look = Look(filters=(Filter(column="name", operator="like", value=typed),))
        return [row.name for row in (await Listing(store).page("a", look)).rows]

    assert await find("\\%") == ["50% off"]
    assert await find("50") == ["50% off", "500 off"]
    assert await find("5%off") == ["50% off", "500 off"]
    assert await find("%off") == ["50% off", "500 off"]
    assert await find("a_b") == ["a_b"]
    assert await find("k\\s") == ["back\\slash"]
    assert await find("APP") == ["apple"]


async def test_names_sort_as_people_read_them(store: Store) -> None:
    """Upper and lower case sort alike in an embedded store; on a server its collation decides."""
    put(store, *(make(at, name=name) for at, name in enumerate(["back", "Zebra", "apple"], 1)))
    page = await Listing(store).page("a", Look(sort=("name",)))
    names = [row.name for row in page.rows]
    assert [name for name in names if name != "Zebra"] == ["apple", "back"]
    if store.engine.dialect.name == "sqlite":
        assert names == ["apple", "back", "Zebra"]


@pytest.mark.parametrize(("operator", "wanted"), [("=", True), ("!=", False)])
async def test_never_synchronized_is_an_empty_value(full: Store, operator: str, wanted: bool) -> None:
    """An empty time with = finds what never happened, with != what did."""
    look = Look(filters=(Filter(column="last_synced_at", operator=operator, value=""),))  # type: ignore[arg-type]
    found = (await Listing(full).page("a", look, limit=500)).rows
    assert found
    assert all((row.last_synced_at is None) is wanted for row in found)


@pytest.mark.parametrize(
    ("look", "place"),
    [
        (Look(columns=()), "columns"),
        (Look(columns=("name", "name")), "columns"),
        (Look(columns=("secret",)), "columns"),
        (Look(sort=("name", "-name")), "sort"),
        (Look(sort=("password",)), "sort"),
        (Look(filters=(Filter(column="x", operator="=", value=""),)), "filters.0.column"),
        (Look(filters=(Filter(column="id", operator="~", value=""),)), "filters.0.operator"),  # type: ignore[arg-type]
        (Look(filters=(Filter(column="id", operator="=", value="1.5"),)), "filters.0.value"),
        (Look(filters=(Filter(column="id", operator="between", value="1", value2="b"),)), "filters.0.value2"),
        (Look(filters=(Filter(column="created_at", operator="=", value="31.02.2026"),)), "filters.0.value"),
        (Look(filters=(Filter(column="created_at", operator="=", value="2026-01"),)), "filters.0.value"),
        (Look(filters=(Filter(column="created_at", operator="<", value="9999-12-31"),)), "filters.0.value"),
        (Look(filters=(Filter(column="order_return_errors", operator="=", value="maybe"),)), "filters.0.value"),
        (Look(filters=(Filter(column="name", operator="=", value="x" * 256),)), "filters.0.value"),
        (Look(filters=(Filter(column="name", operator="like", value="\0"),)), "filters.0.value"),
    ],
)
async def test_a_look_that_cannot_be_is_named_by_place(look: Look, place: str) -> None:
    """A column, operator or value that cannot be is refused, and the refusal says where."""
    with pytest.raises(errors.FormInvalid) as refused:
        understand(look)
    assert set(refused.value.fields) == {place}


@pytest.mark.parametrize("cursor", ["", "!", "bm8", "W10", "W1siaWQiXSwiYSJd", "W1siaWQiXSx0cnVlXQ", "bnVsbA"])
async def test_a_foreign_cursor_is_refused(full: Store, cursor: str) -> None:
    """A cursor that this list did not give is the caller's mistake, never a wrong page."""
    with pytest.raises(errors.UsageError):
        await Listing(full).page("a", Look(), cursor=cursor)
    other = (await Listing(full).page("a", Look(sort=("name",)), limit=3)).next
    with pytest.raises(errors.UsageError):
        await Listing(full).page("a", Look(sort=("-name",)), cursor=other)


async def test_the_last_page_has_no_cursor_and_the_limit_has_bounds(full: Store) -> None:
    """A page that ends the list says so, an account without connections has an empty one, and limits are checked."""
    assert (await Listing(full).page("a", Look(), limit=60)).next is None
    assert (await Listing(full).page("a", Look(), limit=59)).next is not None
    assert (await Listing(full).page("nobody", Look())).rows == ()
    assert [row.id for row in (await Listing(full).page("b", Look())).rows] == [61]
    for limit in (0, 501):
        with pytest.raises(errors.UsageError):
            await Listing(full).page("a", Look(), limit=limit)


async def test_counting_stops(full: Store) -> None:
    """A count says when there are more than it counted."""
    counted = await Listing(full).count("a", Look(), at_most=10)
    assert (counted.number, counted.more) == (10, True)
    exact = await Listing(full).count("a", Look(), at_most=60)
    assert (exact.number, exact.more) == (60, False)


@pytest.mark.parametrize(
    ("typed", "whole", "first", "after"),
    [
        ("2026-11-21", False, "2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),
        ("1.2.2026", False, "2026-02-01T00:00:00+00:00", "2026-02-02T00:00:00+00:00"),
        ("21.11.2026 10:30", False, "2026-11-21T10:30:00+00:00", "2026-11-21T10:31:00+00:00"),
        ("2026-11-21T10:30:05Z", False, "2026-11-21T10:30:05+00:00", "2026-11-21T10:30:06+00:00"),
        ("2026-11-21T10:30:05.123+02:00", False, "2026-11-21T08:30:05.123+00:00", "2026-11-21T08:30:05.124+00:00"),
        ("2026", True, "2026-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("2026-12", True, "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("02.2024", True, "2024-02-01T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
    ],
)
async def test_a_time_is_as_long_as_it_is_exact(typed: str, whole: bool, first: str, after: str) -> None:
    """A typed date is its whole day, a minute its whole minute, and so on."""
    expected = micros(datetime.fromisoformat(first)), micros(datetime.fromisoformat(after)) - 1
    assert span(typed, whole=whole) == expected


def _refused(look: Look) -> set[str]:
    try:
        understand(look)
    except errors.FormInvalid as refused:
        return set(refused.fields)
    return set()


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_any_text_is_a_look_or_a_refusal(typed: str) -> None:
    """Whatever is typed into a filter is understood or refused by name, for every column and operator."""
    for column in COLUMNS:
        for operator in OPERATORS:
            one = Filter(column=column, operator=operator, value=typed, value2=typed)  # type: ignore[arg-type]
            assert _refused(Look(filters=(one,))) <= {"filters.0.value", "filters.0.value2"}


@given(st.text(alphabet="a%_\\b", max_size=12))
def test_a_pattern_never_ends_in_a_bare_backslash(typed: str) -> None:
    """Every backslash of a pattern escapes something that may be escaped."""
    made = pattern(typed)
    at = 0
    while at < len(made):
        if made[at] == "\\":
            assert made[at + 1] in "%_\\"
            at += 1
        at += 1


def test_postgresql_is_asked_without_sqlite_words() -> None:
    """The statements for PostgreSQL carry no index hint and no collation of SQLite, and fold by lower()."""

    class Tx:
        dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

    asked = rows.ConnectionList(Tx(), "a")  # type: ignore[arg-type]
    conditions = [
        rows.Condition(column="name", low="a", high="b"),
        rows.Condition(column="driver", pattern="%x%"),
        rows.Condition(column="last_synced_at", low=1, high=2, outside=True),
    ]
    query = asked._walk(conditions[:1], [("name", True), ("id", True)], ("x", 3), conditions[1:])
    text = str(query.compile(dialect=Tx.dialect))
    assert "INDEXED" not in text
    assert "NOCASE" not in text
    assert "lower(omni_connection.name)" in text
    assert "ILIKE" in text
