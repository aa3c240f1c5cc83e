"""Procrastinate calls the workers of a store on PostgreSQL; the rows say what is due."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from omnichannel_core.connections.clock import SystemClock
from omnichannel_core.model.process import State
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.runner import Runner
from omnichannel_core.processes.shift import AROUND
from omnichannel_core.processes.turn import Again, Done, Turn
from omnichannel_core.storage import turns
from omnichannel_core.storage.fairness import Who
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.store import Store, Tx

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("backing", ["postgresql"], indirect=True)]
JOBS = "SELECT id, status::text FROM omni_engine.procrastinate_jobs ORDER BY id"
CALLS = "SELECT status::text, count(*) FROM omni_engine.procrastinate_jobs GROUP BY status"


@pytest.fixture
def elsewhere(store: Store, backing: Any) -> Iterator[Store]:
    """The same store as another machine has it: nobody here hears what is submitted there."""
    other: Store = backing.store()
    other.open()
    yield other
    other.close()


@pytest.fixture
def anyio_backend() -> str:
    """Procrastinate's worker needs asyncio."""
    return "asyncio"


def submit(tx: Tx) -> int:
    """One of kind `work`."""
    process, _ = Processes(tx, "a").submit(connection=1, kind="work", key="", payload={}, now=datetime.now(UTC))
    return process.id


def calls(store: Store) -> dict[str, int]:
    """How many there are, by status."""
    return store.read_now(lambda tx: {row[0]: row[1] for row in tx.exec_driver_sql(CALLS)})


def state(store: Store, process: int) -> State:
    """As the row says."""
    return store.read_now(lambda tx: Processes(tx, "a").get(process)).state


async def until(store: Store, process: int, wanted: State, seconds: float) -> float:
    """Poll until it is so; the seconds it took."""
    began = time.monotonic()
    while state(store, process) != wanted:
        assert time.monotonic() - began < seconds
        await anyio.sleep(0.02)
    return time.monotonic() - began


def runner(store: Store, work: Any) -> Runner:
    """With the machine's clock."""
    clock = SystemClock()
    return Runner(store=store, clock=clock, queue=Queue(store, clock), handlers={"work": work}, slots=2)


async def done(turn: Turn) -> Done:
    """Nothing to do."""
    return Done()


async def test_what_another_machine_submits_is_called_for(store: Store, elsewhere: Store) -> None:
    """A worker takes it long before its next look around, and the call is gone afterwards."""
    async with anyio.create_task_group() as group:
        await group.start(runner(store, done).serve)
        await anyio.sleep(0.6)  # its first look around is over
        took = await until(store, elsewhere.write_now(submit), State.SUCCEEDED, 20)
        while calls(store):  # noqa: ASYNC110 - another process of the database's writes it
            await anyio.sleep(0.05)
        group.cancel_scope.cancel()
    assert took < AROUND / 2


async def test_a_lost_call_is_made_up_for(store: Store, elsewhere: Store) -> None:
    """What is due and nobody was called for is found by the next look around."""
    async with anyio.create_task_group() as group:
        await group.start(runner(store, done).serve)
        await anyio.sleep(0.6)

        def unheard(tx: Tx) -> int:
            one = submit(tx)
            tx.exec_driver_sql("DELETE FROM omni_engine.procrastinate_jobs")
            return one

        await until(store, elsewhere.write_now(unheard), State.SUCCEEDED, 3 * AROUND)
        group.cancel_scope.cancel()


async def test_a_worker_that_stops_calls_others(store: Store) -> None:
    """What it gives back is queued with a call, and no call stays in its hands."""
    begun = anyio.Event()

    async def long(turn: Turn) -> Again:
        begun.set()
        while not turn.cancelled:  # noqa: ASYNC110 - as handlers look between pages
            await anyio.sleep(0.02)
        return Again()

    one = store.write_now(submit)
    async with anyio.create_task_group() as group:
        serving = runner(store, long)
        await group.start(serving.serve)
        with anyio.fail_after(20):
            await begun.wait()
        await serving.stop()
    assert state(store, one) == State.QUEUED
    found = calls(store)
    assert found.get("todo", 0) >= 1
    assert "doing" not in found


def fill(tx: Tx, count: int) -> None:
    """So many, of a connection each."""
    for number in range(count):
        Processes(tx, "a").submit(connection=number, kind="work", key="", payload={}, now=datetime.now(UTC))


async def test_a_call_is_passed_on_while_more_is_due(store: Store, elsewhere: Store) -> None:
    """Submitting many in one transaction makes one call, and workers with slots left hear of it from full ones."""
    running, enough = set[int](), anyio.Event()

    async def together(turn: Turn) -> Done:
        running.add(turn.process.id)
        if len(running) == 4:
            enough.set()
        await enough.wait()
        return Done()

    async with anyio.create_task_group() as group:
        for one in (store, elsewhere):
            await group.start(runner(one, together).serve)
        await anyio.sleep(0.6)  # their first looks around are over
        began = time.monotonic()
        counted = elsewhere.write_now(lambda tx: (fill(tx, 6), tx.exec_driver_sql(CALLS).all())[1])
        with anyio.fail_after(20):
            await enough.wait()
        took = time.monotonic() - began
        group.cancel_scope.cancel()
    assert counted == [("todo", 1)]
    assert took < AROUND / 2


async def test_a_full_worker_keeps_one_call_and_makes_another(store: Store, elsewhere: Store) -> None:
    """What it hears while it has no slot is left for others to hear, and done by itself when nobody comes."""
    go_on = anyio.Event()

    async def long(turn: Turn) -> Done:
        await go_on.wait()
        return Done()

    async with anyio.create_task_group() as group:
        await group.start(runner(store, long).serve)
        await anyio.sleep(0.6)
        elsewhere.write_now(lambda tx: fill(tx, 2))
        while store.read_now(lambda tx: len(Processes(tx, "a").page(states=[State.RUNNING]))) < 2:  # noqa: ASYNC110
            await anyio.sleep(0.02)
        while calls(store):  # noqa: ASYNC110
            await anyio.sleep(0.02)
        one = elsewhere.write_now(submit)
        with anyio.fail_after(20):
            while calls(store) != {"doing": 1, "todo": 1}:  # noqa: ASYNC110
                await anyio.sleep(0.02)
        kept = elsewhere.read_now(lambda tx: tx.exec_driver_sql(JOBS).all())
        await anyio.sleep(1.2)  # it looks twice a second whether others wait
        assert elsewhere.read_now(lambda tx: tx.exec_driver_sql(JOBS).all()) == kept
        go_on.set()
        await until(store, one, State.SUCCEEDED, 20)
        with anyio.fail_after(20):
            while calls(store):  # noqa: ASYNC110
                await anyio.sleep(0.02)
        group.cancel_scope.cancel()


async def test_calls_do_not_pile_up(store: Store, elsewhere: Store) -> None:
    """A worker that looks at the rows answers all calls at once, and the rows end all the same."""
    for _ in range(100):
        elsewhere.write_now(submit)
    seen = list[dict[str, int]]()

    async def look(turn: Turn) -> Done:
        seen.append(calls(store))
        return Done()

    async with anyio.create_task_group() as group:
        await group.start(runner(store, look).serve)
        with anyio.fail_after(20):
            while store.read_now(lambda tx: Processes(tx, "a").page(states=[State.QUEUED, State.RUNNING])):  # noqa: ASYNC110
                await anyio.sleep(0.05)
        group.cancel_scope.cancel()
    assert len(seen) == 100
    assert seen[20].get("todo", 0) <= 2


async def test_a_full_worker_calls_others_for_what_the_dead_left(store: Store, elsewhere: Store) -> None:
    """What a dead worker had is due again within seconds, though nobody has a slot for it."""
    go_on = anyio.Event()

    async def long(turn: Turn) -> Done:
        await go_on.wait()
        return Done()

    def die(tx: Tx) -> int:
        one = submit(tx)
        turns.take(tx, Who(worker="dead", kinds={"work"}), datetime.now(UTC), datetime.now(UTC), 1)
        return one

    async with anyio.create_task_group() as group:
        await group.start(runner(store, long).serve)
        elsewhere.write_now(lambda tx: fill(tx, 2))
        with anyio.fail_after(20):
            while store.read_now(lambda tx: len(Processes(tx, "a").page(states=[State.RUNNING]))) < 2:  # noqa: ASYNC110
                await anyio.sleep(0.02)
        one = elsewhere.write_now(die)
        await until(store, one, State.QUEUED, AROUND)
        go_on.set()
        await until(store, one, State.SUCCEEDED, 20)
        group.cancel_scope.cancel()
