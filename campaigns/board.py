"""A board in shared memory: a forked worker writes where it is, its parent reads it and may have it held there."""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable

TAKEN, FETCHING, PREPARING, BEGUN, WRITTEN, COMMITTED, ACKNOWLEDGING = range(1, 8)
NAMES = {
    0: "nowhere", TAKEN: "taken", FETCHING: "fetching", PREPARING: "preparing", BEGUN: "transaction begun",
    WRITTEN: "transaction written", COMMITTED: "committed", ACKNOWLEDGING: "acknowledging",
}  # fmt: skip
LANE = {PREPARING, BEGUN, WRITTEN}  # places in the writers' lane; the others are on the loop
IN_TRANSACTION = {BEGUN, WRITTEN}
PAGES = 65536  # room for so many pages
_ON_LOOP, _IN_LANE, _TARGET, _COUNT, _HELD, _WRITING = range(6)
_TAKEN_AT, _TOTAL, _AGAIN, _TOLD, _PAGES = 8, 16, 24, 32, 64


class Board:
    """One worker at a time."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _PAGES + PAGES)

    # --- the parent's
    def clear(self, target: int = 0, count: int = 1) -> None:
        """For the next worker: hold it when it is at `target` for the count-th time."""
        self._memory[:_TAKEN_AT] = bytes((0, 0, target, count, 0, 0, 0, 0))
        self._put(_TAKEN_AT, 0)
        self._put(_AGAIN, 0)
        self._put(_TOLD, 0)

    @property
    def place(self) -> int:
        """Where it is: what its lane does, else its loop."""
        return self._memory[_IN_LANE] or self._memory[_ON_LOOP]

    @property
    def held(self) -> bool:
        """It is at its target and stays there."""
        return self._memory[_HELD] == 1

    @property
    def taken_at(self) -> float:
        """Monotonic seconds when it took its first turn; 0 is not yet."""
        return self._get(_TAKEN_AT) / 1e9

    @property
    def again(self) -> int:
        """Pages it fetched that somebody had fetched before."""
        return self._get(_AGAIN)

    @property
    def told(self) -> int:
        """What `tell` said last."""
        return self._get(_TOLD)

    @property
    def writing(self) -> bool:
        """It waits for a write transaction, or is in one."""
        return self._memory[_WRITING] > 0

    def release(self) -> None:
        """It may go on."""
        self._memory[_TARGET] = self._memory[_HELD] = 0

    # --- both
    @property
    def total(self) -> int:
        """Orders over there."""
        return self._get(_TOTAL)

    @total.setter
    def total(self, value: int) -> None:
        self._put(_TOTAL, value)

    # --- the worker's
    def at(self, place: int) -> None:
        """I am here. Blocks while I am to be held."""
        if place == TAKEN and not self._get(_TAKEN_AT):
            self._put(_TAKEN_AT, time.monotonic_ns())
        self._memory[_IN_LANE if place in LANE else _ON_LOOP] = place
        if self._memory[_TARGET] == place:
            if self._memory[_COUNT] > 1:
                self._memory[_COUNT] -= 1
                return
            self._memory[_HELD] = 1
            while self._memory[_HELD]:
                time.sleep(0.0002)

    def leave_lane(self) -> None:
        """Nothing is under way in the writers' lane."""
        self._memory[_IN_LANE] = 0

    def write(self, *, begins: bool) -> None:
        """Around every write transaction; they come one at a time."""
        self._memory[_WRITING] = begins

    def fetched(self, page: int) -> None:
        """A page was asked for."""
        if self._memory[_PAGES + page]:
            self._put(_AGAIN, self._get(_AGAIN) + 1)
        self._memory[_PAGES + page] = 1

    def tell(self, value: int) -> None:
        """Something for the parent."""
        self._put(_TOLD, value)

    def _put(self, at: int, value: int) -> None:
        struct.pack_into("q", self._memory, at, value)

    def _get(self, at: int) -> int:
        return int(struct.unpack_from("q", self._memory, at)[0])


def until(reached: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Look often; whether it came true in time."""
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.0003)
    return True
