"""The OpenAPI 3.1 document, made from the operations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from omnichannel_core.web import problems
from omnichannel_core.web.api.operations import KEY, Body, Operation
from omnichannel_core.web.telling import schema_of

_PARAMETER = re.compile(r"\{(?P<name>\w+)(?::(?P<kind>\w+))?\}")
BIGGEST = 2**63 - 1
PROBLEM = {
    "type": "object", "required": ["type", "title", "status", "detail", "key"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string"}, "key": {"type": "string", "description": "Stable word of the error's class."},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        "difference": {"type": "object", "additionalProperties": {"type": "array", "items": {}}},
    },
}  # fmt: skip
REFUSALS = (400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 500, 502, 503)


def document(operations: Sequence[Operation], *, title: str, prefix: str) -> dict[str, Any]:
    """All of it; `prefix` is where the operations are served."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        path = _PARAMETER.sub(lambda found: f"{{{found['name']}}}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": metadata.version("omnichannel-core")},
        "servers": [{"url": prefix}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM},
            "responses": {
                f"Refused{status}": {
                    "description": problems.TITLES[status],
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                for status in REFUSALS
            },
        },
    }  # fmt: skip


def _operation(one: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": one.name, "summary": one.summary, "tags": [one.path.split("/")[1]],
        "x-permission": one.permission.value, "parameters": _parameters(one), "responses": _responses(one),
    }  # fmt: skip
    if one.body is not None:
        said["requestBody"] = {"required": True, "content": {"application/json": {"schema": _model(one.body)}}}
    return said


def _parameters(one: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for match in _PARAMETER.finditer(one.path):
        whole = {"type": "integer", "minimum": 0, "maximum": BIGGEST}
        schema = whole if match["kind"] == "int" else {"type": "string", "minLength": 1}
        found.append({"name": match["name"], "in": "path", "required": True, "schema": schema})
    model = _model(one.query)
    required = model.get("required", [])
    for name, schema in model["properties"].items():
        found.append({"name": name, "in": "query", "required": name in required, "schema": schema})
    if one.method == "POST":
        found.append({"name": KEY.title(), "in": "header", "required": False, "schema": {"type": "string"},
                      "description": "The same key again is answered with the first answer, for a day."})  # fmt: skip
    if one.etag and one.method != "GET":
        found.append({"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
                      "description": "The ETag that was read; 412 when it has changed meanwhile."})  # fmt: skip
    return found


def _model(model: type[Body]) -> dict[str, Any]:
    """Its JSON Schema with everything in place, so that it stands alone."""
    said = model.model_json_schema()
    defs = said.pop("$defs", {})
    found: dict[str, Any] = _inlined(said, defs)
    return {"properties": {}, **found}


def _inlined(value: Any, defs: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            return _inlined(defs[value["$ref"].rpartition("/")[2]], defs)
        return {name: _inlined(part, defs) for name, part in value.items()}
    return [_inlined(part, defs) for part in value] if isinstance(value, list) else value


def _responses(one: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {str(code): {"$ref": f"#/components/responses/Refused{code}"} for code in REFUSALS}
    if one.answer is None:
        found["204"] = {"description": "Done."}
        return found
    streamed = isinstance(one.answer, str)
    kinds = {one.answer: {}} if streamed else {"application/json": {"schema": schema_of(one.answer)}}
    if one.name == "export_records":
        kinds["text/csv"] = {}
    done: dict[str, Any] = {"description": "Done.", "content": kinds}
    if one.etag and one.method != "DELETE":
        done["headers"] = {"ETag": {"schema": {"type": "string"}}}
    if one.etag and one.method == "GET":
        found["304"] = {"description": "As it was."}
    found[str(one.status)] = done
    return found
