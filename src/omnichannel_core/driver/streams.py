"""What comes in and what goes out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import attrs

from omnichannel_core.driver.session import Session
from omnichannel_core.records import Bad, Order, Record

if TYPE_CHECKING:
    from omnichannel_core.driver.forms import Settings

K = TypeVar("K")
R = TypeVar("R", bound=Record)


@attrs.frozen
class Wait:
    """Not before this page is committed and so many seconds are over; a Changed for the stream wakes it sooner."""

    seconds: float
    why: str = ""


@attrs.frozen(kw_only=True)
class Page(Generic[K]):
    """One step, one transaction. `total`: how many records the whole run has, where the remote says it."""

    cursor: K
    records: Sequence[Record | Bad] = ()
    more: bool | Wait = False
    total: int | None = None


@attrs.frozen(kw_only=True)
class PullStream(Generic[K]):
    """Things that come in. `cursor` is a msgspec.Struct with defaults: `cursor()` is the beginning.

    A pull asks and changes nothing: it may run ahead of the commit, and again. One of `pull` and `pull_together`.

    Attributes:
        pull: for one connection.
        pull_together: for all connections of one grant, by their credentials' `channel()`.
        fetch: single records by id: webhooks, retries, on demand. One that is gone is left out.
        acknowledge: after the commit, per new `Record.receipt`, until done.
        widen: (cursor, settings before, settings now) by page form -> the cursor that also admits what a widened
            filter newly admits, or None when nothing widened. Called when settings change.
        snapshot: every run starts anew; one that ends retires what it did not contain.
        every: not oftener than this.
    """

    name: str
    yields: tuple[type[Record], ...]
    cursor: type[K]
    pull: Callable[[Session, K], Awaitable[Page[K]]] | None = None
    pull_together: Callable[[Mapping[str, tuple[Session, K]]], Awaitable[Mapping[str, Page[K]]]] | None = None
    fetch: Callable[[Session, Sequence[str]], Awaitable[Sequence[Record | Bad]]] | None = None
    acknowledge: Callable[[Session, Record], Awaitable[None]] | None = None
    widen: Callable[[K, Settings, Settings], K | None] | None = None
    snapshot: bool = False
    every: timedelta = timedelta(minutes=2)


@attrs.frozen(kw_only=True)
class Item(Generic[R]):
    """One record to push; `key` is its idempotency key. `remote`: what Accepted told last time about the same thing.

    Attributes:
        order: the stored order the record belongs to (shipments, invoices, cancellations).
        ticket: what Pending told, when it is settled.
    """

    key: str
    record: R
    order: Order | None = None
    ticket: str = ""
    remote: Mapping[str, str] = {}


@attrs.frozen(kw_only=True)
class Batch(Generic[R]):
    """`key` belongs to exactly these items: a repeat after no answer has the same, a new try another."""

    key: str
    items: Sequence[Item[R]]
    full: bool = False  # part of everything there is (see PushStream.full_every)
    last: bool = True  # ... and its last part


@attrs.frozen(kw_only=True)
class Accepted:
    """Done; `remote`: ids over there, kept and handed to the next push of the same thing."""

    remote: Mapping[str, str] = {}
    note: str = ""


@attrs.frozen
class Rejected:
    """Refused for good, until something is changed and it is retried."""

    reason: str


@attrs.frozen
class Pending:
    """Taken, outcome known later: `settle` is asked with this ticket after the wait."""

    ticket: str
    wait: Wait


@attrs.frozen
class Later:
    """Not sent; try again."""

    wait: Wait


Outcome: TypeAlias = Accepted | Rejected | Pending | Later


@attrs.frozen(kw_only=True)
class PushStream(Generic[R]):
    """Things that go out. Outcomes by item key; one not named, or a raise after anything unrepeatable left, is unknown.

    `settle` says what became of pending (ticket) and unknown (no ticket) ones by looking; Later: it never arrived.
    Without it, a repeatable batch is pushed again as it was, and any other waits for a person. In a batch of one,
    RemoteRejected is that item's Rejected.

    Attributes:
        batch: items per push at most.
        state: the newest record of an id wins, older queued ones are dropped (stock, prices).
        repeatable: the very same batch may be sent again after no answer.
        full_every: what was last said of each thing goes out anew so often, in batches of their own that are `full`;
            the one after which nothing of the run comes is `last`.
    """

    name: str
    takes: type[R]
    push: Callable[[Session, Batch[R]], Awaitable[Mapping[str, Outcome]]]
    settle: Callable[[Session, Batch[R]], Awaitable[Mapping[str, Outcome]]] | None = None
    batch: int = 1
    state: bool = False
    repeatable: bool = False
    full_every: timedelta | None = None


Streams: TypeAlias = Sequence[PullStream[Any] | PushStream[Any]]
