"""Bulk operations: the state machine, slots, the file of lines (guide 2.8).

The file is written by a thread while the clock says RUNNING; it is ready when both have ended. Lines of children stand
anywhere: `bulk_shuffled` shops write them in runs behind (and before) those of their orders.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

import anyio.to_thread
import msgspec
from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode, get_named_type

from omnichannel_shopify_simulator.execution import Compiler, Null, Selection, Step, lines, resolves
from omnichannel_shopify_simulator.order_fields import FIELDS, OrderSearch
from omnichannel_shopify_simulator.paging import Slice, sliced
from omnichannel_shopify_simulator.requests import Problem, Request
from omnichannel_shopify_simulator.schema import Document, read, schema
from omnichannel_shopify_simulator.search import Field, searched
from omnichannel_shopify_simulator.values import error, gid, iso, number

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.store import Store

Row = dict[str, Any]
SLOTS, CONNECTIONS, DEPTH, LIFE, BLOCK, PATIENCE = 5, 5, 2, 7 * 86_400, 400, 10.0
HOST = "https://storage.googleapis.com"
RUNNING = frozenset({"CREATED", "RUNNING", "CANCELING"})
encode = msgspec.json.encode
OPERATION_FIELDS = {
    "created_at": Field(lambda one: one.created, "date"),
    "id": Field(lambda one: one.number, "id"),
    "operation_type": Field(lambda one: "query"),
    "status": Field(lambda one: one.status),
}
_numbers = count(6_500_000_000_001)


@dataclass
class Bulk:
    """One operation. `fail` and `expire` are ordered by a test: an errorCode after so many orders, EXPIRED."""

    number: int
    query: str
    created: float
    status: str = "CREATED"
    key: str = ""
    due: float = 0.0
    completed: float | None = None
    error_code: str | None = None
    fail: str = ""
    fail_after: int = 0
    miscount: int = 0
    objects: int = 0
    roots: int = 0
    size: int = 0
    stopped: bool = False
    reported: bool = False
    file: BinaryIO = field(default_factory=TemporaryFile)
    thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    def row(self, store: Store, now: float) -> Row:
        """BulkOperation; counters are texts, addresses live seven days."""
        done = self.completed is not None
        gone = done and now - (self.completed or 0) > LIFE
        address = f"{HOST}/shopify-bulk/{store.name}/{self.key}.jsonl" if self.size and not gone else None
        return {
            "id": gid("BulkOperation", self.number), "status": self.status, "errorCode": self.error_code,
            "query": self.query, "type": "QUERY", "createdAt": iso(self.created),
            "completedAt": iso(self.completed) if self.completed is not None else None,
            "objectCount": str(self.objects + (self.miscount if done else 0)), "rootObjectCount": str(self.roots),
            "fileSize": str(self.size) if done else None,
            "url": address if self.status == "COMPLETED" else None,
            "partialDataUrl": address if self.status in {"FAILED", "CANCELED"} else None,
        }  # fmt: skip


def advance(request: Request, bulk: Bulk) -> None:
    """What time, and the thread that writes, have done."""
    store, now = request.store, request.now
    if bulk.status not in RUNNING:
        return
    if bulk.status == "CANCELING":
        bulk.status, bulk.completed, bulk.stopped = "CANCELED", now, True
        _finish(store, request, bulk)
        return
    if bulk.status == "CREATED" and now > bulk.created:
        bulk.status = "RUNNING"
    if now < bulk.due or bulk.thread is None:
        return
    if bulk.thread.is_alive():
        bulk.status = "RUNNING"
        return
    bulk.status, bulk.completed = ("FAILED" if bulk.error_code else "COMPLETED"), now
    _finish(store, request, bulk)


async def written(request: Request) -> None:
    """Waits a while for files whose time has come: how long a thread needs is no time of the simulated world."""
    for one in request.install.bulks.values():
        if one.status in RUNNING and one.thread is not None and request.now >= one.due:
            await anyio.to_thread.run_sync(one.thread.join, PATIENCE)


def _finish(store: Store, request: Request, bulk: Bulk) -> None:
    """Webhook `bulk_operations/finish`; its status is in small letters."""
    payload = {
        "admin_graphql_api_id": gid("BulkOperation", bulk.number), "status": bulk.status.lower(),
        "error_code": bulk.error_code, "type": "query", "completed_at": iso(request.now),
    }  # fmt: skip
    store.hooks.emit("BULK_OPERATIONS_FINISH", payload, only=request.install)


@resolves("QueryRoot", "bulkOperation")
def bulk_operation(request: Request, row: Row, args: Row) -> Row | None:
    found = request.install.bulks.get(number(args["id"]))
    if found is None:
        return None
    advance(request, found)
    return found.row(request.store, request.now)


@resolves("QueryRoot", "bulkOperations")
def bulk_operations(request: Request, row: Row, args: Row) -> Slice:
    found = list(request.install.bulks.values())
    for one in found:
        advance(request, one)
    search = searched(request, args.get("query"), OPERATION_FIELDS, path="bulkOperations")
    rows = [one.row(request.store, request.now) for one in found if search.matches(one)]
    return sliced(rows, args)


@resolves("Mutation", "bulkOperationRunQuery")
def run_query(request: Request, row: Row, args: Row) -> Row:
    text, store = args["query"], request.store
    document = read(text)
    if isinstance(document, tuple):
        return _refused(f"Invalid bulk query: {document[0]['message']}", "INVALID")
    wrong = _unfit(document)
    if wrong:
        return _refused(wrong, "INVALID")
    for one in request.install.bulks.values():
        advance(request, one)
    if sum(one.status in RUNNING for one in request.install.bulks.values()) >= SLOTS:
        return _refused(f"This app and shop have {SLOTS} bulk query operations already", "LIMIT_REACHED")
    own = Request(store, request.install, request.now)
    operation = next(iter(document.operations.values()))
    try:
        compiler = Compiler(own, document, {}, bulk=True)
        selection = compiler.selection(schema().query_type, [operation.selection_set])
    except Problem as problem:
        return _refused(str(problem), "INVALID")
    made = Bulk(next(_numbers), text, request.now, key=f"{store.random.getrandbits(96):024x}")
    made.due = request.now + store.options.bulk_seconds
    if store.options.bulk_rate:
        made.due = max(made.due, request.now + len(store.orders.entries) / store.options.bulk_rate)
    for name, value in store.bulk_orders.pop(0).items() if store.bulk_orders else ():
        setattr(made, name, value)
    request.install.bulks[made.number] = made
    made.thread = threading.Thread(target=_write, args=(own, selection, made), daemon=True)
    made.thread.start()
    return {"bulkOperation": made.row(store, request.now), "userErrors": []}


def _refused(message: str, code: str) -> Row:
    return {"bulkOperation": None, "userErrors": [error(message, ["query"], code)]}


@resolves("Mutation", "bulkOperationCancel")
def cancel(request: Request, row: Row, args: Row) -> Row:
    found = request.install.bulks.get(number(args["id"]))
    if found is None:
        return {"bulkOperation": None, "userErrors": [error("Bulk operation does not exist", ["id"])]}
    advance(request, found)
    if found.status not in RUNNING:
        what = f"A bulk operation cannot be canceled when it is {found.status.lower()}"
        return {"bulkOperation": found.row(request.store, request.now), "userErrors": [error(what, ["id"])]}
    found.status = "CANCELING"
    found.stopped = True
    return {"bulkOperation": found.row(request.store, request.now), "userErrors": []}


# what may be asked


def _unfit(document: Document) -> str:
    """Why the query cannot be a bulk one, '' when it can: 1 to 5 connections, two levels, no `node`."""
    if len(document.operations) != 1:
        return "Bulk queries hold one operation"
    operation = next(iter(document.operations.values()))
    if operation.operation.value != "query":
        return "Only queries are run here"
    found: list[int] = []
    tops = _connections(document, schema().query_type, operation.selection_set, 0, found)
    if tops:
        return f"{tops} cannot be asked for in bulk"
    if not found:
        return "The bulk query must contain at least one connection."
    if len(found) > CONNECTIONS:
        return f"Bulk queries cannot contain more than {CONNECTIONS} connections."
    return f"Bulk queries cannot nest connections deeper than {DEPTH} levels." if max(found) > DEPTH else ""


def _connections(document: Document, kind: Any, tree: SelectionSetNode, depth: int, found: list[int]) -> str:
    """Notes the depth of every connection; the name of what is not allowed, ''."""
    for node in tree.selections:
        if isinstance(node, FragmentSpreadNode):
            inner, below = document.fragments[node.name.value].selection_set, kind
            wrong = _connections(document, below, inner, depth, found)
        elif isinstance(node, InlineFragmentNode):
            below = schema().type_map[node.type_condition.name.value] if node.type_condition else kind
            wrong = _connections(document, below, node.selection_set, depth, found)
        else:
            wrong = _field(document, kind, node, depth, found)
        if wrong:
            return wrong
    return ""


def _field(document: Document, kind: Any, node: Any, depth: int, found: list[int]) -> str:
    assert isinstance(node, FieldNode)  # noqa: S101 - the two others were told apart
    name = node.name.value
    if kind is schema().query_type and name in {"node", "nodes"}:
        return name
    if node.selection_set is None or name.startswith("__"):
        return ""
    below: Any = get_named_type(kind.fields[name].type)
    if not below.name.endswith("Connection"):
        return _connections(document, below, node.selection_set, depth, found)
    found.append(depth)
    item = get_named_type(below.fields["nodes"].type)
    for inner in node.selection_set.selections:
        if not isinstance(inner, FieldNode) or inner.selection_set is None or inner.name.value == "pageInfo":
            continue
        sets = [inner.selection_set]
        if inner.name.value == "edges":
            sets = [
                one.selection_set
                for one in inner.selection_set.selections
                if isinstance(one, FieldNode) and one.selection_set
            ]
        for one in sets:
            wrong = _connections(document, item, one, depth + 1, found)
            if wrong:
                return wrong
    return ""


# the file


def _roots(request: Request, step: Step) -> Iterator[Row]:
    """The rows of a root connection, orders one by one."""
    if step.name == "orders" and not request_denied(request, step):
        search = searched(request, step.args.get("query"), FIELDS, path="orders", kind=OrderSearch)
        key = step.args.get("sortKey") or "PROCESSED_AT"
        book = request.store.orders
        since = request.store.since(request.install, request.now)
        for number_ in [entry.number for entry in book.chosen(key, search, since)]:
            row = book.row(number_)
            if row is not None:
                yield row
        return
    value = step.resolver(request, {}, dict(step.args)) if step.resolver else None
    yield from value.rows if isinstance(value, Slice) else value or ()


def request_denied(request: Request, step: Step) -> bool:
    """Is the field one that the app may not see (its resolver then only says so)?"""
    return step.resolver is not None and step.resolver.__name__ == "deny"


def _write(request: Request, selection: Selection, bulk: Bulk) -> None:
    rng = Random(bulk.number)
    steps = [step for step in selection.steps if step.edge is not None]
    try:
        for step in steps:
            if request_denied(request, step):
                bulk.error_code = "ACCESS_DENIED"
                return
            block: list[tuple[Row, bool]] = []
            for row in _roots(request, step):
                if bulk.stopped:
                    break
                if bulk.fail and bulk.roots >= bulk.fail_after:
                    bulk.error_code = bulk.fail
                    break
                made = list(lines(request, step.below, row, None))  # type: ignore[arg-type]
                bulk.roots += 1
                bulk.objects += len(made)
                block += made
                if len(block) >= BLOCK:
                    _flush(bulk, block, rng, shuffled=request.store.options.bulk_shuffled)
            _flush(bulk, block, rng, shuffled=request.store.options.bulk_shuffled)
            if bulk.error_code:
                return
    except Null:
        bulk.error_code = "INTERNAL_SERVER_ERROR"
    finally:
        bulk.file.flush()
        bulk.size = bulk.file.tell()


def _flush(bulk: Bulk, block: list[tuple[Row, bool]], rng: Random, *, shuffled: bool) -> None:
    if shuffled:
        rng.shuffle(block)
    bulk.file.write(b"".join(encode(row) + b"\n" for row, _ in block))
    block.clear()
