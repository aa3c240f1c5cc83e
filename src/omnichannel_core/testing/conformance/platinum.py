"""Platinum: agrees with the official definition; a million records in flat memory; soak with faults loses nothing."""

from __future__ import annotations

import gc
import random
import tracemalloc
from pathlib import Path
from typing import Any

from omnichannel_core.driver import PullStream
from omnichannel_core.testing.conformance.facts import says
from omnichannel_core.testing.conformance.gold import push_all
from omnichannel_core.testing.conformance.rules import Capability, Failed, Level, NotShown, rule
from omnichannel_core.testing.conformance.silver import _needs_address, _patient, no_pull, no_request
from omnichannel_core.testing.conformance.trying import Bench, Subject
from omnichannel_core.testing.faults import Fault

FLAT, EACH = 2_000_000, 256  # bytes between a quarter of the run and its end: at most, and for each record
SOAKS, LONG_SOAKS = 3, 40  # each with a seed of its own
MILLION = 1_000_000
SOAKED = [one for one in Fault if one is not Fault.BLACK_HOLE]
CORE = Path(__file__).parents[2]


def has_a_definition(subject: Subject) -> None:
    """Whoever compares with one has one."""
    if says(subject.facts, "agrees"):
        raise Failed(
            "`without` says that there is no definition, but `agrees` compares with one; take one of them away."
        )


@rule(Level.PLATINUM, "What a simulator forgives, the marketplace refuses.",
      out_of_place=no_request, needs=Capability.DEFINITION, disprove=has_a_definition)  # fmt: skip
def agrees_with_the_definition(subject: Subject) -> None:
    """Every request and answer of a check, all pulls and all pushes agrees with the official API definition."""
    if not says(subject.facts, "agrees"):
        raise NotShown("say `agrees`: compares an exchange with the official definition")

    async def work(bench: Bench) -> None:
        assert bench.proxy is not None  # noqa: S101 - it sends requests, so there is an address
        session = await bench.stocked()
        await bench.driver.flow.check(session)
        for stream in bench.driver.pulls.values():
            await bench.walk(stream, session=session)
        for push in bench.driver.pushes.values():
            await push_all(bench, push)
        for one in bench.proxy.exchanges:
            for problem in bench.facts.agrees(one):
                raise Failed(f"{one.method} {one.path.split('?')[0]}: {problem}")

    _needs_address(subject)
    subject.each(work)


@rule(Level.PLATINUM, "The first import of a big merchant must not take the host's memory.", out_of_place=no_pull)
def memory_is_flat(subject: Subject) -> None:
    """Many records pulled page by page: what the driver keeps does not grow."""
    if not says(subject.facts, "many"):
        raise NotShown("say `many`: put so many records over there, and which stream brings them")

    wanted = max(subject.facts.records, MILLION if subject.facts.thorough else 0)

    async def work(bench: Bench) -> None:
        name = bench.facts.many(bench.remote, wanted)
        stream = bench.driver.pulls[name]
        session = bench.session()
        tracemalloc.start()
        try:
            grown, count = await _kept(bench, stream, session, wanted)
        finally:
            tracemalloc.stop()
        if count < wanted:
            raise Failed(f"pull of {name} brings {count} of {wanted} records.")
        if grown > min(FLAT, EACH * count):
            raise Failed(f"pull of {name} keeps {grown / 1e3:.0f} kB more at its end than after a quarter.")

    subject.each(work)


async def _kept(bench: Bench, stream: PullStream[Any], session: Any, wanted: int) -> tuple[int, int]:
    """Bytes kept by the driver's own code at the end beyond those at a quarter, and records that came."""
    cursor, count, early, folder = stream.cursor(), 0, None, str(_folder(bench))
    while True:
        page = await bench.step(session, stream, cursor)
        cursor, more = page.cursor, page.more
        count += len(page.records)
        del page
        if early is None and count >= wanted // 4:
            early = _live(folder)
        if more is not True and more is not False:
            bench.clock.turn(max(more.seconds, 0.001))
        if not more:
            return _live(folder) - (early or 0), count


def _live(folder: str) -> int:
    gc.collect()
    filters = [tracemalloc.Filter(True, f"{part}/*") for part in (folder, str(CORE / "driver"))]
    return sum(one.size for one in tracemalloc.take_snapshot().filter_traces(filters).traces)


def _folder(bench: Bench) -> Path:
    import sys

    module = sys.modules[bench.driver.flow.check.__module__]
    return Path(str(module.__file__)).parent


@rule(Level.PLATINUM, "A month of small faults must lose nothing.", out_of_place=no_request)
def a_soak_loses_nothing(subject: Subject) -> None:
    """A third of all requests break, each in another way: going on from cursors, everything is there in the end."""

    async def work(bench: Bench, seed: int) -> None:
        assert bench.proxy is not None  # noqa: S101 - it sends requests, so there is an address
        dice = random.Random(seed + bench.facts.seed)
        session = await bench.prepared()
        for stream in bench.driver.record_streams():
            before = dict(session.stored)
            whole = await bench.walk(stream, session=session)
            bench.proxy.plan(lambda number, request: dice.choice(SOAKED) if dice.random() < 0.33 else None)
            soaked = await _patient(bench, stream, before)
            bench.proxy.plan(None)
            if soaked.records != whole.records:
                raise Failed(f"pull of {stream.name} under faults (seed {seed}) brings something else.")

    _needs_address(subject)
    for seed in range(LONG_SOAKS if subject.facts.thorough else SOAKS):
        subject.each(lambda bench, seed=seed: work(bench, seed))  # type: ignore[misc]
