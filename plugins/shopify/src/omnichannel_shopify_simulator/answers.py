"""What a handler is given and what it gives back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qsl

import msgspec

from omnichannel_core.testing.simulated import exchange

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.store import Store
    from omnichannel_shopify_simulator.world import World

JSON = "application/json; charset=utf-8"
CHUNK = 1 << 18
encode = msgspec.json.encode
decode = msgspec.json.decode


@dataclass(slots=True)
class Answer(exchange.Answer):
    """An answer whose body may be `length` bytes from `start` of a file."""

    content_type: str = JSON
    file: BinaryIO | None = None
    start: int = 0
    length: int = 0

    def size(self) -> int:
        """Bytes of the whole body."""
        return len(self.body) if self.file is None else self.length

    def parts(self, length: int) -> Iterator[bytes]:
        """The first `length` bytes of the body."""
        if self.file is None:
            yield self.body[:length]
            return
        at, end = self.start, self.start + length
        while at < end:
            part = os.pread(self.file.fileno(), min(CHUNK, end - at), at)
            at += len(part)
            yield part


def reply(document: Any, status: int = 200) -> Answer:
    return Answer(status, encode(document))


class Refused(Exception):
    """An answer that is not what was asked for.

    Attributes:
        errors: a text or a list, as Shopify's `errors`; the control API says it as `error`.
    """

    def __init__(self, status: int, errors: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(errors))
        self.status, self.errors, self.headers = status, errors, headers or {}


class Call:
    """One request: for which host, with which words."""

    __slots__ = ("body", "headers", "host", "method", "params", "path", "query", "store", "world")

    def __init__(self, world: World, method: str, path: str, query_string: bytes, headers: dict[str, str]) -> None:
        self.world = world
        self.method = method
        self.path = path
        self.headers = headers
        self.host = headers.get("x-forwarded-host", headers.get("host", "")).lower()
        self.query: dict[str, str] = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
        self.body = b""
        self.params: dict[str, str] = {}
        self.store: Store = None  # type: ignore[assignment]  # bound by the app before any store handler runs

    @property
    def now(self) -> float:
        return self.world.clock.now()

    def id(self, name: str = "id") -> int:
        return int(self.params[name])

    def json(self) -> Any:
        """The body, decoded; an empty one is `{}`.

        Raises:
            Refused: 400 when it is not JSON.
        """
        if not self.body:
            return {}
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise Refused(400, "The request body is not valid JSON") from error

    def object(self) -> dict[str, Any]:
        document = self.json()
        if not isinstance(document, dict):
            raise Refused(400, "An object is expected")
        return document
