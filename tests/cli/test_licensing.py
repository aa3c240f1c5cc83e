"""Keys, licenses, applications, revocations; drivers."""

from __future__ import annotations

import json
from typing import Any

import jsonschema


def test_keys_are_private_and_never_overwritten(line: Any) -> None:
    """A vendor's private key is 0600, a second key stands beside the first, and none is overwritten."""
    private, public = line.folder / "other.json", line.folder / "public.json"
    assert line.json("licenses", "keygen", private, public)["keys"] == 2
    assert private.stat().st_mode & 0o777 == 0o600
    before = private.read_text()
    line("licenses", "keygen", private, public, code=2)
    assert private.read_text() == before
    assert json.loads(before)["d"] not in public.read_text()


def test_a_license_is_shown_without_its_text(line: Any) -> None:
    """For eyes a license has its grace in days and no text; for machines it has both."""
    file = line.license(grace_days="9")
    shown = line("licenses", "add", file).stdout
    assert "grace days" in shown
    assert file.read_text().strip() not in shown
    again = line.json("licenses", "add", file)
    assert again["grace_days"] == 9
    assert again["text"] == file.read_text().strip()
    (held,) = line.json("licenses", "list")
    assert (held["driver"], held["state"], held["features"]) == ("echo", "valid", [])


def test_an_application_comes_with_its_license(line: Any) -> None:
    """The document named by the license is sealed with it, and its values are shown nowhere."""
    document = line.folder / "app.json"
    document.write_text(json.dumps({"name": "app", "driver": "echo", "version": 1, "values": {"key": "hush-app"}}))
    result = line("licenses", "add", line.license(application="app"), "--application", document)
    assert "hush-app" not in result.output
    assert b"hush-app" not in (line.folder / "s.db").read_bytes()


def test_a_revoked_license_suspends_and_counts_no_more(echo: Any) -> None:
    """A signed list closes the gate: the connection is suspended and shown with the reason, and work exits 4."""
    number = echo.create()
    (held,) = echo.json("licenses", "list")
    signed = echo("licenses", "revoke-sign", echo.folder / "private.json", held["id"], "--seq", 1).stdout
    assert echo.json("licenses", "revoke", typed=signed) == {"revoked": 1}
    assert echo.json("licenses", "list")[0]["state"] == "revoked"
    seen = echo.json("connections", "show", number)
    jsonschema.validate(seen, echo.CONNECTION)
    assert (seen["status"], seen["health"]) == ("active", "suspended")
    assert "revoked" in seen["health_reason"]
    assert echo.error("connections", "sync", number, code=4) == "license_revoked"


def test_drivers_have_exactly_their_keys(echo: Any) -> None:
    """A driver has the promised keys and no others, and says why it is not available."""
    for one in echo.json("drivers", "list"):
        jsonschema.validate(one, echo.DRIVER)
    assert next(one for one in echo.json("drivers", "list") if one["name"] == "echo")["available"]
    assert echo.json("drivers", "uninstall", "echo") == {"driver": "echo", "installed": False}
    (one,) = [one for one in echo.json("drivers", "list") if one["name"] == "echo"]
    assert (one["licensed"], one["installed"], one["available"]) == (True, False, False)
    assert "install" in one["reason"]
    assert echo.json("drivers", "install", "echo") == {"driver": "echo", "installed": True}
    assert "credentials" in echo.json("drivers", "schema", "echo")
    assert echo.error("drivers", "install", "unheard", code=4) == "driver_not_found"
