"""Workers stopped (SIGSTOP) in the midst of an import that wake up after somebody has taken over: no stale commit."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

import attrs

from campaigns import counted, importing
from campaigns.board import ACKNOWLEDGING, COMMITTED, FETCHING, NAMES, PREPARING, TAKEN, Board, until
from campaigns.figures import Figure, control, quantile
from campaigns.ground import Ground, forked, prepared, spawn
from omnichannel_core import errors
from omnichannel_core.connections import pulling
from omnichannel_core.storage import streams
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.store import Store, Tx

T = TypeVar("T")

# Not inside a transaction: whoever is stopped there has the database's lock, and nobody can take over.
PLACES = (PREPARING, COMMITTED, PREPARING, FETCHING, TAKEN, ACKNOWLEDGING)
LEASE = 0.2  # seconds
BACKENDS = ("asyncio", "trio")
AWAKE = 0.25  # seconds that a woken worker has to show that it commits nothing; it mostly ends sooner
REFUSED, LATE = 1, 2


@attrs.define
class Tally:
    """What the pauses did."""

    places: Counter[int] = attrs.field(factory=Counter)
    takeovers: list[float] = attrs.field(factory=list)
    refused: int = 0  # woken workers whose commit was refused; the others were told before they tried


def listening(board: Board) -> None:
    """In a forked worker: the board learns whether a commit was refused."""
    commit = pulling.Pull._commit_now

    def committing(self: pulling.Pull, found: object) -> object:
        try:
            return commit(self, found)  # type: ignore[arg-type]
        except errors.Superseded:
            board.tell(REFUSED)
            raise

    pulling.Pull._commit_now = committing  # type: ignore[method-assign,assignment]
    write, lane = Store.write_now, threading.Lock()

    def writing(self: Store, work: Callable[[Tx], T]) -> T:
        with lane:
            board.write(begins=True)
            try:
                return write(self, work)
            finally:
                board.write(begins=False)

    Store.write_now = writing  # type: ignore[method-assign]


def unfenced() -> None:
    """The fault of the control: whoever comes to commit may, whatever its fence."""
    for style in streams._COMMIT:
        streams._COMMIT[style] = streams._COMMIT[style].replace("AND fence =", "AND 0 <")
    Processes.beat = lambda *_, **__: False  # type: ignore[method-assign]


def _worker(ground: Ground, connection: int, backend: str, board: Board, fault: Callable[[], None] | None) -> None:
    counted.BOARD = board
    if fault is not None:
        fault()
    importing.speak()
    listening(board)
    importing.work(ground, connection, backend, lease=LEASE)


def pause(ground: Ground, connection: int, pauses: int, fault: Callable[[], None] | None = None) -> Tally:
    """A chain: each worker is stopped, the next one takes over and commits, the stopped one wakes and is watched."""
    tally, chance = Tally(), random.Random(3)
    boards = (Board(), Board())

    def start(number: int) -> int:
        board = boards[number % 2]
        target = PLACES[number % len(PLACES)]
        board.total = pauses * 40 * counted.PAGE
        board.clear(target, 1 if target == TAKEN else chance.randint(1, 3))
        return spawn(lambda: _worker(ground, connection, BACKENDS[number % 2], board, fault))

    sleeper = start(0)
    _reach(boards[0])
    for number in range(1, pauses + 1):
        board, asleep = boards[number % 2], boards[(number - 1) % 2]
        stopped = _stop(sleeper, asleep)
        tally.places[asleep.place] += 1
        taker = start(number)
        _reach(board)
        tally.takeovers.append(board.taken_at - stopped)
        asleep.release()
        os.kill(sleeper, signal.SIGCONT)
        until(lambda now=asleep: now.told > 0, AWAKE)  # type: ignore[misc]
        tally.refused += asleep.told == REFUSED
        os.kill(sleeper, signal.SIGKILL)
        os.waitpid(sleeper, 0)
        sleeper = taker
    os.kill(sleeper, signal.SIGKILL)
    os.waitpid(sleeper, 0)
    return tally


def _stop(worker: int, board: Board) -> float:
    """Stopped, and not with the database's lock in hand; when, in monotonic seconds."""
    while True:
        until(lambda: not board.writing)
        os.kill(worker, signal.SIGSTOP)
        os.waitpid(worker, os.WUNTRACED)
        if not board.writing:
            return time.monotonic()
        os.kill(worker, signal.SIGCONT)


def _reach(board: Board) -> None:
    """It took over, and is held at its place: it has the process, and its lease is prolonged until we stop it."""
    if not until(lambda: board.held):
        raise RuntimeError("a worker did not take over")


def _campaign(
    pauses: int, store: str, fault: Callable[[], None] | None = None
) -> tuple[Tally, importing.Held]:  # fmt: skip
    with prepared(store, counted="campaigns.counted") as ground:
        connection = importing.begun(ground)
        tally = pause(ground, connection, pauses, fault)
        return tally, importing.Held(**forked(lambda: attrs.asdict(importing.held(ground, connection))))


def run(size: float = 1.0, store: str = "sqlite") -> Iterable[Figure]:
    """1,000 pauses; a tenth of them on a server."""
    pauses, began = max(round((1000 if store == "sqlite" else 100) * size), 20), time.monotonic()
    tally, held = _campaign(pauses, store)
    places = {NAMES[place]: count for place, count in sorted(tally.places.items())}
    yield Figure("pauses", sum(tally.places.values()), pauses, least=True, details={
        "places": places, "lease": LEASE, "seconds": round(time.monotonic() - began, 1),
        "takeover_median": round(quantile(tally.takeovers, 0.5), 3), "refused": tally.refused,
    })  # fmt: skip
    yield Figure("pauses_stale_commits", held.stale, 0, details={"orders": held.cursor})
    yield Figure("pauses_lost_or_doubled", held.lost + held.doubled + held.wrong_lines, 0)
    yield Figure("pauses_commits_refused", tally.refused, pauses / 10, least=True)
    few = max(pauses // 20, 12)
    tally, held = _campaign(few, store, unfenced)
    yield control("pauses_stale_commits", held.stale, pauses=few, what="no fence is verified")


if __name__ == "__main__":
    for figure in run(float(sys.argv[1]) if len(sys.argv) > 1 else 0.05):
        print(figure.line(), flush=True)
