"""What pages say of the code is so: metrics, errors, tests and campaigns that they name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from campaigns.__main__ import CAMPAIGNS
from omnichannel_core import errors, telemetry
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.gate.gathering import gather
from reference import pages

ROOT = Path(__file__).parent.parent.parent
ALERTS = (ROOT / "docs/how-to/alerts.md").read_text()
PROMISES = (ROOT / "docs/explanation/promises.md").read_text()


def leaves(kind: type[errors.OmnichannelError]) -> set[str]:
    """Keys of all errors below."""
    below = kind.__subclasses__()
    return {kind.__new__(kind).key}.union(*map(leaves, below))


def test_metrics() -> None:
    """The page on alerts lists each span, metric and attribute of the code with what it is, and no other."""
    there = telemetry.SPANS | set(telemetry.COUNTERS) | set(telemetry.HISTOGRAMS)
    rows = dict(re.findall(r"^\| (?:span )?`(omnichannel\.[a-z.]+)` \| [^|]+ \| (.*) \|$", ALERTS, re.MULTILINE))
    assert set(rows) == there
    told = set(re.findall(r"`([a-z.]+)`", " ".join(rows.values())))
    assert told == set(telemetry.ATTRIBUTES)
    assert set(re.findall(r"omnichannel\.[a-z.]+[a-z]", ALERTS)) <= there


def test_alerts_name_errors() -> None:
    """Each error key that the page on alerts tells to watch is one."""
    said = {one for row in re.findall(r"`?error\.type`?[^|]*", ALERTS) for one in re.findall(r"\b[a-z]+_[a-z]+\b", row)}
    assert len(said) > 4
    assert said <= leaves(errors.OmnichannelError) | {"error_type"}


def test_promises_name_what_shows_them() -> None:
    """Each test and campaign that a promise names is there."""
    for path in re.findall(r"`((?:tests|campaigns)/[\w/.]+)`", PROMISES):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"`(test_\w+\.py)`", PROMISES):
        assert list((ROOT / "tests").rglob(name)), name
    named = {one for row in re.findall(r"campaigns --only ([^|;]+)", PROMISES) for one in re.findall(r"[a-z]+", row)}
    assert {"kills", "paused", "addresses"} <= named <= set(CAMPAIGNS)


@pytest.mark.parametrize("page", sorted((ROOT / "docs/how-to").glob("*.md")), ids=lambda path: path.name)
def test_pages_are_in_the_navigation(page: Path) -> None:
    """No how-to is written that nobody finds."""
    assert f'"how-to/{page.name}"' in (ROOT / "zensical.toml").read_text()


@pytest.mark.parametrize("name", ["amazon", "bigcommerce", "pos", "shopify"])
def test_driver_pages(name: str) -> None:
    """A driver's page has its capabilities, what it cannot, what could not be verified and what the kit showed."""
    page = dict(pages.drivers())[name]
    driver = gather(Catalog().listing()[name])
    assert "## Capabilities, from the code" in page
    for stream in [*driver.pulls, *driver.pushes, *driver.not_supported]:
        assert re.search(rf"^\| (in|out|no) \| {re.escape(stream)} \|", page, re.MULTILINE), stream
    heads = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert any("verified" in head for head in heads)
    assert "Conformance" in heads
    assert "kit" in page.split("## Conformance")[1]
