"""The part of the control API that all simulators have: clock, log, faults. What comes and goes is JSON."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from omnichannel_core.testing.simulated.clock import Clock
from omnichannel_core.testing.simulated.faults import Fault


def turn(clock: Clock, words: Mapping[str, Any]) -> None:
    """`{"mode"?, "speed"?, "now"?: seconds, "advance"?: seconds}`."""
    clock.change(words.get("mode", clock.mode), float(words.get("speed", clock.speed)))
    if "now" in words:
        clock.set(float(words["now"]))
    if "advance" in words:
        clock.advance(float(words["advance"]))


def requests(log: Iterable[Any], query: Mapping[str, str]) -> dict[str, Any]:
    """The last requests, 1,000 unless `?last=` says other; `?operation=` and other fields of an entry choose."""
    wanted = {name: value for name, value in query.items() if name != "last"}
    entries = (entry for entry in log if all(getattr(entry, name, None) == value for name, value in wanted.items()))
    return {"requests": [asdict(entry) for entry in deque(entries, int(query.get("last", 1000)))]}


def listed(faults: Iterable[Fault]) -> dict[str, Any]:
    """Faults as they were ordered, with their hits."""
    return {"faults": [asdict(fault) for fault in faults]}
