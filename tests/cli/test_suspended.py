"""A connection whose driver is gone."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest


def test_it_is_seen_renamed_exported_and_deleted_without_its_driver(echo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the distribution removed, name, date and reason are shown, rename, export, disable and delete work."""
    number = echo.create()
    created = echo.json("connections", "show", number)["created_at"]
    for info in echo.site.glob("*.dist-info"):
        shutil.rmtree(info)
    for name in [one for one in sys.modules if one.startswith("omnichannel_echo")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if Path(one).name != "echo"])
    (seen,) = echo.json("connections", "list")
    jsonschema.validate(seen, echo.CONNECTION)
    assert (seen["health"], seen["created_at"]) == ("suspended", created)
    assert "echo" in seen["health_reason"]
    assert "suspended" in echo("connections", "show", number).stdout
    assert echo.error("connections", "sync", number, code=4) == "driver_not_found"
    assert echo.json("connections", "edit", number, "--name", "Old shop")["name"] == "Old shop"
    echo("hub", "export", "orders")
    echo("connections", "disable", number)
    assert echo.json("connections", "delete", number, "--yes")["state"] == "succeeded"
    assert not [one for one in sys.modules if one.startswith("omnichannel_echo")]
