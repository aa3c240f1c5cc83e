"""The ASGI application: hosts, faults, admission around the handlers."""

from __future__ import annotations

from collections.abc import Callable

from omnichannel_amazon_simulator import consent, dates, documents, lwa
from omnichannel_amazon_simulator.answers import Answer, Call, reply
from omnichannel_amazon_simulator.control import answer_control
from omnichannel_amazon_simulator.errors import Refused
from omnichannel_amazon_simulator.faults import Fault
from omnichannel_amazon_simulator.gateway import admit
from omnichannel_amazon_simulator.marketplaces import CENTRALS, HOSTS, LWA
from omnichannel_amazon_simulator.operations import ROUTER
from omnichannel_amazon_simulator.world import Entry, World
from omnichannel_core.testing.simulated.exchange import Application, Dropped, Exchange, Receive, Scope, Send
from omnichannel_core.testing.simulated.faults import BREAKING

HTML = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body>openresty</body></html>"
NO_HEADER = frozenset({403, 429})


class Simulator(Application[World]):
    """One origin that serves the three regional hosts, LWA, Seller Central, documents and the control API."""

    def exchange(self, scope: Scope, receive: Receive, send: Send) -> AmazonExchange:
        """One request to come."""
        return AmazonExchange(self.world, scope, receive, send, self.dropped)


class AmazonExchange(Exchange[Fault]):
    """One request and its answer."""

    def __init__(self, world: World, scope: Scope, receive: Receive, send: Send, dropped: Dropped) -> None:
        super().__init__(scope, receive, send, dropped)
        self.world = world
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        self.call = Call(
            world, scope["method"], raw.decode("latin-1").split("?")[0], scope["query_string"], self.headers
        )

    async def run(self) -> object:
        self.call.body = await self.body()
        self.world.settle()
        if self.call.path.startswith("/_control"):
            await self.write(answer_control(self.call))
            return None
        self.world.requests += 1
        found = await self._answer()
        return await (self.end(found) if isinstance(found, Fault) else self.finish(found))

    async def _answer(self) -> Answer | Fault:
        """The answer, or the fault that breaks the connection before anything is done."""
        place, answer = self._place()
        call = self.call
        fault = await self.drawn(self.world.faults, self._whose(), call.method, call.path, frozenset({call.operation}))
        if fault is not None and fault.kind in BREAKING:
            return fault
        if "amazon" in self.call.host and not place(self.call.host):
            return Answer(404, HTML, "text/html")
        try:
            return answer(self.call) if fault is None else self._ordered(fault)
        except Refused as refusal:
            return _refusal(refusal)

    def _place(self) -> tuple[Callable[[str], bool], Callable[[Call], Answer]]:
        """Which of Amazon's hosts have such a path, and who answers it; names the operation."""
        call = self.call
        if call.path == lwa.PATH:
            call.operation = "token"
            return LWA.__eq__, lwa.exchange
        if call.path == consent.CONSENT or call.path.startswith(consent.CONFIRM):
            call.operation = "consent"
            return CENTRALS.__contains__, consent.answer
        if call.path.startswith(documents.PATH):
            call.operation = "upload" if call.method == "PUT" else "download"
            return lambda host: host.endswith(".amazonaws.com"), documents.answer
        found = ROUTER.find(call.method, call.path)
        call.operation = found[0].operation if found else ""
        return HOSTS.__contains__, self._api

    def _api(self, call: Call) -> Answer:
        found = ROUTER.find(call.method, call.path)
        call.params = found[1] if found else {}
        admit(call, found[0] if found else None)
        assert found is not None  # noqa: S101 - admit refused it otherwise
        return found[0].handler(call)

    # faults

    def _whose(self) -> str:
        token = self.world.wallet.access.get(self.call.headers.get("x-amz-access-token", ""))
        return token.grant.seller_id if token and token.grant else ""

    def _ordered(self, fault: Fault) -> Answer:
        """The status of a fault, in the shape of LWA where that is asked."""
        if fault.kind in {"html", "empty"}:
            return Answer(fault.status, HTML if fault.kind == "html" else b"", "text/html")
        lwa_body = {"error": fault.code or "server_error", "error_description": fault.message}
        body = lwa_body if self.call.operation == "token" else None
        code = fault.code or "InternalFailure"
        answer = _refusal(Refused(fault.status, code, fault.message, fault.details, body=body))
        answer.headers |= fault.headers
        return answer

    # the answer

    async def finish(self, answer: Answer) -> object:
        """With the gateway's headers."""
        self._head(answer)
        return await super().finish(answer)

    def _head(self, answer: Answer) -> None:
        """The gateway's headers: a request id always, the rate now and then, never with 403 and 429 (guide 3.3)."""
        world, call = self.world, self.call
        answer.headers.setdefault("date", dates.http(call.now))
        answer.headers.setdefault(
            "x-amzn-RequestId", f"{world.requests:08x}-0000-4000-8000-{world.random.getrandbits(48):012x}"
        )
        if answer.status >= 400:
            answer.headers.setdefault("x-amzn-ErrorType", "InternalFailure" if answer.status >= 500 else "Refused")
        if call.seller is None or answer.status in NO_HEADER or answer.status >= 500:
            return
        if world.random.random() < call.seller.options.rate_headers:
            rate, _ = world.buckets.plan(call.seller.id, call.operation)
            answer.headers["x-amzn-RateLimit-Limit"] = f"{rate:g}" if rate % 1 else f"{rate:.1f}"

    def note(self, status: int) -> None:
        """For the log and the figures."""
        call = self.call
        token, whose = call.headers.get("x-amz-access-token", "")[-4:], self._whose()
        if whose in self.world.sellers:
            self.world.sellers[whose].requests[f"{call.operation} {status}"] += 1
        self.world.log.append(
            Entry(
                call.now, whose, call.method, call.path, call.query_string, call.operation, status, token,
                call.host, self.fault,
            )
        )  # fmt: skip


def _refusal(refusal: Refused) -> Answer:
    answer = reply(refusal.document(), refusal.status)
    answer.headers["x-amzn-ErrorType"] = refusal.code
    return answer
