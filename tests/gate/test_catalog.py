"""The catalog: metadata of distributions, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnichannel_core.driver.hookspecs import HOOK_API
from omnichannel_core.gate.catalog import Catalog


def test_a_driver_is_listed_by_its_metadata(plug: Any) -> None:
    """Name, title, version, distribution and module come from the distribution."""
    plug.distribution(
        "Omnichannel_Shopify", {"shopify": "omnichannel_shopify.driver"}, version="2.1", summary="Shopify"
    )
    found = plug.catalog().listing()["shopify"]
    assert (found.name, found.title, found.version) == ("shopify", "Shopify", "2.1")
    assert (found.distribution, found.module) == ("omnichannel-shopify", "omnichannel_shopify.driver")
    assert found.compatible
    assert found.reason == ""


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"requires": ["omnichannel-core>=99"]}, "x needs omnichannel-core >=99, this is "),
        ({"requires": ["httpx"]}, "does not say which omnichannel-core it needs"),
        ({"requires": ["omnichannel-core>=0.1; extra == 'dev'"]}, "does not say which omnichannel-core it needs"),
        ({"requires": ["omnichannel-core>>>1"]}, "metadata of distribution x is damaged"),
        ({"keywords": f"omnichannel-hook-api-{HOOK_API + 1}"}, "upgrade omnichannel-core"),
        ({"drivers": {"good": "1 bad module"}}, "which is not a module"),
        ({"drivers": {"good": "a.b:c"}}, "which is not a module"),
        ({"drivers": {"Not Kebab": "a.b"}}, "lower case words"),
    ],
)
def test_what_does_not_fit_is_listed_with_the_reason(plug: Any, changed: dict[str, Any], reason: str) -> None:
    """An unusable driver stands in the list with what is wrong, and the one beside it is untouched."""
    plug.distribution("x", **{"drivers": {"good": "x.driver"}, **changed})
    plug.distribution("y", {"beside": "y.driver"})
    listing = plug.catalog().listing()
    assert listing["beside"].compatible
    (bad,) = [found for found in listing.values() if found.name != "beside"]
    assert not bad.compatible
    assert reason in bad.reason


@pytest.mark.parametrize(
    "keywords", ["", f"omnichannel-hook-api-{HOOK_API}", f"shop,omnichannel-hook-api-{HOOK_API},x"]
)
def test_the_hook_api_is_a_keyword(plug: Any, keywords: str) -> None:
    """A driver that states the running hook API fits; one that states none is of the first."""
    plug.distribution("x", {"x": "x.driver"}, keywords=keywords)
    assert plug.catalog().listing()["x"].compatible


def test_the_hook_api_before_is_still_spoken(plug: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Core speaks its own hook API and the one before, and no older one."""
    from omnichannel_core.gate import catalog

    monkeypatch.setattr(catalog, "HOOK_API", 3)
    for number in (1, 2, 3, 4):
        plug.distribution(f"d{number}", {f"d{number}": "d.driver"}, keywords=f"omnichannel-hook-api-{number}")
    listing = plug.catalog().listing()
    assert [name for name, found in listing.items() if found.compatible] == ["d2", "d3"]
    assert "upgrade d1" in listing["d1"].reason
    assert "upgrade omnichannel-core" in listing["d4"].reason


def test_two_distributions_may_not_claim_one_name(plug: Any) -> None:
    """The name is listed once, unusable, naming both; other drivers of both stay usable."""
    plug.distribution("honest", {"shop": "honest.driver", "honest-only": "honest.more"})
    plug.distribution("stranger", {"shop": "stranger.driver"})
    listing = plug.catalog().listing()
    assert listing["shop"].reason == "Distributions honest and stranger both claim driver shop: uninstall all but one."
    assert listing["shop"].module == ""
    assert listing["honest-only"].compatible


def test_one_distribution_in_two_versions_is_refused(plug: Any, tmp_path: Path) -> None:
    """Which one an import would find is not guessed; the same version twice (an editable install) is one."""
    other = tmp_path / "other"
    plug.distribution("x", {"x": "x.driver"}, version="1.0")
    plug.distribution("x", {"x": "x.driver"}, version="2.0", site=other)
    plug.distribution("y", {"y": "y.driver"})
    plug.distribution("y", {"y": "y.driver"}, site=other)
    listing = Catalog(lambda: metadata.distributions(path=[str(plug.site), str(other)])).listing()
    assert "in versions 1.0 and 2.0" in listing["x"].reason
    assert listing["y"].compatible


def test_a_name_twice_in_one_distribution_is_refused(plug: Any) -> None:
    """Two entry points of one name cannot both be meant."""
    info = plug.distribution("x", {"x": "x.driver"})
    (info / "entry_points.txt").write_text("[omnichannel_core.drivers]\nx = x.driver\nx = x.other\n")
    assert "names driver x twice" in plug.catalog().listing()["x"].reason


def test_damaged_files_stop_nobody(plug: Any) -> None:
    """Undecodable, half-written and missing files never raise, and the good driver stays."""
    (plug.distribution("a", {"a": "a.driver"}) / "METADATA").unlink()
    (plug.distribution("b", {"b": "b.driver"}) / "METADATA").write_bytes(b"\xff\xfe\x00Name: \xff")
    (plug.distribution("c", {"c": "c.driver"}) / "entry_points.txt").write_bytes(
        b"[omnichannel_core.drivers]\n\xff=\xfe"
    )
    (plug.distribution("d", {"d": "d.driver"}) / "entry_points.txt").write_text(
        "[omnichannel_core.drivers]\nnonsense\n"
    )
    plug.distribution("good", {"good": "good.driver"})
    listing = plug.catalog().listing()
    assert listing["good"].compatible
    assert [name for name, found in listing.items() if found.compatible] == ["good"]


class _Hostile(metadata.Distribution):
    def read_text(self, filename: str) -> str | None:
        if filename == "entry_points.txt":
            return "[omnichannel_core.drivers]\nhostile = hostile.driver\n"
        raise RuntimeError("no metadata for you")

    def locate_file(self, path: Any) -> Any:
        raise RuntimeError(path)


def test_a_hostile_finder_stops_nobody(plug: Any) -> None:
    """A distribution that raises at every question is a line with a reason."""
    plug.distribution("good", {"good": "good.driver"})

    def find() -> Iterator[metadata.Distribution]:
        yield _Hostile()
        yield from metadata.distributions(path=[str(plug.site)])

    listing = Catalog(find).listing()
    assert listing["good"].compatible
    assert "is damaged (RuntimeError)" in listing["unreadable-distribution"].reason


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(points=st.binary(max_size=200), head=st.binary(max_size=200))
def test_no_bytes_in_metadata_raise(points: bytes, head: bytes, tmp_path_factory: Any) -> None:
    """Whatever stands in the two files, the listing answers, and names its reasons."""
    site = tmp_path_factory.mktemp("site")
    info = site / "x-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_bytes(b"Name: x\nVersion: 1\n" + head)
    (info / "entry_points.txt").write_bytes(b"[omnichannel_core.drivers]\n" + points)
    for found in Catalog(lambda: metadata.distributions(path=[str(site)])).listing().values():
        assert not found.compatible  # nothing requires omnichannel-core here
        assert found.reason


def test_the_path_is_scanned_again_when_a_distribution_comes_or_goes(plug: Any) -> None:
    """A driver installed or removed while the program runs is seen at the next listing."""
    catalog = Catalog()
    assert "late" not in catalog.listing()
    info = plug.distribution("late", {"late": "late.driver"})
    assert catalog.listing()["late"].compatible
    for file in info.iterdir():
        file.unlink()
    info.rmdir()
    assert catalog.get("late") is None


def test_five_hundred_distributions_are_read_once(plug: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A settled path is not scanned again until somebody asks for it or a folder changes."""
    from omnichannel_core.gate import catalog as room

    for number in range(500):
        plug.distribution(f"driver-{number}", {f"driver-{number}": "d.driver"})
    monkeypatch.setattr(sys, "path", [str(plug.site)])
    monkeypatch.setattr(room, "_SETTLED_NS", -1)
    scans = 0
    real = room.metadata.distributions

    def counted() -> Any:
        nonlocal scans
        scans += 1
        return real()

    monkeypatch.setattr(room.metadata, "distributions", counted)
    catalog = Catalog(core="0.1.0")
    first = catalog.listing()
    assert len(first) == 500
    assert all(catalog.listing() is first for _ in range(100))
    assert scans == 1
    (plug.site / "a-file-beside.db").touch()
    assert catalog.listing() is first
    catalog.refresh()
    assert len(catalog.listing()) == 500
    assert scans == 2
