"""What all tests share: both loops, a clock that tests turn, an opened store."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import anyio.lowlevel
import attrs
import pytest

from omnichannel_core.gate import loader
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.storage import migrations
from omnichannel_core.storage.store import Store


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Every async test runs on both."""
    return request.param


@attrs.define
class FakeClock:
    """Stands still until somebody sleeps on it or turns it."""

    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """The time is over at once."""
        self.turn(seconds)
        await anyio.lowlevel.checkpoint()

    def turn(self, seconds: float) -> None:
        """So many seconds later."""
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> FakeClock:
    """At the beginning of 2026."""
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A brand-new SQLite store with all tables."""
    made = Store(str(tmp_path / "store.db"))
    made.open()
    migrations.ensure(made)
    yield made
    made.close()


# --- drivers on the path: real dist-info folders, real modules
DRIVERS = Path(__file__).parent / "drivers"


@attrs.define
class Plug:
    """Puts distributions of drivers on `sys.path`, as an installer would."""

    site: Path

    def distribution(
        self,
        distribution: str,
        drivers: Mapping[str, str],
        *,
        version: str = "1.0",
        summary: str = "",
        requires: Sequence[str] = ("omnichannel-core>=0.1",),
        keywords: str = "",
        site: Path | None = None,
        code: Mapping[str, str] = {},
    ) -> Path:
        """A distribution with an entry point per driver, and files of code below its folder; answers its metadata."""
        folder = site or self.site
        info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        head = ["Metadata-Version: 2.4", f"Name: {distribution}", f"Version: {version}", f"Summary: {summary}"]
        head += [f"Keywords: {keywords}"] if keywords else []
        head += [f"Requires-Dist: {want}" for want in requires]
        (info / "METADATA").write_text("\n".join(head) + "\n\n")
        lines = [f"{name} = {module}" for name, module in drivers.items()]
        (info / "entry_points.txt").write_text("\n".join(["[omnichannel_core.drivers]", *lines]) + "\n")
        for path, text in code.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        importlib.invalidate_caches()
        return info

    def ready(self, name: str) -> None:
        """One of the drivers in `tests/drivers`."""
        self.distribution(f"omnichannel-{name}", {name: f"omnichannel_{name}.driver"}, summary=name.title())
        if str(DRIVERS / name) not in sys.path:
            sys.path.insert(0, str(DRIVERS / name))

    def catalog(self) -> Catalog:
        """What is plugged here, and nothing else."""
        return Catalog(lambda: metadata.distributions(path=[str(self.site)]))


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plug]:
    """An empty folder on the path; its modules are forgotten afterwards."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    monkeypatch.setattr(loader, "_LOADED", {})
    yield Plug(site)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(site)):
            del sys.modules[name]
