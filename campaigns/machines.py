"""Four workers on one PostgreSQL, two hundred connections: killed, stopped and woken, and the database restarted.

What a machine does, a process does here: nothing but the database is shared.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import anyio
import attrs
import psycopg
import sqlalchemy as sa

from campaigns import counted
from campaigns.figures import Figure, control, quantile
from campaigns.ground import ACCOUNT, Ground, forked, prepared, spawn
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.testing import postgres

WORKERS, CONNECTIONS, SLOTS = 4, 200, 16
STOPPED = (9.0, 14.0)  # seconds; a lease is eight
EVERY = (1.5, 4.0)  # seconds between two blows
TAKEOVER = 15.0
KEYS = KeyRing({"campaign": bytes(32)})
ENDED = "SELECT count(*) FROM omni_process WHERE finished_at IS NULL"
WHY = "SELECT error_key, min(error), count(*) FROM omni_process WHERE state = 'failed' GROUP BY error_key"
HELD = "SELECT count(*) FROM omni_process WHERE state = 'running' AND worker LIKE %s"


def sink(tx: Any, connection: Any, stream: str, records: Any) -> None:
    """The host's own rows, in the page's transaction; nothing forbids doubles here."""
    if stream == "orders":
        rows = [{"c": connection.id, "r": one.id} for one in records]
        tx.execute(sa.text("INSERT INTO host_order (connection, remote) VALUES (:c, :r)"), rows)


def unfenced() -> None:
    """The fault of the control: whoever comes to commit may, whatever its fence, and nobody is told that it lost."""
    from omnichannel_core.processes.turn import Turn
    from omnichannel_core.storage import streams
    from omnichannel_core.storage.processes import Processes

    for style in streams._COMMIT:
        streams._COMMIT[style] = streams._COMMIT[style].replace("AND fence =", "AND 0 <")
    Processes.beat = lambda *_, **__: False  # type: ignore[method-assign]
    Turn.lose = lambda _: None  # type: ignore[method-assign]


@attrs.define
class Trial:
    """One run of the campaign."""

    ground: Ground
    server: postgres.Server
    url: str
    fault: bool = False
    blows: Counter[str] = attrs.field(factory=Counter)
    takeovers: list[float] = attrs.field(factory=list)
    missed: int = 0  # blows whose victim's work was not taken over in time
    _workers: list[int] = attrs.field(factory=list)
    _victims: dict[int, float] = attrs.field(factory=dict)  # worker -> when it was hit, until it holds nothing
    _asleep: dict[int, float] = attrs.field(factory=dict)  # worker -> when it is woken

    def begin(self, connections: int) -> None:
        """Connections with their first synchronize queued. In a forked process."""

        async def main() -> None:
            house = self.ground.house(self.url, data=self.ground.folder / "data", keys=KEYS, work=False)
            await house.migrate()
            async with house:
                await self.ground.settle(house)
                for number in range(connections):
                    await house.connections.create(ACCOUNT, "counted", f"Shop {number}", {})

        forked(lambda: anyio.run(main))
        with self.ask() as raw:
            raw.execute("CREATE TABLE host_order (connection BIGINT, remote TEXT)")

    def ask(self) -> psycopg.Connection[Any]:
        """A connection of the parent's own."""
        return psycopg.connect(postgres.dsn(sa.make_url(self.url)), autocommit=True)

    def one(self, question: str, *values: Any) -> int | None:
        """A number; None while the database is away."""
        with suppress(psycopg.Error), self.ask() as raw:
            row = raw.execute(question.encode(), values).fetchone()
            return int(row[0]) if row else None
        return None

    def blow_for(self, seconds: float, chance: random.Random) -> None:
        """Blows for so long, or until everything has ended."""
        self._workers = [spawn(self._work) for _ in range(WORKERS)]
        time.sleep(3.0)
        until, next_blow = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < until and self.one(ENDED) != 0:
            self._look()
            if time.monotonic() >= next_blow:
                self._blow(chance)
                next_blow = time.monotonic() + chance.uniform(*EVERY)
            time.sleep(0.2)

    def settle(self, seconds: float) -> int:
        """No more blows: the processes that have not ended so many seconds later."""
        until = time.monotonic() + seconds
        while ((left := self.one(ENDED)) != 0 or self._asleep) and time.monotonic() < until:
            self._look()
            time.sleep(0.2)
        time.sleep(1.0)  # whoever has just been woken tries to commit what it had in hand
        for worker in list(self._asleep):
            os.kill(worker, signal.SIGCONT)
        for worker in self._workers:
            os.kill(worker, signal.SIGTERM if not self._asleep else signal.SIGKILL)
            os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)
        return -1 if left is None else left

    def _work(self) -> None:
        logging.disable(logging.CRITICAL)
        if self.fault:
            unfenced()

        async def main() -> None:
            data = self.ground.folder / f"data-{os.getpid()}"
            while True:
                with suppress(Exception):
                    house = self.ground.house(self.url, data=data, keys=KEYS, sink=sink, slots=SLOTS)
                    async with house:
                        await anyio.sleep_forever()
                await anyio.sleep(0.5)  # the database was away when it began

        anyio.run(main)

    def _blow(self, chance: random.Random) -> None:
        what = "stop" if self.fault else chance.choices(("kill", "stop", "restart"), (5, 3, 2))[0]
        awake = [one for one in self._workers if one not in self._asleep]
        if what == "restart":
            self.server.stop(chance.choice((signal.SIGINT, signal.SIGQUIT)))
            time.sleep(chance.uniform(0, 1))
            self.server.start()
            for victim in self._victims:  # what it kept was not to be had meanwhile
                self._victims[victim] += 1.0
        elif len(awake) <= 2:
            return
        else:
            victim = chance.choice(awake)
            held = self.one(HELD, f"{victim}-%")
            os.kill(victim, signal.SIGKILL if what == "kill" else signal.SIGSTOP)
            if held:
                self._victims[victim] = time.monotonic()
            if what == "kill":
                os.waitpid(victim, 0)
                self._workers[self._workers.index(victim)] = spawn(self._work)
            else:
                self._asleep[victim] = time.monotonic() + chance.uniform(*STOPPED)
        self.blows[what] += 1

    def _look(self) -> None:
        now = time.monotonic()
        for victim, since in list(self._victims.items()):
            if self.one(HELD, f"{victim}-%") == 0:
                self.takeovers.append(now - since)
                del self._victims[victim]
            elif now - since > 2 * TAKEOVER:
                self.missed += 1
                del self._victims[victim]
        for worker, wake in list(self._asleep.items()):
            if now >= wake:
                os.kill(worker, signal.SIGCONT)
                self._victims.pop(worker, None)  # awake, it may rightly take again
                del self._asleep[worker]


def _campaign(seconds: float, connections: int, orders: int, seed: int, *, fault: bool = False) -> Iterable[Figure]:
    named = os.environ.get("OMNI_TEST_PG", "")
    with (
        postgres.running(postgres.DURABLE, named) as server,
        prepared(counted="campaigns.counted") as ground,
    ):
        counted.BOARD.__init__()  # type: ignore[misc]
        counted.BOARD.total = orders
        url = server.database().render_as_string(hide_password=False)
        trial = Trial(ground, server, url, fault)
        trial.begin(connections)
        began = time.monotonic()
        trial.blow_for(seconds, random.Random(seed))
        open_ = trial.settle(180.0)
        took = time.monotonic() - began
        total = connections * orders
        kept = trial.one("SELECT count(*) FROM omni_record WHERE kind = 'Order'") or 0
        told = trial.one("SELECT count(*) FROM host_order") or 0
        apart = trial.one("SELECT count(*) FROM (SELECT DISTINCT connection, remote FROM host_order) AS x") or 0
        if fault:
            yield control("machines_doubled", told - apart, seconds=round(took), what="no fence is verified")
            return
        won = trial.one("SELECT count(*) FROM omni_process WHERE state = 'succeeded'") or 0
        blows = dict(trial.blows)
        yield Figure("machines_blows", sum(blows.values()), 3, least=True, details={
            "blows": blows, "workers": WORKERS, "connections": connections, "orders": total, "seconds": round(took),
        })  # fmt: skip
        yield Figure("machines_lost", (total - kept) + (total - apart), 0)
        yield Figure("machines_doubled", told - apart, 0)
        yield Figure("machines_not_ended", open_, 0)
        with trial.ask() as raw:
            failed = raw.execute(WHY)
            why = {f"{row[0]}: {row[1]}": row[2] for row in failed}
        yield Figure("machines_succeeded", won, connections, least=True, details={"failed": why})
        yield Figure("machines_takeover_slowest_s", max(trial.takeovers, default=99.0), TAKEOVER, details={
            "count": len(trial.takeovers), "median": round(quantile(trial.takeovers, 0.5), 1), "missed": trial.missed,
        })  # fmt: skip


def run(size: float = 1.0) -> Iterable[Figure]:
    """Five minutes, two hundred connections."""
    seconds = max(300.0 * size, 20.0)
    yield from _campaign(seconds, CONNECTIONS if size == 1 else 40, max(round(1200 * size), 120), seed=1)
    yield from _campaign(max(30.0 * size, 25.0), 20, 2000, seed=4, fault=True)


if __name__ == "__main__":
    for figure in run(float(sys.argv[1]) if len(sys.argv) > 1 else 0.05):
        print(figure.line(), flush=True)
