"""Runs a validated operation: a selection is compiled once per request, then walks plain rows.

graphql-core parses, validates and reads arguments; the walking is our own because a page of orders has tens of
thousands of values. A row is a dict whose keys are field names; what is computed has a resolver in `FIELDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)
from graphql.execution.values import get_argument_values, get_directive_values

from omnichannel_shopify_simulator.paging import Slice, sliced
from omnichannel_shopify_simulator.schema import Document, schema

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.requests import Request

Row = dict[str, Any]
Resolver = Callable[["Request", Row, Row], Any]
FIELDS: dict[tuple[str, str], Resolver] = {}
"""Resolvers by type and field: `(request, row, arguments) -> value`."""


class Null(Exception):
    """A field that may not be null is: the next one above that may be becomes it."""


def resolves(kind: str, name: str) -> Callable[[Resolver], Resolver]:
    def register(resolver: Resolver) -> Resolver:
        FIELDS[kind, name] = resolver
        return resolver

    return register


@dataclass(slots=True)
class Step:
    """One field of a selection."""

    key: str
    name: str
    resolver: Resolver | None
    args: Row
    required: bool
    is_list: bool
    below: Selection | None
    edge: dict[str, Any] | None = None  # of a connection: what is selected of it
    first: int | None = None
    parents: int = 0
    items: int = 0


@dataclass(slots=True)
class Selection:
    """What is selected of a type; of an abstract one by the row's own type."""

    kind: str
    steps: list[Step] = field(default_factory=list)
    kinds: dict[str, Selection] | None = None
    flat: Selection | None = None  # the same without connections, for lines of bulk files


class Compiler:
    """Binds one request's variables and rights into selections."""

    def __init__(self, request: Request, document: Document, variables: Mapping[str, Any], *, bulk: bool) -> None:
        self.request, self.document, self.variables, self.bulk = request, document, dict(variables), bulk

    def selection(self, kind: Any, sets: Sequence[SelectionSetNode]) -> Selection:
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            possible = schema().get_possible_types(kind)
            return Selection(kind.name, [], {one.name: self.selection(one, sets) for one in possible})
        grouped: dict[str, list[FieldNode]] = {}
        for one in sets:
            self._collect(kind, one, grouped)
        return Selection(kind.name, [self._step(kind, key, nodes) for key, nodes in grouped.items()])

    def _collect(self, kind: GraphQLObjectType, tree: SelectionSetNode, grouped: dict[str, list[FieldNode]]) -> None:
        for node in tree.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                grouped.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.document.fragments[node.name.value]
                if _fits(kind, fragment.type_condition.name.value):
                    self._collect(kind, fragment.selection_set, grouped)
            elif isinstance(node, InlineFragmentNode) and (
                node.type_condition is None or _fits(kind, node.type_condition.name.value)
            ):
                self._collect(kind, node.selection_set, grouped)

    def _included(self, node: Any) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and (include is None or bool(include["if"]))

    def _step(self, kind: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Step:
        name = nodes[0].name.value
        if name == "__typename":
            return Step(key, name, _typename(kind.name), {}, True, False, None)
        declared = kind.fields[name]
        args = get_argument_values(declared, nodes[0], self.variables)
        if kind.name == "Mutation":
            args["@"] = self._key(nodes[0])
        resolver = self.request.guarded(kind.name, name, key, FIELDS.get((kind.name, name)))
        required, is_list, named = _shape(declared.type)
        sets = [node.selection_set for node in nodes if node.selection_set]
        step = Step(key, name, resolver, args, required, is_list, None)
        if named.name.endswith("Connection") and sets:
            self._connection(step, kind.name, named, sets)
        elif not is_leaf_type(named):
            step.below = self.selection(named, sets)
            step.first = args.get("first") if is_list else None
        return step

    def _key(self, node: FieldNode) -> str | None:
        """The key of `@idempotent`, None without it."""
        found = get_directive_values(schema().get_directive("idempotent"), node, self.variables)  # type: ignore[arg-type]
        return found["key"] if found else None

    def _connection(self, step: Step, parent: str, named: GraphQLObjectType, sets: list[SelectionSetNode]) -> None:
        first, last = step.args.get("first"), step.args.get("last")
        if not self.bulk:
            self.request.check_size(parent, step.name, first, last)
        step.first = first if first is not None else last
        grouped: dict[str, list[FieldNode]] = {}
        for one in sets:
            self._collect(named, one, grouped)
        step.edge, inner = {}, []
        item = get_named_type(named.fields["nodes"].type)
        for key, nodes in grouped.items():
            what, below = nodes[0].name.value, [node.selection_set for node in nodes if node.selection_set]
            if what == "nodes":
                step.edge[key] = "nodes"
                inner += below
            elif what == "edges":
                step.edge[key] = self._edges(schema().type_map[named.name[:-10] + "Edge"], below, inner)
            else:
                step.edge[key] = self.selection(named.fields[what].type.of_type, below) if below else what
        step.below = self.selection(item, inner)

    def _edges(self, kind: Any, sets: list[SelectionSetNode], inner: list[SelectionSetNode]) -> dict[str, str]:
        grouped: dict[str, list[FieldNode]] = {}
        for one in sets:
            self._collect(kind, one, grouped)
        for nodes in grouped.values():
            inner += [node.selection_set for node in nodes if node.selection_set]
        return {key: nodes[0].name.value for key, nodes in grouped.items()}


def _fits(kind: GraphQLObjectType, condition: str) -> bool:
    if kind.name == condition:
        return True
    other = schema().type_map[condition]
    return isinstance(other, GraphQLInterfaceType | GraphQLUnionType) and schema().is_sub_type(other, kind)


def _shape(kind: Any) -> tuple[bool, bool, Any]:
    """Is it required, is it a list, what is it named."""
    required = isinstance(kind, GraphQLNonNull)
    return required, is_list_type(get_nullable_type(kind)), get_named_type(kind)


def _typename(name: str) -> Resolver:
    return lambda request, row, args: name


def type_of(row: Row) -> str:
    """A row says its type, or its id does."""
    said: str | None = row.get("__typename")
    return said or row["id"].split("/")[3]


def run(request: Request, selection: Selection, row: Row) -> Row | None:
    """What is selected of the row. Raises Null when a required field of it is null."""
    if selection.kinds is not None:
        found = selection.kinds.get(type_of(row))
        if found is None:
            return {}
        selection = found
    done: Row = {}
    for step in selection.steps:
        resolver = step.resolver
        value = row.get(step.name) if resolver is None else resolver(request, row, step.args)
        if value is None:
            if step.required:
                raise Null(step.key)
            done[step.key] = None
        elif step.below is None:
            done[step.key] = value
        else:
            done[step.key] = _below(request, step, value)
    return done


def _below(request: Request, step: Step, value: Any) -> Any:
    request.trail.append(step.key)
    step.parents += 1
    try:
        if step.edge is not None:
            return _connected(request, step, value)
        if not step.is_list:
            return run(request, step.below, value)  # type: ignore[arg-type]
        if step.first is not None:
            value = value[: step.first]
        return _listed(request, step, value)
    except Null:
        if step.required:
            raise
        return None
    finally:
        request.trail.pop()


def _listed(request: Request, step: Step, rows: Sequence[Row | None], tail: str = "") -> list[Row | None]:
    step.items += len(rows)
    done: list[Row | None] = []
    trail, below = request.trail, step.below
    for n, row in enumerate(rows):
        mark = len(trail)
        trail += (n, tail) if tail else (n,)
        done.append(None if row is None else run(request, below, row))  # type: ignore[arg-type]
        del trail[mark:]
    return done


def _connected(request: Request, step: Step, value: Slice | Sequence[Row]) -> Row:
    page = value if isinstance(value, Slice) else sliced(value, step.args)
    edges = "nodes" not in (step.edge or {}).values()
    request.trail.append("edges" if edges else "nodes")
    nodes = _listed(request, step, page.rows, "node" if edges else "")
    request.trail.pop()
    done: Row = {}
    for key, what in (step.edge or {}).items():
        if what == "nodes":
            done[key] = nodes
        elif isinstance(what, dict):
            done[key] = [
                {k: (page.cursor(n) if w == "cursor" else node) for k, w in what.items()}
                for n, node in enumerate(nodes)
            ]
        else:
            done[key] = run(request, what, page.info())
    return done


# bulk: children as lines of their own


def lines(request: Request, selection: Selection, row: Row, parent: str | None) -> Iterator[tuple[Row, bool]]:
    """The row's line without its connections, then those of its children; True with a root's line."""
    if selection.kinds is not None:
        found = selection.kinds.get(type_of(row))
        if found is None:
            return
        selection = found
    if selection.flat is None:
        selection.flat = Selection(selection.kind, [step for step in selection.steps if step.edge is None])
    own = run(request, selection.flat, row) or {}
    if parent is not None:
        own["__parentId"] = parent
    yield own, parent is None
    for step in selection.steps:
        if step.edge is None:
            continue
        value = row.get(step.name) if step.resolver is None else step.resolver(request, row, step.args)
        rows = value.rows if isinstance(value, Slice) else (value or ())
        for child in rows:
            yield from lines(request, step.below, child, row["id"])  # type: ignore[arg-type]
