"""Django, WSGI or ASGI: `path("omnichannel/", include(urls(web, call)))`, behind Django's own middleware and login."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import attrs
from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required  # type: ignore[import-untyped]
from django.core.handlers.asgi import ASGIRequest  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse  # type: ignore[import-untyped]
from django.urls import re_path  # type: ignore[import-untyped]
from django.views.decorators.csrf import csrf_exempt  # type: ignore[import-untyped]
from starlette.types import ASGIApp

from omnichannel_core.synchronous import Caller
from omnichannel_core.web.hosts.bridge import Asked, Flow, ask


def urls(app: ASGIApp, call: Caller) -> list[Any]:
    """Patterns for `include`; `resolve` finds Django's request in `scope["host"]`, its user with it.

    Django's CSRF token is not asked for: the application refuses cross-site requests itself. Where all of Django needs
    a login, these addresses do not: `resolve` decides, and marketplaces reach the public ones.

    Args:
        app: `create_web(house, ..., stream=False)`.
        call: from `with blocking(house) as (house, call)`.
    """

    @csrf_exempt  # type: ignore[untyped-decorator]
    @login_not_required  # type: ignore[untyped-decorator]
    def view(request: HttpRequest, rest: str) -> HttpResponse:
        found = ask(call, app, _asked(request, rest))
        if isinstance(found.body, Flow):
            flow = Async(found.body) if isinstance(request, ASGIRequest) else found.body
            response = StreamingHttpResponse(flow, status=found.status)
        else:
            response = HttpResponse(found.body[0], status=found.status)
        del response.headers["Content-Type"]
        for name, text in found.headers:
            if name.lower() == "set-cookie":
                response.cookies.load(text)
            else:
                response.headers[name] = text
        response.xframe_options_exempt = True  # the policy of each page says who may frame it
        return response

    return [re_path(r"^(?P<rest>.*)$", view, name="omnichannel")]


@attrs.frozen
class Async:
    """A flow for Django's ASGI handler, which cannot wait for a thread."""

    flow: Flow

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        part = await sync_to_async(lambda: next(self.flow, b""), thread_sensitive=False)()
        if not part:
            raise StopAsyncIteration
        return part

    def close(self) -> None:
        """Nobody reads on."""
        self.flow.close()


def _asked(request: HttpRequest, rest: str) -> Asked:
    root = request.path[: len(request.path) - len(rest)].rstrip("/")
    return Asked(
        method=request.method, scheme=request.scheme, root=root, path=f"{root}/{rest}",
        query=request.META.get("QUERY_STRING", "").encode("latin-1"), headers=list(request.headers.items()),
        body=request.body, host=request,
    )  # fmt: skip
