"""One GraphQL request: from its text to `data`, `errors` and `extensions` (guide 2.5, 2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from graphql import GraphQLError, get_named_type
from graphql.execution.values import get_variable_values

from omnichannel_shopify_simulator import access, cost
from omnichannel_shopify_simulator.answers import Refused
from omnichannel_shopify_simulator.bucket import CAP
from omnichannel_shopify_simulator.execution import Compiler, Null, Resolver, Selection, run
from omnichannel_shopify_simulator.paging import MOST, BadCursor
from omnichannel_shopify_simulator.schema import Document, read, schema

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.installs import Install
    from omnichannel_shopify_simulator.store import Store

Row = dict[str, Any]
TROUBLE = "Internal error. Looks like something went wrong on our end."
LIMITS = "https://shopify.dev/api/usage/rate-limits"


class Problem(Exception):
    """An error without data: message and `extensions.code`."""

    def __init__(self, message: str, code: str, **more: Any) -> None:
        super().__init__(message)
        self.error = {"message": message, "extensions": {"code": code, **more}}


class Request:
    """What resolvers are given: the shop, who asks, and where things are said."""

    def __init__(self, store: Store, install: Install, now: float, *, debug_search: bool = False) -> None:
        self.store, self.install, self.now = store, install, now
        self.scopes = access.widened(install.scopes)
        self.trail: list[Any] = []
        self.errors: list[Row] = []
        self.searches: list[Row] = []
        self.debug_search = debug_search

    # rights

    def guarded(self, kind: str, name: str, key: str, resolver: Resolver | None) -> Resolver | None:
        """The resolver, or one that says why it is not run."""
        if name.startswith("__"):
            return resolver
        parent: Any = schema().type_map[kind]
        returned = str(get_named_type(parent.fields[name].type))
        item = returned.removesuffix("Connection")
        lacks = access.missing(kind, name, item, self.scopes)
        if lacks:
            return self._denied(lacks, key, lacks.partition("Required access: ")[2])
        if item in access.GUARDED and self.install.level < 1:
            return self._denied(f"This app is not approved to access the {item} object.", key)
        protected = access.PROTECTED.get((kind, name))
        if protected and protected not in self.install.protected:
            return self._denied(f"This app is not approved to use the {name} field.", key)
        return resolver

    def _denied(self, message: str, key: str, required: str = "") -> Resolver:
        def deny(request: Request, row: Row, args: Row) -> None:
            request.errors.append(access.denial(message, [*request.trail, key], required))

        return deny

    def check_size(self, kind: str, name: str, first: int | None, last: int | None) -> None:
        """Raises Problem: neither `first` nor `last`, or more than a page may hold."""
        if first is None and last is None:
            raise Problem(f"you must provide one of first or last on {kind}.{name}", "BAD_REQUEST")
        for size in (first, last):
            if size is not None and not 0 <= size <= MOST:
                raise Problem(f"{name}: a page holds 0 to {MOST} entries, not {size}", "BAD_REQUEST")


def parsed(body: bytes) -> tuple[str, Row, str | None]:
    """Text, variables and operation name. Raises Refused: 400 when the body is not such."""
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Refused(400, "Required parameter missing or invalid") from error
    if not isinstance(document, dict) or not isinstance(document.get("query"), str):
        raise Refused(400, {"query": "Required parameter missing or invalid"})
    return document["query"], document.get("variables") or {}, document.get("operationName")


def chosen(document: Document, name: str | None) -> Any:
    """The operation to run, None when it is not clear."""
    if name:
        return document.operations.get(name)
    return next(iter(document.operations.values())) if len(document.operations) == 1 else None


def execute(request: Request, text: str, variables: Row, name: str | None) -> Row:
    """The answer's document; always HTTP 200."""
    document = read(text)
    if isinstance(document, tuple):
        return {"errors": list(document)}
    operation = chosen(document, name)
    if operation is None:
        return {"errors": [{"message": "An operation name is required"}]}
    values = get_variable_values(schema(), operation.variable_definitions or (), variables)
    if isinstance(values, list):
        return {"errors": [_wrong_variable(one) for one in values]}
    try:
        root = schema().get_root_type(operation.operation)
        selection = Compiler(request, document, values, bulk=False).selection(root, [operation.selection_set])
        return _charged(request, selection)
    except GraphQLError as error:
        return {"errors": [{"message": error.message, "extensions": {"code": "INVALID_FIELD_ARGUMENTS"}}]}
    except BadCursor as error:
        return {"errors": [{"message": str(error), "extensions": {"code": "BAD_REQUEST"}}]}
    except Problem as problem:
        return {"errors": [problem.error]}


def _wrong_variable(error: GraphQLError) -> Row:
    return {"message": error.message, "extensions": {"code": "INVALID_VARIABLE", "problems": []}}


def _charged(request: Request, selection: Selection) -> Row:
    """Runs it when the bucket holds what it may cost at most."""
    requested, bucket, now = cost.of(selection), request.install.bucket, request.now
    if requested > CAP:
        message = f"Query cost is {requested}, which exceeds the single query max cost limit ({CAP})."
        raise Problem(message, "MAX_COST_EXCEEDED", cost=requested, maxCost=CAP, documentation=LIMITS)
    if not bucket.take(requested, now):
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS}}
        return {"errors": [error], "extensions": {"cost": _cost(request, requested, None)}}
    try:
        data = run(request, selection, {})
    except Null:
        data = None
    except (Problem, BadCursor):
        bucket.give_back(requested, now)
        raise
    actual = min(requested, cost.of(selection, actual=True))
    bucket.give_back(requested - actual, now)
    answer: Row = {"data": data, "extensions": {"cost": _cost(request, requested, actual)}}
    if request.searches:
        answer["extensions"]["search"] = request.searches
    return answer | ({"errors": request.errors} if request.errors else {})


def _cost(request: Request, requested: int, actual: int | None) -> Row:
    status = request.install.bucket.status(request.now)
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}


def throttled(request: Request) -> Row:
    """What a fault says."""
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS}}
    return {"errors": [error], "extensions": {"cost": _cost(request, CAP, None)}}
