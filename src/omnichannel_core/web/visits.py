"""A visit: one request of one actor, with everything a handler needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import attrs
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Message, Receive

from omnichannel_core import errors
from omnichannel_core.web import sentences
from omnichannel_core.web.actors import Actor, Permission
from omnichannel_core.web.problems import Refused

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.web.rendering import Renderer
    from omnichannel_core.web.watching import Watch

LOCALE = Path(__file__).parent / "locale"
BODY_MAX = 4 * 1024 * 1024
BIGGEST = 2**63 - 1
DIGITS = 19  # of the biggest; Python refuses to read numbers of thousands


@attrs.frozen(kw_only=True)
class Web:
    """What all requests share."""

    house: Omnichannel
    renderer: Renderer
    watch: Watch
    title: str
    login: str = ""
    stream: bool = True  # server-sent events; False where a host's thread would be held by them


@attrs.define(kw_only=True)
class Visit:
    """`actor` is None on public addresses only."""

    web: Web
    request: Request
    who: Actor | None = None
    language: str = "en"
    stores: bool = False  # whether there is anything to see behind the tab Stores

    @property
    def house(self) -> Omnichannel:
        """The opened house."""
        return self.web.house

    @property
    def actor(self) -> Actor:
        """Who acts.

        Raises:
            Refused: nobody is signed in.
        """
        if self.who is None:
            raise Refused(401, "Sign in first.")
        return self.who

    @property
    def account(self) -> str:
        """The account everything is about."""
        return self.actor.account

    @property
    def root(self) -> str:
        """Where this application is mounted; '' at the top."""
        found = str(self.request.scope.get("root_path", ""))
        return found.rstrip("/")

    @property
    def base(self) -> str:
        """Where marketplaces and browsers reach it: what the host said, else what this request was sent to."""
        if self.house.callback_base:
            return self.house.callback_base.rstrip("/")
        return f"{self.request.url.scheme}://{self.request.url.netloc}{self.root}"

    def may(self, permission: Permission) -> bool:
        """Whether the actor may."""
        return self.who is not None and permission in self.who.permissions

    def say(self, text: object, driver: str = "") -> str:
        """A sentence of the house or of a driver in the visitor's language; as it is where there is no other word.

        Args:
            driver: whose catalog is asked first.
        """
        if self.language == "en":
            return str(text)
        folders = self.house.drivers.locales()
        order = sorted(folders, key=lambda name: name != driver)
        drivers = [sentences.catalog(folders[name], "omnichannel", self.language) for name in order]
        ours = sentences.catalog(str(LOCALE), "sentences", self.language)
        return sentences.said(str(text), [*drivers[:1], ours, *drivers[1:]] if driver else [ours, *drivers])

    def worded(self, schema: Any, driver: str) -> Any:
        """A driver's form with labels and helps in the visitor's language."""
        return schema if self.language == "en" else sentences.worded(schema, lambda text: self.say(text, driver))

    # --- what came
    def number(self, name: str = "id") -> int:
        """A number in the path.

        Raises:
            NotFound: larger than any that is given.
        """
        found = int(self.request.path_params[name])
        if found > BIGGEST:
            raise errors.NotFound(f"There is no {name} {found}.")
        return found

    def text(self, name: str) -> str:
        """A word in the path."""
        return str(self.request.path_params[name])

    async def body(self) -> bytes:
        """The raw body.

        Raises:
            Refused: larger than 4 MiB.
        """
        return await self.request.body()

    async def form(self) -> FormData:
        """What a browser's form sent.

        Raises:
            Refused: larger than 4 MiB.
        """
        return await self.request.form(max_files=0, max_fields=5_000, max_part_size=BODY_MAX)

    # --- what goes
    def url(self, path: str, **query: Any) -> str:
        """An address within this application."""
        asked = {name: one for name, one in query.items() if one not in (None, "")}
        return f"{self.root}{path}" + (f"?{urlencode(asked, doseq=True)}" if asked else "")

    def page(self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **said: Any) -> Response:
        """A rendered page."""
        html = self.web.renderer.render(self, template, said)
        return HTMLResponse(html, status, dict(headers or {}))

    def go(self, path: str, **query: Any) -> Response:
        """Look there next."""
        return RedirectResponse(self.url(path, **query), 303)


def limited(request: Request) -> Request:
    """The same, whose body raises Refused behind 4 MiB, however long it says it is and whoever reads it."""
    length, came = request.headers.get("content-length", "0"), 0
    beyond = length.isdecimal() and (len(length) > DIGITS or int(length) > BODY_MAX)
    receive: Receive = request.receive

    async def counted() -> Message:
        nonlocal came
        if beyond:
            raise Refused(413, "That is too much at once.")
        message = await receive()
        came += len(message.get("body", b""))
        if came > BODY_MAX:
            raise Refused(413, "That is too much at once.")
        return message

    return Request(request.scope, counted)


def one_line(value: Any) -> str:
    """JSON for attributes of pages."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
