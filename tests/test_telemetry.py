"""Spans and metrics: few names, few values, no secret; and nothing at all where no API is installed."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import anyio.lowlevel
import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from omnichannel_core import errors, telemetry
from omnichannel_core.app import Omnichannel
from omnichannel_core.records import Order

pytestmark = pytest.mark.anyio


@attrs.define
class Heard:
    """What an SDK was told."""

    spans: InMemorySpanExporter = attrs.field(factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = attrs.field(factory=InMemoryMetricReader)
    tracers: TracerProvider = attrs.field(factory=lambda: TracerProvider(shutdown_on_exit=False))

    def get_tracer(self, name: str) -> Any:
        return self.tracers.get_tracer(name)

    def points(self) -> list[tuple[str, dict[str, Any], Any]]:
        """Name, attributes and value of every series."""
        data = json.loads(self.reader.get_metrics_data().to_json())
        return [
            (metric["name"], point["attributes"], point.get("value", point.get("count")))
            for resource in data["resource_metrics"] for scope in resource["scope_metrics"]
            for metric in scope["metrics"] for point in metric["data"]["data_points"]
        ]  # fmt: skip


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """An SDK of this test alone."""
    found = Heard()
    found.tracers.add_span_processor(SimpleSpanProcessor(found.spans))
    meters = MeterProvider([found.reader], shutdown_on_exit=False)
    api = telemetry._Api(found, meters)
    monkeypatch.setattr(telemetry, "_api", lambda: api)
    yield found
    meters.shutdown()
    found.tracers.shutdown()


async def synchronized(house: Omnichannel, shop: Any, number: int) -> None:
    """A connection of its own, synchronized once well and once not."""
    saved = await house.connections.create(
        "acme", "echo", f"Canary shop {number}", {"shop": "a", "secret": "hush-echo"}
    )
    assert saved.process is not None
    await house.processes.run_to_end("acme", saved.process.id)
    shop.trouble = errors.CredentialsRejected("canary-message hush-echo")
    again = await house.connections.synchronize("acme", saved.connection.id)
    await house.processes.run_to_end("acme", again.id)
    shop.trouble = None


async def test_few_names_and_values(house: Omnichannel, shop: Any, heard: Heard) -> None:
    """However many connections and orders there are, series stay the same, and name nobody."""
    shop.orders = [
        Order(id=str(number), number=f"canary-{number}", email="canary@shop.example") for number in range(1, 6)
    ]
    series = list[int]()
    for number in (1, 2, 3):
        await synchronized(house, shop, number)
        series.append(len(heard.points()))
    assert series[0] == series[1] == series[2] > 0
    spans = heard.spans.get_finished_spans()
    points = heard.points()
    assert {span.name for span in spans} == telemetry.SPANS
    assert {name for name, _, _ in points} <= set(telemetry.COUNTERS) | set(telemetry.HISTOGRAMS)
    keys = {key for span in spans for key in span.attributes or {}} | {key for _, about, _ in points for key in about}
    assert keys <= telemetry.ATTRIBUTES
    assert ("omnichannel.records", {"driver": "echo", "stream": "orders", "outcome": "stored"}, 15) in points
    assert any(about.get("error.type") == "credentials_rejected" for _, about, _ in points)
    told = repr(points) + "".join(span.to_json() for span in spans)
    assert "canary" not in told.lower()
    assert "hush" not in told


async def test_unexpected(heard: Heard) -> None:
    """An error that is none of ours is told as such, without its words."""
    with pytest.raises(ValueError, match="canary"), telemetry.turn("synchronize"):
        raise ValueError("canary")
    (span,) = heard.spans.get_finished_spans()
    assert dict(span.attributes or {}) == {"kind": "synchronize", "error.type": "unexpected"}
    assert "canary" not in span.to_json()


async def test_stopped(heard: Heard) -> None:
    """What is cancelled was stopped, and is no unexpected error."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        with telemetry.turn("synchronize"):
            await anyio.lowlevel.checkpoint()
    (span,) = heard.spans.get_finished_spans()
    assert dict(span.attributes or {}) == {"kind": "synchronize", "error.type": "stopped"}


async def test_structured_records(
    house: Omnichannel, shop: Any, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    """A process that fails unexpectedly leaves a log record with fields."""
    saved = await house.connections.create("acme", "echo", "Shop", {"shop": "a", "secret": "hush-echo"})
    assert saved.process is not None
    house._runner.handlers["synchronize"] = lambda turn: 1 / 0  # type: ignore[assignment, return-value]
    with caplog.at_level(logging.ERROR, "omnichannel_core"):
        await house.processes.run_to_end("acme", saved.process.id)
    (fields,) = [record.omnichannel for record in caplog.records if hasattr(record, "omnichannel")]
    assert fields == {"process": saved.process.id, "kind": "synchronize", "connection": saved.connection.id,
                      "account": "acme", "error": "unexpected"}  # fmt: skip


def test_without_api() -> None:
    """Where the API is not installed, nothing is told and nothing breaks."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from omnichannel_core import telemetry\n"
        "with telemetry.turn('synchronize'): telemetry.count('omnichannel.requests', 1, outcome='2xx')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
