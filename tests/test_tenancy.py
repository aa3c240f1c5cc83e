"""Another account's thing does not exist, whatever is asked: every public method of every door."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.driver import Call
from omnichannel_core.model.view import Look
from omnichannel_core.storage.hub import Found
from omnichannel_core.storage.schema import audit, metadata

pytestmark = pytest.mark.anyio
DOORS = ("connections", "connections.settings", "stores", "hub", "views", "processes", "drivers")
OF_THE_STORE = {
    ("connections", "receive"): "speaks for whoever the marketplace means",
    ("hub", "restored"): "the operator's, of all accounts",
}


def methods(house: Omnichannel, door: str) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Public async methods; new ones are found by themselves."""
    room: Any = house
    for name in door.split("."):
        room = getattr(room, name)
    found = {name: getattr(room, name) for name in dir(room) if not name.startswith("_")}
    return {name: one for name, one in found.items() if inspect.iscoroutinefunction(one)}


def filled(given: dict[str, Any], function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments that mean the first account's things, in another account's name."""
    arguments: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        needed = parameter.default is parameter.empty
        if name in given and (needed or name in ("connection", "draft")):
            arguments[name] = given[name]
        elif parameter.kind is parameter.VAR_KEYWORD:
            arguments["connection"] = given["connection"]
        elif needed:
            msg = f"{function.__qualname__} has a new argument {name}: say what it means here"
            raise AssertionError(msg)
    return arguments


def snapshot(house: Omnichannel) -> dict[str, Any]:
    """Everything that is stored, but audit lines."""
    return house._store.read_now(
        lambda tx: {
            table.name: sorted(map(repr, tx.execute(table.select()))) for table in metadata.tables.values()
            if table is not audit
        }
    )  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
async def test_other_account(house: Omnichannel, shop: Any, door: str) -> None:
    """Asked for with another account's id, the first account's things are not found and stay as they are."""
    await house.accounts.add("other")
    saved = await house.connections.create("acme", "echo", "Shop", {"shop": "a", "secret": "hush-echo"})
    assert saved.process is not None
    one = saved.connection.id
    await house.connections.disable("acme", [one])
    view = await house.views.create("acme", "ann", "Mine", Look())
    driver = await house.drivers.load("acme", "echo")
    given: dict[str, Any] = {
        "account": "other",
        "connection_id": one, "connection": one, "ids": [one], "id": one, "process_id": saved.process.id,
        "view": view.id, "view_id": view.id, "actor": "ann", "owner": "ann", "look": Look(), "name": "Other",
        "driver": driver if door == "connections.settings" else "echo", "typed": {}, "return_url": "https://x.example",
        "call": Call(method="GET", path="", query={"state": "x"}), "draft": one, "claim": "x", "stream": "orders",
        "minutes": 5, "found": Found(kind="Order", connection=one), "kind": "Order", "remote_id": "1", "order_id": "1",
        "records": [], "page": "import", "values": {}, "days": {"Order": 1}, "store_id": one, "receipt": {},
    }  # fmt: skip
    before = snapshot(house)
    asked = 0
    for name, function in methods(house, door).items():
        if (door, name) in OF_THE_STORE:
            continue
        arguments = filled(given, function)
        assert "account" in arguments, f"{door}.{name} has no account: say why in OF_THE_STORE"
        asked += 1
        try:
            answer = await function(**arguments)
        except (errors.NotFound, errors.NotAdmitted, errors.AuthorizationDenied, errors.LicenseInvalid):
            continue
        except errors.UsageError:
            continue  # refused before anything was looked at
        assert nothing(answer), f"{door}.{name} answered {answer!r}"
    assert asked > 0
    assert changed(before, snapshot(house)) == []


def nothing(answer: Any) -> bool:
    """Empty, or only about what the other account has itself."""
    if attrs.has(type(answer)):
        return "Shop" not in repr(answer) and "acme" not in repr(answer)
    if isinstance(answer, list | tuple):
        return all(getattr(one, "error", None) is not None or "acme" not in repr(one) for one in answer)
    return not answer or "Shop" not in repr(answer)


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Tables that lost or changed a row."""
    return [name for name in before if not set(before[name]) <= set(after[name])]
