"""Spans and metrics by the OpenTelemetry API, where it is installed; nothing otherwise. The host chooses the SDK.

Names and attributes are few and listed here: what is not in ATTRIBUTES is never told. No name of a connection, no
address, no id of an account, order or customer is among them, so that series stay few (drivers times a handful).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from omnichannel_core import errors

SCOPE = "omnichannel_core"
STOPPED = "stopped"  # cancelled: by somebody, or by the end of a turn
SPANS = frozenset({"omnichannel.process"})
COUNTERS = {
    "omnichannel.processes": "turns of processes that ended, by kind and error.type",
    "omnichannel.records": "records of committed pages, by driver, stream and outcome (stored, bad)",
    "omnichannel.requests": "requests to remotes, by outcome (1xx..5xx, or the error's key)",
}
HISTOGRAMS = {"omnichannel.process.duration": "seconds of one turn of a process, by kind"}
ATTRIBUTES = frozenset({"kind", "driver", "stream", "outcome", "error.type"})


@contextmanager
def turn(kind: str) -> Iterator[None]:
    """Around one turn of a process: a span, its duration, and a count; an error is told by its key alone."""
    found = _api()
    if found is None:
        yield
        return
    began, failed = time.perf_counter(), ""
    with found.tracer.start_as_current_span(
        "omnichannel.process", attributes={"kind": kind}, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except BaseException as trouble:
            failed = word(trouble)
            span.set_attribute("error.type", failed)
            raise
        finally:
            about = {"kind": kind} | ({"error.type": failed} if failed else {})
            found.instruments["omnichannel.process.duration"].record(time.perf_counter() - began, about)
            count("omnichannel.processes", 1, **about)


def count(name: str, amount: int, **about: str) -> None:
    """So many more of a counter in COUNTERS."""
    found = _api()
    if found is not None and amount:
        found.instruments[name].add(amount, {key: value for key, value in about.items() if key in ATTRIBUTES})


def word(trouble: BaseException) -> str:
    """An error in one of few words: its key, that it was none of ours, or that something was only stopped."""
    while isinstance(trouble, BaseExceptionGroup) and len(trouble.exceptions) == 1:
        trouble = trouble.exceptions[0]
    if isinstance(trouble, errors.OmnichannelError):
        return trouble.key
    return "unexpected" if isinstance(trouble, Exception) else STOPPED


class _Api:
    """The tracer and the instruments of this process."""

    def __init__(self, trace: Any, metrics: Any) -> None:
        self.tracer, meter = trace.get_tracer(SCOPE), metrics.get_meter(SCOPE)
        self.instruments: dict[str, Any] = {
            name: meter.create_counter(name, description=text) for name, text in COUNTERS.items()
        } | {name: meter.create_histogram(name, unit="s", description=text) for name, text in HISTOGRAMS.items()}


@cache
def _api() -> _Api | None:
    try:
        from opentelemetry import metrics, trace
    except ModuleNotFoundError:
        return None
    return _Api(trace, metrics)
