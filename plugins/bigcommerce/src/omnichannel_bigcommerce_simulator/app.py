"""The ASGI application: protocol, authentication, quota, caps, faults around the handlers."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio
from starlette.datastructures import State

from omnichannel_bigcommerce_simulator import answers, apps, errors
from omnichannel_bigcommerce_simulator.answers import JSON, Answer, Call
from omnichannel_bigcommerce_simulator.control import answer_control
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_bigcommerce_simulator.faults import Fault
from omnichannel_bigcommerce_simulator.operations import ROUTER
from omnichannel_bigcommerce_simulator.routing import Route
from omnichannel_bigcommerce_simulator.store import Store
from omnichannel_bigcommerce_simulator.world import Entry, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HTML = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"


class Simulator:
    """One origin that serves the API, the login host and the control API; `state.world` is its `World`.

    Args:
        dropped: raised instead of closing the connection, for in-process transports, which have none to close.
    """

    def __init__(self, world: World, dropped: Callable[[], BaseException] | None = None) -> None:
        self.state = State()
        self.state.world = world
        self.world = world
        self.dropped = dropped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> object:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return None
        if scope["type"] != "http":
            return None
        exchange = Exchange(self.world, scope, receive, send, self.dropped)
        return await exchange.run()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


class Exchange:
    """One request and its answer."""

    def __init__(
        self, world: World, scope: Scope, receive: Receive, send: Send, dropped: Callable[[], BaseException] | None
    ) -> None:
        self.world, self.receive, self.send, self.dropped = world, receive, send, dropped
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        self.call = Call(world, scope["method"], scope["path"], scope["query_string"], headers)
        self.query = scope["query_string"].decode("latin-1")
        self.store: Store | None = None
        self.operation = ""
        self.after: Fault | None = None
        self.fault = ""

    async def run(self) -> object:
        await self._read()
        path = self.call.path
        if path.startswith("/_control"):
            await self._write(await answer_control(self.call))
            return None
        if path == "/oauth2/token":
            return await self._login()
        answer = await self._answer()
        return await (self._break(answer) if isinstance(answer, Fault) else self._finish(answer))

    async def _read(self) -> None:
        parts: list[bytes] = []
        more = True
        while more:
            message = await self.receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        self.call.body = b"".join(parts)

    async def _login(self) -> object:
        self.operation = "POST /oauth2/token"
        faulty = await self._faults("")
        if isinstance(faulty, Answer):
            return await self._finish(faulty)
        if faulty is not None:
            return await self._break(faulty)
        if self.call.method != "POST":
            return await self._finish(answers.reply({"error": "method_not_allowed"}, 405))
        kind = self.call.headers.get("content-type", "")
        return await self._finish(apps.exchange(self.world, kind, self.call.body))

    async def _answer(self) -> Answer | Fault:
        """The answer, or the fault that breaks the connection before anything is done."""
        parts = self.call.path.split("/", 4)
        if len(parts) < 5 or parts[1] != "stores" or parts[3] not in {"v2", "v3"}:
            return answers.reply({"status": 404, "title": "Not Found", "type": errors.TYPE_URL}, 404)
        self.call.version = parts[3]
        self.store = self.world.stores.get(parts[2])
        found = ROUTER.find(self.call.method, f"/{parts[3]}/{parts[4]}")
        self.operation = found[0].operation if found else f"{self.call.method} ?"
        faulty = await self._faults(parts[2])
        if faulty is not None:
            return faulty
        try:
            self._admit(parts[2], found[0].scope if found else "")
            if found is None:
                raise self._lost(f"/{parts[3]}/{parts[4]}")
            return await self._handle(*found)
        except Refused as refusal:
            return self._refusal(refusal)

    def _lost(self, path: str) -> Refused:
        allowed = ROUTER.methods(path)
        if allowed:
            return Refused(405, "Method Not Allowed", headers={"Allow": ", ".join(allowed)})
        return Refused(404, errors.NOT_FOUND)

    def _admit(self, store_hash: str, family: str) -> None:
        """401, 503, 406, 415, 429, 403 in this order."""
        store, call = self.store, self.call
        token = store.tokens.get(call.headers.get("x-auth-token", "")) if store else None
        if store is None or token is None or not token.alive:
            raise Refused(401, errors.NO_TOKEN if call.version == "v3" else "Unauthorized")
        if store.status != "live":
            raise Refused(503, "The store is currently unavailable.")
        call.store, call.token = store, token
        token.used += 1
        if not store.quota.charge(call.now):
            raise self._limited("You have exceeded your rate limit.")
        accept = call.headers.get("accept", "*/*")
        if call.version == "v3" and not any(kind in accept for kind in ("*/*", "application/*", JSON)):
            raise Refused(406, "Not Acceptable")
        if call.body and JSON not in call.headers.get("content-type", ""):
            raise Refused(415, "Unsupported Media Type")
        if family in (store.options.not_in_plan or ()):
            raise Refused(403, "This feature is not available on your current plan")
        if not token.may(family, call.method):
            raise Refused(403, errors.NO_SCOPE)

    def _limited(self, title: str) -> Refused:
        return Refused(429, title, errors={})

    async def _handle(self, route: Route, params: dict[str, str]) -> Answer:
        """The handler, under its cap on requests at once; latency passes while the place is held."""
        store, call = self.call.store, self.call
        call.params = params
        key = f"{route.operation}/{params.get(route.cap_by, '')}"
        if route.cap is not None and store.inflight[key] >= route.cap:
            raise self._limited("Too many concurrent requests.")
        store.inflight[key] += 1
        try:
            delay = (store.options.latencies or {}).get(route.operation, store.options.latency)
            if delay:
                await anyio.sleep(delay)
            return route.handler(call)
        finally:
            store.inflight[key] -= 1

    def _refusal(self, refusal: Refused) -> Answer:
        kind = "application/problem+json" if refusal.problem else JSON
        answer = answers.reply(refusal.document(self.call.version), refusal.status, kind)
        answer.headers |= refusal.headers
        return answer

    # faults

    async def _faults(self, store_hash: str) -> Answer | Fault | None:
        """Draws what was ordered: an answer to give, a fault that breaks the connection now, or nothing."""
        for fault in self.world.faults.draw(store_hash, self.call.method, self.call.path, self.operation):
            self.fault = fault.kind
            if fault.kind == "latency":
                await anyio.sleep(fault.seconds)
            elif fault.kind in {"status", "gzip_error"}:
                return self._ordered(fault)
            elif fault.kind == "html":
                return Answer(502, HTML, "text/html")
            elif fault.kind in {"drop_before", "hang_before"}:
                return fault
            else:
                self.after = fault
        return None

    def _ordered(self, fault: Fault) -> Answer:
        title = fault.title or {429: "You have exceeded your rate limit.", 503: "Service Unavailable"}.get(
            fault.status, "Internal Server Error"
        )
        answer = self._refusal(Refused(fault.status, title, errors={}))
        answer.headers |= fault.headers
        if fault.retry_after is not None:
            answer.headers["X-Retry-After"] = str(fault.retry_after)
        if not fault.quota_headers:
            answer.headers["-"] = ""
        if fault.kind == "gzip_error":
            answer.body = gzip.compress(answer.body)
            answer.headers["Content-Encoding"] = "gzip"
        return answer

    async def _break(self, fault: Fault) -> object:
        """Ends the exchange without an answer.

        uvicorn closes the connection of an application that returns something; an in-process transport gets an
        exception.
        """
        self._note(0)
        if fault.kind.startswith("hang"):
            while (await self.receive())["type"] != "http.disconnect":
                pass
            return None
        if self.dropped is not None:
            raise self.dropped()
        return "connection dropped as ordered"

    # the answer

    async def _finish(self, answer: Answer) -> object:
        store, now = self.store, self.call.now
        bare = answer.headers.pop("-", None) is not None
        if store is not None and not bare:
            answer.headers |= store.quota.headers(now)
        if self.call.version == "v2" and self.store is not None and JSON not in self.call.headers.get("accept", ""):
            _as_xml(answer)
        fault = self.after
        if fault is not None and fault.kind in {"drop_after", "hang_after"}:
            return await self._break(fault)
        self._note(answer.status)
        if fault is not None and fault.kind == "truncate":
            return await self._truncate(answer)
        if fault is not None and fault.kind == "malformed":
            answer.body = answer.body[: max(1, len(answer.body) // 2)]
        await self._write(answer)
        return None

    async def _start(self, answer: Answer) -> None:
        headers = {"content-length": str(len(answer.body)), **answer.headers}
        if answer.content_type:
            headers["content-type"] = answer.content_type
        if answer.status == 204:
            del headers["content-length"]
        raw = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
        await self.send({"type": "http.response.start", "status": answer.status, "headers": raw})

    async def _write(self, answer: Answer) -> None:
        await self._start(answer)
        await self.send({"type": "http.response.body", "body": answer.body if answer.status != 204 else b""})

    async def _truncate(self, answer: Answer) -> object:
        """Half the body under the whole length, then the connection closes."""
        await self._start(answer)
        await self.send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        if self.dropped is not None:
            raise self.dropped()
        return "connection dropped as ordered"

    def _note(self, status: int) -> None:
        store_hash, call = self.store.hash if self.store else "", self.call
        token = call.headers.get("x-auth-token", "")[-4:]
        entry = Entry(
            call.now, store_hash, call.method, call.path, self.query, self.operation, status, token, self.fault
        )
        self.world.log.append(entry)
        if self.store is not None:
            self.store.requests[self.operation] += 1
            self.store.statuses[status] += 1


def _as_xml(answer: Answer) -> None:
    if answer.body and answer.content_type == JSON:
        document = answer.data if answer.data is not None else answers.decode(answer.body)
        answer.body, answer.content_type = answers.xml(document), "application/xml"
