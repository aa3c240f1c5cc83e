"""One request through the application, from a thread that cannot await."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from concurrent.futures import Future
from typing import Any

import anyio
import attrs
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.types import ASGIApp, Message

from omnichannel_core.synchronous import Caller

AHEAD = 4  # parts that the application may be ahead of the reader


@attrs.frozen
class Answer:
    """Headers as they are to be sent, each as often as it stands there. The body is whole, or flows (exports)."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: Flow | tuple[bytes]


@attrs.frozen(kw_only=True)
class Asked:
    """`root` is where the application is mounted, `path` all of the path, both decoded."""

    method: str
    scheme: str
    root: str
    path: str
    query: bytes
    headers: Sequence[tuple[str, str]]
    body: bytes = attrs.field(repr=False)
    host: Any = None  # the host's own request, for `resolve`: request.scope["host"]

    def scope(self) -> MutableMapping[str, Any]:
        """As ASGI tells it."""
        return {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": self.method,
            "scheme": self.scheme, "root_path": self.root.rstrip("/"), "path": self.path,
            "raw_path": self.path.encode(), "query_string": self.query, "host": self.host,
            "headers": [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in self.headers],
        }  # fmt: skip


def ask(call: Caller, app: ASGIApp, asked: Asked) -> Answer:
    """Blocking until the head of the answer is there. `call` is that of `blocking(house)`."""
    giving, taking = anyio.create_memory_object_stream[Message](AHEAD)
    running = call.soon(_run, app, asked, giving)
    try:
        start = call(taking.receive)
        first = call(taking.receive)
    except anyio.EndOfStream:
        taking.close()
        running.result()
        raise
    headers = [(name.decode("latin-1"), text.decode("latin-1")) for name, text in start["headers"]]
    if first.get("more_body"):
        return Answer(start["status"], headers, Flow(call, taking, running, first.get("body", b"")))
    running.result()
    taking.close()
    return Answer(start["status"], headers, (first.get("body", b""),))


@attrs.define
class Flow:
    """A long body, part by part; whoever reads closes it, read to its end or not."""

    call: Caller
    taking: MemoryObjectReceiveStream[Message]
    running: Future[None]
    part: bytes = b""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while not self.part:
            try:
                self.part = self.call(self.taking.receive).get("body", b"")
            except anyio.ClosedResourceError:
                raise StopIteration from None
            except anyio.EndOfStream:
                self.taking.close()
                self.running.result()  # what broke it on the way is raised here: half an export is none
                raise StopIteration from None
        part, self.part = self.part, b""
        return part

    def close(self) -> None:
        """Nobody reads on: the application is told by its end."""
        self.part = b""
        self.running.cancel()
        self.call(self.taking.aclose)  # on the loop: somebody may wait to send there


async def _run(app: ASGIApp, asked: Asked, giving: MemoryObjectSendStream[Message]) -> None:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await anyio.sleep_forever()  # until the answer is complete
        sent = True
        return {"type": "http.request", "body": asked.body, "more_body": False}

    with giving:
        await app(asked.scope(), receive, giving.send)
