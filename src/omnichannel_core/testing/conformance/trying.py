"""What rules are tried with: the driver, a remote behind a fault proxy, sessions, and walks through a pull."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import anyio
import attrs
import msgspec

from omnichannel_core import errors
from omnichannel_core.driver import Batch, Driver, Form, Item, Page, PullStream, PushStream, Wait
from omnichannel_core.gate.catalog import Catalog, Found
from omnichannel_core.gate.gathering import gather
from omnichannel_core.records import Bad, Order, Record
from omnichannel_core.remote.limits import Limiter
from omnichannel_core.testing.clock import FakeClock
from omnichannel_core.testing.conformance.facts import DriverConformance, Remote
from omnichannel_core.testing.conformance.rules import Failed, NotShown
from omnichannel_core.testing.faults import FaultProxy, proxied
from omnichannel_core.testing.session import PATIENCE, LoneSession

T = TypeVar("T")
MOST_PAGES = 2_000
THOROUGH = 60  # times as patient
WAITS = 20  # for the limits of one call
TYPED: tuple[type[errors.OmnichannelError], ...] = (
    *errors.DRIVERS_MAY_RAISE,
    errors.ContractBroken,
    errors.AddressRefused,
)


@attrs.frozen
class Brought:
    """What a walk brought. `cursors` begin with the first one, and have one more than there are pages."""

    pages: Sequence[Page[Any]]
    cursors: Sequence[Any]

    @property
    def records(self) -> dict[tuple[str, str], Record]:
        """By kind and id; later ones win."""
        found = [one for page in self.pages for one in page.records if isinstance(one, Record)]
        return {(type(one).__name__, one.id): one for one in found}

    @property
    def bad(self) -> list[Bad]:
        """What could not be read."""
        return [one for page in self.pages for one in page.records if isinstance(one, Bad)]


@attrs.define(eq=False)
class Bench:
    """One loop, one remote, one clock."""

    facts: DriverConformance
    driver: Driver
    remote: Remote
    proxy: FaultProxy | None
    folder: Path
    clock: FakeClock
    limiter: Limiter
    sessions: list[LoneSession] = attrs.field(factory=list)
    patience: float = PATIENCE
    samples: Mapping[str, Sequence[Record]] | None = None

    def session(self, credentials: Any = None, *, stored: dict[tuple[str, str], Record] | None = None) -> LoneSession:
        """A new one, as after a restart: nothing but what is stored (by default, all that was so far)."""
        forms = list[Form](_forms(self.facts, self.driver, credentials))
        scratch = self.folder / f"scratch-{len(self.sessions)}"
        exchange = self.remote.exchange or self.folder / "exchange"
        for folder in (scratch, exchange):
            folder.mkdir(parents=True, exist_ok=True)
        made = LoneSession(
            driver=self.driver, clock=self.clock, scratch=scratch, exchange=exchange, limiter=self.limiter,
            forms={type(one): one for one in forms}, address=self.proxy.address if self.proxy else "",
            patience=self.patience,
            tokens=dict(self.facts.tokens(self.remote)), subject=self.facts.subject,
        )  # fmt: skip
        if stored is not None:
            made.stored = stored
        elif self.sessions:
            made.stored = self.sessions[0].stored
        self.sessions.append(made)
        return made

    async def unhurried(self, call: Callable[[], Awaitable[T]]) -> T:
        """The answer, when the declared limits let it come; a fault that is planned is no limit."""
        for _ in range(WAITS):
            try:
                return await call()
            except errors.RateLimited as slow:
                if self.proxy is not None and self.proxy.planned:
                    raise
                self.clock.turn(max(slow.wait or 1.0, 1.0))
        return await call()

    async def step(self, session: LoneSession, stream: PullStream[Any], cursor: Any) -> Page[Any]:
        """One page, by `pull` or by `pull_together`; limits are waited for, as the house does."""
        return await self.unhurried(lambda: self._page(session, stream, cursor))

    async def _page(self, session: LoneSession, stream: PullStream[Any], cursor: Any) -> Page[Any]:
        if stream.pull is not None:
            return await stream.pull(session, cursor)
        assert stream.pull_together is not None  # noqa: S101 - declarations have one of the two
        channel = next((one.channel() for one in session.forms.values() if hasattr(one, "channel")), "")
        pages = await stream.pull_together({channel: (session, cursor)})
        if set(pages) != {channel}:
            raise Failed(f"pull_together of {stream.name} answers for {sorted(pages)}, asked was {channel!r}.")
        return pages[channel]

    async def walk(
        self, stream: PullStream[Any], cursor: Any = None, session: LoneSession | None = None, most: int = MOST_PAGES
    ) -> Brought:
        """To the end of a run, every page committed, every cursor stored and read again."""
        session = session or self.session()
        at = stream.cursor() if cursor is None else cursor
        pages, cursors = list[Page[Any]](), [at]
        while len(pages) < most:
            page = await self.step(session, stream, at)
            if not isinstance(page, Page) or not isinstance(page.cursor, stream.cursor):
                raise Failed(f"pull of {stream.name} answers {type(page).__name__} without a {stream.cursor.__name__}.")
            session.commit(page.records)
            at = msgspec.json.decode(msgspec.json.encode(page.cursor), type=stream.cursor)
            pages.append(page)
            cursors.append(at)
            if isinstance(page.more, Wait):
                self.clock.turn(max(page.more.seconds, 0.001))
            elif not page.more:
                return Brought(pages, cursors)
        raise Failed(f"pull of {stream.name} does not end within {most} pages; let `more` become False.")

    async def prepared(self) -> LoneSession:
        """A session whose data model was pulled."""
        session = self.session()
        for stream in self.driver.model_streams():
            await self.walk(stream, session=session)
        return session

    async def stocked(self, more: Iterable[Record] = ()) -> LoneSession:
        """Prepared, and the orders that samples, or more records, are about are imported."""
        session = await self.prepared()
        records = [*more, *(one for records in self._samples().values() for one in records)]
        ids = list(dict.fromkeys(filter(None, (getattr(one, "order_id", "") for one in records))))
        for stream in self.driver.pulls.values():
            if ids and stream.fetch is not None and Order in stream.yields:
                session.commit(await stream.fetch(session, ids))
        return session

    def _samples(self) -> Mapping[str, Sequence[Record]]:
        if self.samples is None:  # asked once: what is to be pushed may be chosen by what is there
            self.samples = self.facts.pushes(self.remote)
        return self.samples

    def batches(self, stream: PushStream[Any]) -> Iterator[Batch[Any]]:
        """The author's samples as the house would hand them out."""
        yield from self.batched(stream, self._samples().get(stream.name, ()))

    def batched(self, stream: PushStream[Any], records: Sequence[Record], told: str = "") -> Iterator[Batch[Any]]:
        """Any records of a stream; `told` tells what is told apart from what was told before."""
        for at in range(0, len(records), stream.batch):
            part = records[at : at + stream.batch]
            items = [Item(key=f"{stream.name}{told}-{at + n}", record=one) for n, one in enumerate(part)]
            yield Batch(key=f"batch-{stream.name}{told}-{at}", items=[self._with_order(item) for item in items])

    def _with_order(self, item: Item[Any]) -> Item[Any]:
        order = self.sessions[0].stored.get(("Order", getattr(item.record, "order_id", ""))) if self.sessions else None
        return attrs.evolve(item, order=order) if isinstance(order, Order) else item


@attrs.define(eq=False)
class Subject:
    """A driver under trial."""

    facts: DriverConformance
    catalog: Catalog = attrs.field(factory=Catalog)

    @property
    def found(self) -> Found:
        """Its metadata.

        Raises:
            Failed: it is not installed.
        """
        found = self.catalog.get(self.facts.driver)
        if found is None:
            there = ", ".join(self.catalog.listing()) or "none"
            raise Failed(f"No installed distribution declares a driver {self.facts.driver!r}; there: {there}.")
        return found

    def gather(self) -> Driver:
        """Ask every hook, as the loader does."""
        try:
            return gather(self.found)
        except errors.DriverBroken as broken:
            raise Failed(str(broken)) from broken

    @cached_property
    def _driver(self) -> Driver:
        return self.gather()

    @property
    def driver(self) -> Driver:
        """What it declares."""
        return self._driver

    def each(self, work: Callable[[Bench], Awaitable[None]]) -> None:
        """On every loop, each with a remote of its own."""
        for loop in self.facts.loops:
            with self.facts.open_remote() as remote, contextlib.ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="omni-kit-")))
                proxy = stack.enter_context(proxied(remote.address)) if remote.address else None
                anyio.run(self._on, work, remote, proxy, folder, backend=loop)

    async def _on(
        self, work: Callable[[Bench], Awaitable[None]], remote: Remote, proxy: FaultProxy | None, folder: Path
    ) -> None:
        clock = FakeClock(turned=lambda seconds: self.facts.turn(remote, seconds))
        bench = Bench(self.facts, self.driver, remote, proxy, folder, clock, Limiter(clock))
        patience = self.facts.patience * (THOROUGH if self.facts.thorough else 1)
        try:
            with anyio.fail_after(patience):
                await work(bench)
        except TimeoutError:
            raise Failed(f"It does not end within {patience:g} s; something waits without an end.") from None
        except Exception as problem:  # noqa: BLE001 - a loop that shows it would trip over one that cannot be shown
            raise _known(problem) from None
        finally:
            for session in bench.sessions:
                await session.aclose()


@contextlib.asynccontextmanager
async def raising(what: str) -> AsyncIterator[list[errors.OmnichannelError]]:
    """Collects the typed error of the block; another one, or none, fails the rule."""
    caught = list[errors.OmnichannelError]()
    try:
        yield caught
    except TYPED as problem:
        caught.append(problem)
    except Exception as problem:
        raise Failed(f"{what} raises {type(problem).__name__}; raise what drivers may raise.") from problem
    if not caught:
        raise Failed(f"{what} raises nothing; the fault goes unnoticed.")


def _known(problem: Exception) -> Exception:
    """What a rule said; or that the driver raised something, by its type and what can be shown of it."""
    while isinstance(problem, ExceptionGroup) and len(problem.exceptions) == 1:
        problem = problem.exceptions[0]
    if isinstance(problem, Failed | NotShown):
        return problem
    try:
        said = str(problem)[:400]
    except Exception:  # noqa: BLE001 - see above
        said = "which cannot be shown"
    return Failed(f"{type(problem).__name__}: {said}")


def _forms(facts: DriverConformance, driver: Driver, credentials: Any) -> Iterator[Form]:
    typed = facts.credentials if credentials is None else credentials
    yield driver.credentials.model_validate(typed)
    if driver.application is not None and facts.application is not None:
        yield driver.application.model_validate(facts.application)
    for name, page in driver.pages.items():
        yield page.form.model_validate(facts.settings.get(name, {}))
