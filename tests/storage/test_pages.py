"""Pages: any order of arrival ends in the same store."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from omnichannel_core.records import Address, Attribute, Bad, Closing, Line, Money, Order
from omnichannel_core.storage import migrations, pages
from omnichannel_core.storage.bodies import decode
from omnichannel_core.storage.schema import record, trouble
from omnichannel_core.storage.store import Store
from omnichannel_core.testing import strategies

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VERSIONS = strategies.attributes(id=st.sampled_from("abc"), revision=st.sampled_from("123456789"))


def kept(store: Store) -> dict[str, Any]:
    """What is stored, by id."""
    rows = store.read_now(lambda tx: tx.execute(record.select()).all())
    return {row.remote_id: decode(row.kind, row.body) for row in rows}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(VERSIONS, max_size=4), max_size=5))
def test_newest_stays(runs: list[list[Attribute]]) -> None:
    """However full records are spread over pages, the newest of each id is what stays, each once."""
    with TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "a.db"))
        store.open()
        migrations.ensure(store)
        for page in runs:
            ready = pages.prepare(page)
            store.write_now(lambda tx, p=ready: pages.store(tx, "acme", 1, "orders", p, run=0, now=NOW))  # type: ignore[misc]
        found = kept(store)
        store.close()
    newest: dict[str, Attribute] = {}
    for one in [one for page in runs for one in page]:
        if one.id not in newest or newest[one.id].revision <= one.revision:
            newest[one.id] = one
    assert found == newest


def test_counts(store: Store) -> None:
    """New, changed and stale ones are told apart."""
    first = pages.prepare([Order(id="1", revision="2"), Order(id="2", revision="2")])
    again = pages.prepare([Order(id="1", revision="1"), Order(id="2", revision="3"), Order(id="3")])
    for ready, expected in ((first, (2, 0, 0)), (again, (1, 1, 1))):
        done = store.write_now(lambda tx, p=ready: pages.store(tx, "acme", 1, "orders", p, run=0, now=NOW))  # type: ignore[misc]
        assert (done.new, done.changed, done.stale) == expected
    assert done.ids == {"Order": ("2", "3")}


def test_partial_in_one_page() -> None:
    """In one page a partial record and a full one of the same id are one full record, in either order."""
    full = Attribute(id="a", revision="1", label="A", required=True)
    part = Attribute(id="a", revision="2", label="B", partial=True)
    for page in ([full, part], [part, full]):
        (found,) = pages.prepare(page).of("Attribute", ["a"])
        assert isinstance(found, Attribute)
        assert (found.label, found.required, found.partial, found.revision) == ("B", True, False, "2")


def test_an_older_whole_record_fills_in_what_a_newer_part_left_open(store: Store) -> None:
    """Of a stored part and an older whole record nothing is lost: what the part says stays, the rest comes in."""
    for one in (
        Attribute(id="a", revision="2", label="B", partial=True),
        Attribute(id="a", revision="1", label="A", required=True, type="text"),
    ):
        ready = pages.prepare([one])
        store.write_now(lambda tx, p=ready: pages.store(tx, "acme", 1, "model", p, run=0, now=NOW))  # type: ignore[misc]
    found = kept(store)["a"]
    assert (found.label, found.type, found.required, found.partial) == ("B", "text", True, False)
    assert found.revision == "2"


def test_a_line_keeps_what_a_part_of_its_order_leaves_out(store: Store) -> None:
    """Of a line that comes again with less, in a newer or an older part, what is absent stays, what is said counts."""
    price, net = Money(Decimal(12), "EUR"), Money(Decimal(10), "EUR")
    whole = Line(id="7", sku="s", gross=price, shipped=Decimal(0))
    for revision, line in (
        ("2", whole),
        ("3", Line(id="7", shipped=Decimal(1))),
        ("1", Line(id="7", sku="t", net=net)),
    ):
        ready = pages.prepare([Order(id="1", revision=revision, partial=True, lines={"7": line})])
        store.write_now(lambda tx, p=ready: pages.store(tx, "acme", 1, "orders", p, run=0, now=NOW))  # type: ignore[misc]
    assert kept(store)["1"].lines == {"7": Line(id="7", sku="s", gross=price, net=net, shipped=Decimal(1))}


def test_an_address_keeps_what_a_part_of_its_order_leaves_out(store: Store) -> None:
    """An address that comes again with less, in a newer or an older part, keeps its rest; another takes its place."""
    town, home = Address(id="a", city="Ulm"), Address(id="a", city="Ulm", street1="Weg 1", phone="1")
    for revision, address, wanted in (
        ("2", town, town), ("1", home, home), ("3", town, home), ("4", Address(id="a", city="Bonn"), None),
    ):  # fmt: skip
        one = Order(id="1", revision=revision, partial=True, addresses={"a": address}, bill_to=address)
        ready = pages.prepare([one])
        store.write_now(lambda tx, p=ready: pages.store(tx, "acme", 1, "orders", p, run=0, now=NOW))  # type: ignore[misc]
        found = kept(store)["1"]
        assert (found.addresses, found.bill_to) == ({"a": wanted or address}, wanted or address)


def test_retire(store: Store) -> None:
    """A complete run retires what it did not contain; a stale one that it contained is seen."""
    one = pages.prepare([Attribute(id="a", revision="2"), Attribute(id="b")])
    two = pages.prepare([Attribute(id="a", revision="1")])
    store.write_now(lambda tx: pages.store(tx, "acme", 1, "data-model", one, run=1, now=NOW))
    store.write_now(lambda tx: pages.store(tx, "acme", 1, "data-model", two, run=2, now=NOW))
    assert store.write_now(lambda tx: pages.retire(tx, 1, ["Attribute"], 2, NOW)) == 1
    rows = store.read_now(lambda tx: tx.execute(record.select()).all())
    assert {row.remote_id: row.retired_at is None for row in rows} == {"a": True, "b": False}


def test_what_a_record_replaces_is_well(store: Store) -> None:
    """What had failed under an id that a stored record takes the place of has failed no more; the rest has."""
    bad = pages.prepare([Bad(kind=Closing, id=one, reason="broken") for one in ("z1.zip", "z2.zip")])
    good = pages.prepare([Closing(id="K/1", replaces=("z1.zip",))])
    for ready in (bad, good):
        store.write_now(lambda tx, p=ready: pages.store(tx, "acme", 1, "receipts", p, run=0, now=NOW))  # type: ignore[misc]
    left = store.read_now(lambda tx: tx.execute(sa.select(trouble.c.remote_id)).scalars().all())
    assert left == ["z2.zip"]
