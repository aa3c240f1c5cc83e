"""Threads of our own for what blocks: the host's default ones are the host's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")
_LANES = {"lookups": 16, "files": 4}
_limiters: dict[str, RunVar[anyio.CapacityLimiter]] = {name: RunVar(f"omnichannel_core.{name}") for name in _LANES}


async def blocking(lane: str, work: Callable[[], T], *, abandon: bool = False) -> T:
    """Run it in a thread of this lane ("lookups", "files"); `abandon`: on cancel its result is not waited for."""
    variable = _limiters[lane]
    try:
        limiter = variable.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_LANES[lane])
        variable.set(limiter)
    return await anyio.to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=abandon)
