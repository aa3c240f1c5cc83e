"""Edit connection: name in place, Credentials, Settings, Schedule; Delete (manual: Edit connection)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import attrs
from starlette.datastructures import FormData
from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.connections.authorizing import Unfinished
from omnichannel_core.connections.pages import PageAnswer, PageTitle
from omnichannel_core.driver import Driver
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.storage.schedules import INTERVALS, Schedule
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.pages.creating import leaving, spoken, summary
from omnichannel_core.web.pages.fields import Drawing, Field, flat
from omnichannel_core.web.pages.listing import numbers
from omnichannel_core.web.pages.reading import plain, read
from omnichannel_core.web.problems import Refused, status_of
from omnichannel_core.web.sentences import Say
from omnichannel_core.web.visits import Visit

CREDENTIALS, SETTINGS = "c", "s"


@attrs.define(kw_only=True)
class Sheet:
    """A connection's form as it is filled now. `driver` is None where the gate bars it."""

    seen: Connection
    name: str
    tab: str
    version: int
    driver: Driver | None = None
    barred: errors.OmnichannelError | None = None
    schema: Mapping[str, Any] = attrs.field(factory=dict)
    values: Mapping[str, Any] = attrs.field(factory=dict)
    before: Mapping[str, Any] = attrs.field(factory=dict)
    draft: int | None = None
    unfinished: Unfinished | None = None
    authorized: bool = False
    menu: Sequence[PageTitle] = ()
    page: PageAnswer | None = None
    typed_page: Mapping[str, Any] | None = None
    inherits: bool = False
    page_version: int = 0
    schedules: Sequence[Schedule] = ()
    trouble: errors.OmnichannelError | None = None
    difference: Sequence[tuple[str, Any, Any]] = ()
    intervals: Sequence[int] = INTERVALS
    say: Say = str

    @property
    def credentials(self) -> list[Field]:
        """Fields of the Credentials tab."""
        return self._drawing(self.schema, CREDENTIALS, "").fields(self.schema, self.values) if self.schema else []

    @property
    def settings(self) -> list[Field]:
        """Fields of the page that is open."""
        if self.page is None:
            return []
        drawing = self._drawing(self.page.schema, SETTINGS, f"{self.page.name}.")
        drawing = attrs.evolve(drawing, options=self.page.options, origin=self.page.origin)
        return drawing.fields(self.page.schema, {**self.page.values, **(self.typed_page or {})})

    @property
    def lacking(self) -> dict[str, str]:
        """What does not work, and why: at this remote account now, and with this driver ever."""
        return {**(self.driver.not_supported if self.driver else {}), **self.seen.missing}

    @property
    def has_credentials(self) -> bool:
        """Whether there is anything to fill in."""
        return bool(self.schema.get("properties"))

    @property
    def summary(self) -> list[tuple[str, str]]:
        """What a person has to look at."""
        if self.tab == "settings" and self.page is not None and isinstance(self.trouble, errors.FormInvalid):
            inner = {name.removeprefix(f"{self.page.name}."): one for name, one in self.trouble.fields.items()}
            return summary(errors.FormInvalid(str(self.trouble), inner), self.settings, SETTINGS, self.say)
        return summary(self.trouble, self.credentials, CREDENTIALS, self.say)

    def _drawing(self, schema: Mapping[str, Any], prefix: str, place: str) -> Drawing:
        wrong = spoken(self.trouble, self.say)
        mine = {name.removeprefix(place): one for name, one in wrong.items() if name.startswith(place)}
        return Drawing(root=schema, prefix=prefix, errors=mine, editing=True, authorized=True)


async def load(visit: Visit) -> Sheet:
    """The connection as it is stored, with the tab that the address names.

    Raises:
        NotFound: no such connection or settings page; no such draft, where nothing was typed that could be lost.
    """
    asked, account = visit.request.query_params, visit.account
    seen = await visit.house.connections.get(account, visit.number())
    sheet = Sheet(seen=seen, name=seen.name, tab=asked.get("tab", ""), version=seen.version,
                  say=partial(visit.say, driver=seen.driver))  # fmt: skip
    try:
        sheet.driver = await visit.house.drivers.load(account, seen.driver)
    except (errors.NotAdmitted, errors.DriverError) as trouble:
        sheet.barred, sheet.tab = trouble, ""
        return sheet
    if not visit.may(Permission.MANAGE) and sheet.tab in ("", "credentials"):
        sheet.tab = "settings"
    schema = await visit.house.drivers.schema(account, seen.driver)
    sheet.schema = visit.worded(schema["credentials"], seen.driver)
    sheet.menu = (await visit.house.connections.settings.pages(account, sheet.driver, seen.id)).pages
    if sheet.tab not in ("credentials", "settings", "schedule"):
        sheet.tab = "credentials" if sheet.has_credentials else "settings" if sheet.driver.pages else ""
    await _fill(visit, sheet, asked.get("page", ""), asked.get("draft", ""))
    return sheet


async def _fill(visit: Visit, sheet: Sheet, page: str, draft: str) -> None:
    """What the open tab shows."""
    door, account, one = visit.house.connections, visit.account, sheet.seen.id
    assert sheet.driver is not None  # noqa: S101 - loaded before
    if sheet.tab == "credentials":
        try:
            sheet.values = sheet.before = await door.credentials(account, one)
        except errors.FormInvalid as trouble:
            sheet.trouble = trouble  # stored by an older driver: typed anew
        if draft:
            (number,) = numbers([draft])
            try:
                found = await door.draft(account, number, actor=visit.actor.id)
            except errors.NotFound as trouble:
                if visit.request.method != "POST":
                    raise
                sheet.barred = trouble
                return
            sheet.draft, sheet.authorized = found.id, found.authorized
            sheet.values, sheet.name = {**sheet.values, **found.values}, found.name or sheet.name
        elif visit.may(Permission.MANAGE):
            mine = await door.unfinished(account, actor=visit.actor.id)
            sheet.unfinished = next((each for each in mine if each.connection == one), None)
    elif sheet.tab == "settings" and sheet.menu:
        name = page or sheet.menu[0].name
        shown = await door.settings.page(account, sheet.driver, one, name)
        sheet.page = attrs.evolve(shown, schema=visit.worded(shown.schema, sheet.driver.name))
        sheet.inherits, sheet.page_version = sheet.page.inherits, sheet.page.version
    elif sheet.tab == "schedule":
        sheet.schedules = await door.schedules(account, one)


async def show(visit: Visit) -> Response:
    """The form."""
    return visit.page("edit.html", sheet=await load(visit), said=visit.request.query_params.get("said", ""))


async def save(visit: Visit) -> Response:
    """SAVE of whichever tab is open."""
    sheet, sent = await load(visit), await visit.form()
    sheet.name = str(sent.get("name", sheet.name))
    try:
        if sheet.barred is not None and visit.request.query_params.get("tab"):
            _typed(sheet, sent)
            raise sheet.barred  # what was typed there is not thrown away as saved
        if sheet.tab == "schedule":
            return await _schedule(visit, sheet, sent)
        saved = await _saved(visit, sheet, sent)
    except errors.Conflict as trouble:
        sheet.trouble, sheet.difference = trouble, _differs(sheet, trouble)
        _not_shown(sheet, sent)
        return visit.page("edit.html", 409, sheet=sheet, said="")
    except errors.OmnichannelError as trouble:
        sheet.trouble = trouble
        return visit.page("edit.html", status_of(trouble), sheet=sheet, said="")
    said = "sync_triggered" if saved.process else "saved"
    return visit.go("/", said=said, process=saved.process.id if saved.process else "")


async def _saved(visit: Visit, sheet: Sheet, sent: FormData) -> Any:
    door, who = visit.house.connections, visit.actor.id
    version = numbers([sent.get("version", "")])[0]
    if sheet.tab == "settings" and sheet.page is not None:
        own, inherits = _page_typed(sheet, sent)
        renamed = sheet.name != sheet.seen.name
        return await door.edit(
            visit.account, sheet.seen.id, name=sheet.name if renamed else None, settings=own, inherits=inherits,
            version=version if renamed else None,
            versions={sheet.page.name: numbers([sent.get("page_version", "")])[0]}, actor=who,
        )  # fmt: skip
    if sheet.tab != "credentials" or not sheet.has_credentials:
        return await door.edit(visit.account, sheet.seen.id, name=sheet.name, version=version, actor=who)
    typed = _typed(sheet, sent)
    return await door.edit(
        visit.account, sheet.seen.id, name=sheet.name, credentials=typed, version=version, draft=sheet.draft,
        move_account=bool(sent.get("move_account")), actor=who,
    )  # fmt: skip


def _not_shown(sheet: Sheet, sent: FormData) -> None:
    """Of a stale settings form either the name or the page is shown as different: the next SAVE compares the other."""
    if sheet.page is None:
        return
    (version,), (page_version,) = numbers([sent.get("version", "")]), numbers([sent.get("page_version", "")])
    if sheet.name != sheet.seen.name and version != sheet.version:
        sheet.page_version = page_version
    else:
        sheet.version = version


def _typed(sheet: Sheet, sent: FormData) -> dict[str, Any]:
    """The credentials as typed; what may be shown again is kept in the sheet."""
    drawing = Drawing(root=sheet.schema, prefix=CREDENTIALS, editing=True)
    typed = read(drawing, sheet.schema, sent)
    sheet.values = {**sheet.values, **plain(drawing, sheet.schema, typed)}
    return typed


def _page_typed(sheet: Sheet, sent: FormData) -> tuple[dict[str, dict[str, Any]], dict[str, bool]]:
    """(own values, apply from default) of the open page; what was never set and is not changed stays unset."""
    assert sheet.page is not None  # noqa: S101 - asked before
    page = sheet.page
    sheet.inherits = page.can_inherit and bool(sent.get("inherits"))
    if sheet.inherits:
        return {}, {page.name: True}
    drawing = Drawing(root=page.schema, prefix=SETTINGS, options=page.options, editing=True)
    typed = read(drawing, page.schema, sent)
    sheet.typed_page = plain(drawing, page.schema, typed)
    before = {one.name.partition(".")[2]: one for one in sheet.settings}
    as_shown = {one.name.partition(".")[2]: one for one in attrs.evolve(sheet, typed_page=None).settings}
    own = {
        name: one for name, one in typed.items()
        if page.origin.get(name) != "driver" or before[name].value != as_shown[name].value
        or before[name].parts != as_shown[name].parts or before[name].kind == "secret"
    }  # fmt: skip
    return {page.name: own}, {page.name: False} if page.can_inherit else {}


def _differs(sheet: Sheet, trouble: errors.Conflict) -> list[tuple[str, Any, Any]]:
    """(label, saved now, typed) of a stale form: of a settings page by its fields, else name and plain credentials."""
    labels = {one.name: one.label for one in flat([*sheet.settings, *sheet.credentials])}
    if trouble.difference:
        place = f"{sheet.page.name}." if sheet.page is not None else ""
        named = ((name.removeprefix(place), pair) for name, pair in trouble.difference.items())
        return [(labels.get(f"{SETTINGS}.{name}", name), now, typed) for name, (now, typed) in named]
    found: list[tuple[str, Any, Any]] = []
    if sheet.name != sheet.seen.name:
        found.append(("name", sheet.seen.name, sheet.name))
    if sheet.page is not None and sheet.inherits != sheet.page.inherits:
        found.append(("inherits", sheet.page.inherits, sheet.inherits))
    typed = {name: one for name, one in sheet.values.items() if sheet.before.get(name) != one}
    return found + [
        (labels.get(f"{CREDENTIALS}.{name}", name), sheet.before.get(name), one) for name, one in typed.items()
    ]


async def _schedule(visit: Visit, sheet: Sheet, sent: FormData) -> Response:
    wanted, typed, stale = dict[str, int](), dict[str, tuple[Any, Any]](), False
    for one in sheet.schedules:
        now = str(one.minutes)
        said, was = str(sent.get(f"minutes.{one.stream}", now)), str(sent.get(f"was.{one.stream}", now))
        if said not in (was, now):
            (wanted[one.stream],) = numbers([said])
            typed[one.stream] = (one.minutes, wanted[one.stream])
            stale = stale or was != now
    door, connection_id = visit.house.connections, sheet.seen.id
    if sheet.name != sheet.seen.name:
        (version,) = numbers([sent.get("version", "")])
        stale, typed["name"] = stale or version != sheet.seen.version, (sheet.seen.name, sheet.name)
    if stale:
        raise errors.Conflict(f"Connection {connection_id} has changed meanwhile: load it again.", difference=typed)
    if "name" in typed:
        await door.edit(visit.account, connection_id, name=sheet.name, version=sheet.seen.version, actor=visit.actor.id)
    for stream, minutes in wanted.items():
        await door.schedule(visit.account, connection_id, stream, minutes)
    return visit.go("/", said="saved")


async def authorize(visit: Visit) -> Response:
    """AUTHORIZE again: the form is kept as typed."""
    sheet, sent = await load(visit), await visit.form()
    sheet.name = str(sent.get("name", sheet.name))
    try:
        typed = _typed(sheet, sent)
        if sheet.barred is not None:
            raise sheet.barred
        begun = await visit.house.connections.authorize(
            visit.account, sheet.seen.driver, typed, name=sheet.name, connection=sheet.seen.id,
            return_url=f"{visit.base}/oauth/{sheet.seen.driver}", actor=visit.actor.id, draft=sheet.draft,
        )  # fmt: skip
    except errors.OmnichannelError as trouble:
        sheet.trouble = trouble
        return visit.page("edit.html", status_of(trouble), sheet=sheet, said="")
    return leaving(visit, begun.url)


async def check(visit: Visit) -> Response:
    """Check: ask the remote now."""
    one = visit.number()
    try:
        await visit.house.connections.check(visit.account, one)
    except (errors.AttentionNeeded, errors.RemoteError):
        return visit.go(f"/connections/{one}", said="check_failed")  # the reason stands in the connection's health
    return visit.go(f"/connections/{one}", said="checked")


# --- delete
async def window(visit: Visit) -> Response:
    """What goes, or why it cannot."""
    seen = await visit.house.connections.get(visit.account, visit.number())
    goes: Mapping[str, int] = {}
    if seen.status is not Status.ACTIVE:
        goes = await visit.house.connections.what_goes(visit.account, seen.id)
    return visit.page("delete.html", seen=seen, goes=goes)


async def delete(visit: Visit) -> Response:
    """Confirmed."""
    sent = await visit.form()
    if sent.get("sure") != "yes":
        raise Refused(400, "Confirm that it goes.")
    process = await visit.house.connections.delete(visit.account, visit.number(), actor=visit.actor.id)
    return visit.go("/", said="deleting", process=process.id)


ONE = "/connections/{id:int}"
DOORS = (
    Door(method="GET", path=ONE, handler=show, permission=Permission.SEE),
    Door(method="POST", path=ONE, handler=save, permission=Permission.MANAGE),
    Door(method="POST", path=f"{ONE}/authorize", handler=authorize, permission=Permission.MANAGE),
    Door(method="POST", path=f"{ONE}/check", handler=check, permission=Permission.OPERATE),
    Door(method="GET", path=f"{ONE}/delete", handler=window, permission=Permission.MANAGE),
    Door(method="POST", path=f"{ONE}/delete", handler=delete, permission=Permission.MANAGE),
)
