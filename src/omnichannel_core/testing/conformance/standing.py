"""Silver: the event loop never stands still over a driver. What waits is seen as it is called, however short it is.

Not seen: work that only takes long (the house's watchdog names that), and look-ups of names, which loops do as well.
"""

from __future__ import annotations

import _socket
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from omnichannel_core.testing.clock import FakeClock
from omnichannel_core.testing.conformance.facts import Remote
from omnichannel_core.testing.conformance.rules import Failed, Level, rule
from omnichannel_core.testing.conformance.trying import Bench, Subject
from omnichannel_core.testing.simulator import control

WAITS: frozenset[object] = frozenset({time.sleep, _socket.gethostbyname, select.select, os.system, os.waitpid, input})
FACTS = frozenset({FakeClock.turn.__code__, control.__code__, Remote.control.__code__})
TALKS = frozenset({"connect", "connect_ex", "recv", "recv_into", "send", "sendall", "accept"})


@rule(Level.SILVER, "While one driver blocks the event loop, every other connection of its process stands still.")
def nothing_blocks(subject: Subject) -> None:
    """Checks, pulls and pushes call nothing that waits: no sleep, no blocking socket, no process."""

    async def work(bench: Bench) -> None:
        with watching() as seen:
            await bench.unhurried(lambda: bench.driver.flow.check(bench.session()))
            session = await bench.prepared()
            for stream in bench.driver.record_streams():
                await bench.walk(stream, session=session)
            await bench.stocked()
            for push in bench.driver.pushes.values():
                for batch in bench.batches(push):
                    await bench.unhurried(lambda p=push, b=batch: p.push(bench.session(), b))  # type: ignore[misc]
        if seen:
            raise Failed(
                f"{seen[0]} blocks the event loop; leave waiting to the house (Page.more, Wait), send through "
                "session.http, and run what takes long in session.compute or a thread."
            )

    subject.each(work)


@contextmanager
def watching() -> Iterator[list[str]]:
    """What this thread calls inside that waits: each as `function at file:line`."""
    seen, before = list[str](), sys.getprofile()

    def look(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and _waits(called) and not _by_facts(frame):
            seen.append(f"{called.__name__} at {frame.f_code.co_filename}:{frame.f_lineno}")

    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def _waits(called: Callable[..., Any]) -> bool:
    owner = getattr(called, "__self__", None)
    if isinstance(owner, _socket.socket):
        return called.__name__ in TALKS and owner.gettimeout() != 0
    return called in WAITS


def _by_facts(frame: FrameType | None) -> bool:
    """The author's facts turn the simulator's clock and reach into it, from this very thread."""
    while frame is not None:
        if frame.f_code in FACTS:
            return True
        frame = frame.f_back
    return False
