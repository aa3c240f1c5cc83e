"""What stands before every address: who, from where, with which policy."""

from __future__ import annotations

import re
from typing import Any

import pytest

from omnichannel_core.web import create_web
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.app import doors
from omnichannel_core.web.guarding import CSP, SAFE

pytestmark = pytest.mark.anyio
DOORS = doors()
CLOSED = [one for one in DOORS if one.permission is not None]
UNSAFE = [one for one in CLOSED if one.method not in SAFE]
FOREIGN: tuple[dict[str, str], ...] = (
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"},
    {"origin": "null"}, {"sec-fetch-site": "nonsense", "origin": "https://host.example"},
)  # fmt: skip


def at(path: str) -> str:
    """An address with something in every place."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: "1" if found[2] == ":int" else found[1], path)


def test_no_default() -> None:
    """Without somebody who says who it is, there is no application."""
    with pytest.raises(TypeError, match="resolve"):
        create_web(object())  # type: ignore[arg-type,call-arg]


async def test_nobody(site: Any) -> None:
    """Nobody is signed in: 401 everywhere but on the public addresses."""
    nobody = site.client("")
    for door in CLOSED:
        answer = await nobody.request(door.method, at(door.path))
        assert answer.status_code == 401, door.name
        assert answer.headers["content-type"].startswith("application/problem+json" if door.machine else "text/html")


async def test_not_permitted(site: Any) -> None:
    """An actor without the permission an address needs is refused."""
    for door in CLOSED:
        others = ",".join(one.value for one in Permission if one is not door.permission)
        sent = {"json": {}} if door.machine else {}
        answer = await site.client(f"ann/acme/{others}").request(door.method, at(door.path), **sent)
        assert answer.status_code == 403, door.name


async def test_cross_site(site: Any) -> None:
    """Another site's page can change nothing: every unsafe address refuses every kind of foreign request."""
    for headers in FOREIGN:
        client = site.client()
        del client.headers["sec-fetch-site"]
        for door in UNSAFE:
            answer = await client.request(door.method, at(door.path), headers=headers)
            assert answer.status_code == 403, (door.name, headers)


async def test_no_browser(site: Any) -> None:
    """A program sends neither header and is let in."""
    client = site.client()
    del client.headers["sec-fetch-site"]
    assert (await client.post("/api/v1/views", json={"name": "Mine"})).status_code == 201
    assert (
        await client.post("/api/v1/views", json={"name": "x"}, headers={"origin": "https://host.example"})
    ).is_success


async def test_policy(site: Any) -> None:
    """Every page has the strict policy, no inline script or style, and is never kept."""
    await site.connected()
    client = site.client()
    pages = [one for one in DOORS if one.method == "GET" and not one.machine and not one.path.endswith("events")]
    for door in pages:
        answer = await client.get(at(door.path))
        assert answer.headers["content-security-policy"] == CSP, door.name
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|javascript:", answer.text), door.name


async def test_static(web: Any) -> None:
    """Our two files are kept for ever under their version; nothing else is there."""
    page = (await web.get("/")).text
    for address in re.findall(r'"(/static/[^"]+)"', page):
        answer = await web.get(address)
        assert "immutable" in answer.headers["cache-control"]
    assert (await web.get("/static/app.py")).status_code == 404
    assert (await web.get("/static/..%2fapp.py")).status_code == 404


async def test_unexpected(site: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody expected is told by a number only; the log has the rest under that number."""

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret-detail")

    monkeypatch.setattr(type(site.house.views), "list", broken)
    answer = await site.client().get("/api/v1/views")
    assert answer.status_code == 500
    number = re.search(r"number: (\w+)", answer.json()["detail"])
    assert number is not None
    assert number[1] in caplog.text
    assert "secret-detail" not in answer.text


async def test_health(site: Any) -> None:
    """Health and readiness ask nobody who he is."""
    nobody = site.client("")
    assert (await nobody.get("/healthz")).json() == {"status": "ok"}
    assert (await nobody.get("/readyz")).json()["status"] == "ok"


async def test_page_weight(web: Any, site: Any) -> None:
    """A full list with styles and script is less than 80 KB on the wire."""
    for number in range(50):
        await site.connected(f"A shop with a name of usual length {number}")
    weights = {}
    for path in ("/", "/static/app.css", "/static/app.js"):
        async with web.stream("GET", path) as answer:
            weights[path] = sum([len(part) async for part in answer.aiter_raw()])
    assert sum(weights.values()) < 80_000
    assert len((await web.get("/")).content) > weights["/"]


LONG = "9" * 5_000


async def test_numbers_of_thousands_of_digits(site: Any) -> None:
    """A number longer than Python reads is refused like any other that is none, also by public addresses."""
    for door in DOORS:
        if ":int}" in door.path:
            answer = await site.client("").request(door.method, door.path.replace("{id:int}", LONG))
            assert answer.status_code == 404, door.name
            machine = "application/problem+json" if door.machine else "text/html"
            assert answer.headers["content-type"].startswith(machine)
    web = site.client()
    assert (await web.get("/", params={"view": LONG})).status_code == 400
    assert (await web.post("/bulk", data={"action": "enable", "id": LONG})).status_code == 400
    assert (await web.post("/look", data={"view": "", "what": "unfilter", "at": LONG})).status_code == 409


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
async def test_endless_form(site: Any, form: str) -> None:
    """A form that does not say how long it is is read up to 4 MiB, even by those who are not signed in."""
    came, answer = 0, dict[str, Any]()
    head = 'Content-Disposition: form-data; name="a"\r\n\r\n'
    part = f"--b\r\n{head}{'x' * 500_000}\r\n" if "multipart" in form else f"a={'x' * 500_000}&"

    async def endless() -> dict[str, Any]:
        nonlocal came
        came += 1
        return {"type": "http.request", "body": part.encode(), "more_body": came < 100}

    async def send(message: dict[str, Any]) -> None:
        answer.update(message)

    scope = {"type": "http", "method": "POST", "path": "/install", "query_string": b"", "scheme": "https",
             "headers": [(b"host", b"host.example"), (b"content-type", form.encode())]}  # fmt: skip
    await site.app(scope, endless, send)
    assert (answer["status"], came < 12) == (413, True)
