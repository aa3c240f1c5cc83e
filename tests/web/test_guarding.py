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


@pytest.mark.parametrize("door", CLOSED, ids=lambda one: one.name)
async def test_nobody(site: Any, door: Any) -> None:
    """Nobody is signed in: 401 everywhere but on the public addresses."""
    answer = await site.client("").request(door.method, at(door.path))
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json" if door.machine else "text/html")


@pytest.mark.parametrize("door", CLOSED, ids=lambda one: one.name)
async def test_not_permitted(site: Any, door: Any) -> None:
    """An actor without the permission an address needs is refused."""
    others = ",".join(one.value for one in Permission if one is not door.permission)
    answer = await site.client(f"ann/acme/{others}").request(
        door.method, at(door.path), json={} if door.machine else None
    )
    assert answer.status_code == 403


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
