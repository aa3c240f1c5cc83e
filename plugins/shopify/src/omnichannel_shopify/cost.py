"""What an operation will cost, said before it is sent (guide bigcommerce-and-shopify 2.5).

Shopify publishes no formula for connections. The one used here is fitted to measured costs: an object is 1, a mutation
10, money and scalars are free, and a list of at most `first` entries costs the logarithm of it. What Shopify says the
request would have cost is learned by operation, so that a wrong guess happens once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\.\.\.|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|[{}():$@!=\[\],]')
MOST = 1000
MUTATION = 10.0
MARGIN = 1.15
FREE = ("Set", "Money", "unitPrice", "price", "pageInfo", "userErrors", "amountV2")
"""Fields (by the end of their names) that hold money or errors."""


class _Reader:
    """The little of GraphQL that our own texts use."""

    def __init__(self, text: str, values: Mapping[str, object]) -> None:
        self.tokens = TOKEN.findall(re.sub(r"#[^\n]*", "", text))
        self.values, self.at = values, 0
        self.fragments: dict[str, int] = {}

    def total(self) -> float:
        """Of all operations in the text."""
        starts = list[tuple[str, int]]()
        while self.at < len(self.tokens):
            kind, name = self.tokens[self.at], self.tokens[self.at + 1]
            while self.tokens[self.at] != "{":
                self.at = self._after_arguments() if self.tokens[self.at] == "(" else self.at + 1
            if kind == "fragment":
                self.fragments[name] = self.at
            else:
                starts.append((kind, self.at))
            self._skip()
        cost = 0.0
        for kind, at in starts:
            self.at = at
            cost += self._selection() + (MUTATION if kind == "mutation" else 0.0)
        return cost

    def _skip(self) -> None:
        depth = 0
        while True:
            depth += {"{": 1, "}": -1}.get(self.tokens[self.at], 0)
            self.at += 1
            if depth == 0:
                return

    def _after_arguments(self) -> int:
        at, depth = self.at, 0
        while True:
            depth += {"(": 1, ")": -1}.get(self.tokens[at], 0)
            at += 1
            if depth == 0:
                return at

    def _selection(self) -> float:
        cost = 0.0
        self.at += 1
        while self.tokens[self.at] != "}":
            cost += self._spread() if self.tokens[self.at] == "..." else self._field()
        self.at += 1
        return cost

    def _spread(self) -> float:
        self.at += 1
        if self.tokens[self.at] == "on":
            self.at += 2
            return self._selection()
        name, self.at = self.tokens[self.at], self.at + 1
        back, self.at = self.at, self.fragments[name]
        cost = self._selection()
        self.at = back
        return cost

    def _field(self) -> float:
        name, self.at = self.tokens[self.at], self.at + 1
        if self.tokens[self.at] == ":":
            name, self.at = self.tokens[self.at + 1], self.at + 2
        first = None
        if self.tokens[self.at] == "(":
            end = self._after_arguments()
            first = self._first(self.tokens[self.at : end])
            self.at = end
        while self.tokens[self.at] == "@":
            self.at += 2
            if self.tokens[self.at] == "(":
                self.at = self._after_arguments()
        if self.tokens[self.at] != "{":
            return 0.0
        inside = self._selection()
        if name.endswith(FREE):
            return 0.0
        if first is not None:
            return (2.05 * math.log(max(first, 2)) - 0.3) * (1.0 + inside)
        return inside if name in ("nodes", "edges", "node") else 1.0 + inside

    def _first(self, arguments: list[str]) -> int | None:
        if "first" not in arguments:
            return None
        said = arguments[arguments.index("first") + 2 :]
        found = self.values.get(said[1]) if said[0] == "$" else said[0]
        return int(found) if isinstance(found, int | str) else None


@lru_cache(maxsize=512)
def _predicted(text: str, first: int | None) -> float:
    return math.ceil(_Reader(text, {"first": first} if first is not None else {}).total() * MARGIN)


_LEARNED: dict[tuple[str, int | None], float] = {}
"""What Shopify said, by text and page size: a fact about the operation, of no shop."""


def predicted(text: str, variables: Mapping[str, object]) -> float:
    """Units that must be there before the operation is sent; at most what a single one may cost."""
    first = variables.get("first")
    size = first if isinstance(first, int) else None
    known = _LEARNED.get((text, size))
    return known if known is not None else min(_predicted(text, size), float(MOST))


def learn(text: str, variables: Mapping[str, object], requested: float) -> None:
    """Keep what the remote said that it costs: the most of what was heard, as inputs differ in size."""
    first = variables.get("first")
    key = (text, first if isinstance(first, int) else None)
    if 0 < requested <= MOST:
        _LEARNED[key] = max(requested, _LEARNED.get(key, 0.0))
