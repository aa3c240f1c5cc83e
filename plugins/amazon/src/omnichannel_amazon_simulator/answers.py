"""What a handler is given and what it gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from omnichannel_amazon_simulator import dates
from omnichannel_amazon_simulator.errors import denied, invalid
from omnichannel_core.testing.simulated import exchange

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.sellers import Seller
    from omnichannel_amazon_simulator.tokens import Token
    from omnichannel_amazon_simulator.world import World

Answer = exchange.Answer
encode = msgspec.json.encode
decode = msgspec.json.decode
Row = dict[str, Any]


def names(text: str) -> tuple[str, ...]:
    """Names parted by white space: long lists of columns and values."""
    return tuple(text.split())


def reply(document: Any, status: int = 200) -> Answer:
    return Answer(status, encode(document))


def payload(value: Any, status: int = 200) -> Answer:
    """The envelope of the older APIs."""
    return reply({"payload": value}, status)


def empty(status: int = 204) -> Answer:
    return Answer(status, b"", "")


class Call:
    """One request. `path` is raw, its parameters are decoded; `seller` is bound for seller tokens only."""

    __slots__ = (
        "body",
        "headers",
        "host",
        "method",
        "operation",
        "params",
        "path",
        "query",
        "query_string",
        "seller",
        "token",
        "world",
    )

    def __init__(self, world: World, method: str, path: str, query: bytes, headers: dict[str, str]) -> None:
        self.world, self.method, self.path, self.headers = world, method, path, headers
        self.query_string = query.decode("latin-1")
        self.query: dict[str, str] = dict(parse_qsl(self.query_string, keep_blank_values=True))
        self.host = headers.get("x-forwarded-host", headers.get("host", "")).split(":")[0].removesuffix(".localhost")
        self.body = b""
        self.params: dict[str, str] = {}
        self.operation = ""
        self._unbound()

    def _unbound(self) -> None:
        self.seller: Seller = None  # type: ignore[assignment]  # bound by the gateway before a handler that has one
        self.token: Token = None  # type: ignore[assignment]

    @property
    def now(self) -> float:
        return self.world.clock.now()

    def object(self) -> Row:
        """The body, a JSON object.

        Raises:
            Refused: 400.
        """
        try:
            document = msgspec.json.decode(self.body or b"{}")
        except msgspec.DecodeError as error:
            raise invalid("Could not match input arguments", "the body is not JSON") from error
        if not isinstance(document, dict):
            raise invalid("Could not match input arguments", "an object is expected")
        return document

    def words(self, name: str, allowed: frozenset[str] | None = None, most: int | None = None) -> list[str]:
        """A comma-separated parameter; 400 when a value is none of `allowed`, or there are more than `most`."""
        found = [part for part in self.query.get(name, "").split(",") if part]
        if most is not None and len(found) > most:
            raise invalid(f"Parameter {name} takes at most {most} values.")
        if allowed is not None and not allowed.issuperset(found):
            raise invalid(f"Invalid value for parameter {name}.", f"one of {', '.join(sorted(allowed))} is expected")
        return found

    def date(self, name: str) -> float | None:
        text = self.query.get(name)
        return dates.parse(name, text) if text else None

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        """A number within its bounds; 400 beyond them."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise invalid(f"Parameter {name} must be a number from {least} to {most}.")
        return int(text)

    def marketplaces(self, names: list[str]) -> list[str]:
        """Those of the seller; 403 for any other, pseudo marketplaces included (guide 1.2)."""
        for name in names:
            if name not in self.seller.marketplaces:
                raise denied()
        return names
