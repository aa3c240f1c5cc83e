"""What a handler is given and what it gives back; JSON in and out, and the XML that v2 falls into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import msgspec

from omnichannel_bigcommerce_simulator import dates
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_core.testing.simulated import exchange

if TYPE_CHECKING:
    from omnichannel_bigcommerce_simulator.store import Store
    from omnichannel_bigcommerce_simulator.tokens import Token
    from omnichannel_bigcommerce_simulator.world import World

JSON = exchange.JSON
encode = msgspec.json.encode
decode = msgspec.json.decode


@dataclass(slots=True)
class Answer(exchange.Answer):
    """`data` is what the body was rendered from, kept where XML may be asked for."""

    data: Any = None


def reply(document: Any, status: int = 200, content_type: str = JSON) -> Answer:
    return Answer(status, encode(document), content_type, data=document)


def data(value: Any, status: int = 200, meta: Any = None) -> Answer:
    """The v3 envelope around one thing."""
    return reply({"data": value, "meta": {} if meta is None else meta}, status)


def empty(status: int = 204) -> Answer:
    return Answer(status, b"", "")


class Call:
    """One request: who asks, what for, with which words. `token` is None only on the control side."""

    __slots__ = ("body", "headers", "method", "params", "path", "query", "store", "token", "version", "world")

    def __init__(self, world: World, method: str, path: str, query_string: bytes, headers: dict[str, str]) -> None:
        self.world = world
        self.method = method
        self.path = path
        self.headers = headers
        self.query: dict[str, str] = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
        self.body = b""
        self.params: dict[str, str] = {}
        self.version = "v3"
        self._unbound()

    def _unbound(self) -> None:
        self.store: Store = None  # type: ignore[assignment]  # bound by the app before any store handler runs
        self.token: Token = None  # type: ignore[assignment]

    @property
    def now(self) -> float:
        return self.world.clock.now()

    def id(self, name: str = "id") -> int:
        return int(self.params[name])

    def json(self) -> Any:
        """The body, decoded.

        Raises:
            Refused: 400 when it is not JSON.
        """
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise Refused(400, "Input is invalid. The request body is not valid JSON.") from error

    def object(self) -> dict[str, Any]:
        document = self.json()
        if not isinstance(document, dict):
            raise Refused(422, "Input is invalid: an object is expected.", errors={})
        return document

    def array(self) -> list[Any]:
        document = self.json()
        if not isinstance(document, list):
            raise Refused(422, "Input is invalid: an array is expected.", errors={})
        return document

    def integer(self, name: str) -> int | None:
        """A query parameter as an integer, None when absent; 400 (v2) or 422 (v3) when it is not one."""
        text = self.query.get(name)
        if text is None:
            return None
        try:
            return int(text)
        except ValueError as error:
            raise Refused(400 if self.version == "v2" else 422, f"The field '{name}' is invalid.", errors={}) from error

    def integers(self, name: str) -> set[int] | None:
        text = self.query.get(name)
        if text is None:
            return None
        try:
            return {int(part) for part in text.split(",") if part.strip()}
        except ValueError as error:
            raise Refused(422, f"The filter '{name}' is invalid.", errors={name: "integers expected"}) from error

    def words(self, name: str) -> set[str]:
        return {part.strip() for part in self.query.get(name, "").split(",") if part.strip()}

    def date(self, name: str) -> float | None:
        """A date filter in either format; 400 (v2) or 422 (v3) when unreadable."""
        text = self.query.get(name)
        if not text:
            return None
        try:
            return dates.parse(text) if self.version == "v2" else dates.parse_v3(text, self.now)
        except ValueError as error:
            raise Refused(400 if self.version == "v2" else 422, f"The field '{name}' is invalid.", errors={}) from error


def xml(document: Any, root: str = "response") -> bytes:
    """What v2 answers when JSON was not asked for (guide 1.1): the same document as XML."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + _element(root, document).encode()


def _element(name: str, value: Any) -> str:
    name = str(name).replace(":", "_")
    if isinstance(value, dict):
        inner = "".join(_element(key, item) for key, item in value.items())
    elif isinstance(value, list):
        inner = "".join(_element(name[:-1] if name.endswith("s") else "item", item) for item in value)
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    else:
        inner = "" if value is None else escape(str(value))
    return f"<{name}>{inner}</{name}>"
