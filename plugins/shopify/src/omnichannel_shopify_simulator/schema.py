"""The executed schema, and texts read and validated against it as Shopify words its refusals (guide 2.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoUnusedFragmentsRule,
    OperationDefinitionNode,
    build_schema,
    parse,
    specified_rules,
    validate,
)

CODES = (
    (re.compile(r"Cannot query field '(?P<fieldName>\w+)' on type '(?P<typeName>\w+)'"), "undefinedField"),
    (re.compile(r"Unknown argument '(?P<argumentName>\w+)'"), "argumentNotAccepted"),
    (re.compile(r"argument '(?P<name>\w+)' of type .* is required"), "missingRequiredArguments"),
    (re.compile(r"must have a selection of subfields"), "selectionMismatch"),
    (re.compile(r"Variable '\$(?P<variableName>\w+)' .*used in position"), "variableMismatch"),
    (re.compile(r"Variable '\$(?P<variableName>\w+)' is not defined"), "variableNotDefined"),
    (re.compile(r"Variable '\$(?P<variableName>\w+)' is never used"), "variableNotUsed"),
    (re.compile(r"Unknown directive '@(?P<directiveName>\w+)'"), "undefinedDirective"),
    (re.compile(r"Unknown type '(?P<typeName>\w+)'"), "undefinedType"),
)
RULES = [rule for rule in specified_rules if rule is not NoUnusedFragmentsRule]


@dataclass(frozen=True, slots=True)
class Document:
    """A text that fits the schema."""

    operations: dict[str, OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]


@cache
def schema() -> GraphQLSchema:
    """Our own subset of the Admin API, built once."""
    text = resources.files("omnichannel_shopify_simulator").joinpath("schema.graphql").read_text("utf-8")
    return build_schema(text)


@lru_cache(maxsize=512)
def read(text: str) -> Document | tuple[dict[str, Any], ...]:
    """The document, or the `errors` that Shopify would answer with."""
    try:
        tree = parse(text)
    except GraphQLError as problem:
        return (_said(problem.message, problem, {}),)
    problems = validate(schema(), tree, RULES)
    if problems:
        return tuple(_refusal(one) for one in problems)
    operations = {
        (node.name.value if node.name else ""): node
        for node in tree.definitions
        if isinstance(node, OperationDefinitionNode)
    }
    fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
    return Document(operations, fragments)


def _said(message: str, problem: GraphQLError, extensions: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"message": message}
    if problem.locations:
        said["locations"] = [{"line": one.line, "column": one.column} for one in problem.locations]
    return said | ({"extensions": extensions} if extensions else {})


def _refusal(problem: GraphQLError) -> dict[str, Any]:
    for pattern, code in CODES:
        found = pattern.search(problem.message)
        if found:
            words = {key: value for key, value in found.groupdict().items() if value}
            message = problem.message
            if code == "undefinedField":
                message = f"Field '{words['fieldName']}' doesn't exist on type '{words['typeName']}'"
            return _said(message, problem, {"code": code, **words})
    return _said(problem.message, problem, {"code": "argumentLiteralsIncompatible"})
