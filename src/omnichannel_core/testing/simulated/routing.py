"""Which handler answers which address, which scope it needs, how many of it may run at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Route(Generic[H]):
    """One operation.

    Attributes:
        scope: what a token needs, "" for nothing.
        cap: requests of this operation that may run at once in one account, None for no cap.
        cap_by: path parameter the cap is counted by, e.g. per price list; "" counts the account's.
    """

    method: str
    template: str
    handler: H
    scope: str
    pattern: re.Pattern[str]
    cap: int | None = None
    cap_by: str = ""

    @property
    def operation(self) -> str:
        """What a fault and the log call it."""
        return f"{self.method} {self.template}"


class Routes(Generic[H]):
    """A list of operations, filled by decorators: `@routes.get("/v2/orders/{id}", "orders")`."""

    def __init__(self) -> None:
        self.all: list[Route[H]] = []

    def add(
        self, method: str, template: str, scope: str = "", cap: int | None = None, cap_by: str = ""
    ) -> Callable[[H], H]:
        """`{id}` in the template matches digits, `{name:w}` one path segment."""

        def register(handler: H) -> H:
            self.all.append(Route(method, template, handler, scope, _compiled(template), cap, cap_by))
            return handler

        return register

    def get(self, template: str, scope: str = "", cap: int | None = None, cap_by: str = "") -> Callable[[H], H]:
        """As `add`."""
        return self.add("GET", template, scope, cap, cap_by)

    def post(self, template: str, scope: str = "", cap: int | None = None, cap_by: str = "") -> Callable[[H], H]:
        """As `add`."""
        return self.add("POST", template, scope, cap, cap_by)

    def put(self, template: str, scope: str = "", cap: int | None = None, cap_by: str = "") -> Callable[[H], H]:
        """As `add`."""
        return self.add("PUT", template, scope, cap, cap_by)

    def delete(self, template: str, scope: str = "", cap: int | None = None, cap_by: str = "") -> Callable[[H], H]:
        """As `add`."""
        return self.add("DELETE", template, scope, cap, cap_by)


class Router(Generic[H]):
    """Finds the route of a method and path; exact texts first."""

    def __init__(self, routes: list[Route[H]]) -> None:
        self._by_shape: dict[tuple[str, int], list[Route[H]]] = {}
        for route in sorted(routes, key=lambda each: each.template.count("{")):
            self._by_shape.setdefault((route.method, route.template.count("/")), []).append(route)

    def find(self, method: str, path: str) -> tuple[Route[H], dict[str, str]] | None:
        """The route with the parameters of its path; None when there is none."""
        for route in self._by_shape.get((method, path.count("/")), ()):
            match = route.pattern.match(path)
            if match:
                return route, match.groupdict()
        return None

    def methods(self, path: str) -> list[str]:
        """Methods that the path knows: 405 rather than 404."""
        return [m for m in ("GET", "POST", "PUT", "DELETE") if self.find(m, path)]


def _compiled(template: str) -> re.Pattern[str]:
    text = re.sub(r"\{(\w+):w\}", r"(?P<\1>[^/]+)", template)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\d+)", text) + r"\Z")
