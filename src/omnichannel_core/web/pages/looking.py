"""Views and looks: VIEW menu, Columns bar, filters, sort (manual: VIEW, Columns, Create view, Rename view)."""

from __future__ import annotations

import attrs
from starlette.datastructures import FormData
from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.model.view import COLUMNS, Filter, Look
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.pages.listing import current
from omnichannel_core.web.visits import Visit


async def change(visit: Visit) -> Response:
    """Columns, filters or sort; unsaved until the view is saved."""
    sent = await visit.form()
    asked = str(sent.get("view", ""))
    view, look = await current(visit, asked)
    new, panel = _changed(look, sent)
    house, who = visit.house, (visit.account, visit.actor.id)
    if view is None:
        await house.views.change_list(*who, new)
    else:
        await house.views.change(*who, view.id, new)
    return visit.go("/", view=asked, panel=panel)


def _changed(look: Look, sent: FormData) -> tuple[Look, str]:
    """The look with one change, and the panel that stays open."""
    match str(sent.get("what", "")):
        case "columns":
            return _columns(look, sent), "columns"
        case "sort":
            return _sorted(look, str(sent.get("column", ""))), ""
        case "filter":
            one = Filter(
                column=str(sent.get("column", "")), operator=str(sent.get("operator", "")),  # type: ignore[arg-type]
                value=str(sent.get("value", "")), value2=str(sent.get("value2", "")),
            )  # fmt: skip
            return attrs.evolve(look, filters=(*look.filters, one)), ""
        case "unfilter" | "pause" as what:
            at = str(sent.get("at", ""))
            if at not in map(str, range(len(look.filters))):
                raise errors.Conflict("The filters are others now: look again.")
            return _touched(look, int(at), what), ""
        case _:
            raise errors.UsageError("There is no such change of a list.")


def _columns(look: Look, sent: FormData) -> Look:
    """Those that are checked, in the order shown; a press on up or down moves one."""
    order = [str(one) for one in sent.getlist("order") if one in COLUMNS]
    checked = set(map(str, sent.getlist("column")))
    name, _, way = str(sent.get("move", "")).partition(":")
    if name in order:
        at = order.index(name)
        to = max(0, at - 1) if way == "up" else min(len(order) - 1, at + 1)
        order.insert(to, order.pop(at))
    return attrs.evolve(look, columns=tuple(one for one in order if one in checked))


def _sorted(look: Look, column: str) -> Look:
    """By that column; pressed again, the other way round."""
    return attrs.evolve(look, sort=(f"-{column}",) if look.sort[:1] == (column,) else (column,))


def _touched(look: Look, at: int, what: str) -> Look:
    filters = list(look.filters)
    one = filters.pop(at)
    if what == "pause":
        filters.insert(at, attrs.evolve(one, paused=not one.paused))
    return attrs.evolve(look, filters=tuple(filters))


async def window(visit: Visit) -> Response:
    """The Create view and the Rename view window, and the confirmation of delete."""
    asked = visit.request.query_params
    what, number = visit.text("what"), asked.get("view", "")
    if what not in ("create", "rename", "delete"):
        raise errors.NotFound("There is no such window.")
    view = (await current(visit, number))[0] if what != "create" else None
    if what != "create" and view is None:
        raise errors.NotFound("There is no such view.")
    name = view.name if view else ""
    return visit.page("view_window.html", what=what, view=view, back=number, name=name, wrong="")


async def act(visit: Visit) -> Response:
    """An entry of the VIEW menu, or SAVE of a window."""
    sent = await visit.form()
    what, number = str(sent.get("what", "")), str(sent.get("view", ""))
    views, who = visit.house.views, (visit.account, visit.actor.id)
    view, look = await current(visit, number)
    if what == "reset" and view is None:
        await views.reset_list(*who)
        return visit.go("/")
    try:
        if what == "create":
            made = await views.create(*who, str(sent.get("name", "")), look)
            return visit.go("/", view=made.id, said="view_created")
        if view is None:
            raise errors.NotFound("Select a view first.")
        if what == "rename":
            await views.rename(*who, view.id, str(sent.get("name", "")))
        elif what == "delete":
            await views.delete(*who, view.id)
            return visit.go("/", said="view_deleted")
        elif what in ("save", "reset", "publish", "unpublish"):
            await getattr(views, what)(*who, view.id)
        else:
            raise errors.UsageError("There is no such entry.")
    except errors.FormInvalid as trouble:
        return visit.page("view_window.html", 422, what=what, view=view, back=number, name=str(sent.get("name", "")),
                          wrong=trouble.fields.get("name", str(trouble)))  # fmt: skip
    return visit.go("/", view=view.id, said=f"view_{what}")


DOORS = (
    Door(method="POST", path="/look", handler=change, permission=Permission.SEE),
    Door(method="GET", path="/views/{what}", handler=window, permission=Permission.SEE),
    Door(method="POST", path="/views", handler=act, permission=Permission.SEE),
)
