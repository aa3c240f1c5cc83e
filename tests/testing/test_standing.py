"""What blocks the event loop is named, and what does not is left alone."""

from __future__ import annotations

import contextlib
import importlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from omnichannel_core.testing.conformance import Verdict, certify, standing


def sleeps() -> None:
    """For a moment."""
    time.sleep(0.001)


def looks_up() -> None:
    """A name that every machine knows."""
    socket.gethostbyname("localhost")


def connects() -> None:
    """Waits for nobody."""
    with socket.socket() as one, contextlib.suppress(OSError):
        one.settimeout(1)
        one.connect(("127.0.0.1", 9))


def runs() -> None:
    """A process."""
    subprocess.run([sys.executable, "-c", ""], check=True)


@pytest.mark.parametrize("wait", [sleeps, looks_up, connects, runs])
def test_what_blocks_is_named(wait: Callable[[], None]) -> None:
    """Whatever waits in the thread of the loop is seen with its place, however short it is."""
    with standing.watching() as seen:
        wait()
    assert seen
    assert " at /" in seen[0]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_loop_at_work_blocks_nothing(backend: str) -> None:
    """Sleeping, sockets, names and threads by way of the loop are no waiting; a sleep in another thread is none."""

    async def talk(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.send(await stream.receive())

    async def work() -> list[str]:
        with standing.watching() as seen:
            async with anyio.create_task_group() as group:
                listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
                group.start_soon(listener.serve, talk)
                port = listener.extra(anyio.abc.SocketAttribute.local_port)
                async with await anyio.connect_tcp("localhost", port) as stream:
                    await stream.send(b"hello")
                    assert await stream.receive() == b"hello"
                await anyio.sleep(0.01)
                await anyio.to_thread.run_sync(time.sleep, 0.01)
                group.cancel_scope.cancel()
            await listener.aclose()
        return seen

    assert anyio.run(work, backend=backend) == []


def test_a_driver_that_blocks_is_not_silver(plug: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver whose check sleeps fails the rule, which says where and what to do instead."""
    plug.ready("stall")
    stall = importlib.import_module("omnichannel_stall.facts").StallFacts
    facts = type("Facts", (stall,), {"loops": ("asyncio",)})()
    rules = ["silver-nothing-blocks"]
    assert certify(facts, only=rules, catalog=plug.catalog()).tried[rules[0]].verdict is Verdict.HOLDS
    client = importlib.import_module("omnichannel_stall.driver")
    check = client.check

    async def slow(session: Any) -> Any:
        time.sleep(0.001)  # noqa: ASYNC251 - that is the mistake
        return await check(session)

    monkeypatch.setattr(client, "check", slow)
    found = certify(facts, only=rules, catalog=plug.catalog()).tried[rules[0]]
    assert found.verdict is Verdict.FAILS
    assert "sleep at" in found.reason
    assert "session.compute" in found.reason
