"""Flask and other WSGI hosts: `DispatcherMiddleware(app.wsgi_app, {"/omnichannel": wsgi(web, call)})`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp

from omnichannel_core.synchronous import Caller
from omnichannel_core.web.hosts.bridge import Asked, ask
from omnichannel_core.web.visits import BODY_MAX, DIGITS

Start = Callable[[str, list[tuple[str, str]]], object]


def wsgi(app: ASGIApp, call: Caller) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """`create_web(house, ..., stream=False)` as a WSGI application; `resolve` finds the environ in `scope["host"]`.

    Args:
        call: from `with blocking(house) as (house, call)`.
    """

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        found = ask(call, app, _asked(environ))
        status = HTTPStatus(found.status)
        start(f"{status.value} {status.phrase}", list(found.headers))
        return found.body

    return answer


def _asked(environ: dict[str, Any]) -> Asked:
    root, path = _text(environ, "SCRIPT_NAME"), _text(environ, "PATH_INFO")
    said = str(environ.get("CONTENT_LENGTH") or "0")
    length = min(int(said[:DIGITS]), BODY_MAX + 1) if said.isascii() and said.isdigit() else 0  # more is refused
    return Asked(
        method=environ["REQUEST_METHOD"], scheme=environ["wsgi.url_scheme"], root=root, path=root + (path or "/"),
        query=environ.get("QUERY_STRING", "").encode("latin-1"), headers=list(_headers(environ)),
        body=environ["wsgi.input"].read(length) if length else b"", host=environ,
    )  # fmt: skip


def _headers(environ: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-"), str(value)
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-"), str(environ[name])


def _text(environ: Mapping[str, Any], name: str) -> str:
    """PEP 3333: bytes that were read as Latin-1."""
    return str(environ.get(name, "")).encode("latin-1").decode("utf-8", "replace")
