"""Each connection misbehaves in the way its credentials name; see `WAYS`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import msgspec
import sniffio

from omnichannel_core import errors
from omnichannel_core.driver import (
    AuthorizationFlow,
    Checkup,
    Credentials,
    Page,
    PullStream,
    Session,
    SettingsPage,
    Streams,
    hookimpl,
)
from omnichannel_core.records import Order, Shipment


class HostileCredentials(Credentials):
    """How it misbehaves."""

    way: str


class Cursor(msgspec.Struct, frozen=True):
    """Pages given."""

    seen: int = 0


class Other(msgspec.Struct, frozen=True):
    """Not the stream's cursor."""

    seen: int = 0


class Mute(Exception):
    """One that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class Odd(BaseException):
    """Not even an Exception."""


Way = Callable[[Cursor], Awaitable[Any]]
WAYS: dict[str, Way] = {}
HEAVY = frozenset({"a huge page", "no end"})
"""Ways that break no rule: they only take much."""
DEADLY = frozenset({"the end of the program", "no exception at all"})
"""Ways that aim at the house itself: what they raise is no Exception."""
SLOWEST = 0.2  # seconds the loop is blocked by the way that blocks it


def way(name: str) -> Callable[[Way], Way]:
    """Register one."""

    def add(pull: Way) -> Way:
        WAYS[name] = pull
        return pull

    return add


def raising(name: str, make: Callable[[], BaseException]) -> None:
    """A way that only raises."""

    async def pull(_: Cursor) -> Any:
        raise make()

    WAYS[name] = pull


def giving(name: str, make: Callable[[Cursor], Any]) -> None:
    """A way that only gives something else."""

    async def pull(cursor: Cursor) -> Any:
        return make(cursor)

    WAYS[name] = pull


raising("an exception of Python", lambda: KeyError("missing"))
raising("an exception without words", Mute)
raising("a group of exceptions", lambda: ExceptionGroup("many", [ValueError("a"), TypeError("b")]))
raising("the end of the program", lambda: SystemExit(3))
raising("no exception at all", Odd)
raising("the end of a generator", StopAsyncIteration)
raising("an error that is the house's own", lambda: errors.StorageError("the disk is full"))
raising("a lost fence", lambda: errors.Superseded("somebody else has it"))
giving("nothing", lambda cursor: None)
giving("a list", lambda cursor: [])
giving("a page of texts", lambda cursor: Page(cursor=Cursor(1), records=["order"]))  # type: ignore[list-item]
giving("a page of nothing", lambda cursor: Page(cursor=Cursor(1), records=None))  # type: ignore[arg-type]
giving("records it does not declare", lambda cursor: Page(cursor=Cursor(1), records=[Shipment(id="1", order_id="1")]))
giving("a record without id", lambda cursor: Page(cursor=Cursor(1), records=[Order(id="")]))
giving("a record whose id is a number", lambda cursor: Page(cursor=Cursor(1), records=[Order(id=7)]))  # type: ignore[arg-type]
giving("a record that no JSON can hold", lambda cursor: Page(cursor=Cursor(1), records=[Order(id="1", note=object())]))  # type: ignore[arg-type]
giving("a record with broken text", lambda cursor: Page(cursor=Cursor(1), records=[Order(id="\ud800")]))
giving("lines that are none", lambda cursor: Page(cursor=Cursor(1), records=[Order(id="1", lines=["a"])]))  # type: ignore[arg-type]
giving("a moment that is a text", lambda cursor: Page(cursor=Cursor(1), records=[Order(id="1", placed_at="today")]))  # type: ignore[arg-type]
giving("another cursor", lambda cursor: Page(cursor=Other(1), more=True))
giving("no cursor", lambda cursor: Page(cursor=None))
giving("a cursor that no JSON can hold", lambda cursor: Page(cursor=Cursor(object())))  # type: ignore[arg-type]
giving("more without moving", lambda cursor: Page(cursor=cursor, more=True))
giving("more that is a text", lambda cursor: Page(cursor=Cursor(1), more="yes"))  # type: ignore[arg-type]
giving("a total that is a text", lambda cursor: Page(cursor=Cursor(1), total="many"))  # type: ignore[arg-type]


@way("no answer")
async def silent(_: Cursor) -> Any:
    """Never."""
    await anyio.sleep_forever()


@way("a swallowed cancellation")
async def deaf(_: Cursor) -> Any:
    """Goes on after it was told to end, a while."""
    try:
        await anyio.sleep_forever()
    except BaseException:  # noqa: BLE001 - the very fault this way has
        return None


@way("leaked tasks")
async def leaking(_: Cursor) -> Any:
    """Leaves something running that nobody knows."""
    if sniffio.current_async_library() == "trio":
        import trio

        trio.lowlevel.spawn_system_task(_haunt)
    else:
        import asyncio

        LEAKED.append(asyncio.create_task(_haunt()))
    raise ValueError("leaked")


LEAKED: list[Any] = []


async def _haunt() -> None:
    for _ in range(200):
        await anyio.sleep(0.01)


@way("a blocked loop")
async def blocking(_: Cursor) -> Any:
    """Briefly."""
    time.sleep(SLOWEST)  # noqa: ASYNC251 - the very fault this way has
    raise ValueError("late")


@way("a huge page")
async def huge(_: Cursor) -> Any:
    """Ten thousand at once."""
    return Page(cursor=Cursor(1), records=[Order(id=str(number)) for number in range(10_000)])


@way("no end")
async def endless(cursor: Cursor) -> Any:
    """Always a little more."""
    await anyio.sleep(0.05)
    return Page(cursor=Cursor(cursor.seen + 1), more=True)


async def check(session: Session) -> Checkup:
    """Looks well."""
    return Checkup(title="Hostile")


async def pull(session: Session, cursor: Cursor) -> Page[Cursor]:
    """As the credentials say."""
    given: Page[Cursor] = await WAYS[session[HostileCredentials].way](cursor)
    return given


@hookimpl
def credential_schema() -> type[Credentials]:
    """The way."""
    return HostileCredentials


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Checked only."""
    return AuthorizationFlow(check=check)


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """None."""
    return []


@hookimpl
def sync_streams() -> Streams:
    """Orders."""
    return [PullStream(name="orders", yields=(Order,), cursor=Cursor, pull=pull)]
