"""A queue, and runners that live for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import pytest

from omnichannel_core.model.process import Process
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.runner import Runner
from omnichannel_core.processes.turn import Again, Done, Turn, Wait
from omnichannel_core.storage.store import Store

Submit = Callable[..., Awaitable[Process]]
Serving = Callable[..., AbstractAsyncContextManager[Runner]]


@pytest.fixture
def queue(store: Store, clock: Any) -> Queue:
    """Of the test's store."""
    return Queue(store, clock)


@pytest.fixture
def submit(store: Store, clock: Any, queue: Queue) -> Submit:
    """Submit one of account `a` and nudge."""

    async def one(
        kind: str = "work", *, account: str = "a", connection: int | None = 1, key: str = "",
        payload: Mapping[str, Any] | None = None,
    ) -> Process:  # fmt: skip
        process, _ = await store.write(
            lambda tx: queue.submit(
                tx, account=account, connection=connection, kind=kind, key=key, payload=payload or {}, now=clock.now()
            )
        )
        queue.nudge()
        return process

    return one


@pytest.fixture
def serving(store: Store, clock: Any, queue: Queue) -> Serving:
    """A runner at work: `async with serving(work=handler, slots=2) as runner`."""

    @asynccontextmanager
    async def at_work(
        *, work: Callable[[Turn], Awaitable[Done | Again | Wait]], **options: Any
    ) -> AsyncIterator[Runner]:
        runner = Runner(store=store, clock=clock, queue=queue, handlers={"work": work}, **options)
        async with anyio.create_task_group() as group:
            await group.start(runner.serve)
            with anyio.fail_after(20):
                yield runner
            group.cancel_scope.cancel()

    return at_work
