"""The embedded runner, on both loops."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from omnichannel_core import errors
from omnichannel_core.model.process import Process, State
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.runner import Runner
from omnichannel_core.processes.turn import PAGES, Again, Done, Turn, Wait
from omnichannel_core.storage import migrations, turns
from omnichannel_core.storage.fairness import Who
from omnichannel_core.storage.presence import Presence
from omnichannel_core.storage.store import Store

pytestmark = pytest.mark.anyio


async def test_a_process_runs_to_its_end(queue: Queue, submit: Any, serving: Any):
    """Progress, message and times stand in the row, and the host is told once."""
    told: list[Process] = []

    async def work(turn: Turn) -> Done:
        await turn.progress(done=3, total=4, message="three of four", payload={"page": 3})
        return Done("all four")

    async def finished(process: Process) -> None:
        told.append(process)

    async with serving(work=work, on_finished=finished):
        process = await queue.wait("a", (await submit()).id)
    assert (process.state, process.done, process.total, process.message) == (State.SUCCEEDED, 3, 4, "all four")
    assert process.payload == {"page": 3}
    assert None not in (process.started_at, process.finished_at)
    assert (process.worker, process.lease_until) == ("", None)
    assert told == [process]


async def test_again_goes_on_with_what_it_left(queue: Queue, submit: Any, serving: Any):
    """A process that gives its slot back is taken again with its payload and a higher fence."""
    fences: list[int] = []

    async def work(turn: Turn) -> Done | Again:
        fences.append(turn.fence)
        left = turn.payload.get("left", 3) - 1
        return Again(payload={"left": left}) if left else Done()

    async with serving(work=work):
        process = await queue.wait("a", (await submit()).id)
    assert (process.state, fences) == (State.SUCCEEDED, [1, 2, 3])


async def test_waiting_is_a_state_with_a_time(queue: Queue, submit: Any, serving: Any, clock: Any):
    """A waiting process says why and until when, holds no slot, and goes on when the clock has come there."""
    turns: list[float] = []

    async def work(turn: Turn) -> Done | Wait:
        turns.append(clock.now().timestamp())
        return Wait(90, "the shop asks for patience") if len(turns) == 1 else Done()

    seen: list[Process] = []
    async with serving(work=work, slots=1):
        process = await queue.wait("a", (await submit()).id, seen=seen.append)
    waiting = next(one for one in seen if one.state == State.WAITING)
    assert waiting.message == "the shop asks for patience"
    assert process.state == State.SUCCEEDED
    assert 90 <= turns[1] - turns[0] <= 95


@pytest.mark.parametrize(
    ("error", "key", "text"),
    [
        (errors.CredentialsRejected("Shop 7 refuses the token: authorize again."), "credentials_rejected", "Shop 7"),
        (errors.LicenseExpired("The license of x is over."), "license_expired", "The license"),
        (ValueError("token=hunter2"), "internal_error", "ValueError"),
        (ExceptionGroup("g", [errors.ContractBroken("It answered nonsense.")]), "contract_broken", "It answered"),
    ],
)
async def test_an_error_fails_its_process_and_nothing_else(
    queue: Queue, submit: Any, serving: Any, error: Exception, key: str, text: str
):
    """Key and text stand in the row, an unexpected error's words do not, and the next process runs."""
    heard: list[tuple[int, str]] = []

    async def work(turn: Turn) -> Done:
        if turn.process.connection == 13:
            raise error
        return Done()

    async def on_error(process: Process, cause: Exception) -> None:
        heard.append((process.id, type(cause).__name__))

    async with serving(work=work, on_error=on_error):
        bad = await queue.wait("a", (await submit(connection=13)).id)
        good = await queue.wait("a", (await submit()).id)
    assert (bad.state, bad.error_key, good.state) == (State.FAILED, key, State.SUCCEEDED)
    assert bad.error.startswith(text)
    assert "hunter2" not in bad.error
    assert [one for one, _ in heard] == [bad.id]


async def test_a_remote_that_is_down_is_waited_for(queue: Queue, submit: Any, serving: Any, clock: Any):
    """Attempts are counted while nothing is achieved, start anew after progress, and no error stays at the end."""
    attempts: list[int] = []
    pauses: list[float] = []

    async def work(turn: Turn) -> Done:
        attempts.append(turn.process.attempts)
        pauses.append(clock.now().timestamp())
        if len(attempts) == 3:
            await turn.progress(done=1)
        if len(attempts) == 4:
            raise errors.RateLimited("Slow down.", wait=600)
        if len(attempts) < 5:
            raise errors.RemoteUnavailable("The shop is down.")
        return Done()

    async with serving(work=work):
        process = await queue.wait("a", (await submit()).id)
    assert attempts == [0, 1, 2, 1, 2]
    assert (process.state, process.error_key, process.error, process.attempts) == (State.SUCCEEDED, "", "", 0)
    gaps = [after - before for before, after in pairwise(pauses)]
    for gap, planned in zip(gaps, [30, 60, 30, 600], strict=True):
        assert 0.9 * planned <= gap <= 1.1 * planned + 2


async def test_a_wrong_answer_fails_the_process(queue: Queue, submit: Any, serving: Any):
    """A handler that answers none of the three is an internal error, logged with its traceback."""

    async def work(_: Turn) -> Any:
        return None

    async with serving(work=work):
        process = await queue.wait("a", (await submit()).id)
    assert (process.state, process.error_key) == (State.FAILED, "internal_error")


async def test_what_is_given_up_is_told(store: Store, queue: Queue, submit: Any, serving: Any, clock: Any):
    """A process that too many workers died over has failed, and the host is told by whoever finds it."""

    async def work(_: Turn) -> Done:
        raise AssertionError

    told: list[Process] = []
    seen = anyio.Event()

    async def finished(process: Process) -> None:
        told.append(process)
        seen.set()

    process = await submit()
    for number in range(turns.CRASHES):
        who, now = Who(worker=f"worker {number}", kinds={"work"}), clock.now()
        await store.write(lambda tx, who=who, now=now: turns.take(tx, who, now, now + timedelta(seconds=60), 1))
        clock.turn(61)
    async with serving(work=work, on_finished=finished):
        await seen.wait()
    assert [(one.id, one.state, one.error_key) for one in told] == [(process.id, State.FAILED, "worker_lost")]


async def test_a_callback_that_fails_harms_nobody(queue: Queue, submit: Any, serving: Any, caplog: Any):
    """What on_finished raises is logged, and the runner goes on."""

    async def work(_: Turn) -> Done:
        return Done()

    async def finished(_: Process) -> None:
        raise ValueError("host's fault")

    async with serving(work=work, on_finished=finished):
        for _ in range(2):
            assert (await queue.wait("a", (await submit()).id)).state == State.SUCCEEDED
    assert "on_finished failed" in caplog.text


async def test_cancel_reaches_a_handler_at_its_page_border(queue: Queue, submit: Any, serving: Any):
    """A running process sees it at once, ends by itself, and its row says cancelled."""
    begun, clean = anyio.Event(), []

    async def work(turn: Turn) -> Again:
        begun.set()
        while not turn.cancelled:
            await turn.progress(done=1)
        clean.append(turn.process.id)
        return Again()

    async with serving(work=work):
        process = await submit()
        await begun.wait()
        asked = await queue.cancel("a", process.id)
        ended = await queue.wait("a", process.id)
    assert (asked.state, asked.cancel) == (State.RUNNING, True)
    assert (ended.state, clean) == (State.CANCELLED, [process.id])


async def test_cancel_ends_a_handler_that_does_not_look(queue: Queue, submit: Any, serving: Any):
    """After the grace it is cancelled wherever it is."""
    begun, cleaned = anyio.Event(), []

    async def work(_: Turn) -> Done:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append(True)

    async with serving(work=work, grace=0.05):
        process = await submit()
        await begun.wait()
        await queue.cancel("a", process.id)
        ended = await queue.wait("a", process.id)
    assert (ended.state, cleaned) == (State.CANCELLED, [True])


async def test_cancel_from_another_process_is_read_from_the_row(
    store: Store, clock: Any, queue: Queue, submit: Any, serving: Any
):
    """A queue that knows no runner still ends what runs elsewhere, by flag and heartbeat."""
    begun = anyio.Event()

    async def work(_: Turn) -> Done:
        begun.set()
        await anyio.sleep_forever()
        return Done()

    elsewhere = Queue(store, clock)
    async with serving(work=work, grace=0.05, lease=0.3):
        process = await submit()
        await begun.wait()
        await elsewhere.cancel("a", process.id)
        assert (await elsewhere.wait("a", process.id)).state == State.CANCELLED


async def test_cancel_of_a_queued_one_is_immediate_and_of_an_ended_one_nothing(queue: Queue, submit: Any, serving: Any):
    """Nobody has to run what nobody runs; an end stays an end; another account sees nothing."""

    async def work(_: Turn) -> Done:
        return Done()

    process = await submit()
    with pytest.raises(errors.NotFound):
        await queue.cancel("b", process.id)
    assert (await queue.cancel("a", process.id)).state == State.CANCELLED
    async with serving(work=work):
        other = await queue.wait("a", (await submit()).id)
        assert await queue.cancel("a", other.id) == other
        assert (await queue.get("a", process.id)).state == State.CANCELLED


async def test_a_clean_shutdown_leaves_nothing_running(store: Store, queue: Queue, submit: Any, serving: Any):
    """Who stops at the page border is queued with what it stored; who does not look is cancelled and queued too."""
    begun = {1: anyio.Event(), 2: anyio.Event()}

    async def work(turn: Turn) -> Again:
        begun[turn.process.connection or 0].set()
        if turn.process.connection == 2:
            await anyio.sleep_forever()
        while not turn.cancelled:
            await turn.progress(done=5)
        return Again(payload={"page": 5})

    async with serving(work=work, grace=0.1):
        polite, stubborn = await submit(connection=1), await submit(connection=2)
        await begun[1].wait()
        await begun[2].wait()
    rows = {one.id: one for one in await queue.list("a")}
    assert [rows[one.id].state for one in (polite, stubborn)] == [State.QUEUED, State.QUEUED]
    assert rows[polite.id].payload == {"page": 5}
    assert {one.worker for one in rows.values()} == {""}


async def test_a_runner_can_be_stopped_without_cancelling(store: Store, clock: Any, queue: Queue, submit: Any):
    """`stop` lets turns end at their page borders, and `serve` returns."""
    begun = anyio.Event()

    async def work(turn: Turn) -> Again:
        begun.set()
        while not turn.cancelled:
            await turn.progress(done=1)
        return Again()

    runner = Runner(store, clock, queue, {"work": work})
    async with anyio.create_task_group() as group:
        await group.start(runner.serve)
        process = await submit()
        await begun.wait()
        await runner.stop()
        assert (await queue.get("a", process.id)).state == State.QUEUED
    await runner.stop()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_host_that_cancels_its_task_loses_nothing(store: Store, clock: Any, queue: Queue, submit: Any):
    """asyncio's own cancellation, which knows no scopes, also returns what ran."""
    begun = anyio.Event()

    async def work(_: Turn) -> Done:
        begun.set()
        await anyio.sleep_forever()
        return Done()

    runner = Runner(store, clock, queue, {"work": work}, grace=0.05)
    task = asyncio.create_task(runner.serve())
    process = await submit()
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await queue.get("a", process.id)).state == State.QUEUED


async def test_a_changed_payload_is_remembered(queue: Queue, submit: Any, serving: Any):
    """What a handler wrote into its payload, however deep, is there in its next turn, also after an error."""
    seen: list[Any] = []

    async def work(turn: Turn) -> Done | Again:
        seen.append(json.dumps(turn.payload))
        turn.payload.setdefault("pages", []).append(len(seen))
        if len(seen) == 2:
            raise errors.RemoteUnavailable("The shop is down.")
        return Again() if len(seen) == 1 else Done()

    async with serving(work=work):
        process = await queue.wait("a", (await submit(payload={"pages": []})).id)
    assert seen == ['{"pages": []}', '{"pages": [1]}', '{"pages": [1, 2]}']
    assert process.payload == {"pages": [1, 2, 3]}


async def test_an_end_reached_during_shutdown_is_kept(queue: Queue, submit: Any, serving: Any):
    """A turn that is done when the host closes has succeeded, and the host is told."""
    begun, told = anyio.Event(), []

    async def work(turn: Turn) -> Done:
        begun.set()
        while not turn.cancelled:
            await turn.progress()
        return Done("in time")

    async def finished(process: Process) -> None:
        await anyio.lowlevel.checkpoint()
        told.append(process.id)

    async with serving(work=work, on_finished=finished):
        process = await submit()
        await begun.wait()
    assert (await queue.get("a", process.id)).state == State.SUCCEEDED
    assert told == [process.id]


async def test_a_lost_process_ends_its_turn(store: Store, queue: Queue, submit: Any, serving: Any):
    """When a living worker has the row under another fence, the handler is cancelled and writes nothing."""
    begun, ended = anyio.Event(), anyio.Event()

    async def work(_: Turn) -> Done:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        return Done()

    other = Presence(store.presence.folder)
    take_away = f"UPDATE omni_process SET fence = 9, worker = '{other.name}/1', lease_until = {1 << 52}"
    async with serving(work=work, lease=0.3):
        process = await submit()
        await begun.wait()
        await store.write(lambda tx: tx.exec_driver_sql(take_away))
        await ended.wait()
    row = await queue.get("a", process.id)
    other.close()
    assert (row.state, row.fence, row.worker) == (State.RUNNING, 9, f"{other.name}/1")


async def test_a_superseded_turn_is_swallowed(store: Store, queue: Queue, submit: Any, serving: Any):
    """A handler that learns of it by its own beat ends silently, and the new owner's turn is what counts."""
    fences: list[int] = []

    async def work(turn: Turn) -> Done:
        fences.append(turn.fence)
        if len(fences) == 1:
            await store.write(lambda tx: tx.exec_driver_sql("UPDATE omni_process SET state = 'queued', fence = 5"))
        await turn.progress(done=1)
        return Done()

    async with serving(work=work):
        process = await queue.wait("a", (await submit()).id)
    assert (process.state, process.fence, fences) == (State.SUCCEEDED, 6, [1, 6])


async def test_a_crowd_makes_big_ones_give_way(queue: Queue, submit: Any, serving: Any):
    """With one slot, a long process gives it back after its pages when another waits, and not when none does."""
    order: list[str] = []
    pages = 3 * PAGES

    async def work(turn: Turn) -> Done | Again:
        if turn.process.connection == 2:
            order.append("small")
            return Done()
        done = turn.payload.get("done", 0)
        while done < pages:
            done += 1
            await turn.progress(done=done, payload={"done": done})
            order.append("page")
            if done == 2:
                await submit(connection=2)
            if turn.crowded:
                return Again()
        return Done()

    async with serving(work=work, slots=1):
        big = await queue.wait("a", (await submit(connection=1)).id)
    assert (big.state, big.fence) == (State.SUCCEEDED, 2)
    assert PAGES <= order.index("small") < pages


async def test_many_small_ones_are_done_by_few_slots(queue: Queue, submit: Any, serving: Any, store: Store):
    """Never more turns at once than slots, and every process ends exactly once."""
    now, most, ended = 0, 0, []

    async def work(turn: Turn) -> Done:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await anyio.lowlevel.checkpoint()
        now -= 1
        ended.append(turn.process.id)
        return Done()

    processes = [await submit(connection=number % 7) for number in range(100)]
    async with serving(work=work, slots=8):
        for process in processes:
            assert (await queue.wait("a", process.id)).state == State.SUCCEEDED
    assert sorted(ended) == [one.id for one in processes]
    assert most == 8


async def test_run_to_end_drives_only_its_own(store: Store, clock: Any, queue: Queue, submit: Any):
    """Without a serving runner it works itself, through waits, and leaves other processes alone."""
    seen: list[State] = []

    async def work(turn: Turn) -> Done | Wait:
        return Done() if turn.payload.get("waited") else Wait(1800, "later", {"waited": True})

    runner = Runner(store=store, clock=clock, queue=queue, handlers={"work": work}, watchdog=0)
    mine, other = await submit(), await submit()
    with anyio.fail_after(20):
        process = await runner.run_to_end("a", mine.id, seen=lambda one: seen.append(one.state))
    assert process.state == State.SUCCEEDED
    assert State.WAITING in seen
    assert (await queue.get("a", other.id)).state == State.QUEUED
    with pytest.raises(errors.NotFound):
        await runner.run_to_end("b", mine.id)


async def test_run_to_end_refuses_what_it_cannot_run(store: Store, clock: Any, queue: Queue, submit: Any):
    """Instead of waiting for ever it says which kind has no handler."""
    process = await submit("mystery")
    with pytest.raises(errors.UsageError, match="kind 'mystery'"):
        await Runner(store, clock, queue, {}).run_to_end("a", process.id)


async def test_an_end_survives_a_store_that_rests(clock: Any, tmp_path: Path):
    """When the store cannot write a turn's end, the runner goes on, and writes it once the store can."""

    class Sulking(Store):
        sulks = 0

        async def write(self, work: Any) -> Any:
            if self.sulks:
                self.sulks -= 1
                raise errors.StorageError("The disk is full.")
            return await super().write(work)

    store = Sulking(str(tmp_path / "other.db"))
    store.open()
    migrations.ensure(store)
    queue, turns = Queue(store, clock), []

    async def work(turn: Turn) -> Done:
        turns.append(turn.fence)
        store.sulks = 1
        return Done("kept")

    process, _ = await store.write(
        lambda tx: queue.submit(tx, account="a", connection=1, kind="work", key="", payload={}, now=clock.now())
    )
    with anyio.fail_after(20):
        ended = await Runner(store, clock, queue, {"work": work}).run_to_end("a", process.id)
    store.close()
    assert (ended.state, ended.message, turns, store.sulks) == (State.SUCCEEDED, "kept", [1], 0)


async def test_run_to_end_follows_a_serving_runner(queue: Queue, submit: Any, serving: Any):
    """With one, it only follows."""

    async def work(_: Turn) -> Done:
        return Done()

    async with serving(work=work) as runner:
        assert (await runner.run_to_end("a", (await submit()).id)).state == State.SUCCEEDED


async def test_waiting_for_a_process_has_a_limit(queue: Queue, submit: Any):
    """When the time is over the open process is answered as it is."""
    process = await submit()
    assert await queue.wait("a", process.id, timeout=0.05) == process


async def test_old_processes_are_pruned(queue: Queue, submit: Any, clock: Any):
    """Ended ones go after their time."""
    process = await submit()
    await queue.cancel("a", process.id)
    clock.turn(3600)
    assert await queue.prune(timedelta(hours=2)) == 0
    assert await queue.prune(timedelta(minutes=30)) == 1
    assert await queue.list("a") == []


async def test_a_tick_that_fails_is_logged(serving: Any, caplog: Any):
    """The other ticks go on."""
    ticked = anyio.Event()

    async def work(_: Turn) -> Done:
        return Done()

    async def bad() -> None:
        raise ValueError("no")

    async def good() -> None:
        ticked.set()

    async with serving(work=work, ticks=((60, bad), (60, good))):
        await ticked.wait()
    assert "a tick failed" in caplog.text


async def test_a_blocked_loop_is_named(queue: Queue, submit: Any, serving: Any, caplog: Any):
    """The log says which process of which connection blocks it."""

    async def work(_: Turn) -> Done:
        until = time.monotonic() + 5
        while time.monotonic() < until and "blocks it" not in caplog.text:
            pass
        return Done()

    with caplog.at_level(logging.WARNING):
        async with serving(work=work, watchdog=0.05):
            process = await queue.wait("a", (await submit(connection=42)).id)
    assert f"process {process.id} (work, connection 42) blocks it in " in caplog.text
