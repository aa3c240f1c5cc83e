"""Silver: every pull ends, repeats and resumes from any cursor; every remote fault becomes the right error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import strategies

from omnichannel_core import errors
from omnichannel_core.driver import PullStream
from omnichannel_core.records import Record
from omnichannel_core.testing.conformance.comparing import agree, compare, moved_on, well_formed
from omnichannel_core.testing.conformance.driving import drive
from omnichannel_core.testing.conformance.facts import says
from omnichannel_core.testing.conformance.rules import Capability, Failed, Level, NotShown, rule
from omnichannel_core.testing.conformance.trying import TYPED, Bench, Brought, Subject
from omnichannel_core.testing.faults import Choose, Fault, always
from omnichannel_core.testing.session import PATIENCE

RIGHT: Mapping[Fault | int, tuple[type[errors.OmnichannelError], ...]] = {
    Fault.RESET: (errors.RemoteUnavailable,), Fault.TRUNCATION: (errors.RemoteUnavailable,),
    Fault.BLACK_HOLE: (errors.RemoteUnavailable,), Fault.LIMITED: (errors.RateLimited,),
    Fault.LIMITED_BARE: (errors.RateLimited,), Fault.BROKEN: (errors.RemoteUnavailable,),
    Fault.MALFORMED: (errors.RemoteUnavailable,), 503: (errors.RemoteUnavailable, errors.RateLimited),
    401: (errors.CredentialsRejected, errors.AuthorizationNeeded, errors.ApplicationRejected),
    403: (errors.AccessMissing, errors.CredentialsRejected),
}  # fmt: skip
SHORT = 0.4  # seconds: whoever waits for a black hole waits no longer


def no_pull(subject: Subject) -> str:
    """Nothing comes in."""
    return "" if subject.driver.pulls else "it pulls nothing"


def no_request(subject: Subject) -> str:
    """Without `remote_api` nothing signed is ever sent."""
    return "" if subject.driver.api is not None else "it sends no requests (no remote_api)"


def same(first: Brought, second: Brought) -> bool:
    """The same records in the same pages."""
    return [list(page.records) for page in first.pages] == [list(page.records) for page in second.pages]


@rule(Level.SILVER, "What is not pulled is an order that nobody ships.", out_of_place=no_pull)
def pulls_bring_everything(subject: Subject) -> None:
    """A full run brings what the facts expect, no more and no less, field by field, and moves on with every page."""
    if not says(subject.facts, "expected"):
        raise NotShown("say `expected`: what a full pull of each stream brings")

    async def work(bench: Bench) -> None:
        expected = bench.facts.expected(bench.remote)
        session = bench.session()
        for stream in bench.driver.pulls.values():
            if stream.name not in expected:
                raise NotShown(f"`expected` says nothing of pull stream {stream.name}")
            brought = await bench.walk(stream, session=session)
            compare(stream, brought, expected[stream.name], whole=True)
            moved_on(stream, brought)

    subject.each(work)


@rule(Level.SILVER, "A record that is not well formed is kept apart as unreadable: the merchant misses it.",
      out_of_place=no_pull)  # fmt: skip
def records_are_well_formed(subject: Subject) -> None:
    """Of a declared kind, with an id, storable, moments with their zone, currencies by ISO 4217."""

    async def work(bench: Bench) -> None:
        session = bench.session()
        for stream in bench.driver.pulls.values():
            brought = await bench.walk(stream, session=session)
            for record in brought.records.values():
                well_formed(stream, record)
            for bad in brought.bad:
                raise Failed(f"{stream.name} cannot read {bad.id or 'a record'} of a healthy remote: {bad.reason}")
            for page in brought.pages:
                count = sum(isinstance(one, stream.yields[0]) for one in page.records)
                if page.total is not None and page.total < count:
                    raise Failed(f"{stream.name} says a total of {page.total} on a page of {count}.")

    subject.each(work)


@rule(Level.SILVER, "A page may be asked for ahead of the commit, and again after a crash.", out_of_place=no_pull)
def pulls_repeat(subject: Subject) -> None:
    """The same cursor gives the same page, and pulling changes nothing over there."""

    async def work(bench: Bench) -> None:
        held = bench.facts.held(bench.remote)
        session = await bench.prepared()
        for stream in bench.driver.pulls.values():
            cursor, more = stream.cursor(), True
            while more:
                page = await bench.step(session, stream, cursor)
                again = await bench.step(bench.session(stored=dict(session.stored)), stream, cursor)
                if list(again.records) != list(page.records) or again.cursor != page.cursor or again.more != page.more:
                    raise Failed(f"pull of {stream.name} answers the same cursor differently; keep nothing in memory.")
                session.commit(page.records)
                cursor, more = page.cursor, bool(page.more)
                if page.more and page.more is not True:
                    bench.clock.turn(max(page.more.seconds, 0.001))
        if bench.facts.held(bench.remote) != held:
            raise Failed("Pulling changes something over there; a pull only asks.")

    subject.each(work)


@rule(Level.SILVER, "After a restart only the cursor is left: what it forgets is lost or comes twice.",
      out_of_place=no_pull)  # fmt: skip
def pulls_resume_from_any_cursor(subject: Subject) -> None:
    """A new session goes on from each stored cursor and brings exactly the rest."""

    async def work(bench: Bench, stops: Sequence[int]) -> None:
        session = await bench.prepared()
        for stream in bench.driver.pulls.values():
            before = dict(session.stored)
            whole = await bench.walk(stream, session=session)
            for at in sorted({stop % len(whole.pages) for stop in stops} - {0}):
                resumed = bench.session(stored=dict(before))
                for page in whole.pages[:at]:
                    resumed.commit(page.records)
                rest = await bench.walk(stream, whole.cursors[at], session=resumed)
                if not same(Brought(whole.pages[at:], []), rest):
                    raise Failed(
                        f"pull of {stream.name}, resumed at page {at} of {len(whole.pages)}, brings another rest."
                    )

    stops = strategies.lists(strategies.integers(1, 60), min_size=1, max_size=4, unique=True)
    drive(subject, stops, work, lambda pages: f"a restart at page {' and at page '.join(map(str, pages))}")


@rule(Level.SILVER, "Changes that a run overlooks never come: the next one begins after them.", out_of_place=no_pull)
def changes_come(subject: Subject) -> None:
    """A run after a finished one brings what changed meanwhile; and one without changes ends."""
    if not says(subject.facts, "change"):
        raise NotShown("say `change`: change something over there, and what the next run brings")

    async def work(bench: Bench) -> None:
        session = bench.session()
        ends = {one.name: (await bench.walk(one, session=session)).cursors[-1] for one in bench.driver.pulls.values()}
        changed = bench.facts.change(bench.remote)
        bench.clock.turn(bench.facts.later)
        for name, wanted in changed.items():
            stream = bench.driver.pulls[name]
            start = stream.cursor() if stream.snapshot else ends[name]
            brought = await bench.walk(stream, start)
            compare(stream, brought, wanted, whole=False)
            if not stream.snapshot:
                await bench.walk(stream, brought.cursors[-1])

    subject.each(work)


def fetches(subject: Subject) -> None:
    """Whoever brings a record by its id can fetch."""

    async def work(bench: Bench) -> None:
        session = await bench.prepared()
        for stream in (one for one in bench.driver.pulls.values() if one.fetch is not None):
            ids = [one.id for one in (await bench.walk(stream, session=session)).records.values()][:20]
            assert stream.fetch is not None  # noqa: S101 - chosen above
            if found := await stream.fetch(session, ids):
                raise Failed(f"`without` says that nothing is fetched by id, but {stream.name} brings {len(found)}.")

    subject.each(work)


@rule(
    Level.SILVER, "A webhook, a retry and a person ask for single records.",
    out_of_place=lambda subject: "" if any(s.fetch for s in subject.driver.pulls.values()) else "it has no fetch",
    needs=Capability.FETCH, disprove=fetches,
)  # fmt: skip
def fetch_brings_the_same(subject: Subject) -> None:
    """A record fetched by id says what the pull says, or more; one that is gone is left out."""

    async def work(bench: Bench) -> None:
        session = await bench.prepared()
        for stream in (one for one in bench.driver.pulls.values() if one.fetch is not None):
            pulled = {one.id: one for one in (await bench.walk(stream, session=session)).records.values()}
            for one in list(pulled)[:3]:
                assert stream.fetch is not None  # noqa: S101 - chosen above
                found = await stream.fetch(session, [one])
                same_id = [record for record in found if isinstance(record, Record) and record.id == one]
                if len(same_id) != 1 or not agree(pulled[one], same_id[0]):
                    raise Failed(f"fetch of {stream.name} brings {one} otherwise than its pull.")
            if pulled and await stream.fetch(session, ["999999999999"]):  # type: ignore[misc]
                raise Failed(f"fetch of {stream.name} brings something for an id that does not exist.")

    subject.each(work)


@rule(Level.SILVER, "The error decides who acts: the merchant, the operator, or nobody but time.",
      out_of_place=no_request)  # fmt: skip
def faults_become_the_right_error(subject: Subject) -> None:
    """A remote that stays broken in one way leads to that way's error, in the check and in every pull."""

    async def work(bench: Bench) -> None:
        await bench.prepared()
        for fault, right in RIGHT.items():
            met = [await _under(bench, what, call, fault, right) for what, call in _calls(bench)]
            if not any(met):
                raise Failed("Neither the check nor a pull sends a request, though remote_api is declared.")

    _needs_address(subject)
    subject.each(work)


@rule(Level.SILVER, "Networks hiccup every hour; a sync that loses or doubles records then cannot be trusted.",
      out_of_place=no_request)  # fmt: skip
def one_fault_changes_nothing(subject: Subject) -> None:
    """Whatever breaks at up to three requests, the run brings the same, at once or after going on from its cursor."""

    async def work(bench: Bench, plan: Mapping[int, Fault]) -> None:
        assert bench.proxy is not None  # noqa: S101 - it sends requests, so there is an address
        session = await bench.prepared()
        for stream in bench.driver.record_streams():
            before = dict(session.stored)
            whole = await _patient(bench, stream, before)
            bench.proxy.plan(lambda number, request: plan.get(number))
            broken = await _patient(bench, stream, before)
            bench.proxy.plan(None)
            if broken.records != whole.records:
                raise Failed(f"pull of {stream.name} brings something else when requests meet faults.")

    _needs_address(subject)
    faults = strategies.sampled_from([one for one in Fault if one is not Fault.BLACK_HOLE])
    plans = strategies.dictionaries(strategies.integers(0, 7), faults, min_size=1, max_size=3)
    drive(subject, plans, work, _told)


def _told(plan: Mapping[int, Fault]) -> str:
    return ", ".join(f"request {number + 1} meets {fault}" for number, fault in sorted(plan.items()))


async def _under(
    bench: Bench, what: str, call: Callable[[], Awaitable[Any]], fault: Fault | int,
    right: tuple[type[errors.OmnichannelError], ...],
) -> bool:  # fmt: skip
    """Whether the fault was met; where it was, the right error came."""
    assert bench.proxy is not None  # noqa: S101 - it sends requests, so there is an address
    bench.patience = SHORT if fault is Fault.BLACK_HOLE else PATIENCE
    bench.proxy.plan(_not_tokens(fault) if isinstance(fault, int) else always(fault))
    before, caught = len(bench.proxy.exchanges), list[BaseException]()
    try:
        for tries in range(1, 21):
            try:
                await call()
            except errors.RateLimited as slow:
                if errors.RateLimited in right:
                    raise
                # our own limit: the proxy says no 429 here. A refused token takes two requests at once: wait for both
                bench.clock.turn(max(slow.wait or 1.0, 1.0) * tries)
            else:
                break
    except TYPED as problem:
        caught.append(problem)
    except Failed:
        raise
    except Exception as problem:
        raise Failed(
            f"{what} under {fault} raises {type(problem).__name__}; raise what drivers may raise."
        ) from problem
    finally:
        bench.proxy.plan(None)
    met = any(one.status == 0 or one.fault for one in bench.proxy.exchanges[before:])
    if met and not caught:
        raise Failed(f"{what} under {fault} raises nothing; the fault goes unnoticed.")
    if met and not isinstance(caught[0], right):
        wanted = " or ".join(kind.__name__ for kind in right)
        raise Failed(f"{what} under {fault} raises {type(caught[0]).__name__}, not {wanted}.")
    return met


async def _patient(bench: Bench, stream: PullStream[Any], stored: Mapping[tuple[str, str], Record]) -> Brought:
    """As the house goes on after a typed error: from the cursor of the last page."""
    at, pages, kept = stream.cursor(), list[Any](), dict(stored)
    for _ in range(200):
        try:
            page = await bench.step(bench.session(stored=kept), stream, at)
        except errors.RemoteError as problem:
            bench.clock.turn(max(problem.wait or 0.0, 1.0))
            continue
        pages.append(page)
        bench.sessions[-1].commit(page.records)
        at = msgspec.json.decode(msgspec.json.encode(page.cursor), type=stream.cursor)
        if not page.more:
            return Brought(pages, [])
        if page.more is not True:
            bench.clock.turn(max(page.more.seconds, 0.001))
    raise Failed(f"pull of {stream.name} does not get over one fault.")


def _not_tokens(status: int) -> Choose:
    """A token end point (RFC 6749 4: a form) says in its body what a refusal means; an empty one means nothing."""
    return lambda number, request: None if "x-www-form" in request.headers.get("content-type", "") else status


def _calls(bench: Bench) -> Iterator[tuple[str, Any]]:
    yield "The check", lambda: bench.driver.flow.check(bench.session())
    for stream in bench.driver.pulls.values():
        yield f"pull of {stream.name}", lambda stream=stream: bench.walk(stream)


def _needs_address(subject: Subject) -> None:
    with subject.facts.open_remote() as remote:
        if not remote.address:
            raise NotShown("it sends requests, so it needs a simulator with an address")
