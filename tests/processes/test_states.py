"""The life of process rows under any order of events, with two workers and a clock that is turned."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from omnichannel_core import errors
from omnichannel_core.model.process import Process, State
from omnichannel_core.storage import turns
from omnichannel_core.storage.fairness import Who
from omnichannel_core.storage.processes import Beat, Processes
from omnichannel_core.storage.schema import process as processes_table
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.turns import Ended, Held

LEASE = timedelta(seconds=60)
WORKERS = st.sampled_from(["one", "two"])
OPEN_ENDS = [State.QUEUED, State.WAITING]
KEYS = st.sampled_from(["", "sync:1", "sync:2"])


class Life(RuleBasedStateMachine):
    """Rows against a small model: who holds which fence, and what has ended."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.store.write_now(lambda tx: tx.execute(processes_table.delete()))
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.hands: list[tuple[str, Held]] = []  # every turn ever taken and not ended by its worker
        self.dead: set[str] = set()
        self.ended: dict[int, State] = {}
        self.fences: dict[int, int] = {}

    def who(self, worker: str) -> Who:
        return Who(worker=worker, kinds={"work"}, alive=lambda name: name not in self.dead)

    def rows(self) -> list[Process]:
        return self.store.read_now(lambda tx: Processes(tx, "a").page(limit=1000))

    def row(self, process_id: int) -> Process:
        return self.store.read_now(lambda tx: Processes(tx, "a").get(process_id))

    @rule(key=KEYS, connection=st.integers(1, 3))
    def submit(self, key: str, connection: int) -> None:
        before = {one.id: one for one in self.rows()}
        process, new = self.store.write_now(
            lambda tx: Processes(tx, "a").submit(connection=connection, kind="work", key=key, payload={}, now=self.now)
        )
        held = [one for one in before.values() if one.open and key and one.key == key]
        assert new == (not held)
        assert new == (process.id not in before)

    @rule(worker=WORKERS, limit=st.integers(1, 3))
    def take(self, worker: str, limit: int) -> None:
        self.dead.discard(worker)
        before = {one.id: one for one in self.rows()}
        taken = self.store.write_now(lambda tx: turns.take(tx, self.who(worker), self.now, self.now + LEASE, limit))
        for held in taken:
            was = before[held.id]
            late = was.lease_until is not None and was.lease_until <= self.now
            due = was.state in OPEN_ENDS and was.run_at <= self.now
            orphan = was.state == State.RUNNING and was.worker != worker and (was.worker in self.dead or late)
            assert due or orphan
            assert held.fence == was.fence + 1
            self.hands.append((worker, held))
        assert len(taken) <= limit

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), done=st.integers(0, 9))
    def beat(self, data: st.DataObject, done: int) -> None:
        _, held = data.draw(st.sampled_from(self.hands))
        row = self.row(held.id)
        mine = row.state == State.RUNNING and row.fence == held.fence

        def work() -> bool:
            return self.store.write_now(
                lambda tx: Processes(tx, "a").beat(held.id, held.fence, Beat(done=done), self.now + LEASE)
            )

        if mine:
            assert work() == row.cancel
            assert self.row(held.id).done == done
        else:
            with pytest.raises(errors.Superseded):
                work()
            assert self.row(held.id) == row

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), to=st.sampled_from([State.SUCCEEDED, State.FAILED, *OPEN_ENDS]), wait=st.integers(0, 90))
    def finish(self, data: st.DataObject, to: State, wait: int) -> None:
        worker, held = data.draw(st.sampled_from(self.hands))
        self.hands.remove((worker, held))
        row = self.row(held.id)
        run_at = self.now + timedelta(seconds=wait) if to in OPEN_ENDS else None
        state = self.store.write_now(
            lambda tx: turns.finish(tx, Ended(held=held, state=to, now=self.now, run_at=run_at))
        )
        if row.state != State.RUNNING or row.fence != held.fence:
            assert state is None
            assert self.row(held.id) == row
        else:
            assert state == (State.CANCELLED if row.cancel and to != State.SUCCEEDED else to)

    @precondition(lambda self: self.rows())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        was = data.draw(st.sampled_from(self.rows()))
        process = self.store.write_now(lambda tx: Processes(tx, "a").cancel(was.id, self.now))
        if not was.open:
            assert process == was
        elif was.state == State.RUNNING:
            assert (process.state, process.cancel) == (State.RUNNING, True)
        else:
            assert process.state == State.CANCELLED

    @rule(seconds=st.integers(1, 100))
    def time_goes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(worker=WORKERS)
    def die(self, worker: str) -> None:
        self.dead.add(worker)

    @rule(worker=WORKERS)
    def leave(self, worker: str) -> None:
        self.store.write_now(lambda tx: turns.leave(tx, worker, self.now))
        assert not [one for one in self.rows() if one.state == State.RUNNING and one.worker == worker]

    @rule(worker=WORKERS)
    def prolong(self, worker: str) -> None:
        held = self.store.write_now(lambda tx: turns.prolong(tx, worker, self.now + LEASE))
        mine = {(one.id, one.fence): one.cancel for one in self.rows() if one.worker == worker}
        assert held == mine

    @invariant()
    def rows_are_sound(self) -> None:
        rows = self.rows()
        assert all(many == 1 for many in Counter(one.key for one in rows if one.open and one.key).values())
        for row in rows:
            assert (row.state == State.RUNNING) == bool(row.worker) == (row.lease_until is not None)
            assert row.open == (row.finished_at is None)
            assert row.fence >= self.fences.get(row.id, 0)
            self.fences[row.id] = row.fence
            if row.id in self.ended:
                assert row.state == self.ended[row.id]
            elif not row.open:
                self.ended[row.id] = row.state


def test_life(store: Store):
    """Whatever happens in whatever order: one holder at a time, one open row of a key, and what has ended stays so."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Life(store),
        settings=settings(
            max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
