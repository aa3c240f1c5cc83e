"""Every action of page, REST and command line reaches the same service call; what has no way in is said, with why."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import omnichannel_core.cli
import omnichannel_core.web.api
import omnichannel_core.web.callbacks
import omnichannel_core.web.pages
from omnichannel_core.connections.hub import Hub
from tests.test_tenancy import methods

pytestmark = pytest.mark.anyio
FACES = {"cli": Path(omnichannel_core.cli.__file__).parent, "rest": Path(omnichannel_core.web.api.__file__).parent,
         "pages": Path(omnichannel_core.web.pages.__file__).parent}  # fmt: skip
CALLBACKS = Path(omnichannel_core.web.callbacks.__file__)  # the way back of AUTHORIZE is a page's
DOORS = ("connections", "connections.settings", "hub", "views", "processes", "drivers", "licenses")
ELSEWHERE = {
    ("connections", "receive"): "marketplaces call it: web/callbacks.py",
    ("connections", "list"): "every face shows pages of it",
    ("connections.settings", "effective"): "for hosts that act on settings",
    ("connections.settings", "origins"): "part of a page's answer",
    ("connections.settings", "set_defaults"): "reached through connections.set_defaults, which synchronizes as well",
    ("connections", "rename"): "part of edit",
    ("hub", "attributes"): "find, for hosts", ("hub", "attribute_sets"): "find, for hosts",
    ("hub", "orders"): "find, for hosts", ("hub", "returns"): "find, for hosts", ("hub", "count"): "for hosts",
    ("hub", "restored"): "the operator's, of all accounts: the command line",
    ("processes", "wait"): "faces look again and again, or stream", ("processes", "run_to_end"): "the command line",
    ("views", "look"): "pages and REST only: the command line has no list of its own",
    ("views", "change_list"): "as look", ("views", "reset_list"): "as look",
    ("connections", "unfinished"): "as draft",
    ("connections", "draft"): "pages and REST: the command line keeps no form open",
    ("connections", "discard"): "as draft", ("connections", "confirm"): "as draft",
    ("connections", "count"): "pages and REST", ("connections", "ids"): "pages and REST: select all",
    ("hub", "lines"): "pages and REST", ("hub", "record"): "the command line shows orders",
    ("hub", "erase"): "REST: no screen of the manual has it", ("hub", "retain"): "as erase",
    ("hub", "push"): "REST and command line: people do not type records",
    ("hub", "pushes"): "as push", ("hub", "order"): "the command line; REST and pages open any record",
    ("connections.settings", "pages"): "", ("licenses", "applications"): "REST",
    ("licenses", "remove"): "pages and REST", ("licenses", "add_revocations"): "the operator's: command line and REST",
    ("processes", "get"): "REST and command line: pages list them", ("views", "get"): "",
    ("drivers", "load"): "inside the others", ("licenses", "clock_mark"): "doctor's, on the command line",
}  # fmt: skip


def calls(folder: Path) -> set[str]:
    """Names of everything that is called or handed on below a folder."""
    files = [*folder.rglob("*.py"), *([CALLBACKS] if folder.name == "pages" else [])]
    return set(re.findall(r"[a-z_]+", "\n".join(file.read_text() for file in files)))


async def test_every_service_has_all_faces(house: Any) -> None:
    """Each public call of the doors is reached by pages, REST and command line, or listed above with the reason."""
    faces = {name: calls(folder) for name, folder in FACES.items()}
    missing = []
    for door in DOORS:
        for name, function in methods(house, door).items():
            if (door, name) in ELSEWHERE or not inspect.iscoroutinefunction(function):
                continue
            missing += [f"{door}.{name} by {face}" for face, reached in faces.items() if name not in reached]
    assert missing == []


async def test_same_call(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Synchronize, disable and retry by page and by REST arrive at one and the same call with the same arguments."""
    one, seen = await site.connected(), list[tuple[str, Any]]()

    def spied(name: str, real: Any) -> Any:
        async def spy(*given: Any, **more: Any) -> Any:
            seen.append((name, repr((given[-2:], more))))
            return await real(*given, **more)

        return spy

    for name in ("synchronize", "disable"):
        monkeypatch.setattr(site.house.connections, name, spied(name, getattr(site.house.connections, name)))
    monkeypatch.setattr(Hub, "retry", spied("retry", Hub.retry))
    web = site.client()
    await web.post("/bulk", data={"action": "synchronize", "id": one})
    await web.post(f"/api/v1/connections/{one}/synchronize")
    await web.post("/bulk", data={"action": "disable", "id": one})
    await web.post("/api/v1/connections/disable", json={"ids": [one]})
    await web.post("/errors", data={"action": "retry", "connection": one, "everything": "1"})
    await web.post(f"/api/v1/connections/{one}/errors/retry", json={})
    names = [name for name, _ in seen]
    assert names == ["synchronize", "synchronize", "disable", "disable", "retry", "retry"]
    for at in (0, 2, 4):
        assert seen[at] == seen[at + 1]
