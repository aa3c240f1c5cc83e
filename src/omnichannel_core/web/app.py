"""The application: every address, who may ask there, and who answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from omnichannel_core import errors
from omnichannel_core.web import callbacks, pages, problems
from omnichannel_core.web.actors import Permission, Resolve
from omnichannel_core.web.api import connections, gate, hub, openapi, processes, stores, views
from omnichannel_core.web.api.operations import Operation
from omnichannel_core.web.guarding import Door, Headers, guarded, recognize
from omnichannel_core.web.problems import Refused
from omnichannel_core.web.rendering import ASSETS, Renderer, asset
from omnichannel_core.web.visits import DIGITS, Visit, Web
from omnichannel_core.web.watching import Watch

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel

API = "/api/v1"
OPERATIONS: Sequence[Operation] = (
    *connections.OPERATIONS, *views.OPERATIONS, *processes.OPERATIONS, *hub.OPERATIONS, *gate.OPERATIONS,
    *stores.OPERATIONS,
)  # fmt: skip


def create_web(
    house: Omnichannel, *, resolve: Resolve, title: str = "Omni-Channel", login: str = "",
    templates: Path | None = None, stream: bool = True,
) -> ASGIApp:  # fmt: skip
    """Pages and REST of a house, to be mounted anywhere. The host opens and closes the house.

    Args:
        house: may still be closed; it has to be open when requests come, on the event loop that serves them.
        resolve: who sends a request, by the host's own login; None is nobody. It is asked at every request.
        title: of the pages.
        login: where a page sends somebody who is not signed in; '' only says so.
        templates: a folder whose templates go before ours.
        stream: False where the host is WSGI: pages then ask again and again instead of holding a stream.
    """
    web = Web(house=house, renderer=Renderer(templates), watch=Watch(house), title=title, login=login, stream=stream)
    routes = [
        Route(_numbered(door.path), guarded(door, web, resolve), methods=[door.method], name=door.name)
        for door in doors()
    ]
    app = Starlette(routes=routes, middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=6)])
    app.router.redirect_slashes = False

    async def refused(request: Request, trouble: Exception) -> Response:
        assert isinstance(trouble, HTTPException)  # noqa: S101 - registered for it
        visit = Visit(web=web, request=request, language=web.renderer.preferred(request))
        if not _of_machines(visit):
            await recognize(visit, resolve)
        return _refused(visit, trouble)

    app.add_exception_handler(HTTPException, refused)
    return Headers(app)


def doors() -> list[Door]:
    """Every address, in the order in which they are tried."""
    return [
        *(one.door(API) for one in OPERATIONS),
        Door(method="GET", path="/openapi.json", handler=_openapi, permission=Permission.SEE, machine=True),
        Door(method="GET", path="/healthz", handler=_healthy, permission=None, machine=True),
        Door(method="GET", path="/readyz", handler=_ready, permission=None, machine=True),
        Door(method="GET", path="/static/{name}", handler=_static, permission=None, machine=True),
        *callbacks.DOORS,
        *pages.doors(),
    ]


class _Number(IntegerConvertor):
    """Starlette's fails on thousands of digits, before anybody is asked for; here they are no such address."""

    regex = f"[0-9]{{1,{DIGITS}}}"


register_url_convertor("omnichannel_number", _Number())


def _numbered(path: str) -> str:
    return path.replace(":int}", ":omnichannel_number}")


async def _openapi(visit: Visit) -> Response:
    return JSONResponse(openapi.document(OPERATIONS, title=visit.web.title, prefix=visit.url(API)))


async def _healthy(_: Visit) -> Response:
    return JSONResponse({"status": "ok"})


async def _ready(visit: Visit) -> Response:
    version = await visit.house.version()
    return JSONResponse({"status": "ok", "tables": version})


async def _static(visit: Visit) -> Response:
    name = visit.text("name")
    if name not in ASSETS:
        raise errors.NotFound("There is no such file.")
    content, version = asset(name)
    known = visit.request.query_params.get("v") == version
    keep = "public, max-age=31536000, immutable" if known else "no-cache"
    return Response(content, headers={"Cache-Control": keep, "ETag": f'"{version}"'}, media_type=ASSETS[name])


def _of_machines(visit: Visit) -> bool:
    return str(visit.request.scope["path"]).removeprefix(visit.root).startswith(API)


def _refused(visit: Visit, trouble: HTTPException) -> Response:
    words = "There is no such page." if trouble.status_code == 404 else ""
    said = Refused(trouble.status_code, words or problems.TITLES.get(trouble.status_code, trouble.detail) + ".")
    headers = dict(trouble.headers or {})
    if _of_machines(visit):
        return problems.answer(said, headers=headers)
    heading = problems.TITLES.get(said.status, "Error")
    return visit.page("problem.html", said.status, headers, trouble=said, code=said.status, heading=heading)
