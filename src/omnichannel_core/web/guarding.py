"""What stands before every handler: cross-site requests refused, the actor asked for, headers set, errors told."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from http.cookies import CookieError
from urllib.parse import urlsplit

import attrs
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omnichannel_core import errors
from omnichannel_core.web import problems
from omnichannel_core.web.actors import Permission, Resolve
from omnichannel_core.web.problems import Refused
from omnichannel_core.web.visits import Visit, Web, limited

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store",
}  # fmt: skip
Handler = Callable[[Visit], Awaitable[Response]]
_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Door:
    """One address: what may be asked there, by whom, and who answers.

    Attributes:
        permission: None on public addresses: nobody is asked for, and other sites may send there.
        machine: errors are told as problem+json instead of a page.
    """

    method: str
    path: str
    handler: Handler
    permission: Permission | None
    machine: bool = False

    @property
    def name(self) -> str:
        """For people who list them."""
        return f"{self.method} {self.path}"


def cross_site(request: Request) -> bool:
    """Whether another site's page sent this: by Sec-Fetch-Site, else by Origin; without both no browser sent it."""
    if request.method in SAFE:
        return False
    said = request.headers.get("sec-fetch-site")
    if said is not None:
        return said not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return False
    return origin == "null" or urlsplit(origin).netloc != request.headers.get("host", "")


def guarded(door: Door, web: Web, resolve: Resolve) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a door."""

    async def endpoint(request: Request) -> Response:
        visit = Visit(web=web, request=limited(request), language=web.renderer.preferred(request))
        try:
            if door.permission is not None:
                await _admit(door, visit, resolve)
            return await door.handler(visit)
        except errors.OmnichannelError as trouble:
            return _told(door, visit, trouble)
        except (HTTPException, ClientDisconnect, CookieError):
            raise
        except Exception:  # noqa: BLE001 - a page must not show what went wrong inside
            number = secrets.token_hex(6)
            _log.exception("%s failed, trace %s", door.name, number)
            broken = Refused(500, f"Something is broken here. Tell the operator this number: {number}.")
            return _told(door, visit, broken)

    return endpoint


async def recognize(visit: Visit, resolve: Resolve, *, page: bool = True) -> None:
    """Who it is, in which language, and which tabs there are for the account."""
    visit.who = await resolve(visit.request)
    if visit.who is None:
        return
    visit.language = visit.web.renderer.known(visit.who.language) or visit.language
    try:
        visit.stores = page and await visit.house.stores.offered(visit.account)
    except errors.NotFound:
        visit.stores = False  # an account that the house does not know: the handler says so


async def _admit(door: Door, visit: Visit, resolve: Resolve) -> None:
    if cross_site(visit.request):
        raise Refused(403, "This was sent by another site's page, which may not do that.")
    await recognize(visit, resolve, page=not door.machine)
    if visit.who is None:
        raise Refused(401, "Sign in first.")
    if door.permission is not None and door.permission not in visit.who.permissions:
        raise Refused(403, f"You are not allowed to do this; it needs the permission {door.permission.value!r}.")


def _told(door: Door, visit: Visit, trouble: errors.OmnichannelError) -> Response:
    if door.machine:
        return problems.answer(trouble)
    status = problems.status_of(trouble)
    known = status != 401
    return visit.page(
        "problem.html" if known else "signed_out.html", status, trouble=trouble, code=status,
        heading=problems.TITLES.get(status, "Error"),
    )  # fmt: skip


@attrs.frozen
class Headers:
    """Puts the headers on every answer that does not bring its own."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                more = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items() if k.lower().encode() not in there]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self.app(scope, receive, add)
