"""Which handler answers which address, which scope it needs, how many of it may run at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from omnichannel_shopify_simulator.answers import Answer, Call

Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    Attributes:
        scope: family of OAuth scopes needed, "" for none (see `tokens.FAMILIES`).
        cap: requests of this operation that may run at once in one store, None for no cap (guide 1.7).
        cap_by: path parameter the cap is counted by, e.g. per price list; "" counts the store's.
    """

    method: str
    template: str
    handler: Handler
    scope: str
    pattern: re.Pattern[str]
    cap: int | None = None
    cap_by: str = ""

    @property
    def operation(self) -> str:
        return f"{self.method} {self.template}"


class Routes:
    """A list of operations, filled by decorators: `@routes.get("/v2/orders/{id}", "orders")`."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def add(
        self, method: str, template: str, scope: str = "", cap: int | None = None, cap_by: str = ""
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.all.append(Route(method, template, handler, scope, compiled(template), cap, cap_by))
            return handler

        return register

    def get(
        self, template: str, scope: str = "", cap: int | None = None, cap_by: str = ""
    ) -> Callable[[Handler], Handler]:
        return self.add("GET", template, scope, cap, cap_by)

    def post(
        self, template: str, scope: str = "", cap: int | None = None, cap_by: str = ""
    ) -> Callable[[Handler], Handler]:
        return self.add("POST", template, scope, cap, cap_by)

    def put(
        self, template: str, scope: str = "", cap: int | None = None, cap_by: str = ""
    ) -> Callable[[Handler], Handler]:
        return self.add("PUT", template, scope, cap, cap_by)

    def delete(
        self, template: str, scope: str = "", cap: int | None = None, cap_by: str = ""
    ) -> Callable[[Handler], Handler]:
        return self.add("DELETE", template, scope, cap, cap_by)


def compiled(template: str) -> re.Pattern[str]:
    """`{id}` matches digits, `{name:w}` one path segment."""
    text = re.sub(r"\{(\w+):w\}", r"(?P<\1>[^/]+)", template)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\d+)", text) + r"\Z")


class Router:
    """Finds the route of a method and path; exact texts first."""

    def __init__(self, routes: list[Route]) -> None:
        self._by_shape: dict[tuple[str, int], list[Route]] = {}
        for route in sorted(routes, key=lambda each: each.template.count("{")):
            self._by_shape.setdefault((route.method, route.template.count("/")), []).append(route)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for route in self._by_shape.get((method, path.count("/")), ()):
            match = route.pattern.match(path)
            if match:
                return route, match.groupdict()
        return None

    def methods(self, path: str) -> list[str]:
        """Methods that the path knows: 405 rather than 404."""
        return [m for m in ("GET", "POST", "PUT", "DELETE") if self.find(m, path)]
