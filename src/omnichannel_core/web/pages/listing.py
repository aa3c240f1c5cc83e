"""The list of connections, and what is done with the selected ones (manual: Connections)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import attrs
from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.connections.switching import Moved
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.model.view import COLUMNS, OPERATORS, Look, View
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.problems import Refused
from omnichannel_core.web.visits import BIGGEST, DIGITS, Visit

PAGE = 50
COUNTED = 100_000


def numbers(given: Sequence[Any]) -> list[int]:
    """Ids that a browser sent; others are none.

    Raises:
        UsageError: one is not a number.
    """
    texts = [str(one) for one in given]
    if any(not one.isascii() or not one.isdigit() or len(one) > DIGITS or int(one) > BIGGEST for one in texts):
        raise errors.UsageError("That is no number of a connection.")
    return [int(one) for one in texts]


async def current(visit: Visit, view: str) -> tuple[View | None, Look]:
    """The selected view, and the look that is shown now."""
    if view in ("", "0"):
        return None, await visit.house.views.look(visit.account, visit.actor.id)
    (number,) = numbers([view])
    found = await visit.house.views.get(visit.account, visit.actor.id, number)
    return found, found.look


def mark(look: Look) -> str:
    """Tells whether a list was selected as it is shown now."""
    return hashlib.sha256(repr(attrs.astuple(look)).encode()).hexdigest()[:16]


async def show(visit: Visit) -> Response:
    """A page of the list."""
    asked = visit.request.query_params
    view, look = await current(visit, asked.get("view", ""))
    door = visit.house.connections
    page = await door.page(visit.account, look, cursor=asked.get("cursor") or None, limit=PAGE)
    count = await door.count(visit.account, look, at_most=COUNTED)
    drivers = await visit.house.drivers.list(visit.account)
    return visit.page(
        "connections.html", view=view, look=look, rows=page.rows, next=page.next, count=count, mark=mark(look),
        views=await visit.house.views.list(visit.account, visit.actor.id), cursor=asked.get("cursor", ""),
        columns=COLUMNS, operators=OPERATORS, any_driver=any(one.available for one in drivers),
        titles={one.name: one.title for one in drivers},
        said=asked.get("said", ""), process=asked.get("process", ""), number=asked.get("n", ""),
        panel=asked.get("panel", ""), changed=view.changed if view else look != Look(),
    )  # fmt: skip


async def bulk(visit: Visit) -> Response:
    """A button of the toolbar."""
    sent = await visit.form()
    action, view = str(sent.get("action", "")), str(sent.get("view", ""))
    ids = numbers(sent.getlist("id"))
    if sent.get("everything"):
        _, look = await current(visit, view)
        if mark(look) != sent.get("mark"):
            raise errors.Conflict("The list is shown in another way now: select again.")
        ids = list(await visit.house.connections.ids(visit.account, look))
    if not ids:
        return visit.go("/", view=view, said="nothing_selected")
    if action in ("enable", "disable"):
        return await _switch(visit, action, ids, view)
    if len(ids) != 1:
        raise errors.UsageError("Select exactly one connection for this.")
    if action == "synchronize":
        return await _synchronize(visit, ids[0], view)
    if action in ("edit", "delete"):
        return visit.go(f"/connections/{ids[0]}" + ("/delete" if action == "delete" else ""))
    raise errors.UsageError("There is no such button.")


async def _synchronize(visit: Visit, one: int, view: str) -> Response:
    process = await visit.house.connections.synchronize(visit.account, one)
    return visit.go("/", view=view, said="sync_triggered", process=process.id)


async def _switch(visit: Visit, action: str, ids: list[int], view: str) -> Response:
    """Of many, those for which there is something to do; who could not is told with the reason."""
    door, wanted = visit.house.connections, Status.ACTIVE if action == "enable" else Status.INACTIVE
    if len(ids) > 1:
        known = {one.id: one.status for one in await door.list(visit.account)}
        ids = [one for one in ids if known.get(one) not in (wanted, Status.DELETING)]
    moved: Sequence[Moved] = await (door.enable if action == "enable" else door.disable)(
        visit.account, ids, visit.actor.id
    )
    failed = [one for one in moved if one.error is not None]
    if not failed:
        return visit.go("/", view=view, said=f"{action}d", n=len(moved))
    return visit.page("not_all.html", 409, action=action, failed=failed, done=len(moved) - len(failed), view=view)


async def needs_operate(visit: Visit) -> Response:
    """The toolbar's buttons need what they do."""
    if not visit.may(Permission.OPERATE) and not visit.may(Permission.MANAGE):
        raise Refused(403, "You may look at connections, not change them.")
    sent = await visit.form()
    wanted = Permission.MANAGE if sent.get("action") in ("edit", "delete") else Permission.OPERATE
    if not visit.may(wanted):
        raise Refused(403, f"You are not allowed to do this; it needs the permission {wanted.value!r}.")
    return await bulk(visit)


DOORS = (
    Door(method="GET", path="/", handler=show, permission=Permission.SEE),
    Door(method="POST", path="/bulk", handler=needs_operate, permission=Permission.SEE),
)
