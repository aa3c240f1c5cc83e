"""A batch that is refused as a whole is taken apart until the bad ones stand alone (guide 1.8)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from omnichannel_core import errors

T = TypeVar("T")


async def halve(
    items: Sequence[T], send: Callable[[Sequence[T]], Awaitable[object]], name: Callable[[T], str] | None = None
) -> list[tuple[T, str]]:
    """Sends the items together; where that is refused, those that the refusal names alone, else each half.

    Args:
        name: how the remote quotes an item (its SKU).

    Returns:
        those refused alone, with the remote's words; all others were taken.
    """
    refusals, groups = list[tuple[T, str]](), [list(items)]
    while groups:
        group = groups.pop(0)
        if not group:
            continue
        try:
            await send(group)
        except errors.RemoteRejected as refused:
            if len(group) == 1:
                refusals.append((group[0], str(refused)))
                continue
            named = quoted(str(refused), group, name) if name is not None else []
            middle = len(group) // 2
            apart = [[one for one in group if one not in named], *[[one] for one in named]] if named else []
            groups[:0] = apart or [group[:middle], group[middle:]]
    return refusals


def quoted(words: str, items: Sequence[T], name: Callable[[T], str]) -> list[T]:
    """The items whose names stand in the words; none where that is all of them, or nothing."""
    said = set(re.split(r"[\s,;:\[\]()'\"]+", words))
    found = [one for one in items if name(one) in said]
    return found if len(found) < len(items) else []
