"""Names whoever blocks the event loop: a thread looks whether the loop still moves, and at what it does when not."""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import CodeType, FrameType

import anyio

from omnichannel_core.processes.turn import Turn

EVERY = 0.25
_log = logging.getLogger(__name__)


class Watchdog:
    """Costs four wake-ups a second.

    Args:
        limit: seconds without a move of the loop, after which it says so, once each time.
        marker: the code of the function whose local `turn` is the turn at work.
    """

    def __init__(self, limit: float, marker: CodeType) -> None:
        self._limit, self._marker = limit, marker
        self._every = min(EVERY, limit / 4)
        self._loop = threading.get_ident()
        self._seen = time.monotonic()
        self._over = threading.Event()

    async def run(self) -> None:
        """Until cancelled; the thread ends with it."""
        self._loop, self._seen = threading.get_ident(), time.monotonic()
        thread = threading.Thread(target=self._look, name="omnichannel-watchdog", daemon=True)
        thread.start()
        try:
            while True:
                self._seen = time.monotonic()
                await anyio.sleep(self._every)
        finally:
            self._over.set()
            thread.join()

    def _look(self) -> None:
        told = False
        while not self._over.wait(self._every):
            late = time.monotonic() - self._seen
            if late > self._limit and not told:
                _log.warning("the event loop has not moved for %.1f s: %s", late, self._culprit())
            told = late > self._limit

    def _culprit(self) -> str:
        frame = sys._current_frames().get(self._loop)
        if frame is None:
            return "its thread is gone"
        code = frame.f_code
        where = f"{code.co_name} ({code.co_filename}:{frame.f_lineno})"
        turn = self._turn(frame)
        if turn is None:
            return f"none of our processes, but {where}"
        process = turn.process
        return f"process {process.id} ({process.kind}, connection {process.connection}) blocks it in {where}"

    def _turn(self, frame: FrameType | None) -> Turn | None:
        while frame is not None and frame.f_code is not self._marker:
            frame = frame.f_back
        found = None if frame is None else frame.f_locals.get("turn")
        return found if isinstance(found, Turn) else None
