"""Simulators for tests: a small base to write one on, and any of them served on loopback by a thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any
from urllib.parse import parse_qsl

import attrs

from omnichannel_core import errors
from omnichannel_core.testing.simulator import GROUP, listening, names

Handler = Callable[["Request"], "Reply"]


@attrs.frozen
class Request:
    """What came. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@attrs.frozen
class Reply:
    """What goes back, as JSON."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = {}


@attrs.define
class SimulatorBase:
    """An ASGI application: subclass it, keep the remote's state in it, and answer in `answer`.

    Attributes:
        now: the remote's own clock, turned by `POST /_control/clock {"advance": seconds}`.
    """

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def answer(self, request: Request) -> Reply:
        """One request; subclasses say more."""
        return Reply({"error": f"no such path {request.path}"}, 404)

    def control(self, path: str, body: Any) -> object:
        """A call below /_control."""
        if path == "clock":
            self.now += timedelta(seconds=body["advance"])
        return {"now": self.now.isoformat()}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = await _request(scope, receive)
        if request.path.startswith("/_control/"):
            body = request.json() if request.body else None
            reply = Reply(self.control(request.path.removeprefix("/_control/"), body))
        else:
            reply = self.answer(request)
        await _send(reply, send)


@contextmanager
def served(app: Callable[..., Awaitable[object]]) -> Iterator[str]:
    """An ASGI application on loopback, in a thread of this process; its address."""
    import uvicorn

    listener = listening()
    config = uvicorn.Config(  # type: ignore[arg-type, unused-ignore]
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        date_header=False,
        ws="none",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()


def load(name: str, options: Mapping[str, Any]) -> Callable[..., Awaitable[object]]:
    """The application of an installed simulator.

    Raises:
        NotFound: no distribution ships one of that name.
    """
    if name not in names():
        raise errors.NotFound(f"No distribution ships a simulator {name!r}. There: {', '.join(names()) or 'none'}.")
    (point,) = metadata.entry_points(group=GROUP, name=name)
    made: Callable[..., Awaitable[object]] = point.load()(**options)
    return made


async def _request(scope: MutableMapping[str, Any], receive: Any) -> Request:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return Request(scope["method"], scope["path"], query, headers, body)


async def _send(reply: Reply, send: Any) -> None:
    body = json.dumps(reply.body).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **reply.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
