"""What is public changes on purpose only."""

from __future__ import annotations

import difflib

from reference import pages, signatures


def test_signatures() -> None:
    """Every public signature is as recorded; `python -m reference api` renews the record, and a review sees it."""
    now, then = signatures.text(), signatures.FILE.read_text()
    change = "\n".join(difflib.unified_diff(then.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=0))
    assert now == then, f"{change}\n\nMeant? Then: python -m reference api, and a line in the release's notes."


def test_services_are_recorded() -> None:
    """What an opened house is asked for stands in the record."""
    text = signatures.text()
    for line in ("house.connections.create async", "house.hub.orders async", "house.processes.wait async",
                 "hook credential_schema (self)", "omnichannel_core.Status.ACTIVE"):  # fmt: skip
        assert f"\n{line}" in text


def test_reference() -> None:
    """The reference names every command, error and REST operation, and every bundled driver."""
    assert {"omnichannel new-driver", "omnichannel connections create"} <= {
        line.lstrip("# ") for line in pages.command_line().splitlines() if line.startswith("#")
    }
    assert "`credentials_rejected`" in pages.failures()
    assert "| `POST` | `/connections` |" in pages.rest()
    assert "### sync_streams" in pages.hooks()
    assert {name for name, _ in pages.drivers()} == {"amazon", "bigcommerce", "pos", "shopify"}
    assert "bigcommerce: Order" in pages.settings()
