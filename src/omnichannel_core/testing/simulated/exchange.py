"""One request and its answer over ASGI, with the faults that were ordered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

import anyio

from omnichannel_core.testing.simulated.faults import BREAKING, F, Fault, Faults

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Dropped = Callable[[], BaseException] | None

JSON = "application/json"
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
W = TypeVar("W")


@dataclass(slots=True)
class Answer:
    """Status, raw body, content type ('' for none) and more headers."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    def size(self) -> int:
        """Bytes of the whole body."""
        return len(self.body)

    def parts(self, length: int) -> Iterator[bytes]:
        """The first `length` bytes of the body."""
        yield self.body[:length]


class Exchange(ABC, Generic[F]):
    """One request: a simulator's own says in `run` what is answered, and in `note` what is remembered of it.

    Attributes:
        headers: names in lower case.
        fault: the kind of the last fault drawn, '' for none.
        after: a fault that strikes once the request is done.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, dropped: Dropped) -> None:
        self.receive, self.send, self.dropped = receive, send, dropped
        self.headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        self.after: F | None = None
        self.fault = ""

    @abstractmethod
    async def run(self) -> object:
        """Answers; what is returned that is not None closes the connection (see `end`)."""

    @abstractmethod
    def note(self, status: int) -> None:
        """The exchange is over with `status`, 0 where the connection ended without an answer."""

    async def body(self) -> bytes:
        """The request's body."""
        parts: list[bytes] = []
        more = True
        while more:
            message = await self.receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        return b"".join(parts)

    async def drawn(
        self, faults: Faults[F], whose: str, method: str, path: str, operations: frozenset[str]
    ) -> F | None:
        """The fault that strikes now, latency slept through; one that strikes later is kept in `after`."""
        for fault in faults.draw(whose, method, path, operations):
            self.fault = fault.kind
            if fault.kind == "latency":
                await anyio.sleep(fault.seconds)
            elif fault.kind in fault.later:
                self.after = fault
            else:
                return fault
        return None

    async def end(self, fault: Fault) -> object:
        """Ends the exchange without an answer.

        uvicorn closes the connection of an application that returns something; an in-process transport gets an
        exception.
        """
        self.note(0)
        if fault.kind.startswith("hang"):
            while (await self.receive())["type"] != "http.disconnect":
                pass
            return None
        return self._closed()

    async def finish(self, answer: Answer) -> object:
        """Sends the answer, or what the fault in `after` makes of it."""
        fault = self.after
        if fault is not None and fault.kind in BREAKING:
            return await self.end(fault)
        self.note(answer.status)
        if fault is not None and fault.kind == "truncate":
            await self._start(answer)
            await self._body(answer, answer.size() // 2)
            return self._closed()
        if fault is not None and fault.kind == "malformed":
            answer.body = answer.body[: max(1, len(answer.body) // 2)]
        await self.write(answer)
        return None

    async def write(self, answer: Answer) -> None:
        """Sends the answer as it is."""
        await self._start(answer)
        await self._body(answer, 0 if answer.status == 204 else answer.size())
        await self.send({"type": "http.response.body", "body": b""})

    async def _start(self, answer: Answer) -> None:
        headers = {"content-length": str(answer.size()), **answer.headers}
        if answer.content_type:
            headers["content-type"] = answer.content_type
        if answer.status == 204:
            del headers["content-length"]
        raw = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
        await self.send({"type": "http.response.start", "status": answer.status, "headers": raw})

    async def _body(self, answer: Answer, length: int) -> None:
        for part in answer.parts(length) if length else ():
            await self.send({"type": "http.response.body", "body": part, "more_body": True})

    def _closed(self) -> object:
        if self.dropped is not None:
            raise self.dropped()
        return "connection dropped as ordered"


class Application(ABC, Generic[W]):
    """An ASGI application over a simulated world.

    Args:
        world: its state, also as `state.world`.
        dropped: raised instead of closing the connection, for in-process transports, which have none to close.
    """

    def __init__(self, world: W, dropped: Dropped = None) -> None:
        self.state = SimpleNamespace(world=world)
        self.world, self.dropped = world, dropped

    @abstractmethod
    def exchange(self, scope: Scope, receive: Receive, send: Send) -> Exchange[Any]:
        """One request to come."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> object:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return None
        if scope["type"] != "http":
            return None
        return await self.exchange(scope, receive, send).run()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
