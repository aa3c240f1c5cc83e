"""Shopify's search syntax on lists of rows (guide 2.6, 2.9).

A filter that does not exist is ignored, everything is returned, and only `extensions.search` warns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omnichannel_shopify_simulator.values import moment

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.requests import Request

Test = Callable[[Any], bool]
TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<word>-?[\w.]+:(?:>=|<=|>|<)?(?:"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[^\s()]*)"""
    r"""|"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[^\s()]+))"""
)
SINGLE = re.compile(r"id:\d+(?: OR id:\d+)*")
"""Nothing but single ones: no index has to be walked."""
TERM = re.compile(r"""(-?)([\w.]+):(>=|<=|>|<)?(.*)\Z""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """A filter: `value(row)` is compared with the word.

    `kind`: "word" (any letter case), "id", "number", "date", "prefix" (a token of the text begins so), "has" (in a
    list), "bool". `words` are the values it knows; another one is warned about.
    """

    value: Callable[[Any], Any]
    kind: str = "word"
    words: frozenset[str] = frozenset()


class Search:
    """A parsed query: `matches(row)`, and the range of one field for those who keep an index."""

    def __init__(self, text: str, fields: Mapping[str, Field], default: Callable[[Any], str] | None = None) -> None:
        self.text, self.fields, self.default = text, fields, default
        self.warnings: list[dict[str, Any]] = []
        self.lows: dict[str, float] = {}
        self.plain = True  # nothing but ANDs: `lows` may be used
        self.exact = [int(one) for one in re.findall(r"\d+", text)] if SINGLE.fullmatch(text) else None
        self.tokens = [found.group().strip() for found in TOKEN.finditer(text) if found.group().strip()]
        self._at = 0
        self.test = self._any() if self.tokens else None

    def matches(self, row: Any) -> bool:
        return self.test is None or self.test(row)

    def _peek(self) -> str:
        return self.tokens[self._at] if self._at < len(self.tokens) else ""

    def _next(self) -> str:
        self._at += 1
        return self.tokens[self._at - 1]

    def _any(self) -> Test:
        tests = [self._all()]
        while self._peek() == "OR":
            self._next()
            self.plain = False
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._peek() not in {"", ")", "OR"}:
            if self._peek() == "AND":
                self._next()
                continue
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if not self._peek():  # a bracket or NOT before the end
            return lambda row: True
        word = self._next()
        if word == "NOT":
            self.plain = False
            test = self._one()
            return lambda row: not test(row)
        if word == "(":
            test = self._any()
            if self._peek() == ")":
                self._next()
            return test
        return self._term(word)

    def _term(self, token: str) -> Test:
        found = TERM.match(token)
        if found is None or token[0] in "\"'":
            return self._free(_unquoted(token))
        minus, name, sign, word = found.groups()
        field, word = self.fields.get(name), _unquoted(word)
        if field is None:
            self.warnings.append(
                {"field": name, "message": "Invalid search field for this query.", "code": "invalid_field"}
            )
            return lambda row: True
        try:
            test = self._compared(name, field, sign or "", word)
        except ValueError:
            self.warnings.append({"field": name, "message": f"Input `{word}` is not valid.", "code": "invalid_value"})
            return lambda row: True
        return (lambda row: not test(row)) if minus else test

    def _free(self, word: str) -> Test:
        default, low = self.default, word.rstrip("*").lower()
        if default is None:
            return lambda row: True
        return lambda row: low in default(row).lower()

    def _compared(self, name: str, field: Field, sign: str, word: str) -> Test:
        value = field.value
        if field.kind in {"id", "number", "date"}:
            limit = (
                moment(word)
                if field.kind == "date"
                else float(word)
                if field.kind == "number"
                else int(word.rsplit("/", 1)[-1])
            )
            if sign in {">", ">="}:
                self.lows[name] = max(self.lows.get(name, limit), limit)
            return _ordered(value, sign, limit)
        low = word.lower()
        if field.words and not all(part in field.words for part in low.split(",")):
            raise ValueError(word)
        if field.kind == "bool":
            return lambda row: bool(value(row)) is (low == "true")
        if field.kind == "has":
            return lambda row: low in {str(one).lower() for one in value(row)}
        if field.kind == "prefix":
            return lambda row: _prefixed(str(value(row) or ""), low)
        chosen = set(low.split(","))
        return lambda row: str(value(row) or "").lower() in chosen


def _ordered(value: Callable[[Any], Any], sign: str, limit: float) -> Test:
    if sign == ">=":
        return lambda row: value(row) is not None and value(row) >= limit
    if sign == ">":
        return lambda row: value(row) is not None and value(row) > limit
    if sign == "<=":
        return lambda row: value(row) is not None and value(row) <= limit
    if sign == "<":
        return lambda row: value(row) is not None and value(row) < limit
    return lambda row: bool(value(row) == limit)


def _prefixed(text: str, word: str) -> bool:
    """Tokenized, as SKU search is: found by the beginning of a token, or of the whole (guide 2.13)."""
    text = text.lower()
    return text.startswith(word.rstrip("*")) or any(
        part.startswith(word.rstrip("*")) for part in re.split(r"[\s_-]+", text)
    )


def _unquoted(word: str) -> str:
    if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    return word


def searched(
    request: Request,
    text: str | None,
    fields: Mapping[str, Field],
    *,
    path: str,
    default: Callable[[Any], str] | None = None,
    kind: type[Search] = Search,
) -> Search:
    """The search, with its warnings said in the answer."""
    search = kind(text or "", fields, default)
    if search.warnings or (request.debug_search and text):
        said: dict[str, Any] = {"path": [*request.trail, path], "query": text, "warnings": search.warnings}
        if request.debug_search:
            said["parsed"] = {"and": search.tokens}
        request.searches.append(said)
    return search
