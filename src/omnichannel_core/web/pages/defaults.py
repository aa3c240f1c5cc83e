"""Defaults: what connections of a driver apply with *Apply from default*; they have it at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import attrs
from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.connections.pages import PageAnswer
from omnichannel_core.driver import Driver
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.pages.creating import spoken, summary
from omnichannel_core.web.pages.fields import Drawing, Field, flat
from omnichannel_core.web.pages.listing import numbers
from omnichannel_core.web.pages.reading import plain, read
from omnichannel_core.web.problems import status_of
from omnichannel_core.web.sentences import Say
from omnichannel_core.web.visits import Visit

PREFIX = "s"


@attrs.define(kw_only=True)
class Sheet:
    """The defaults of one driver, one page open."""

    driver: Driver
    pages: Mapping[str, PageAnswer]
    page: PageAnswer | None = None
    typed: Mapping[str, Any] = attrs.field(factory=dict)
    trouble: errors.OmnichannelError | None = None
    say: Say = str

    @property
    def fields(self) -> list[Field]:
        """Of the open page."""
        if self.page is None:
            return []
        wrong = spoken(self.trouble, self.say)
        mine = {name.removeprefix(f"{self.page.name}."): one for name, one in wrong.items()}
        drawing = Drawing(root=self.page.schema, prefix=PREFIX, errors=mine, options=self.page.options,
                          origin=self.page.origin)  # fmt: skip
        return drawing.fields(self.page.schema, {**self.page.values, **self.typed})

    @property
    def summary(self) -> list[tuple[str, str]]:
        """What a person has to look at."""
        if isinstance(self.trouble, errors.FormInvalid) and self.page is not None:
            inner = {name.removeprefix(f"{self.page.name}."): one for name, one in self.trouble.fields.items()}
            return summary(errors.FormInvalid(str(self.trouble), inner), self.fields, PREFIX, self.say)
        return summary(self.trouble, self.fields, PREFIX, self.say)

    @property
    def difference(self) -> list[tuple[str, Any, Any]]:
        """(label, saved now, typed) of a stale form."""
        if not isinstance(self.trouble, errors.Conflict) or self.page is None:
            return []
        labels = {one.name: one.label for one in flat(self.fields)}
        named = ((name.removeprefix(f"{self.page.name}."), pair) for name, pair in self.trouble.difference.items())
        return [(labels.get(f"{PREFIX}.{name}", name), now, typed) for name, (now, typed) in named]


async def _load(visit: Visit) -> Sheet:
    driver = await visit.house.drivers.load(visit.account, visit.text("driver"))
    pages = await visit.house.connections.settings.defaults(visit.account, driver)
    wanted = visit.request.query_params.get("page", "")
    if wanted and wanted not in pages:
        raise errors.NotFound(f"{driver.title} has no defaults of that name.")
    page = pages[wanted] if wanted else next(iter(pages.values()), None)
    if page is not None:
        page = attrs.evolve(page, schema=visit.worded(page.schema, driver.name))
    return Sheet(driver=driver, pages=pages, page=page, say=partial(visit.say, driver=driver.name))


async def show(visit: Visit) -> Response:
    """The form."""
    return visit.page("defaults.html", sheet=await _load(visit), said=visit.request.query_params.get("said", ""))


async def save(visit: Visit) -> Response:
    """SAVE: in force at once for all that apply it."""
    sheet, sent = await _load(visit), await visit.form()
    page = sheet.page
    if page is None:
        raise errors.NotFound(f"{sheet.driver.title} has no defaults.")
    drawing = Drawing(root=page.schema, prefix=PREFIX, options=page.options)
    typed = read(drawing, page.schema, sent)
    sheet.typed = plain(drawing, page.schema, typed)
    try:
        await visit.house.connections.set_defaults(
            visit.account, sheet.driver.name, page.name, typed, version=numbers([sent.get("page_version", "")])[0]
        )
    except errors.OmnichannelError as trouble:
        sheet.trouble = trouble
        return visit.page("defaults.html", status_of(trouble), sheet=sheet, said="")
    return visit.go(f"/drivers/{sheet.driver.name}/defaults", page=page.name, said="saved")


DOORS = (
    Door(method="GET", path="/drivers/{driver}/defaults", handler=show, permission=Permission.SEE),
    Door(method="POST", path="/drivers/{driver}/defaults", handler=save, permission=Permission.MANAGE),
)
