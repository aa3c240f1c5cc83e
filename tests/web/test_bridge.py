"""Long answers in hosts that cannot await: part by part, never whole in memory, ended when nobody reads on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Event
from typing import Any

import attrs
import pytest

from omnichannel_core.records import Order
from omnichannel_core.synchronous import blocking
from omnichannel_core.web import create_web
from omnichannel_core.web.hosts.bridge import AHEAD, Asked, Flow, ask
from omnichannel_core.web.hosts.wsgi import wsgi
from tests.web.test_hosts import ann

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
ASKED = Asked(method="GET", scheme="https", root="", path="/", query=b"", headers=(), body=b"")


@attrs.define
class Endless:
    """An application that goes on until it is told to end, or breaks after so many parts."""

    breaks: int = 0
    made: int = 0
    ended: Event = attrs.field(factory=Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-kind", b"flow")]})
        try:
            while True:
                self.made += 1
                if self.made == self.breaks:
                    raise RuntimeError("broken on the way")
                await send({"type": "http.response.body", "body": b"%d\n" % self.made, "more_body": True})
        finally:
            self.ended.set()


@pytest.fixture
def call(open_house: Any, backend: str) -> Iterator[Any]:
    """Into a loop of its own."""
    with blocking(open_house(), backend=backend) as (_, call):
        yield call


@BACKENDS
def test_part_by_part(call: Any) -> None:
    """The application is only a few parts ahead of who reads, and ends when he goes."""
    app = Endless()
    answer = ask(call, app, ASKED)
    assert (answer.status, answer.headers) == (200, [("x-kind", "flow")])
    assert isinstance(answer.body, Flow)
    assert [next(answer.body) for _ in range(50)] == [b"%d\n" % at for at in range(1, 51)]
    assert app.made <= 50 + AHEAD + 2
    answer.body.close()
    assert app.ended.wait(10)
    assert list(answer.body) == []


@BACKENDS
def test_broken_on_the_way(call: Any) -> None:
    """What breaks in the middle is raised to the server: half an answer never looks whole."""
    answer = ask(call, Endless(breaks=9), ASKED)
    with pytest.raises(RuntimeError, match="broken on the way"):
        list(answer.body)


@BACKENDS
def test_broken_before(call: Any) -> None:
    """What breaks before the head is raised at once."""

    async def broken(*_: Any) -> None:
        raise RuntimeError("nothing to say")

    with pytest.raises(RuntimeError, match="nothing to say"):
        ask(call, broken, ASKED)


def test_export_by_wsgi(open_house: Any, shop: Any) -> None:
    """An export of thousands of orders comes in parts, and all of it."""
    shop.orders = [Order(id=str(at), number=f"N{at}") for at in range(1, 2_001)]
    with blocking(open_house()) as (house, call):
        call(open_house.settle, house)
        made = call(house.connections.create, "acme", "echo", "Shop", {"shop": "a", "secret": "hush-echo"})
        call(house.processes.run_to_end, "acme", made.process.id)
        said = list[str]()
        environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "https", "SCRIPT_NAME": "", "HTTP_HOST": "host.example",
                   "PATH_INFO": "/api/v1/hub/orders/export", "QUERY_STRING": "format=jsonl"}  # fmt: skip
        body = wsgi(create_web(house, resolve=ann, stream=False), call)(environ, lambda status, _: said.append(status))
        parts = list(body)
    assert said == ["200 OK"]
    assert len(parts) > 1
    assert {json.loads(line)["record"]["id"] for line in b"".join(parts).splitlines()} == {
        str(at) for at in range(1, 2_001)
    }
