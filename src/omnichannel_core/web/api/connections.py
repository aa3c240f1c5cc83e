"""Operations on connections, their settings, schedules and drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import attrs
from pydantic import Field

from omnichannel_core import errors
from omnichannel_core.connections.authorizing import Begun, DraftForm, Unfinished
from omnichannel_core.connections.listing import Count, ListPage
from omnichannel_core.connections.managing import Saved
from omnichannel_core.connections.pages import PageAnswer, PagesAnswer
from omnichannel_core.driver import Call, Checkup, Driver
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.process import Process
from omnichannel_core.model.view import Look
from omnichannel_core.storage.schedules import Schedule
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.operations import Body, Given, Made, Operation
from omnichannel_core.web.looks import changed

SEE, OPERATE, MANAGE = Permission.SEE, Permission.OPERATE, Permission.MANAGE
Number = Annotated[int, Field(ge=1, le=2**63 - 1)]
Values = dict[str, Any]


class Shown(Body):
    """Through which look."""

    where: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    columns: str = ""
    view: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None


class Paged(Shown):
    """And which page."""

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class Create(Body):
    """A new connection; `draft` is that of an authorization."""

    driver: str
    name: str
    credentials: Values = {}
    settings: dict[str, Values] = {}
    draft: Number | None = None


class Edit(Body):
    """What is not given stays; `credentials` is the whole form, empty secrets keep the stored ones."""

    name: str | None = None
    credentials: Values | None = None
    settings: dict[str, Values] = {}
    inherits: dict[str, bool] = {}
    versions: dict[str, int] = {}
    draft: Number | None = None
    move_account: bool = False


class Ids(Body):
    """Which ones."""

    ids: Annotated[list[Number], Field(max_length=100_000)]


class Authorize(Body):
    """The form as typed; `connection` is the one to authorize again."""

    driver: str
    credentials: Values = {}
    name: str = ""
    connection: Number | None = None
    draft: Number | None = None
    return_url: str = ""


class Back(Body):
    """The query that the marketplace sent the browser back with."""

    query: dict[str, str]


class Claim(Body):
    """What only the browser was told that came from the marketplace."""

    claim: str


class Minutes(Body):
    """0 is never."""

    minutes: int


@attrs.frozen(kw_only=True)
class MovedOne:
    """What became of one of many."""

    id: int
    connection: Connection | None
    error: str
    message: str


@attrs.frozen(kw_only=True)
class ReturnedForm:
    """The same form after the trip, and why it did not work where it did not."""

    form: DraftForm
    error: str
    message: str


async def look(given: Given) -> Look:
    """The look that is asked for."""
    wanted: Shown = given.query
    visit, start = given.visit, Look()
    if wanted.view is not None:
        start = await visit.house.views.look(visit.account, visit.actor.id, wanted.view)
    return changed(start, wanted.where, wanted.sort, wanted.columns)


async def _driver(given: Given) -> tuple[Driver, int]:
    visit = given.visit
    seen = await visit.house.connections.get(visit.account, visit.number())
    return await visit.house.drivers.load(visit.account, seen.driver), seen.id


async def _page(given: Given) -> ListPage:
    house, account = given.visit.house, given.visit.account
    return await house.connections.page(account, await look(given), cursor=given.query.cursor, limit=given.query.limit)


async def _count(given: Given) -> Count:
    return await given.visit.house.connections.count(given.visit.account, await look(given))


async def _ids(given: Given) -> Sequence[int]:
    return await given.visit.house.connections.ids(given.visit.account, await look(given))


async def _create(given: Given) -> Made:
    one: Create = given.body
    saved = await given.visit.house.connections.create(
        given.visit.account, one.driver, one.name, one.credentials, settings=one.settings, draft=one.draft,
        actor=given.visit.actor.id,
    )  # fmt: skip
    return Made(value=saved, etag=saved.connection.version)


async def _get(given: Given) -> Made:
    seen = await given.visit.house.connections.get(given.visit.account, given.visit.number())
    return Made(value=seen, etag=seen.version)


async def _edit(given: Given) -> Made:
    one: Edit = given.body
    saved = await given.visit.house.connections.edit(
        given.visit.account, given.visit.number(), name=one.name, credentials=one.credentials, settings=one.settings,
        inherits=one.inherits, version=given.version, versions=one.versions, draft=one.draft,
        move_account=one.move_account, actor=given.visit.actor.id,
    )  # fmt: skip
    return Made(value=saved, etag=saved.connection.version)


async def _credentials(given: Given) -> Mapping[str, Any]:
    return await given.visit.house.connections.credentials(given.visit.account, given.visit.number())


async def _check(given: Given) -> Checkup:
    return await given.visit.house.connections.check(given.visit.account, given.visit.number())


async def _synchronize(given: Given) -> Process:
    return await given.visit.house.connections.synchronize(given.visit.account, given.visit.number())


async def _switch(given: Given, wanted: str) -> Sequence[MovedOne]:
    door = given.visit.house.connections
    move = door.enable if wanted == "enable" else door.disable
    answers = await move(given.visit.account, given.body.ids, given.visit.actor.id)
    return [
        MovedOne(id=one.id, connection=one.connection, error=one.error.key if one.error else "",
                 message=str(one.error or ""))
        for one in answers
    ]  # fmt: skip


async def _enable(given: Given) -> Sequence[MovedOne]:
    return await _switch(given, "enable")


async def _disable(given: Given) -> Sequence[MovedOne]:
    return await _switch(given, "disable")


async def _what_goes(given: Given) -> Mapping[str, int]:
    return await given.visit.house.connections.what_goes(given.visit.account, given.visit.number())


async def _delete(given: Given) -> Process:
    visit = given.visit
    seen = await visit.house.connections.get(visit.account, visit.number())
    if given.version not in (None, seen.version):
        raise errors.Conflict(f"Connection {seen.id} has changed meanwhile: load it again.")
    return await visit.house.connections.delete(visit.account, seen.id, actor=visit.actor.id)


async def _pages(given: Given) -> PagesAnswer:
    driver, one = await _driver(given)
    return await given.visit.house.connections.settings.pages(given.visit.account, driver, one)


async def _settings_page(given: Given) -> Made:
    driver, one = await _driver(given)
    found = await given.visit.house.connections.settings.page(
        given.visit.account, driver, one, given.visit.text("page")
    )
    return Made(value=found, etag=found.version)


async def _schedules(given: Given) -> Sequence[Schedule]:
    return await given.visit.house.connections.schedules(given.visit.account, given.visit.number())


async def _schedule(given: Given) -> Sequence[Schedule]:
    visit = given.visit
    await visit.house.connections.schedule(visit.account, visit.number(), visit.text("stream"), given.body.minutes)
    return await _schedules(given)


async def _authorize(given: Given) -> Begun:
    one, visit = given.body, given.visit
    return await visit.house.connections.authorize(
        visit.account, one.driver, one.credentials, return_url=one.return_url or f"{visit.base}/oauth/{one.driver}",
        actor=visit.actor.id, name=one.name, connection=one.connection, draft=one.draft,
    )  # fmt: skip


async def _returned(given: Given) -> ReturnedForm:
    visit = given.visit
    call = Call(method="GET", path="return", query=given.body.query)
    found = await visit.house.connections.returned(call, account=visit.account, actor=visit.actor.id)
    return ReturnedForm(form=found.form, error=found.error.key if found.error else "", message=str(found.error or ""))


async def _draft(given: Given) -> DraftForm:
    visit = given.visit
    return await visit.house.connections.draft(visit.account, visit.number(), actor=visit.actor.id)


async def _unfinished(given: Given) -> Sequence[Unfinished]:
    visit = given.visit
    return await visit.house.connections.unfinished(visit.account, actor=visit.actor.id)


async def _confirm(given: Given) -> DraftForm:
    visit = given.visit
    return await visit.house.connections.confirm(
        visit.account, visit.number(), claim=given.body.claim, actor=visit.actor.id
    )


async def _discard(given: Given) -> None:
    visit = given.visit
    await visit.house.connections.discard(visit.account, visit.number(), actor=visit.actor.id)


async def missing(_: Given) -> None:
    """Nothing is there.

    Raises:
        NotFound.
    """
    raise errors.NotFound("There is nothing here.")


C = "/connections"
OPERATIONS = (
    Operation(method="GET", path=C, name="list_connections", summary="A page of the list, filtered and sorted",
              permission=SEE, does=_page, query=Paged, answer=ListPage),
    Operation(method="GET", path=f"{C}/count", name="count_connections", summary="How many the list has",
              permission=SEE, does=_count, query=Shown, answer=Count),
    Operation(method="GET", path=f"{C}/ids", name="select_connections",
              summary="The ids of everything in the list, further pages included", permission=SEE, does=_ids,
              query=Shown, answer=Sequence[int]),
    Operation(method="POST", path=C, name="create_connection", summary="Check, save and synchronize a new connection",
              permission=MANAGE, does=_create, body=Create, answer=Saved, status=201),
    Operation(method="POST", path=f"{C}/enable", name="enable_connections", summary="Enable those that can be",
              permission=OPERATE, does=_enable, body=Ids, answer=Sequence[MovedOne]),
    Operation(method="POST", path=f"{C}/disable", name="disable_connections", summary="Disable those that can be",
              permission=OPERATE, does=_disable, body=Ids, answer=Sequence[MovedOne]),
    Operation(method="GET", path=C + "/{id:int}", name="get_connection", summary="One connection", permission=SEE,
              does=_get, answer=Connection, etag=True),
    Operation(method="PATCH", path=C + "/{id:int}", name="edit_connection",
              summary="Change name, credentials, settings; If-Match refuses what has changed meanwhile",
              permission=MANAGE, does=_edit, body=Edit, answer=Saved, etag=True),
    Operation(method="DELETE", path=C + "/{id:int}", name="delete_connection",
              summary="Delete an inactive connection and all that was stored of it", permission=MANAGE, does=_delete,
              answer=Process, status=202, etag=True),
    Operation(method="GET", path=C + "/{id:int}/deletion", name="what_goes", summary="What a delete takes along",
              permission=SEE, does=_what_goes, answer=Mapping[str, int]),
    Operation(method="GET", path=C + "/{id:int}/credentials", name="get_credentials",
              summary="The credentials form; secrets only say whether they are set", permission=MANAGE,
              does=_credentials, answer=Mapping[str, Any]),
    Operation(method="POST", path=C + "/{id:int}/check", name="check_connection", summary="Ask the remote who we are",
              permission=OPERATE, does=_check, answer=Checkup),
    Operation(method="POST", path=C + "/{id:int}/synchronize", name="synchronize_connection",
              summary="Data model, pulls, due pushes", permission=OPERATE, does=_synchronize, answer=Process,
              status=202),
    Operation(method="GET", path=C + "/{id:int}/settings", name="list_settings", summary="The settings menu",
              permission=SEE, does=_pages, answer=PagesAnswer),
    Operation(method="GET", path=C + "/{id:int}/settings/{page}", name="get_settings", summary="One settings page",
              permission=SEE, does=_settings_page, answer=PageAnswer, etag=True),
    Operation(method="GET", path=C + "/{id:int}/schedules", name="list_schedules",
              summary="When streams run by themselves", permission=SEE, does=_schedules, answer=Sequence[Schedule]),
    Operation(method="PUT", path=C + "/{id:int}/schedules/{stream}", name="set_schedule",
              summary="How often a stream runs by itself", permission=MANAGE, does=_schedule, body=Minutes,
              answer=Sequence[Schedule]),
    Operation(method="POST", path="/authorizations", name="authorize", summary="AUTHORIZE: where the browser goes",
              permission=MANAGE, does=_authorize, body=Authorize, answer=Begun, status=201),
    Operation(method="POST", path="/authorizations/returned", name="finish_authorization",
              summary="The browser is back: the filled form", permission=MANAGE, does=_returned, body=Back,
              answer=ReturnedForm),
    Operation(method="GET", path="/drafts", name="list_drafts", summary="Your unfinished forms, the newest first",
              permission=MANAGE, does=_unfinished, answer=Sequence[Unfinished]),
    Operation(method="GET", path="/drafts/{id:int}", name="get_draft", summary="An unfinished form",
              permission=MANAGE, does=_draft, answer=DraftForm),
    Operation(method="POST", path="/drafts/{id:int}/confirm", name="confirm_draft",
              summary="An install begun at the marketplace is ours", permission=MANAGE, does=_confirm, body=Claim,
              answer=DraftForm),
    Operation(method="DELETE", path="/drafts/{id:int}", name="discard_draft", summary="Back: all is rejected",
              permission=MANAGE, does=_discard, status=204),
)  # fmt: skip
