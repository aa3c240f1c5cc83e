"""Which handler answers which address, and which roles it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from omnichannel_amazon_simulator.answers import Answer, Call

Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    Attributes:
        operation: the official name; the key of its bucket.
        roles: one of them is needed; empty admits any grant (names in `tokens.ROLES`).
        scope: the grantless scope it needs, '' where a seller's token is needed.
    """

    method: str
    template: str
    operation: str
    handler: Handler
    roles: frozenset[str] = frozenset()
    scope: str = ""


class Routes:
    """A list of operations, filled by a decorator: `@routes("GET", "/orders/{orderId}", "getOrder", "orders")`."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def __call__(
        self, method: str, template: str, operation: str = "", *roles: str, scope: str = ""
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.all.append(Route(method, template, operation, handler, frozenset(roles), scope))
            return handler

        return register


class Router:
    """Finds the route of a method and a raw path: an escaped slash does not part segments, an unescaped one does."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = routes
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in sorted(routes, key=lambda each: each.template.count("{")):
            parts = route.template.split("/")
            self._by_shape.setdefault((route.method, len(parts)), []).append((parts, route))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        segments = path.split("/")
        for parts, route in self._by_shape.get((method, len(segments)), ()):
            params = _matched(parts, segments)
            if params is not None:
                return route, params
        return None


def _matched(parts: list[str], segments: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{"):
            if not segment:
                return None
            params[part[1:-1]] = unquote(segment)
        elif part != segment:
            return None
    return params
