"""A hostile driver beside a good one in one house: the good one's syncs are unaffected, the hostile one is named."""

from __future__ import annotations

import importlib
import logging
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import anyio
import attrs

from campaigns.figures import Figure, control, quantile
from campaigns.ground import ACCOUNT, Ground, forked, prepared
from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.connections import pulling
from omnichannel_core.model.lifecycle import Health
from omnichannel_core.model.process import State
from omnichannel_core.records import Order

STEP, PAGE = 200, 20  # orders a good sync has to bring, and how many come in a page
SHORT = 1.0  # seconds: a good sync that takes no longer is well, whatever it takes alone
PRESS = 0.5  # seconds between two presses of SYNCHRONIZE at each hostile connection
DEADLINE = 1.0  # seconds for a page, instead of five minutes
PATIENCE = 10.0  # seconds for a house with one deadly way in it
BACKENDS = ("asyncio", "trio")


@attrs.frozen
class Seen:
    """One house's day."""

    alone: list[float]
    beside: list[float]
    failed: int  # good syncs that did not succeed, or brought the wrong number of orders
    untyped: Mapping[str, str]  # hostile ways without a typed error on their rows, and what there is instead
    ways: int


@attrs.define
class Day:
    """A house with one good connection and a hostile one for each way."""

    house: Omnichannel
    shop: Any
    good: int
    hostile: dict[str, int]
    heavy: frozenset[str]
    failed: int = 0

    async def syncs(self, count: int) -> list[float]:
        """So many of the good one's; seconds each."""
        took = []
        for _ in range(count):
            first = len(self.shop.orders)
            self.shop.orders.extend(_order(number) for number in range(first + 1, first + STEP + 1))
            began = time.monotonic()
            process = await self.house.connections.synchronize(ACCOUNT, self.good)
            ended = await self.house.processes.wait(ACCOUNT, process.id, 60)
            took.append(time.monotonic() - began)
            stored = await self.shop_count()
            self.failed += ended.state is not State.SUCCEEDED or stored != len(self.shop.orders)
        return took

    async def shop_count(self) -> int:
        """Orders stored for the good one."""
        found = importlib.import_module("omnichannel_core.storage.hub").Found(kind="Order", connection=self.good)
        return int(await self.house.hub.count(ACCOUNT, found))

    async def press(self) -> None:
        """SYNCHRONIZE at every hostile connection, again and again."""
        while True:
            for one in self.hostile.values():
                await self.house.connections.synchronize(ACCOUNT, one)
            await anyio.sleep(PRESS)

    async def untyped(self) -> dict[str, str]:
        """By way: what its rows say where that is no typed error."""
        known = {kind.__name__ for kind in vars(errors).values() if isinstance(kind, type)}
        wrong = {}
        for name, one in self.hostile.items():
            if name in self.heavy:
                continue
            seen = await self.house.connections.get(ACCOUNT, one)
            processes = await self.house.processes.list(ACCOUNT, connection=one)
            keys = {process.error_key for process in processes if process.state is not State.QUEUED} - {""}
            named = {key.replace("_", " ").title().replace(" ", "") for key in keys}
            if not named or not named <= known or seen.health is Health.OK or not seen.health_reason:
                wrong[name] = f"{seen.health}, {sorted(keys)}, {sorted({one.state.value for one in processes})}"
        return wrong


async def _day(ground: Ground, syncs: int, only: str = "") -> dict[str, Any]:
    remote = importlib.import_module("omnichannel_echo.remote")
    ways = importlib.import_module("omnichannel_hostile.driver")
    remote.SHOPS["a"] = shop = remote.Remote(page=PAGE)
    async with ground.house() as house:
        await ground.settle(house)
        saved = await house.connections.create(ACCOUNT, "echo", "Good", {"shop": "a", "secret": shop.secret})
        assert saved.process is not None
        await house.processes.wait(ACCOUNT, saved.process.id, 60)
        day = Day(house, shop, saved.connection.id, {}, ways.HEAVY)
        alone = await day.syncs(syncs)
        for name in [only] if only else sorted(set(ways.WAYS) - ways.DEADLY):
            made = await house.connections.create(ACCOUNT, "hostile", name[:40], {"way": name})
            day.hostile[name] = made.connection.id
        async with anyio.create_task_group() as group:
            group.start_soon(day.press)
            beside = await day.syncs(syncs)
            await anyio.sleep(2 * DEADLINE)
            group.cancel_scope.cancel()
        untyped = await day.untyped()
        found = Seen(alone, beside, day.failed, untyped, len(day.hostile))
    return attrs.asdict(found)


def _deadly() -> dict[str, str]:
    """Ways that bring the house down, or leave its good connection without a sync: how."""
    fallen = {}
    for backend in BACKENDS:
        for name in ("the end of the program", "no exception at all"):
            try:
                seen = _campaign(1, backend, only=name)
            except RuntimeError:
                fallen[f"{name}, {backend}"] = "the house came down, or could not be closed"
                continue
            if seen.failed or seen.untyped:
                fallen[f"{name}, {backend}"] = f"{seen.failed} good syncs failed, {dict(seen.untyped)}"
    return fallen


def _campaign(syncs: int, backend: str, *, fault: bool = False, only: str = "") -> Seen:
    def main() -> dict[str, Any]:
        logging.disable(logging.CRITICAL)
        pulling.guarded.__defaults__ = (DEADLINE,)
        if fault:
            _unguarded()
        answer: dict[str, Any] = anyio.run(_day, ground, syncs, only, backend=backend)
        return answer

    with prepared(echo="omnichannel_echo.driver", hostile="omnichannel_hostile.driver") as ground:
        return Seen(**forked(main, PATIENCE if only else 600.0))


def _unguarded() -> None:
    """The fault of the control: what a driver raises or gives is taken as it is."""

    async def bare(self: pulling.Pull, cursors: Mapping[str, Any]) -> Any:
        ((channel, work),) = self.works.items()
        assert self.stream.pull is not None
        with anyio.move_on_after(DEADLINE):
            try:
                return {channel: await self.stream.pull(work.session, cursors[channel])}
            except BaseExceptionGroup as trouble:
                raise ValueError("bare") from trouble
        raise ValueError("late")

    pulling.Pull._call = bare  # type: ignore[method-assign]


def _order(number: int) -> Order:
    return Order(id=str(number), number=f"N{number}", revision="1", placed_at=datetime(2026, 1, 1, tzinfo=UTC))


def run(size: float = 1.0) -> Iterable[Figure]:
    """A hundred good syncs alone and as many beside, on each loop."""
    syncs = max(round(100 * size), 5)
    for backend in BACKENDS:
        seen = _campaign(syncs, backend)
        alone, beside = quantile(seen.alone, 0.5), quantile(seen.beside, 0.5)
        yield Figure(f"hostile_good_syncs_failed_{backend}", seen.failed, 0, details={"syncs": 2 * syncs})
        yield Figure(f"hostile_good_sync_s_{backend}", beside, max(1.25 * alone, SHORT), details={
            "alone": round(alone, 3), "p95": round(quantile(seen.beside, 0.95), 3),
        })  # fmt: skip
        yield Figure(f"hostile_ways_without_typed_error_{backend}", len(seen.untyped), 0, details={
            "ways": seen.ways, "which": dict(seen.untyped),
        })  # fmt: skip
    fallen = _deadly()
    yield Figure("hostile_ways_that_bring_the_house_down", len(fallen), 0, details={"which": fallen})
    seen = _campaign(1, "asyncio", fault=True)
    yield control(
        "hostile_ways_without_typed_error", len(seen.untyped), what="a driver's errors go through as they are"
    )


if __name__ == "__main__":
    for figure in run(float(sys.argv[1]) if len(sys.argv) > 1 else 0.05):
        print(figure.line(), flush=True)
