"""The same house for hosts that cannot await: nothing is written twice.

>>> with blocking(Omnichannel("shop.db")) as (house, call):
...     call(house.connections.synchronize, "acme", 7)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from omnichannel_core.app import Omnichannel

P = ParamSpec("P")
T = TypeVar("T")


class Caller(Protocol):
    """Calls an async function of the house from a thread, with all its arguments typed."""

    def __call__(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for its answer; what it raises is raised here."""
        ...


@contextmanager
def blocking(house: Omnichannel, *, backend: str = "asyncio") -> Iterator[tuple[Omnichannel, Caller]]:
    """Open the house on an event loop in a thread of its own; close both at the end.

    Args:
        backend: asyncio or trio.
    """
    with start_blocking_portal(backend) as portal, portal.wrap_async_context_manager(house):
        yield house, _caller(portal)


def _caller(portal: BlockingPortal) -> Caller:
    def call(function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return portal.call(partial(function, *args, **kwargs))

    return call
