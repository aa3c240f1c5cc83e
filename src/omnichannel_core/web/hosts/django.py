"""Django, WSGI or ASGI: `path("omnichannel/", include(urls(web, call)))`, behind Django's own middleware and login."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped]
from django.urls import re_path  # type: ignore[import-untyped]
from django.views.decorators.csrf import csrf_exempt  # type: ignore[import-untyped]
from starlette.types import ASGIApp

from omnichannel_core.synchronous import Caller
from omnichannel_core.web.hosts.bridge import Asked, ask


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
        response = HttpResponse(found.body, status=found.status)
        del response.headers["Content-Type"]
        for name, text in found.headers:
            if name.lower() == "set-cookie":
                response.cookies.load(text)
            else:
                response.headers[name] = text
        response.xframe_options_exempt = True  # the policy of each page says who may frame it
        return response

    return [re_path(r"^(?P<rest>.*)$", view, name="omnichannel")]


def _asked(request: HttpRequest, rest: str) -> Asked:
    root = request.path[: len(request.path) - len(rest)].rstrip("/")
    return Asked(
        method=request.method, scheme=request.scheme, root=root, path=f"{root}/{rest}",
        query=request.META.get("QUERY_STRING", "").encode("latin-1"), headers=list(request.headers.items()),
        body=request.body, host=request,
    )  # fmt: skip
