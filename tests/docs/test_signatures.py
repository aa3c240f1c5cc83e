"""What is public changes on purpose only."""

from __future__ import annotations

import difflib
import inspect
import re

from omnichannel_core import driver, records
from omnichannel_core.testing.conformance.rules import all_rules
from reference import doors, pages, signatures


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
    assert "http://&lt;real host>.localhost" in pages.settings()  # or a browser takes it for a tag
    assert "| `OMNICHANNEL_DB`" in pages.settings()
    assert "| `CredentialsRejected` | `credentials_rejected` | yes |" in pages.failures()
    assert "| `VaultSealed` | `vault_sealed` |  |" in pages.failures()


def test_doors() -> None:
    """The doors' pages have every public name with its words, every service's methods, every fact of the kit."""
    for page, door in ((doors.driver(), driver), (doors.records(), records)):
        for name in door.__all__:
            assert f"\n## {name}\n" in page
        for name in ("PushStream", "Session", "Http") if door is driver else ("Order", "StockLevel"):
            said = inspect.getdoc(getattr(door, name)) or ""
            assert [one for one in re.findall(r"\w+", said) if one not in page] == []
    assert "- `settle`" not in doors.driver()  # it is said in PushStream's own words
    assert "`settle` says what became of pending" in doors.driver()
    assert "- `state`: the newest record of an id wins" in doors.driver()
    assert "### house.connections.create\n\n```python\nasync def create(" in doors.house()
    assert "house.hub.orders" in doors.house()
    assert "- `wrong_credentials`" in doors.kit() or "`wrong_credentials` are well formed" in doors.kit()
    assert "### DriverConformance.held" in doors.kit()
    rules = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (.+) \|$", doors.kit(), re.MULTILINE)
    assert [name for name, _, _ in rules] == list(all_rules())


def test_settings_have_words() -> None:
    """Every argument of the house and every option of the command line says what it is for."""
    rows = [line.split("|") for line in pages.settings().split("## Bundled")[0].splitlines() if line.startswith("| `")]
    assert len(rows) > 25
    assert [
        row[1] for row in rows if not (row[2].strip() if len(row) > 4 and "--" not in row[1] else row[3].strip())
    ] == []
