"""Operations on views: saved ways to look at the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from omnichannel_core.model.view import DEFAULT_COLUMNS, Filter, Look, View
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.operations import Body, Does, Given, Operation

SEE = Permission.SEE


class FilterBody(Body):
    """One condition."""

    column: str
    operator: Literal["=", "!=", "<", "<=", ">", ">=", "between", "like"]
    value: str
    value2: str = ""
    paused: bool = False


class LookBody(Body):
    """Columns in their order, filters, sort."""

    columns: tuple[str, ...] = DEFAULT_COLUMNS
    filters: Annotated[tuple[FilterBody, ...], Field(max_length=50)] = ()
    sort: tuple[str, ...] = ("id",)

    def look(self) -> Look:
        """As the house keeps it."""
        filters = tuple(Filter(**one.model_dump()) for one in self.filters)
        return Look(columns=self.columns, filters=filters, sort=self.sort)


class NewView(Body):
    """Without a look, it is what the list shows now."""

    name: str
    look: LookBody | None = None


class Name(Body):
    """Another name."""

    name: str


async def _list(given: Given) -> Sequence[View]:
    return await given.visit.house.views.list(given.visit.account, given.visit.actor.id)


async def _create(given: Given) -> View:
    wanted = given.body.look.look() if given.body.look is not None else None
    return await given.visit.house.views.create(given.visit.account, given.visit.actor.id, given.body.name, wanted)


async def _get(given: Given) -> View:
    return await given.visit.house.views.get(given.visit.account, given.visit.actor.id, given.visit.number())


async def _rename(given: Given) -> View:
    visit = given.visit
    return await visit.house.views.rename(visit.account, visit.actor.id, visit.number(), given.body.name)


async def _change(given: Given) -> View:
    visit = given.visit
    return await visit.house.views.change(visit.account, visit.actor.id, visit.number(), given.body.look())


async def _delete(given: Given) -> None:
    await given.visit.house.views.delete(given.visit.account, given.visit.actor.id, given.visit.number())


def _verb(name: str) -> Does:
    async def does(given: Given) -> View:
        visit = given.visit
        found: View = await getattr(visit.house.views, name)(visit.account, visit.actor.id, visit.number())
        return found

    return does


async def _look(given: Given) -> Look:
    return await given.visit.house.views.look(given.visit.account, given.visit.actor.id)


async def _change_list(given: Given) -> Look:
    return await given.visit.house.views.change_list(given.visit.account, given.visit.actor.id, given.body.look())


async def _reset_list(given: Given) -> Look:
    return await given.visit.house.views.reset_list(given.visit.account, given.visit.actor.id)


VERBS = {"save": "Keep the unsaved changes", "reset": "Drop the unsaved changes",
         "publish": "Let the whole account see it", "unpublish": "Keep it to yourself"}  # fmt: skip
OPERATIONS = (
    Operation(method="GET", path="/views", name="list_views", summary="Yours, and those others published",
              permission=SEE, does=_list, answer=Sequence[View]),
    Operation(method="POST", path="/views", name="create_view", summary="A new view", permission=SEE, does=_create,
              body=NewView, answer=View, status=201),
    Operation(method="GET", path="/views/{id:int}", name="get_view", summary="One view", permission=SEE, does=_get,
              answer=View),
    Operation(method="PATCH", path="/views/{id:int}", name="rename_view", summary="Another name", permission=SEE,
              does=_rename, body=Name, answer=View),
    Operation(method="DELETE", path="/views/{id:int}", name="delete_view", summary="A view of yours goes",
              permission=SEE, does=_delete, status=204),
    Operation(method="PUT", path="/views/{id:int}/look", name="change_view",
              summary="Look at it in another way, unsaved", permission=SEE, does=_change, body=LookBody, answer=View),
    *(Operation(method="POST", path=f"/views/{{id:int}}/{verb}", name=f"{verb}_view", summary=text, permission=SEE,
                does=_verb(verb), answer=View) for verb, text in VERBS.items()),
    Operation(method="GET", path="/look", name="get_look", summary="What the list without a view shows",
              permission=SEE, does=_look, answer=Look),
    Operation(method="PUT", path="/look", name="change_look", summary="Show the list in another way",
              permission=SEE, does=_change_list, body=LookBody, answer=Look),
    Operation(method="DELETE", path="/look", name="reset_look", summary="The list as it was at first",
              permission=SEE, does=_reset_list, answer=Look),
)  # fmt: skip
