"""Create connection: name, driver, its credentials; SAVE checks and synchronizes (manual: Create connection)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import attrs
from starlette.datastructures import FormData
from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.connections.authorizing import DraftForm, Unfinished
from omnichannel_core.gate.admission import DriverListing
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.pages.fields import Drawing, Field, flat
from omnichannel_core.web.pages.listing import numbers
from omnichannel_core.web.pages.reading import plain, read
from omnichannel_core.web.problems import status_of
from omnichannel_core.web.sentences import Say
from omnichannel_core.web.visits import Visit

PREFIX = "c"


@attrs.define(kw_only=True)
class Sheet:
    """The form as it is filled now."""

    name: str = ""
    driver: str = ""
    draft: int | None = None
    schema: Mapping[str, Any] | None = None
    values: Mapping[str, Any] = attrs.field(factory=dict)
    authorized: bool = False
    trouble: errors.OmnichannelError | None = None
    drivers: Sequence[DriverListing] = ()
    unfinished: Sequence[Unfinished] = ()
    say: Say = str

    @property
    def fields(self) -> list[Field]:
        """Of the credentials section."""
        if self.schema is None:
            return []
        wrong = spoken(self.trouble, self.say)
        form = self.schema["credentials"]
        drawing = Drawing(root=form, prefix=PREFIX, errors=wrong, authorized=self.authorized)
        return drawing.fields(form, self.values)

    @property
    def titles(self) -> dict[str, str]:
        """What drivers are called."""
        return defaultdict(str, {one.name: one.title for one in self.drivers})

    @property
    def summary(self) -> list[tuple[str, str]]:
        """(anchor, what is wrong), the form's own troubles without one."""
        return summary(self.trouble, self.fields, PREFIX, self.say)


def spoken(trouble: errors.OmnichannelError | None, say: Say) -> dict[str, str]:
    """Field -> what is wrong with it, in the visitor's language."""
    fields = trouble.fields if isinstance(trouble, errors.FormInvalid) else {}
    return {name: say(wrong) for name, wrong in fields.items()}


def summary(
    trouble: errors.OmnichannelError | None, fields: Sequence[Field], prefix: str, say: Say
) -> list[tuple[str, str]]:
    """What a person has to look at, with links to the fields."""
    if trouble is None:
        return []
    if not isinstance(trouble, errors.FormInvalid) or not trouble.fields:
        return [("", say(str(trouble)))]
    known = {one.name: one for one in flat(fields)}
    found = []
    for name, wrong in spoken(trouble, say).items():
        field = known.get(f"{prefix}.{name}")
        found.append((f"#{field.id}", f"{field.label}: {wrong}") if field else (f"#f-{name}", wrong))
    return found


async def show(visit: Visit) -> Response:
    """The empty form, or the one that a trip to the marketplace filled."""
    asked = visit.request.query_params
    sheet = Sheet(driver=asked.get("driver", ""))
    if asked.get("draft"):
        (number,) = numbers([asked["draft"]])
        _take(sheet, await visit.house.connections.draft(visit.account, number, actor=visit.actor.id))
    else:
        found = await visit.house.connections.unfinished(visit.account, actor=visit.actor.id)
        sheet.unfinished = [one for one in found if one.connection is None]
    return await drawn(visit, sheet)


def _take(sheet: Sheet, draft: DraftForm) -> None:
    sheet.draft, sheet.driver, sheet.authorized = draft.id, draft.driver, draft.authorized
    sheet.name, sheet.values = sheet.name or draft.name, {**draft.values, **sheet.values}


async def drawn(visit: Visit, sheet: Sheet, status: int = 200) -> Response:
    """The form as a page."""
    sheet.drivers = await visit.house.drivers.list(visit.account)
    sheet.say = partial(visit.say, driver=sheet.driver)
    if sheet.driver and sheet.schema is None:
        try:
            sheet.schema = await _schema(visit, sheet.driver)
        except (errors.NotAdmitted, errors.DriverError) as trouble:
            sheet.trouble, status = sheet.trouble or trouble, status_of(trouble)
    part = visit.request.headers.get("x-part") == "credentials"
    return visit.page("credentials_part.html" if part else "create.html", status, sheet=sheet)


async def _schema(visit: Visit, driver: str) -> dict[str, Any]:
    found = await visit.house.drivers.schema(visit.account, driver)
    return found | {"credentials": visit.worded(found["credentials"], driver)}


async def _sent(visit: Visit) -> tuple[Sheet, FormData, dict[str, Any]]:
    """What was typed, and the same without its secrets for the page that is shown again.

    A draft that is over, or a driver that is not let in any more, is the sheet's trouble: what was typed stays.
    """
    sent = await visit.form()
    sheet = Sheet(name=str(sent.get("name", "")), driver=str(sent.get("driver", "")))
    try:
        if sent.get("draft"):
            (number,) = numbers([sent["draft"]])
            _take(sheet, await visit.house.connections.draft(visit.account, number, actor=visit.actor.id))
    except errors.NotFound as trouble:
        sheet.trouble = trouble
    try:
        sheet.schema = await _schema(visit, sheet.driver) if sheet.driver else None
    except (errors.NotAdmitted, errors.DriverError) as trouble:
        sheet.trouble = sheet.trouble or trouble
    if sheet.schema is None:
        return sheet, sent, {}
    form = sheet.schema["credentials"]
    drawing = Drawing(root=form, prefix=PREFIX)
    typed = read(drawing, form, sent)
    sheet.values = {**sheet.values, **plain(drawing, form, typed)}
    return sheet, sent, typed


async def fields(visit: Visit) -> Response:
    """The chosen driver's fields, for browsers without JavaScript; nothing is saved."""
    sheet, _, _ = await _sent(visit)
    return await drawn(visit, sheet)


async def save(visit: Visit) -> Response:
    """SAVE; whatever fails, what was typed stays, secrets excepted."""
    sheet, _, typed = await _sent(visit)
    if sheet.trouble is not None:
        return await drawn(visit, sheet, status_of(sheet.trouble))
    if not sheet.driver:
        sheet.trouble = errors.FormInvalid("Choose a driver.", {"driver": "Choose a driver."})
        return await drawn(visit, sheet, 422)
    try:
        saved = await visit.house.connections.create(
            visit.account, sheet.driver, sheet.name, typed, draft=sheet.draft, actor=visit.actor.id
        )
    except errors.OmnichannelError as trouble:
        sheet.trouble = trouble
        return await drawn(visit, sheet, status_of(trouble))
    said = "sync_triggered" if saved.process else "saved"
    return visit.go("/", said=said, process=saved.process.id if saved.process else "")


async def authorize(visit: Visit) -> Response:
    """AUTHORIZE: the form is kept, the browser goes to the marketplace."""
    sheet, _, typed = await _sent(visit)
    if sheet.trouble is not None:
        return await drawn(visit, sheet, status_of(sheet.trouble))
    try:
        begun = await visit.house.connections.authorize(
            visit.account, sheet.driver, typed, return_url=f"{visit.base}/oauth/{sheet.driver}", name=sheet.name,
            actor=visit.actor.id, draft=sheet.draft,
        )  # fmt: skip
    except errors.OmnichannelError as trouble:
        sheet.trouble = trouble
        return await drawn(visit, sheet, status_of(trouble))
    return leaving(visit, begun.url)


def leaving(visit: Visit, url: str) -> Response:
    """The way out: a page of ours with a link, because the policy forbids a form to end on another site.

    Raises:
        ContractBroken: a driver's address that is not of the web.
    """
    if not url.lower().startswith(("https://", "http://")):
        raise errors.ContractBroken("The driver sends the browser to an address that is not of the web.")
    return visit.page("leaving.html", address=url)


async def back(visit: Visit) -> Response:
    """Back: everything is rejected, the draft too."""
    sent = await visit.form()
    if sent.get("draft"):
        (number,) = numbers([sent["draft"]])
        await visit.house.connections.discard(visit.account, number, actor=visit.actor.id)
    return visit.go("/")


DOORS = (
    Door(method="GET", path="/new", handler=show, permission=Permission.MANAGE),
    Door(method="POST", path="/new", handler=save, permission=Permission.MANAGE),
    Door(method="POST", path="/new/fields", handler=fields, permission=Permission.MANAGE),
    Door(method="POST", path="/new/authorize", handler=authorize, permission=Permission.MANAGE),
    Door(method="POST", path="/new/back", handler=back, permission=Permission.MANAGE),
)
