"""Drivers and licenses: what is there, licensed, installed; why something is not available."""

from __future__ import annotations

import json

from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.connections.listing import COUNT_MAX
from omnichannel_core.model.view import Filter, Look
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.gate import held
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.problems import Refused, status_of
from omnichannel_core.web.visits import Visit


async def show(
    visit: Visit, trouble: errors.OmnichannelError | None = None, typed: str = "", document: str = ""
) -> Response:
    """All of it."""
    house, account = visit.house, visit.account
    drivers = await house.drivers.list(account)
    return visit.page(
        "drivers.html", status_of(trouble) if trouble else 200, drivers=drivers,
        titles={one.name: one.title for one in drivers},
        licenses=[held(one) for one in await house.licenses.list(account)], trouble=trouble, typed=typed,
        document=document, account=await house.accounts.get(account),
        said="" if trouble else visit.request.query_params.get("said", ""),
    )  # fmt: skip


async def shown(visit: Visit) -> Response:
    """The page."""
    return await show(visit)


async def switch(visit: Visit) -> Response:
    """Install or uninstall."""
    sent, driver = await visit.form(), visit.text("driver")
    action = str(sent.get("action", ""))
    try:
        if action == "install":
            await visit.house.drivers.install(visit.account, driver)
        elif action == "uninstall":
            await visit.house.drivers.uninstall(visit.account, driver)
        else:
            raise errors.UsageError("There is no such button.")
    except (errors.NotAdmitted, errors.Conflict) as trouble:
        return await show(visit, trouble)
    return visit.go("/drivers", said=f"{action}ed")


async def add(visit: Visit) -> Response:
    """Add a license, and the application document where one comes with it."""
    sent = await visit.form()
    text, document = str(sent.get("license", "")).strip(), str(sent.get("application", "")).strip()
    try:
        if text:
            await visit.house.licenses.add(visit.account, text)
        if document:
            await visit.house.licenses.add_application(visit.account, _parsed(document))
        if not text and not document:
            raise errors.FormInvalid("Paste a license.", {"license": "Paste the license's text."})
    except errors.OmnichannelError as trouble:
        return await show(visit, trouble, text)
    await visit.house.watch_gate()
    return visit.go("/drivers", said="license_added")


def _parsed(document: str) -> dict[str, object]:
    try:
        found = json.loads(document)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise errors.UsageError("The application document is not JSON: copy it again, in one piece.")
    return found


async def window(visit: Visit) -> Response:
    """What stands still without the license."""
    every = await visit.house.licenses.list(visit.account)
    here = next((one for one in every if one.id == visit.text("license")), None)
    if here is None:
        raise errors.NotFound("There is no such license.")
    look = Look(filters=(Filter(column="driver", operator="=", value=here.driver),))
    titles = {one.name: one.title for one in await visit.house.drivers.list(visit.account)}
    return visit.page(
        "remove_license.html", held=here, driver=titles.get(here.driver, here.driver),
        covered=any(one.state.counts for one in every if one.driver == here.driver and one.id != here.id),
        count=await visit.house.connections.count(visit.account, look, at_most=COUNT_MAX),
    )  # fmt: skip


async def remove(visit: Visit) -> Response:
    """Forget a license, confirmed."""
    sent = await visit.form()
    if sent.get("sure") != "yes":
        raise Refused(400, "Confirm that it goes.")
    await visit.house.licenses.remove(visit.account, visit.text("license"))
    await visit.house.watch_gate()
    return visit.go("/drivers", said="license_removed")


DOORS = (
    Door(method="GET", path="/drivers", handler=shown, permission=Permission.SEE),
    Door(method="POST", path="/drivers/{driver}", handler=switch, permission=Permission.LICENSE),
    Door(method="POST", path="/licenses", handler=add, permission=Permission.LICENSE),
    Door(method="GET", path="/licenses/{license}/remove", handler=window, permission=Permission.LICENSE),
    Door(method="POST", path="/licenses/{license}/remove", handler=remove, permission=Permission.LICENSE),
)
