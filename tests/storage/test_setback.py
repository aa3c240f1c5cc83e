"""A clock that ran a year ahead, and was set right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omnichannel_core.model.outbox import NEVER
from omnichannel_core.remote.buckets import NOW, Bucket, Plan
from omnichannel_core.storage import schedules, setback
from omnichannel_core.storage.grants import Grants
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.schedules import Schedules
from omnichannel_core.storage.schema import outbox, process
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.storage.times import micros
from omnichannel_core.storage.vault import Vault

RIGHT = datetime(2026, 1, 1, tzinfo=UTC)
AHEAD = RIGHT + timedelta(days=365)


def test_schedules_go_on(store: Store) -> None:
    """What ticked while the clock was ahead is due at once when it is right again, and then in its own rhythm."""

    def ticked(tx: Tx, now: datetime) -> list[tuple[str, int, str]]:
        return schedules.claim_due(tx, now, chance=lambda: 0.5) if schedules.any_due(tx, now) else []

    store.write_now(lambda tx: Schedules(tx, "a", lambda: 0.5).set(7, "orders", 15, RIGHT))
    due = [("a", 7, "orders")]
    assert store.write_now(lambda tx: ticked(tx, AHEAD)) == due
    for minutes, expected in ((0, due), (0, []), (14, []), (15, due), (16, [])):
        now = RIGHT + timedelta(minutes=minutes)
        assert store.write_now(lambda tx, at=now: ticked(tx, at)) == expected, minutes


def test_what_waits_is_woken(store: Store) -> None:
    """Processes and pushes put off by the wrong clock are due, dead leases over; real waits and a person's stay."""

    def fill(tx: Tx) -> dict[str, int]:
        waits = {"lost": AHEAD, "soon": RIGHT + timedelta(days=13)}
        ids = {
            key: Processes(tx, "a").submit(connection=1, kind="k", key=key, payload={}, now=RIGHT, run_at=at)[0].id
            for key, at in waits.items()
        }
        held, _ = Processes(tx, "a").submit(connection=1, kind="k", key="held", payload={}, now=RIGHT)
        lease = {"state": "running", "worker": "w", "lease_until": micros(AHEAD)}
        tx.execute(process.update().filter_by(id=held.id).values(**lease))
        for key, at in (*waits.items(), ("person", NEVER)):
            row = {"account_id": "a", "connection_id": 1, "stream": "s", "kind": "k", "key": key, "body": b"b"}
            tx.execute(outbox.insert().values(**row, state="unknown", due_at=micros(at)))
        return ids | {"held": held.id}

    def times(tx: Tx) -> dict[str, int]:
        said = {f"push {row.key}": row.due_at for row in tx.execute(outbox.select())}
        rows = tx.execute(process.select()).all()
        return said | {row.key: row.lease_until if row.key == "held" else row.run_at for row in rows}

    store.write_now(fill)
    before = store.read_now(times)
    assert store.read_now(lambda tx: setback.found(tx, RIGHT))
    assert store.write_now(lambda tx: setback.mend(tx, RIGHT)) == 3
    mended = {name: micros(RIGHT) for name in ("lost", "held", "push lost")}
    assert store.read_now(times) == before | mended
    assert not store.read_now(lambda tx: setback.found(tx, RIGHT))


def test_a_lease_of_a_token_ends(store: Store) -> None:
    """Who took the right to renew a token while the clock was ahead, and died, does not keep it for a year."""
    vault = Vault(KeyRing({"k": bytes(32)}))

    def lease(tx: Tx, who: str, now: datetime) -> str:
        grants = Grants(tx, "a", vault)
        one = grants.ensure("d", "shop", "")
        return grants.lease(one, "access", who, now, now + timedelta(minutes=3))

    assert store.write_now(lambda tx: lease(tx, "dead", AHEAD)) == "dead"
    assert store.write_now(lambda tx: lease(tx, "me", RIGHT)) == "me"
    assert store.write_now(lambda tx: lease(tx, "other", RIGHT)) == "me"


@pytest.mark.parametrize("window", [None, 30.0])
def test_a_budget_goes_on(window: float | None) -> None:
    """It counts as spent just now, and fills as declared: nothing waits for a time a year ahead."""
    plan = Plan(rate=1.0, burst=10, window=window)
    bucket, right, ahead = Bucket(), RIGHT.timestamp(), AHEAD.timestamp()
    assert bucket.take(plan, 1, ahead) == NOW
    bucket.wait(3600, ahead)
    assert bucket.take(plan, 1, right) != NOW
    granted = sum(bucket.take(plan, 1, right + second) == NOW for second in range(100))
    assert (20 if window else 90) <= granted <= 100


def test_small_steps_forget_nothing() -> None:
    """A clock that is put right by seconds spends no unit twice."""
    plan = Plan(rate=0.001, burst=5, window=None)
    bucket: Any = Bucket()
    times = [RIGHT.timestamp() + step for step in (0, -5, 5, -20, 20, -30, 30, 1)]
    assert sum(bucket.take(plan, 1, at) == NOW for at in times) == 5
