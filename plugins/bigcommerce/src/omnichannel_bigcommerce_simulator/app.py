"""The ASGI application: protocol, authentication, quota, caps, faults around the handlers."""

from __future__ import annotations

import gzip

import anyio

from omnichannel_bigcommerce_simulator import answers, apps, errors
from omnichannel_bigcommerce_simulator.answers import JSON, Answer, Call
from omnichannel_bigcommerce_simulator.control import answer_control
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_bigcommerce_simulator.faults import Fault
from omnichannel_bigcommerce_simulator.operations import ROUTER
from omnichannel_bigcommerce_simulator.routing import Route
from omnichannel_bigcommerce_simulator.store import Store
from omnichannel_bigcommerce_simulator.world import Entry, World
from omnichannel_core.testing.simulated import exchange
from omnichannel_core.testing.simulated.exchange import HTML, Application, Dropped, Exchange, Receive, Scope, Send
from omnichannel_core.testing.simulated.faults import BREAKING


class Simulator(Application[World]):
    """One origin that serves the API, the login host and the control API."""

    def exchange(self, scope: Scope, receive: Receive, send: Send) -> BigCommerceExchange:
        """One request to come."""
        return BigCommerceExchange(self.world, scope, receive, send, self.dropped)


class BigCommerceExchange(Exchange[Fault]):
    """One request and its answer."""

    def __init__(self, world: World, scope: Scope, receive: Receive, send: Send, dropped: Dropped) -> None:
        super().__init__(scope, receive, send, dropped)
        self.world = world
        self.call = Call(world, scope["method"], scope["path"], scope["query_string"], self.headers)
        self.query = scope["query_string"].decode("latin-1")
        self.store: Store | None = None
        self.operation = ""

    async def run(self) -> object:
        self.call.body = await self.body()
        path = self.call.path
        if path.startswith("/_control"):
            await self.write(await answer_control(self.call))
            return None
        if path == "/oauth2/token":
            return await self._login()
        answer = await self._answer()
        return await (self.end(answer) if isinstance(answer, Fault) else self.finish(answer))

    async def _login(self) -> object:
        self.operation = "POST /oauth2/token"
        faulty = await self._faults("")
        if isinstance(faulty, Answer):
            return await self.finish(faulty)
        if faulty is not None:
            return await self.end(faulty)
        if self.call.method != "POST":
            return await self.finish(answers.reply({"error": "method_not_allowed"}, 405))
        kind = self.call.headers.get("content-type", "")
        return await self.finish(apps.exchange(self.world, kind, self.call.body))

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
        fault = await self.drawn(
            self.world.faults, store_hash, self.call.method, self.call.path, frozenset({self.operation})
        )
        if fault is None or fault.kind in BREAKING:
            return fault
        return Answer(502, HTML, "text/html") if fault.kind == "html" else self._ordered(fault)

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

    # the answer

    async def finish(self, answer: exchange.Answer) -> object:
        """With the quota's headers, and as XML where v2 was not asked for JSON."""
        store, now = self.store, self.call.now
        bare = answer.headers.pop("-", None) is not None
        if store is not None and not bare:
            answer.headers |= store.quota.headers(now)
        if self.call.version == "v2" and self.store is not None and JSON not in self.call.headers.get("accept", ""):
            _as_xml(answer)
        return await super().finish(answer)

    def note(self, status: int) -> None:
        """For the log and the figures."""
        store_hash, call = self.store.hash if self.store else "", self.call
        token = call.headers.get("x-auth-token", "")[-4:]
        entry = Entry(
            call.now, store_hash, call.method, call.path, self.query, self.operation, status, token, self.fault
        )
        self.world.log.append(entry)
        if self.store is not None:
            self.store.requests[self.operation] += 1
            self.store.statuses[status] += 1


def _as_xml(answer: exchange.Answer) -> None:
    if answer.body and answer.content_type == JSON:
        data = answer.data if isinstance(answer, Answer) else None
        document = data if data is not None else answers.decode(answer.body)
        answer.body, answer.content_type = answers.xml(document), "application/xml"
