"""One request through the application, from a thread that cannot await."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import anyio
import attrs
from starlette.types import ASGIApp, Message, Scope

from omnichannel_core.synchronous import Caller


@attrs.frozen
class Answer:
    """Headers as they are to be sent, each as often as it stands there."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


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
    """Blocking: the whole answer. `call` is that of `blocking(house)`."""
    return call(_run, app, asked)


async def _run(app: ASGIApp, asked: Asked) -> Answer:
    scope: Scope = asked.scope()
    sent, parts, start = False, list[bytes](), dict[str, Any]()

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await anyio.sleep_forever()  # until the answer is complete
        sent = True
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    headers = [(name.decode("latin-1"), text.decode("latin-1")) for name, text in start["headers"]]
    return Answer(start["status"], headers, b"".join(parts))
