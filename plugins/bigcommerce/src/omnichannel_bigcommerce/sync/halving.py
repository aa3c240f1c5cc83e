"""A batch that is refused as a whole is halved until the bad ones stand alone (guide bigcommerce-and-shopify 1.8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from omnichannel_core import errors

T = TypeVar("T")


async def halve(items: Sequence[T], send: Callable[[Sequence[T]], Awaitable[object]]) -> list[tuple[T, str]]:
    """Sends the items together; where that is refused, each half, one after the other.

    Returns:
        those refused alone, with the remote's words; all others were taken.
    """
    if not items:
        return []
    try:
        await send(items)
    except errors.RemoteRejected as refused:
        if len(items) == 1:
            return [(items[0], str(refused))]
        middle = len(items) // 2
        return [*await halve(items[:middle], send), *await halve(items[middle:], send)]
    return []
