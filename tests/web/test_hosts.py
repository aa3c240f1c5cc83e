"""The application in real hosts: FastAPI, Starlette, Flask, Django; below a prefix, behind the host's own login."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from omnichannel_core.records import Order
from omnichannel_core.synchronous import blocking
from omnichannel_core.web import Actor, create_web
from omnichannel_core.web.actors import EVERYTHING
from omnichannel_core.web.hosts.wsgi import wsgi
from tests.web.conftest import resolve

AT = "/shop/omnichannel"
TYPED = {"name": "Mine", "driver": "echo", "c.shop": "a", "c.secret": "hush-echo"}


async def ann(_: Any) -> Actor:
    """Whoever the host let through."""
    return Actor(id="ann", account="acme", permissions=EVERYTHING)


def addresses(page: str) -> list[str]:
    """Where the page leads."""
    return re.findall(r'(?:href|src|action|formaction)="(/[^"]*)"', page)


@contextmanager
def served(open_house: Any, **more: Any) -> Iterator[tuple[Any, Any]]:
    """A house on a loop of its own, with an account, and the caller into it."""
    with blocking(open_house()) as (house, call):
        call(open_house.settle, house)
        yield create_web(house, resolve=more.pop("resolve", ann), stream=False), call


def walked(ask: Any) -> None:
    """Pages, a file, a save and REST in any host."""
    status, page, _ = ask("GET", f"{AT}/")
    assert status == 200, page
    assert "No connections yet" in page
    found = addresses(page)
    assert len(found) > 5
    assert all(one.startswith(f"{AT}/") for one in found)
    status, style, headers = ask("GET", next(one for one in found if "app.css" in one))
    assert (status, "--accent" in style) == (200, True)
    assert headers["content-security-policy"].startswith("default-src 'none'")
    status, _, headers = ask("POST", f"{AT}/new", TYPED)
    assert status == 303
    assert headers["location"].startswith(f"{AT}/?said=sync_triggered")
    status, page, _ = ask("GET", f"{AT}/api/v1/connections")
    assert (status, '"name": "Mine"' in page) == (200, True)
    status, _, _ = ask("POST", f"{AT}/new", TYPED, {"Origin": "https://evil.example"})
    assert status == 403
    assert ask("GET", f"{AT}/nothing/here")[0] == 404


@pytest.mark.anyio
@pytest.mark.parametrize("framework", ["fastapi", "starlette"])
async def test_asgi(open_house: Any, shop: Any, framework: str) -> None:
    """Mounted below a prefix of FastAPI or Starlette, every address begins with it."""
    async with open_house() as house:
        await open_house.settle(house)
        host = _host(framework)
        host.mount(AT, create_web(house, resolve=resolve))
        transport = httpx2.ASGITransport(host)
        async with httpx2.AsyncClient(transport=transport, base_url="https://host.example") as client:
            answer = await client.get(f"{AT}/", headers={"x-actor": "ann/acme"})
            assert answer.status_code == 200
            assert all(one.startswith(f"{AT}/") for one in addresses(answer.text))
            for one in re.findall(r'(?:href|src)="(/[^"]*)"', answer.text):
                assert (await client.get(one, headers={"x-actor": "ann/acme"})).status_code == 200, one
            assert (await client.get(f"{AT}/")).status_code == 401
            made = await client.post(f"{AT}/new", data=TYPED, headers={"x-actor": "ann/acme"})
            assert made.headers["location"].startswith(f"{AT}/?said=sync_triggered")
            said = await client.get(f"{AT}/openapi.json", headers={"x-actor": "ann/acme"})
            assert said.json()["servers"] == [{"url": f"{AT}/api/v1"}]


def _host(framework: str) -> Any:
    if framework == "fastapi":
        import fastapi

        return fastapi.FastAPI()
    from starlette.applications import Starlette

    return Starlette()


def test_flask(open_house: Any, shop: Any) -> None:
    """In Flask, dispatched to below a prefix."""
    import flask
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    with served(open_house) as (app, call):
        host = flask.Flask("host")
        host.wsgi_app = DispatcherMiddleware(host.wsgi_app, {AT: wsgi(app, call)})  # type: ignore[method-assign]
        client = host.test_client()

        def ask(method: str, path: str, data: Any = None, headers: Any = None) -> tuple[int, str, Any]:
            answer = client.open(path, method=method, data=data, headers=headers)
            return answer.status_code, answer.get_data(as_text=True), answer.headers

        walked(ask)


def test_long_body_by_wsgi(open_house: Any, shop: Any) -> None:
    """What is longer than the application takes is refused before it is read into memory."""
    asked = list[int]()

    class Input:
        def read(self, size: int) -> bytes:
            asked.append(size)
            return b"x" * min(size, 5_000_000)

    with served(open_house) as (app, call):
        environ = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/api/v1/views", "wsgi.url_scheme": "https",
            "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(10**12), "wsgi.input": Input(),
        }  # fmt: skip
        said = list[str]()
        b"".join(wsgi(app, call)(environ, lambda status, _: said.append(status)))
    assert said[0].startswith("413")
    assert sum(asked) < 5_000_000


# --- Django: its settings are made once per process
URLS: list[Any] = []


def _django() -> None:
    if not settings.configured:
        settings.configure(
            SECRET_KEY="test", ROOT_URLCONF="tests.web.django_urls", ALLOWED_HOSTS=["*"], USE_TZ=True,
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
            MIDDLEWARE=[
                "django.middleware.security.SecurityMiddleware",
                "django.contrib.sessions.middleware.SessionMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.auth.middleware.LoginRequiredMiddleware",
                "django.middleware.clickjacking.XFrameOptionsMiddleware",
            ],
            SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        )  # fmt: skip
        django.setup()


def test_django(open_house: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Django by URL include, behind its middleware: its user is who acts, its CSRF token is not needed."""
    _django()
    from django.test import Client

    from omnichannel_core.web.hosts.django import urls
    from tests.web import django_urls

    seen = list[str]()

    async def by_django(request: Any) -> Actor | None:
        host = request.scope["host"]
        seen.append(str(host.headers.get("X-User", "")))
        return Actor(id=seen[-1], account="acme", permissions=EVERYTHING) if seen[-1] else None

    with served(open_house, resolve=by_django) as (app, call):
        monkeypatch.setattr(django_urls, "inner", urls(app, call))
        django_urls.build(AT)
        client = Client(enforce_csrf_checks=True)

        def ask(method: str, path: str, data: Any = None, headers: Any = None) -> tuple[int, str, Any]:
            answer = client.generic(method, path, *_encoded(data), headers={"X-User": "ann", **(headers or {})})
            return answer.status_code, answer.content.decode(), {k.lower(): v for k, v in answer.headers.items()}

        walked(ask)
        assert client.get(f"{AT}/").status_code == 401
        assert client.get(f"{AT}/callbacks/echo/x").status_code == 404
        framed = client.get(f"{AT}/", headers={"X-User": "ann"})
        assert "X-Frame-Options" not in framed.headers
        assert set(seen) == {"ann", ""}


def test_django_by_asgi(open_house: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under Django's ASGI handler pages answer, and an export flows: read to its end, or left in the middle."""
    _django()
    from django.test import AsyncClient

    from omnichannel_core.web.hosts.django import urls
    from tests.web import django_urls

    shop.orders = [Order(id=str(at), number=f"N{at}") for at in range(1, 2_001)]

    async def exported(most: int) -> list[bytes]:
        client = AsyncClient(headers={"X-User": "ann"})
        assert "No connections yet" not in (await client.get(f"{AT}/")).content.decode()
        answer = await client.get(f"{AT}/api/v1/hub/orders/export?format=jsonl")
        assert (answer.status_code, answer.streaming) == (200, True)
        parts = list[bytes]()
        async for part in answer.streaming_content:
            parts.append(part)
            if len(parts) == most:
                break
        await sync_to_async(answer.close)()
        return parts

    with blocking(open_house()) as (house, call):
        call(open_house.settle, house)
        made = call(house.connections.create, "acme", "echo", "Shop", {"shop": "a", "secret": "hush-echo"})
        call(house.processes.run_to_end, "acme", made.process.id)
        monkeypatch.setattr(django_urls, "inner", urls(create_web(house, resolve=ann, stream=False), call))
        django_urls.build(AT)
        parts = asyncio.run(exported(-1))
        assert len(parts) > 1
        ids = {json.loads(line)["record"]["id"] for line in b"".join(parts).splitlines()}
        assert ids == {str(at) for at in range(1, 2_001)}
        assert len(asyncio.run(exported(1))) == 1
        assert call(house.connections.get, "acme", made.connection.id).name == "Shop"  # nobody is stuck


def _encoded(data: Any) -> tuple[bytes, str]:
    from urllib.parse import urlencode

    return (urlencode(data).encode() if data else b"", "application/x-www-form-urlencoded")
