"""Amazon's official models, where their folder is present: what is sent and what is answered is held against them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema

from omnichannel_core.driver import Answer, Ask

ROOT = Path(__file__).parents[3]
FILES = ("orders_2026-01-01", "ordersV0", "reports_2021-06-30", "feeds_2021-06-30", "listingsItems_2021-08-01",
         "sellers", "definitionsProductTypes_2020-09-01", "tokens_2021-03-01")  # fmt: skip
OUTSIDE = frozenset({"token", "reportFile", "schemaFile", "feedResult"})
"""Login and presigned addresses: no model has them."""

ALIASES = {"createListingsFeed": "createFeed"}
"""Names of the driver's own, where one operation has several limits."""

Operation = tuple[str, re.Pattern[str], dict[str, Any], dict[str, Any]]


class Official:
    """The models of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Method, path, definition and model of each; of those that two models have, the newer."""
        found = dict[str, Operation]()
        for name in FILES:
            model = json.loads((self.folder / "models" / f"{name}.json").read_text())
            for path, item in model["paths"].items():
                pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))
                for method, said in item.items():
                    if isinstance(said, dict) and "operationId" in said:
                        found.setdefault(said["operationId"], (method.upper(), pattern, said, model))
        return found

    @cached_property
    def feed(self) -> Any:
        """The validator of listings feeds."""
        schema = json.loads((self.folder / "schemas" / "feeds" / "listings-feed-schema-v2.json").read_text())
        return jsonschema.Draft7Validator(schema)

    def wrong(self, exchanges: Iterable[tuple[Ask, Answer]]) -> set[str]:
        """What the models object to; of answers, only in those that were no refusal."""
        found = set[str]()
        for ask, answer in exchanges:
            found |= set(self.objections(ask))
            if answer.status < 300:
                found |= set(self.misread(ask, answer))
        return found

    def objections(self, ask: Ask) -> Iterator[str]:
        """To a request."""
        if ask.operation == "feedFile":
            if ask.body.startswith(b"{"):
                yield from (
                    f"listings feed: {bad.message[:200]}" for bad in self.feed.iter_errors(json.loads(ask.body))
                )
            return
        if ask.operation in OUTSIDE:
            return
        method, pattern, said, model = self.operations[ALIASES.get(ask.operation, ask.operation)]
        where = urlsplit(ask.url)
        if (ask.method, bool(pattern.fullmatch(where.path))) != (method, True):
            yield f"{ask.operation}: {ask.method} {where.path}"
        yield from self._query(ask, said, dict(parse_qsl(where.query)))
        for one in said.get("parameters", []):
            if one.get("in") == "body" and (ask.body or one.get("required")):
                yield from self._body(f"{ask.operation} asked", one["schema"], model, ask.body)

    def _query(self, ask: Ask, said: dict[str, Any], given: dict[str, str]) -> Iterator[str]:
        known = {one["name"]: one for one in said.get("parameters", []) if one.get("in") == "query"}
        yield from (f"{ask.operation}: no parameter {name}" for name in given if name not in known)
        for name, one in known.items():
            if name not in given:
                if one.get("required"):
                    yield f"{ask.operation}: {name} is missing"
                continue
            allowed = one.get("enum") or one.get("items", {}).get("enum")
            parts = given[name].split(",") if one.get("type") == "array" else [given[name]]
            yield from (f"{ask.operation}: {name} is never {part}" for part in parts if allowed and part not in allowed)
            if len(parts) > one.get("maxItems", len(parts)):
                yield f"{ask.operation}: {name} takes {one['maxItems']}"

    def misread(self, ask: Ask, answer: Answer) -> Iterator[str]:
        """To an answer."""
        if ask.operation in OUTSIDE or ask.operation == "feedFile":
            return
        _, _, said, model = self.operations[ALIASES.get(ask.operation, ask.operation)]
        response = said["responses"].get(str(answer.status))
        if response is None:
            yield f"{ask.operation}: {answer.status} is not documented"
        elif "schema" in response:
            yield from self._body(f"{ask.operation} {answer.status}", response["schema"], model, answer.content)

    def _body(self, what: str, schema: dict[str, Any], model: dict[str, Any], body: bytes) -> Iterator[str]:
        validator = jsonschema.Draft4Validator({**schema, "definitions": model["definitions"]})
        for bad in validator.iter_errors(json.loads(body or b"null")):
            yield f"{what}: {'/'.join(map(str, bad.absolute_path))}: {bad.message[:200]}"

    def operation(self, method: str, url: str) -> str:
        """Which operation a request is; '' for none, such as a login or a presigned address."""
        path = urlsplit(url).path
        fits = (
            name for name, (of, pattern, _, _) in self.operations.items() if of == method and pattern.fullmatch(path)
        )
        return next(fits, "")


@cache
def there() -> Official | None:
    """The models; None where their folder is not."""
    found = next((one for p in ROOT.parents if (one := p / "shared/specs/amazon").is_dir()), None)
    return Official(found) if found else None
