"""The same house for hosts that cannot await: nothing is written twice.

>>> with blocking(Omnichannel("shop.db")) as (house, call):
...     call(house.connections.synchronize, "acme", 7)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

import attrs
from anyio.from_thread import BlockingPortal, start_blocking_portal

from omnichannel_core.app import Omnichannel

P = ParamSpec("P")
T = TypeVar("T")


class Caller(Protocol):
    """Calls an async function of the house from a thread, with all its arguments typed."""

    def __call__(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for its answer; what it raises is raised here."""
        ...

    def soon(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin it, and go on; the future has its answer, and cancels it."""
        ...


@contextmanager
def blocking(house: Omnichannel, *, backend: str = "asyncio") -> Iterator[tuple[Omnichannel, Caller]]:
    """Open the house on an event loop in a thread of its own; close both at the end.

    Args:
        backend: asyncio or trio.
    """
    with start_blocking_portal(backend) as portal, portal.wrap_async_context_manager(house):
        yield house, _Caller(portal)


@attrs.frozen
class _Caller:
    portal: BlockingPortal

    def __call__(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.portal.call(partial(function, *args, **kwargs))

    def soon(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self.portal.start_task_soon(partial(function, *args, **kwargs))
