"""Gold: pushes are idempotent, limits never exceeded, unknown outcomes settled; cancelled anywhere leaves nothing."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import anyio
import attrs
import msgspec
from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

from omnichannel_core import errors
from omnichannel_core.connections.outcomes import well_formed
from omnichannel_core.driver import Accepted, Batch, Later, Outcome, Pending, PushStream, Rejected, Session
from omnichannel_core.records import Record
from omnichannel_core.testing.conformance.driving import drive
from omnichannel_core.testing.conformance.facts import DriverConformance, says
from omnichannel_core.testing.conformance.rules import Failed, Level, NotShown, rule
from omnichannel_core.testing.conformance.silver import _needs_address, no_request
from omnichannel_core.testing.conformance.trying import Bench, Subject
from omnichannel_core.testing.faults import Exchange, Fault
from omnichannel_core.testing.strategies import like

SETTLED_WITHIN = 200  # looks


def no_push(subject: Subject) -> str:
    """Nothing goes out."""
    return "" if subject.driver.pushes else "it pushes nothing"


def no_push_request(subject: Subject) -> str:
    """Nothing goes out that could be lost on the way."""
    return no_push(subject) or no_request(subject)


@rule(Level.GOLD, "A host believes what a push says: accepted is sold, rejected is shown to the merchant.",
      out_of_place=no_push)  # fmt: skip
def pushes_arrive(subject: Subject) -> None:
    """Every sample of every push stream is accepted, now or when it is settled, and is there."""

    async def work(bench: Bench) -> None:
        await bench.stocked()
        for stream in bench.driver.pushes.values():
            for batch in bench.batches(stream):
                for items in filter(None, (batch.items[:-1], batch.items[-1:])):
                    before = bench.facts.held(bench.remote)
                    part = attrs.evolve(batch, key=f"{batch.key}-{items[0].key}", items=items)
                    await push_batch(bench, stream, part)
                    if bench.facts.held(bench.remote) == before:
                        raise Failed(f"What {stream.name} accepted is not there: `held` is the same before and after.")

    has_samples(subject)
    subject.each(work)


@rule(Level.GOLD, "Hosts push whatever their users type: what one sample does not show, the first merchant meets.",
      out_of_place=lambda subject: _nothing_drawn(subject))  # fmt: skip
def whatever_is_pushed_is_there_once(subject: Subject) -> None:
    """Drawn batches are accepted; states told anew win, and what is repeatable is no more when it is pushed again."""

    async def work(bench: Bench, told: Sequence[Sequence[Record]], stream: PushStream[Any]) -> None:
        await bench.stocked(one for records in told for one in records)
        said = list[object]()
        for records in (*told, *reversed(told)) if stream.state else told:
            for batch in bench.batched(stream, records, f"-{len(said)}"):
                await push_batch(bench, stream, batch)
                if stream.repeatable:
                    once_held = bench.facts.held(bench.remote)
                    await push_batch(bench, stream, batch)
                    if bench.facts.held(bench.remote) != once_held:
                        raise Failed(f"push of {stream.name} is declared repeatable, but twice is more than once.")
            said.append(bench.facts.held(bench.remote))
        same = len({tuple(sorted(one.id for one in records)) for records in told}) == 1
        if stream.state and same and said != said[::-1]:
            raise Failed(f"push of {stream.name}: a state told anew does not win over what was told in between.")

    has_samples(subject)
    drawn = list(_drawn(subject))
    for stream, made in drawn:
        times, one = strategies.lists(made, min_size=1, max_size=2), lambda b, told, s=stream: work(b, told, s)
        drive(subject, times, one, _named, share=len(drawn))


def _named(told: Sequence[Sequence[Record]]) -> str:
    return "; then ".join(msgspec.json.encode(records).decode() for records in told)


def _nothing_drawn(subject: Subject) -> str:
    if why := no_push(subject):
        return why
    there = any(one.state for one in subject.driver.pushes.values()) or says(subject.facts, "drawn")
    return "" if there else "it pushes no states, and the facts draw nothing"


def _drawn(subject: Subject) -> Iterator[tuple[PushStream[Any], SearchStrategy[Sequence[Record]]]]:
    """Strategies of the facts; else states like the samples. Always the same things, so that what was told is over."""
    with subject.facts.open_remote() as remote:
        drawn, samples = subject.facts.drawn(remote), subject.facts.pushes(remote)
    for name, stream in subject.driver.pushes.items():
        if name in drawn:
            key = operator.attrgetter("id")
            yield stream, strategies.lists(drawn[name], min_size=1, max_size=3, unique_by=key).map(tuple)
        elif stream.state:
            yield stream, strategies.tuples(*map(like, samples[name][: stream.batch]))


@rule(Level.GOLD, "Answers get lost; a parcel told twice mails the buyer twice, and sells stock that is not there.",
      out_of_place=no_push)  # fmt: skip
def pushed_again_is_once(subject: Subject) -> None:
    """The very same batch again, where that is allowed, changes nothing more."""

    async def work(bench: Bench) -> None:
        await bench.stocked()
        for stream in bench.driver.pushes.values():
            if not (stream.repeatable or stream.state):
                continue
            await push_all(bench, stream)
            once_held = bench.facts.held(bench.remote)
            await push_all(bench, stream)
            if bench.facts.held(bench.remote) != once_held:
                raise Failed(f"push of {stream.name} is declared repeatable, but twice is more than once.")

    has_samples(subject)
    subject.each(work)


@rule(Level.GOLD, "An outcome nobody knows must be found out by looking, or every lost answer costs a person's time.",
      out_of_place=no_push_request)  # fmt: skip
def lost_answers_are_settled(subject: Subject) -> None:
    """Done over there and never heard of, or never arrived: settled by looking or repeated, it is there once."""

    async def work(bench: Bench, stream: PushStream[Any], fault: Fault, at: int, wanted: object) -> None:
        assert bench.proxy is not None  # noqa: S101 - it sends requests, so there is an address
        await bench.stocked()
        for batch in bench.batches(stream):
            bench.proxy.plan(_writes(bench.facts, fault, at))
            session = bench.session()
            said = await _said(stream.push(session, batch))
            bench.proxy.plan(None)
            await to_the_end(bench, stream, batch, said, left=bool(session.http.left))  # type: ignore[attr-defined]
        if bench.facts.held(bench.remote) != wanted:
            raise Failed(
                f"push of {stream.name} that meets {fault!s} at its write {at + 1} ends otherwise than a healthy one; "
                "look (settle) before anything is sent again."
            )

    has_samples(subject)
    _needs_address(subject)
    for stream in subject.driver.pushes.values():
        if stream.settle is None and not stream.repeatable:
            continue  # a person settles those
        wanted = _healthy(subject, stream)
        for fault, at in itertools.product((Fault.DROPPED, Fault.RESET, Fault.BROKEN, Fault.LIMITED), (0, 1)):
            subject.each(lambda bench, s=stream, f=fault, n=at, w=wanted: work(bench, s, f, n, w))  # type: ignore[misc]


@rule(Level.GOLD, "A request that is not repeatable and was sent again is a second parcel, a second refund.",
      out_of_place=no_push_request)  # fmt: skip
def lost_writes_are_not_resent(subject: Subject) -> None:
    """Within one push, a write without a key that may have arrived is not sent a second time."""

    async def work(bench: Bench) -> None:
        assert bench.proxy is not None  # noqa: S101 - it sends requests, so there is an address
        await bench.stocked()
        for stream in bench.driver.pushes.values():
            if stream.repeatable or stream.state:
                continue
            for batch in bench.batches(stream):
                bench.proxy.plan(_writes(bench.facts, Fault.DROPPED, 0))
                begun = len(bench.proxy.exchanges)
                await _said(stream.push(bench.session(), batch))
                bench.proxy.plan(None)
                sent = bench.proxy.exchanges[begun:]
                lost = next((one for one in sent if one.fault is Fault.DROPPED), None)
                again = [one for one in sent if lost and one is not lost and _alike(bench.facts, one, lost)]
                if again and lost is not None:
                    raise Failed(
                        f"push of {stream.name} sends {lost.method} {lost.path.split('?')[0]} again by itself."
                    )

    has_samples(subject)
    _needs_address(subject)
    subject.each(work)


@rule(Level.GOLD, "Marketplaces suspend applications that ignore their limits: every merchant stands still.",
      out_of_place=no_request)  # fmt: skip
def limits_are_kept(subject: Subject) -> None:
    """With the limits it declares, many runs side by side never see the remote say slow down."""

    async def work(bench: Bench) -> None:
        assert bench.proxy is not None  # noqa: S101 - it sends requests, so there is an address
        await bench.stocked()
        async with anyio.create_task_group() as group:
            for stream in [*bench.driver.record_streams()] * 3:
                group.start_soon(bench.walk, stream)
        told = [one.path for one in bench.proxy.exchanges if one.status == 429]
        if told:
            raise Failed(f"The remote said slow down {len(told)} times; declare its limits in remote_api.")

    _needs_address(subject)
    subject.each(work)


async def push_all(bench: Bench, stream: PushStream[Any]) -> None:
    for batch in bench.batches(stream):
        await push_batch(bench, stream, batch)


async def push_batch(bench: Bench, stream: PushStream[Any], batch: Batch[Any]) -> None:
    said = await stream.push(bench.session(), batch)
    keys = {item.key for item in batch.items}
    if not isinstance(said, Mapping) or set(said) != keys or not all(map(well_formed, said.values())):
        raise Failed(f"push of {stream.name} does not name one outcome for each item key, and no other.")
    await to_the_end(bench, stream, batch, said, left=False)


async def _said(push: Awaitable[Mapping[str, Outcome]]) -> Mapping[str, Outcome]:
    """What a push says; an error says nothing."""
    try:
        return await push
    except errors.OmnichannelError:
        return {}


async def to_the_end(
    bench: Bench, stream: PushStream[Any], batch: Batch[Any], said: Mapping[str, Outcome], *, left: bool
) -> None:
    """As the house does: what is pending or unknown is settled by looking, what never arrived goes out again."""
    known = dict(said)
    for _ in range(SETTLED_WITHIN):
        open_items = [item for item in batch.items if not isinstance(known.get(item.key), Accepted)]
        if not open_items:
            return
        for item in open_items:
            outcome = known.get(item.key)
            if isinstance(outcome, Rejected):
                raise Failed(f"push of {stream.name} rejects the sample {item.record.id}: {outcome.reason[:200]}")
            bench.clock.turn(getattr(getattr(outcome, "wait", None), "seconds", 0.0) or 1.0)
        known |= await _next(bench.session(), stream, batch, known, left=left)
    raise Failed(f"push of {stream.name} is not settled after {SETTLED_WITHIN} looks.")


async def _next(
    session: Session, stream: PushStream[Any], batch: Batch[Any], known: Mapping[str, Outcome], *, left: bool
) -> Mapping[str, Outcome]:
    """One more look, or one more try, for what is open."""
    again = [item for item in batch.items if isinstance(known.get(item.key), Later) or (not known and not left)]
    if again or (stream.settle is None and stream.repeatable):
        whole = batch if not known else attrs.evolve(batch, key=f"{batch.key}+", items=again or batch.items)
        return await _said(stream.push(session, whole))
    if stream.settle is None:
        raise Failed(f"push of {stream.name} has pending outcomes but no settle.")
    looked = []
    for item in batch.items:
        outcome = known.get(item.key)
        if not isinstance(outcome, Accepted):
            looked.append(attrs.evolve(item, ticket=outcome.ticket if isinstance(outcome, Pending) else ""))
    return await _said(stream.settle(session, attrs.evolve(batch, items=looked)))


def _healthy(subject: Subject, stream: PushStream[Any]) -> object:
    """What is held after a push without faults."""
    held = list[object]()

    async def work(bench: Bench) -> None:
        await bench.stocked()
        await push_all(bench, stream)
        held.append(bench.facts.held(bench.remote))

    subject.each(work)
    return held[-1]


def _writes(facts: DriverConformance, fault: Fault, at: int) -> Callable[[int, Exchange], Fault | None]:
    """The `at`-th request that is more than a question."""
    counted = itertools.count()
    return once_of(lambda request: facts.writes(request) and next(counted) == at, fault)


def once_of(chosen: Callable[[Exchange], bool], fault: Fault) -> Callable[[int, Exchange], Fault | None]:
    """A plan: requests that are chosen meet the fault."""
    return lambda number, request: fault if chosen(request) else None


def _alike(facts: DriverConformance, one: Exchange, other: Exchange) -> bool:
    return (one.path, one.body) == (other.path, other.body) and not facts.repeatable(one)


def has_samples(subject: Subject) -> None:
    if not says(subject.facts, "pushes") or not says(subject.facts, "held"):
        raise NotShown("say `pushes` (records to push, by stream) and `held` (what the remote holds)")
    with subject.facts.open_remote() as remote:
        samples = subject.facts.pushes(remote)
    if without := [name for name in subject.driver.pushes if not samples.get(name)]:
        raise NotShown(f"`pushes` has no sample for {', '.join(without)}")
