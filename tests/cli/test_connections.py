"""The life of a connection, by commands."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from omnichannel_core import errors
from omnichannel_core.records import Order


def test_the_whole_life(echo: Any, shop: Any) -> None:
    """Create, list, check, edit, synchronize, disable, enable and delete each answer one document with its keys."""
    shop.orders.extend(Order(id=str(number)) for number in range(1, 4))
    number = echo.create()
    (seen,) = echo.json("connections", "list")
    jsonschema.validate(seen, echo.CONNECTION)
    assert (seen["id"], seen["status"], seen["health"], seen["driver"]) == (number, "active", "ok", "echo")
    assert seen["last_synced_at"] is not None
    assert echo.json("connections", "check", number)["title"] == "Shop a"
    assert echo.json("connections", "edit", number, "--name", "Renamed")["name"] == "Renamed"
    assert echo.json("connections", "sync", number)["state"] == "succeeded"
    assert len(echo.json("hub", "orders")) == 3
    assert echo.error("connections", "delete", number, "--yes", code=5) == "move_not_allowed"
    moved = echo.json("connections", "disable", number, 999)
    assert [one["error"] for one in moved] == [None, "not_found"]
    assert echo.error("connections", "sync", number, code=5) == "move_not_allowed"
    echo("connections", "enable", number)
    echo("connections", "disable", number)
    assert echo.json("connections", "delete", number, "--yes")["state"] == "succeeded"
    assert echo.json("connections", "list") == []
    assert shop.disconnected


def test_it_says_deleting_until_a_worker_ended_it(echo: Any) -> None:
    """A connection whose delete only waits for a worker is shown as deleting."""
    number = echo.create()
    echo("connections", "disable", number)
    assert echo.json("connections", "delete", number, "--yes", "--no-wait")["state"] == "queued"
    seen = echo.json("connections", "show", number)
    jsonschema.validate(seen, echo.CONNECTION)
    assert seen["status"] == "deleting"
    assert "deleting" in echo("connections", "show", "--help").stdout


def test_without_a_terminal_nothing_is_asked(echo: Any) -> None:
    """A missing field, a missing --yes and a missing account are usage errors that name the way out."""
    missing = echo("connections", "create", "echo", "X", "--set", "shop=a", code=2)
    assert "--secrets-stdin" in missing.stderr
    number = echo.create()
    echo("connections", "disable", number)
    assert "--yes" in echo("connections", "delete", number, code=2).stderr
    assert "--yes" in echo("restored", code=2).stderr
    echo.account = ""
    assert "--account" in echo("connections", "list", code=2).stderr


def test_secrets_are_no_arguments_and_never_shown(echo: Any) -> None:
    """--set refuses a secret without repeating it; a file gives it; no command shows it."""
    refused = echo("connections", "create", "echo", "X", "--set", "shop=a", "--set", "secret=hush-echo", code=2)
    assert "hush-echo" not in refused.output
    file = echo.folder / "secrets.json"
    file.write_text(json.dumps({"secret": "hush-echo"}))
    made = echo("-vv", "connections", "create", "echo", "X", "--set", "shop=a", "--secrets-file", file)
    assert "hush-echo" not in made.output
    wrong = echo("connections", "create", "echo", "X", "--set", "shop=a", "--secrets-stdin", code=2, typed="hush-echo")
    assert "hush-echo" not in wrong.output
    both = ("connections", "create", "echo", "X", "--secrets-stdin", "--secrets-file", file)
    assert "one way" in echo(*both, code=2).stderr


def test_every_error_has_its_code(echo: Any, shop: Any) -> None:
    """2 usage, 3 not found, 4 refused credentials, 5 conflict, 6 remote down, each told under its key."""
    create = ("connections", "create", "echo", "X", "--set", "shop=a", "--secrets-stdin")
    assert echo.error(*create, code=4, typed="secret=wrong") == "credentials_rejected"
    assert echo.error("connections", "create", "echo", " ", "--set", "shop=a", "--secrets-stdin", code=2,
                      typed="secret=x") == "form_invalid"  # fmt: skip
    assert echo.error("connections", "show", 999, code=3) == "not_found"
    assert echo.error("accounts", "add", "acme", code=5) == "conflict"
    assert echo.error("drivers", "schema", "unheard", code=4) == "driver_not_found"
    shop.trouble = errors.RemoteUnavailable("It is down.")
    assert echo.error(*create, code=6, typed="secret=hush-echo") == "remote_unavailable"


def test_a_remote_that_is_down_gives_the_terminal_back(echo: Any, shop: Any) -> None:
    """A sync that has to wait for its remote exits 6 and stays in the queue for a worker."""
    number = echo.create()
    shop.trouble = errors.RemoteUnavailable("It is down.")
    ended = echo.json("connections", "sync", number, code=6)
    assert (ended["state"], ended["error_key"]) == ("waiting", "remote_unavailable")
    shop.trouble = errors.CredentialsRejected("Not any more.")
    echo("processes", "cancel", ended["id"])
    assert echo.json("connections", "sync", number, code=4)["error_key"] == "credentials_rejected"


def test_an_unexpected_error_is_one_line(echo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw exits 1 with a line, and with where it was only for -vv."""
    from omnichannel_core.gate.accounts import Accounts

    async def broken(self: Any) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr(Accounts, "list", broken)
    told = echo("accounts", "list", code=1).stderr
    assert "Unexpected RuntimeError: first line\n" in told
    assert "second line" not in told
    assert "Traceback" not in told
    assert echo.error("accounts", "list", code=1) == "unexpected"


def test_settings_defaults_and_schedules(echo: Any) -> None:
    """Pages are shown and changed, a default shines through where a page inherits, and streams have schedules."""
    number = echo.create()
    echo("connections", "defaults", "echo", "import", "--set", "above=5")
    echo("connections", "settings", number, "import", "--inherit")
    assert echo.json("connections", "settings", number, "import")["values"]["above"] == 5
    jsonschema.validate(
        echo.json("connections", "settings", number, "import", "--own", "--set", "above=7"), echo.CONNECTION
    )
    assert echo.json("connections", "settings", number, "import")["values"]["above"] == 7
    assert echo.json("connections", "defaults", "echo")["import"]["values"]["above"] == 5
    assert "import" in echo("connections", "settings", number).stdout
    assert "nowhere" in echo("connections", "settings", number, "nowhere", code=2).stderr
    (orders,) = [one for one in echo.json("connections", "schedule", number, "orders", 30) if one["stream"] == "orders"]
    assert orders["minutes"] == 30
    assert echo.error("connections", "schedule", number, "orders", 7, code=2) == "usage_error"
