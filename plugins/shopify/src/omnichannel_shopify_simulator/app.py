"""The ASGI application: hosts, protocol, authentication, faults around the GraphQL endpoint."""

from __future__ import annotations

from typing import Any

import anyio

from omnichannel_core.testing.simulated.exchange import HTML, Application, Dropped, Exchange, Receive, Scope, Send
from omnichannel_core.testing.simulated.faults import BREAKING
from omnichannel_shopify_simulator import bulk, fields, oauth, refunding, requests
from omnichannel_shopify_simulator.answers import Answer, Call, Refused, reply
from omnichannel_shopify_simulator.control import answer_control
from omnichannel_shopify_simulator.faults import Fault
from omnichannel_shopify_simulator.requests import Request
from omnichannel_shopify_simulator.schema import Document, read
from omnichannel_shopify_simulator.store import Store
from omnichannel_shopify_simulator.world import Entry, World

fields.load()
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10", "2027-01", "unstable")
"""What is served; any other version falls forward to the oldest (guide 2.1)."""
NO_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
NON_EXPIRING = (
    "Non-expiring access tokens are no longer accepted for the Admin API. Start using expiring offline tokens."
)
STATUSES = {
    "frozen": (402, "Unavailable Shop"),
    "locked": (423, "This shop is unavailable"),
    "fraudulent": (403, "This shop is unavailable"),
    "gone": (404, "Not Found"),
}


class Simulator(Application[World]):
    """One origin for all shops, the storage of bulk files and the control API."""

    def exchange(self, scope: Scope, receive: Receive, send: Send) -> ShopifyExchange:
        """One request to come."""
        return ShopifyExchange(self.world, scope, receive, send, self.dropped)


class ShopifyExchange(Exchange[Fault]):
    """One request and its answer."""

    def __init__(self, world: World, scope: Scope, receive: Receive, send: Send, dropped: Dropped) -> None:
        super().__init__(scope, receive, send, dropped)
        self.world = world
        self.call = Call(world, scope["method"], scope["path"], scope["query_string"], self.headers)
        self.operation, self.code, self.cost = "", "", 0.0

    async def run(self) -> object:
        self.call.body = await self.body()
        if self.call.path.startswith("/_control"):
            await self.write(await answer_control(self.call))
            return None
        self._find_store()
        try:
            answer = await self._answer()
        except Refused as refusal:
            errors = refusal.errors
            document = errors if isinstance(errors, dict) and "error" in errors else {"errors": errors}
            answer = reply(document, refusal.status)
            answer.headers |= refusal.headers
        return await (self.end(answer) if isinstance(answer, Fault) else self.finish(answer))

    def _find_store(self) -> None:
        """By host, or by `/shops/{name}` in front of the path for browsers that come to this origin."""
        call = self.call
        if call.path.startswith("/shops/"):
            _, _, name, *rest = call.path.split("/", 3)
            call.path = f"/{rest[0] if rest else ''}"
            store = self.world.stores.get(name.removesuffix(".myshopify.com"))
        elif call.path.startswith("/shopify-bulk/"):
            store = self.world.stores.get(call.path.split("/")[2])
        else:
            store = self.world.at_host(call.host)
        if store is not None:
            call.store = store

    async def _answer(self) -> Answer | Fault:
        call = self.call
        if call.path.startswith("/shopify-bulk/"):
            self.operation = "bulk_file"
            return await self._faults(frozenset({"bulk_file"})) or self._file()
        if call.store is None:
            raise Refused(404, "Not Found")
        if call.store.status == "moved":
            return Answer(301, b"", "", {"location": f"https://{call.store.moved_to}{call.path}"})
        if call.store.status in STATUSES:
            raise Refused(*STATUSES[call.store.status])
        if call.path.startswith("/admin/oauth/"):
            return await self._oauth()
        parts = call.path.split("/")
        if parts[1:3] != ["admin", "api"] or parts[4:] != ["graphql.json"] or call.method != "POST":
            raise Refused(404, "Not Found")
        return await self._graphql(parts[3] if parts[3] in VERSIONS else VERSIONS[0])

    def _file(self) -> Answer:
        """A bulk operation's file, ranges too; 403 when its address has run out."""
        key = self.call.path.rsplit("/", 1)[-1].removesuffix(".jsonl")
        store = self.call.store
        if store is not None:
            for install in store.installs.values():
                for one in install.bulks.values():
                    row = one.row(store, self.call.now)
                    if one.key == key and (row["url"] or row["partialDataUrl"]):
                        return _ranged(one.file, one.size, self.call.headers.get("range", ""))
        return Answer(403, b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code></Error>", "application/xml")

    async def _oauth(self) -> Answer | Fault:
        call, path = self.call, self.call.path
        if path == "/admin/oauth/access_token" and call.method == "POST":
            self.operation = "token"
            return await self._faults(frozenset({"token"})) or oauth.exchange(call)
        if call.method == "GET" and path == "/admin/oauth/authorize":
            return oauth.consent_page(call)
        if call.method == "GET" and path.startswith("/admin/oauth/authorize/"):
            target = oauth.consented(call) if path.endswith("/grant") else oauth.denied(call)
            return Answer(302, b"", "", {"location": target})
        raise Refused(404, "Not Found")

    async def _graphql(self, version: str) -> Answer | Fault:
        call, store = self.call, self.call.store
        found = store.token(call.headers.get("x-shopify-access-token", ""), call.now)
        named = {"x-shopify-api-version": version, "x-request-id": f"{self.world.random.getrandbits(64):016x}"}
        if found is None:
            raise Refused(401, NO_TOKEN, named)
        install, token = found
        if token.expires is None and install.app.public and store.options.expiring_required:
            raise Refused(403, NON_EXPIRING, named)
        if "json" not in call.headers.get("content-type", ""):
            raise Refused(400, {"query": "Required parameter missing or invalid"}, named)
        text, variables, name = requests.parsed(call.body)
        operations = _operations(text, name)
        self.operation = min(operations & _named(text, name), default="") or next(iter(operations), "")
        store.requests[self.operation] += 1
        request = Request(store, install, call.now, debug_search="shopify-search-query-debug" in call.headers)
        faulty = await self._faults(operations)
        if isinstance(faulty, Answer):
            faulty.headers |= named
        if faulty is not None:
            return faulty
        delay = (store.options.latencies or {}).get(self.operation, store.options.latency)
        if delay:
            await anyio.sleep(delay)
            request.now = call.now
        if "bulkOperation" in operations:
            await bulk.written(request)
        refunding.settle_jobs(request)
        document = self._ordered_document(request) or requests.execute(request, text, variables, name)
        self._judge(document)
        answer = reply(document)
        answer.headers |= named
        return answer

    def _ordered_document(self, request: Request) -> dict[str, Any] | None:
        """What a fault says instead of the truth, as HTTP 200."""
        fault = self.after
        if fault is None:
            return None
        if fault.kind == "throttled":
            return requests.throttled(request)
        if fault.kind == "internal":
            return {"errors": [{"message": requests.TROUBLE, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
        if fault.kind == "errors":
            return {"errors": fault.errors}
        if fault.kind == "user_errors":
            field = fault.operation or "payload"
            return {"data": {field: {"userErrors": fault.errors or []}}, "extensions": {}}
        return None

    def _judge(self, document: dict[str, Any]) -> None:
        """For the log: the first error's code, and the cost."""
        said = document.get("errors")
        if isinstance(said, list) and said:
            self.code = str(said[0].get("extensions", {}).get("code", "ERROR"))
        cost = document.get("extensions", {}).get("cost", {})
        self.cost = float(cost.get("actualQueryCost") or 0.0)

    # faults

    async def _faults(self, operations: frozenset[str]) -> Answer | Fault | None:
        """Draws what was ordered: an answer to give, a fault that breaks the connection now, or nothing."""
        store = self.call.store.name if self.call.store is not None else ""
        fault = await self.drawn(self.world.faults, store, self.call.method, self.call.path, operations)
        return fault if fault is None or fault.kind in BREAKING else _ordered(fault)

    def note(self, status: int) -> None:
        """For the log and the figures."""
        store: Store | None = self.call.store
        token = self.call.headers.get("x-shopify-access-token", "")[-4:]
        self.world.log.append(
            Entry(
                self.call.now, store.name if store is not None else "", self.call.method,
                self.call.path, self.operation,
                status, token, self.code, self.fault, self.cost,
            )
        )  # fmt: skip
        if store is not None:
            store.statuses[f"{status} {self.code}".strip()] += 1


def _operations(text: str, name: str | None) -> frozenset[str]:
    """What a fault may call the request: its operation's name and its root fields."""
    document = read(text)
    operation = requests.chosen(document, name) if isinstance(document, Document) else None
    if operation is None:
        return frozenset()
    roots = {node.name.value for node in operation.selection_set.selections if hasattr(node, "name")}
    return frozenset(roots | ({operation.name.value} if operation.name else set()))


def _named(text: str, name: str | None) -> frozenset[str]:
    document = read(text)
    operation = requests.chosen(document, name) if isinstance(document, Document) else None
    return frozenset({operation.name.value}) if operation is not None and operation.name else frozenset()


def _ordered(fault: Fault) -> Answer:
    if fault.kind == "html":
        return Answer(502, HTML, "text/html")
    if fault.kind == "redirect":
        return Answer(301, b"", "", {"location": fault.location, **fault.headers})
    answer = reply({"errors": fault.title or "Internal Server Error"}, fault.status)
    answer.headers |= fault.headers
    if fault.retry_after is not None:
        answer.headers["retry-after"] = str(fault.retry_after)
    return answer


def _ranged(file: Any, size: int, asked: str) -> Answer:
    start, end = 0, size
    if asked.startswith("bytes=") and "," not in asked:
        low, _, high = asked[6:].partition("-")
        start = int(low) if low else size - int(high)
        end = min(size, int(high) + 1) if low and high else size
        headers = {"content-range": f"bytes {start}-{end - 1}/{size}", "accept-ranges": "bytes"}
        return Answer(206, b"", "application/jsonl", headers, file, start, end - start)
    return Answer(200, b"", "application/jsonl", {"accept-ranges": "bytes"}, file, 0, size)
