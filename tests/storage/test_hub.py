"""What is stored, found; what failed, counted; personal data, blanked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.driver import PushStream
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.model.outbox import NEVER
from omnichannel_core.records import (
    Address,
    Bad,
    Invoice,
    Line,
    Money,
    Offer,
    Order,
    Payment,
    Return,
    ReturnLine,
    Shipment,
    Tax,
)  # fmt: skip
from omnichannel_core.storage import erasure, hub, outbox, pages
from omnichannel_core.storage.connections import Connections, Kept
from omnichannel_core.storage.hub import Found, Position
from omnichannel_core.storage.schema import account, metadata, trouble
from omnichannel_core.storage.schema import outbox as table
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.storage.times import maybe_micros, micros

DAY = datetime(2025, 6, 1, tzinfo=UTC)
PERSONAL = ("anna@example.com", "Anna", "Beispiel", "Hauptstr", "10115", "Berlin", "0301234", "ring twice",
            "203.0.113.9", "cust-7", "Engraved", "4242", "too small for Anna", "txn-1")  # fmt: skip


@pytest.fixture
def kept(store: Store, clock: Any) -> Keeping:
    """Account `a` with connections 1 and 2, account `b` with 3."""
    return Keeping(store, clock)


class Keeping:
    def __init__(self, store: Store, clock: Any) -> None:
        self.store, self.clock = store, clock
        store.write_now(self._seed)

    def _seed(self, tx: Tx) -> None:
        for name in ("a", "b"):
            tx.execute(account.insert().values(id=name, name=name))
        for owner, number in (("a", 1), ("a", 2), ("b", 3)):
            seen = Connection(
                id=number, account=owner, driver="d", name="n", status=Status.ACTIVE, created_at=self.clock.now()
            )
            kept = Kept(seen=seen, credentials={}, grant=0, subject="", callback_key="", fence=0, arrived_at=None)
            Connections(tx, owner).add(kept)

    def put(self, *records: Any, connection: int = 1, owner: str = "a", stream: str = "orders") -> list[Any]:
        """Store a page; what a sink would be given."""
        ready = pages.prepare(records)
        now = self.clock.now()
        done = self.store.write_now(lambda tx: pages.store(tx, owner, connection, stream, ready, run=0, now=now))
        return [one for kind in ready.by_kind for one in ready.of(kind, done.ids.get(kind, ()))]

    def push(self, name: str, *records: Any) -> list[Any]:
        stream: PushStream[Any] = PushStream(name=name, takes=type(records[0]), push=_never)
        return self.store.write_now(lambda tx: outbox.queue(tx, "a", 1, stream, records, self.clock.now()))

    def set(self, row: Any, **values: Any) -> None:
        self.store.write_now(lambda tx: tx.execute(table.update().filter_by(id=row.id).values(**values)))

    def search(self, account: str = "a", **wanted: Any) -> list[str]:
        found = Found(kind=wanted.pop("kind", "Order"), **wanted)
        entries = self.store.read_now(lambda tx: hub.search(tx, account, found, None, 100))
        return [f"{one.connection}/{one.id}" for one in entries]

    def flags(self, connection: int = 1) -> tuple[bool, int]:
        def work(tx: Tx) -> Connection:
            hub.refresh_flags(tx, "a", connection)
            return Connections(tx, "a").get(connection).seen

        seen = self.store.write_now(work)
        return seen.order_return_errors, seen.other_errors

    def get(self, kind: str, one: str) -> Any:
        return self.store.read_now(lambda tx: hub.get(tx, "a", 1, kind, one))

    def everything(self) -> bytes:
        """All that is stored, as bytes."""

        def read(tx: Tx) -> bytes:
            tables = [one for one in metadata.tables if one not in ("omni_account", "omni_connection")]
            return b"".join(
                repr([tuple(row) for row in tx.exec_driver_sql(f"SELECT * FROM {one}")]).encode() for one in tables
            )

        return self.store.read_now(read)


async def _never(*_: Any) -> Any:
    raise AssertionError


def order(name: str, **said: Any) -> Order:
    euro = Money(Decimal("10.00"), "EUR")
    anna = Address(
        id="s1", first_name="Anna", last_name="Beispiel", street1="Hauptstr. 1", postal_code="10115", city="Berlin",
        country="DE", phone="0301234", email="Anna@Example.com", extra={"door": "Anna"},
    )  # fmt: skip
    facts: dict[str, Any] = {
        "placed_at": DAY, "status": "11", "gross": euro, "tax": euro, "customer": "cust-7", "email": "anna@example.com",
        "bill_to": anna, "addresses": {"s1": anna}, "note": "ring twice", "extra": {"ip": "203.0.113.9"},
        "lines": {"7": Line(id="7", sku="X", gross=euro, taxes=(Tax(name="VAT", amount=euro),), ship_to="s1",
                            options={"Engraved": "Anna"})},
        "payments": {"p": Payment(id="p", kind="capture", amount=euro, reference="txn-1", extra={"card": "4242"})},
    }  # fmt: skip
    return Order(id=name, number=f"N-{name}", **(facts | said))


def test_search(kept: Keeping) -> None:
    """Newest first over all connections of the account, those without a time last; another account's never."""
    kept.put(*(Order(id=f"{n}", placed_at=DAY + timedelta(days=n)) for n in range(3)), Order(id="untimed"))
    kept.put(Order(id="x", placed_at=DAY + timedelta(days=1)), connection=2)
    kept.put(Order(id="secret", placed_at=DAY), connection=3, owner="b")
    assert kept.search() == ["1/2", "2/x", "1/1", "1/0", "1/untimed"]
    assert kept.search(connection=2) == ["2/x"]
    assert kept.search(connection=3) == []
    assert kept.search("b") == ["3/secret"]


def test_search_narrowed(kept: Keeping) -> None:
    """By state, by time (since inclusive, until exclusive), by part of the number in any case, by id."""
    kept.put(
        Order(id="1", number="AB_100", status="open", placed_at=DAY),
        Order(id="2", number="ABx100", status="paid", placed_at=DAY + timedelta(days=1)),
        Order(id="3", number="%", status="paid", placed_at=DAY + timedelta(days=2)),
    )
    assert kept.search(state="paid") == ["1/3", "1/2"]
    assert kept.search(since=DAY, until=DAY + timedelta(days=1)) == ["1/1"]
    assert kept.search(number="b_1") == ["1/1"]
    assert kept.search(number="%") == ["1/3"]
    assert kept.search(number="2") == ["1/2"]


def test_pages_meet(kept: Keeping) -> None:
    """Page by page, whatever their size, gives what one page gives: equal times, two connections, no times."""
    for connection in (1, 2):
        kept.put(
            *(Order(id=f"{n}", placed_at=DAY + timedelta(days=n // 3)) for n in range(10)),
            *(Order(id=f"u{n}") for n in range(4)), connection=connection,
        )  # fmt: skip
    whole = kept.search()
    assert len(whole) == len(set(whole)) == 28
    for size in (1, 2, 3, 7):
        seen: list[str] = []
        after: Position | None = None
        while True:
            page = kept.store.read_now(lambda tx, a=after, n=size: hub.search(tx, "a", Found(kind="Order"), a, n))
            if not page:
                break
            seen += [f"{one.connection}/{one.id}" for one in page]
            after = Position(maybe_micros(page[-1].at), page[-1].connection, page[-1].id)
        assert seen == whole


@pytest.mark.parametrize("backing", ["sqlite"], indirect=True)
def test_a_page_of_one_connection_needs_no_sort(kept: Keeping) -> None:
    """The newest orders of one connection come straight out of the index."""
    plan: list[str] = []

    def read(tx: Tx) -> None:
        def explain(_c: Any, cursor: Any, statement: str, parameters: Any, _x: Any, _m: bool) -> None:
            if statement.startswith("SELECT"):
                found = tx.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[union-attr]
                plan.extend(row[3] for row in found)

        sa.event.listen(tx, "before_cursor_execute", explain)
        hub.search(tx, "a", Found(kind="Order", connection=1), None, 50)

    kept.store.read_now(read)
    assert any("omni_record_at" in step for step in plan)
    assert not [step for step in plan if "TEMP B-TREE" in step]


def test_one_in_full(kept: Keeping) -> None:
    """One order in full and its lines; another account's is not found."""
    kept.put(order("1"))
    assert kept.get("Order", "1") == order("1")
    (line,) = kept.store.read_now(lambda tx: hub.lines(tx, "a", 1, "1"))
    assert (line.sku, line.gross) == ("X", "10.00")
    assert kept.store.read_now(lambda tx: hub.lines(tx, "b", 1, "1")) == []
    with pytest.raises(errors.NotFound):
        kept.store.read_now(lambda tx: hub.get(tx, "b", 1, "Order", "1"))
    with pytest.raises(errors.NotFound):
        kept.get("Order", "2")


def test_flags(kept: Keeping) -> None:
    """Orders, returns, shipments, invoices and cancellations count apart; retried well or dismissed, no more."""
    assert kept.flags() == (False, 0)
    kept.put(Bad(kind=Order, id="1", reason="no currency"), Bad(kind=Offer, id="2", reason="odd"))
    assert kept.flags() == (True, 1)
    kept.put(order("1"))
    assert kept.flags() == (False, 1)
    (row,) = kept.push("shipments", Shipment(id="s", order_id="1"))
    (offer,) = kept.push("offers", Offer(id="o"))
    kept.set(row, state="unknown")
    assert kept.flags() == (False, 1)
    kept.set(row, due_at=micros(NEVER))
    kept.set(offer, state="rejected")
    assert kept.flags() == (True, 2)
    assert kept.flags(2) == (False, 0)
    now = kept.clock.now()
    kept.store.write_now(lambda tx: outbox.dismiss(tx, "a", 1, now))
    kept.store.write_now(lambda tx: hub.dismiss_troubles(tx, "a", 1, now))
    assert kept.flags() == (False, 0)


def test_troubles_are_asked_for_again(kept: Keeping) -> None:
    """Retried ones are fetched by id, by stream; they count until they came well; one without id is not."""
    kept.put(Bad(kind=Order, id="1", reason="r"), Bad(kind=Order, id="", reason="r", raw=b"{"))
    kept.put(Bad(kind=Return, id="9", reason="r"), stream="returns")
    now = kept.clock.now()
    assert kept.store.read_now(lambda tx: hub.troubles_to_retry(tx, "a", 1)) == {}
    assert kept.store.write_now(lambda tx: hub.retry_troubles(tx, "b", 1, now)) == 0
    assert kept.store.write_now(lambda tx: hub.retry_troubles(tx, "a", 1, now)) == 3
    assert kept.store.read_now(lambda tx: hub.troubles_to_retry(tx, "a", 1)) == {"orders": ["1"], "returns": ["9"]}
    assert kept.flags() == (True, 0)
    shown = kept.store.read_now(lambda tx: hub.troubles(tx, "a", None, 10))
    assert [one.retrying for one in shown] == [True] * 3
    assert kept.store.read_now(lambda tx: hub.troubles(tx, "b", None, 10)) == []


def filled(kept: Keeping) -> None:
    """Anna's order, return, pushes and a failed record; Bob's order beside them."""
    kept.put(order("1"), order("2", customer="bob", email="bob@example.com", bill_to=Address(first_name="Bob"),
                               addresses={}, note="", extra={}, lines={}, payments={}))  # fmt: skip
    kept.put(
        Return(id="r", order_id="1", amount=Money(Decimal("4.00"), "EUR"), at=DAY, reason="too small for Anna",
               lines={"x": ReturnLine(id="x", reason="Anna")}),
        stream="returns",
    )  # fmt: skip
    kept.put(Bad(kind=Order, id="3", reason="r", raw=b'{"mail": "ANNA@example.com"}'))
    (done,) = kept.push("invoices", Invoice(id="i", order_id="1", pdf=b"Anna"))
    kept.set(done, state="accepted")
    kept.push("shipments", Shipment(id="s", order_id="1"))


@pytest.mark.parametrize("who", [["anna@EXAMPLE.com"], ["cust-7"], []])
def test_erased(kept: Keeping, who: list[str]) -> None:
    """By e-mail or id nothing personal of the customer is left, sums and numbers stay; without, the whole shop's."""
    filled(kept)
    held = kept.everything()
    assert [word for word in PERSONAL if word.encode() not in held] == []
    before = kept.get("Order", "1")
    done = kept.store.write_now(lambda tx: hub.erase(tx, "a", 1, who, kept.clock.now()))
    left = kept.everything().lower()
    assert [word for word in PERSONAL if word.lower().encode() in left] == []
    after = kept.get("Order", "1")
    assert (after.gross, after.number, after.placed_at) == (before.gross, before.number, before.placed_at)
    assert after.lines["7"].taxes == before.lines["7"].taxes
    assert after.addresses["s1"] == Address(id="s1", country="DE")
    assert after.payments["p"].amount == before.payments["p"].amount
    assert kept.get("Return", "r").amount == Money(Decimal("4.00"), "EUR")
    assert kept.get("Order", "2").email == ("" if not who else "bob@example.com")
    assert (done.orders, done.returns) == (1 if who else 2, 1)
    assert (done.pushes, done.on_the_way) == (1, 1)


def test_erasing_another_accounts(kept: Keeping) -> None:
    """Another account erases and retains nothing here."""
    filled(kept)
    held = kept.everything()
    for work in (hub.erase, hub.retain):
        what: Any = [] if work is hub.erase else {"orders": 0}
        assert kept.store.write_now(lambda tx, w=work, x=what: w(tx, "b", 1, x, kept.clock.now())) == hub.Erased()
    assert kept.everything() == held


def test_what_was_on_its_way_is_erased_once_settled(kept: Keeping) -> None:
    """A push that was open when its order was erased loses content and reason when settled, a later one does not."""
    filled(kept)
    (open_,) = kept.push("shipments", Shipment(id="s", order_id="1"))
    now = kept.clock.now()
    done = kept.store.write_now(lambda tx: hub.erase(tx, "a", 1, ["anna@example.com"], now))
    assert (done.on_the_way, kept.store.read_now(erasure.left)) == (1, False)
    kept.set(open_, state="rejected", reason="Anna Beispiel is unknown")
    kept.clock.turn(60)
    (later,) = kept.push("shipments", Shipment(id="s2", order_id="1"))
    kept.set(later, state="accepted")
    assert kept.store.read_now(erasure.left)
    assert kept.store.write_now(erasure.finish) == 1
    rows = {row.thing: row for row in kept.store.read_now(lambda tx: outbox.rows(tx, "a", stream="shipments"))}
    assert (rows["s"].body, rows["s"].reason) == (b"", "Its content was erased.")
    assert rows["s2"].body
    assert not kept.store.read_now(erasure.left)


@pytest.mark.parametrize("who", [["cust-7"], []])
def test_erased_stays_erased(kept: Keeping, who: list[str]) -> None:
    """Pulled again, whole, in part, under another id or as a failed one, an erased order stays without its customer."""
    filled(kept)
    kept.store.write_now(lambda tx: hub.erase(tx, "a", 1, who, kept.clock.now()))
    again = order("1", revision="2", status="paid")
    told = kept.put(again)
    assert kept.get("Order", "1").status == "paid"
    kept.put(Order(id="1", partial=True, email="anna@example.com", note="Anna", archived=True, revision="3"))
    assert kept.get("Order", "1").archived is True
    kept.put(order("1b", replaces=("1",)))
    kept.put(order("1b", revision="4"))
    kept.put(Bad(kind=Order, id="1b", reason="r", raw=b"Anna"))
    kept.put(Return(id="r", order_id="1", reason="too small for Anna"), stream="returns")
    left = kept.everything().lower() + repr(told).lower().encode()
    assert [word for word in PERSONAL if word.lower().encode() in left] == []
    kept.put(order("9"))
    assert kept.get("Order", "9").email == "anna@example.com"


def test_erased_keeps_what_was_not_said(kept: Keeping) -> None:
    """A field the remote never told stays untold."""
    kept.put(Order(id="1", email="anna@example.com"))
    kept.store.write_now(lambda tx: hub.erase(tx, "a", 1, ["anna@example.com"], kept.clock.now()))
    assert msgspec.to_builtins(kept.get("Order", "1")) == msgspec.to_builtins(Order(id="1", email=""))


def test_retained(kept: Keeping) -> None:
    """What is older loses its personal data once; what is stored late or ages later is found by the next run."""
    now = kept.clock.now()
    kept.put(order("old", placed_at=now - timedelta(days=40)), order("new", placed_at=now - timedelta(days=5)))

    def retain() -> int:
        return kept.store.write_now(lambda tx: hub.retain(tx, "a", 1, {"orders": 30}, kept.clock.now())).orders

    assert (retain(), retain()) == (1, 0)
    assert kept.get("Order", "old").email == ""
    assert kept.get("Order", "new").email == "anna@example.com"
    kept.clock.turn(60)
    kept.put(order("late", placed_at=now - timedelta(days=300)))
    assert (retain(), retain()) == (1, 0)
    kept.clock.turn(26 * 86400)
    assert (retain(), retain()) == (1, 0)
    assert kept.get("Order", "new").email == ""


def test_retained_pushes(kept: Keeping) -> None:
    """Old settled pushes go; what the remote told about a thing stays without content; open and failed ones stay."""
    rows = kept.push("offers", *(Offer(id=name) for name in ("gone", "known", "open", "failed")))
    for row, state in zip(rows, ("accepted", "accepted", "queued", "rejected"), strict=True):
        kept.set(row, state=state)
    kept.set(rows[1], remote='{"id":"77"}')
    kept.clock.turn(40 * 86400)
    kept.push("offers", Offer(id="fresh"))
    done = kept.store.write_now(lambda tx: hub.retain(tx, "a", 1, {"offers": 30}, kept.clock.now()))
    left = {row.thing: row for row in kept.store.read_now(lambda tx: outbox.rows(tx, "a"))}
    assert set(left) == {"known", "open", "failed", "fresh"}
    assert (left["known"].body, left["known"].remote) == (b"", {"id": "77"})
    assert left["open"].body
    assert done.pushes >= 2


def test_retained_troubles(kept: Keeping) -> None:
    """Bytes of failed records have an end, their reasons stay until dismissed."""
    kept.put(Bad(kind=Order, id="3", reason="r", raw=b"Anna"))
    kept.clock.turn(40 * 86400)
    kept.store.write_now(lambda tx: hub.retain(tx, "a", 1, {"orders": 30}, kept.clock.now()))
    row = kept.store.read_now(lambda tx: tx.execute(sa.select(trouble)).one())
    assert (row.raw, row.reason) == (b"", "r")
