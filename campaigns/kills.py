"""Workers killed in the midst of an order import, each taken over at once: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

import attrs

from campaigns import counted, importing
from campaigns.board import (
    ACKNOWLEDGING,
    BEGUN,
    COMMITTED,
    FETCHING,
    IN_TRANSACTION,
    NAMES,
    PREPARING,
    TAKEN,
    WRITTEN,
    until,
)
from campaigns.figures import Figure, control, quantile
from campaigns.ground import Ground, forked, prepared, spawn

# Where a worker is held for its kill; 0 is not held: whenever it comes, within some milliseconds.
PLACES = (0, 0, 0, TAKEN, FETCHING, PREPARING, BEGUN, WRITTEN, COMMITTED, ACKNOWLEDGING)
BLINK = 0.100  # seconds
BACKENDS = ("asyncio", "trio")
AT_ONCE = 5.0  # seconds; a lease is 60
WITHIN = 15.0  # seconds on a server, where no file lock tells; a lease is:
LEASE = 0.5


@attrs.define
class Tally:
    """What the kills did."""

    places: Counter[int] = attrs.field(factory=Counter)
    takeovers: list[float] = attrs.field(factory=list)
    again: list[int] = attrs.field(factory=list)
    ended: int = 0  # workers that came to the end of the import before their kill


def kill(ground: Ground, connection: int, kills: int, seed: int, fault: Callable[[], None] | None = None) -> Tally:
    """So many kills, and then a worker that ends the import."""
    chance, board, tally = random.Random(seed), counted.BOARD, Tally()
    killed_at, backend = 0.0, 0
    while sum(tally.places.values()) <= kills:
        last = sum(tally.places.values()) == kills
        target = PLACES[sum(tally.places.values()) % len(PLACES)]
        board.clear(0 if last else target, 1 if target == TAKEN else chance.randint(1, 3))
        backend += 1
        child = spawn(partial(_worker, ground, connection, BACKENDS[backend % 2], fault))
        if last:
            os.waitpid(child, 0)
            _note(tally, killed_at)
            return tally
        if not _wait(child, held=target > 0, pause=chance.random() * BLINK):
            _note(tally, killed_at)
            killed_at, tally.ended, board.total = 0.0, tally.ended + 1, board.total + 100 * counted.PAGE
            continue
        os.kill(child, signal.SIGKILL)
        now = time.monotonic()
        os.waitpid(child, 0)
        tally.places[board.place] += 1
        _note(tally, killed_at)
        killed_at = now
    return tally


def _worker(ground: Ground, connection: int, backend: str, fault: Callable[[], None] | None) -> None:
    if fault is not None:
        fault()
    importing.speak()
    importing.work(ground, connection, backend, LEASE if ground.url else 60.0)


def _wait(child: int, *, held: bool, pause: float) -> bool:
    """Whether it is where it is to be killed; False: it has come to its end.

    Raises:
        RuntimeError: it does not come there.
    """
    board = counted.BOARD
    gone = False

    def over() -> bool:
        nonlocal gone
        gone = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return gone

    if not until(lambda: (board.held if held else board.taken_at > 0) or over()):
        raise RuntimeError("a worker took no work")
    if not gone and not held:
        time.sleep(pause)
        over()
    if gone:
        os.waitpid(child, 0)
    return not gone


def _note(tally: Tally, killed_at: float) -> None:
    """How the one after a kill began."""
    if killed_at:
        tally.takeovers.append(counted.BOARD.taken_at - killed_at)
        tally.again.append(counted.BOARD.again)


def _campaign(
    kills: int, seed: int, store: str, fault: Callable[[], None] | None = None
) -> tuple[Tally, importing.Held]:  # fmt: skip
    with prepared(store, counted="campaigns.counted") as ground:
        counted.BOARD.__init__()  # type: ignore[misc]
        counted.BOARD.total = (2 * kills + 50) * counted.PAGE
        connection = importing.begun(ground)
        tally = kill(ground, connection, kills, seed, fault)
        return tally, importing.Held(**forked(lambda: attrs.asdict(importing.held(ground, connection))))


def run(size: float = 1.0, store: str = "sqlite") -> Iterable[Figure]:
    """1,000 kills; a tenth of them on a server, where each waits for a lease."""
    kills = max(round((1000 if store == "sqlite" else 100) * size), 20)
    began = time.monotonic()
    tally, held = _campaign(kills, 1, store)
    places = {NAMES[place]: count for place, count in sorted(tally.places.items())}
    inside = sum(tally.places[place] for place in IN_TRANSACTION)
    total = counted.BOARD.total
    yield Figure("kills", sum(tally.places.values()), kills, least=True, details={
        "places": places, "ended": tally.ended, "seconds": round(time.monotonic() - began, 1), "orders": total,
    })  # fmt: skip
    yield Figure("kills_in_transaction", inside, kills / 10, least=True)
    yield Figure("kills_lost", held.lost, 0, details={"orders": total})
    yield Figure("kills_doubled", held.doubled, 0)
    yield Figure("kills_cursor_off_rows", abs(held.cursor - total) + abs(held.counted - total), 0)
    yield Figure("kills_wrong_lines", held.wrong_lines, 0)
    yield Figure("kills_unacknowledged", held.unacknowledged, 0)
    yield Figure("kills_pages_again_most", max(tally.again), 2, details={"all": sum(tally.again)})
    yield Figure("kills_takeover_slowest_s", max(tally.takeovers), AT_ONCE if store == "sqlite" else WITHIN, details={
        "median": round(quantile(tally.takeovers, 0.5), 3), "p99": round(quantile(tally.takeovers, 0.99), 3),
    })  # fmt: skip
    few = max(kills // 20, 20)
    tally, held = _campaign(few, 2, store, fault=importing.cursor_apart)
    yield control("kills_lost", held.lost, kills=few, what="the cursor is committed apart from its page")


if __name__ == "__main__":
    for figure in run(float(sys.argv[1]) if len(sys.argv) > 1 else 0.05):
        print(figure.line(), flush=True)
