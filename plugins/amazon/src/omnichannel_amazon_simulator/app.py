"""The ASGI application: hosts, faults, admission around the handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from types import SimpleNamespace
from typing import Any

import anyio

from omnichannel_amazon_simulator import consent, dates, documents, lwa
from omnichannel_amazon_simulator.answers import Answer, Call, reply
from omnichannel_amazon_simulator.control import answer_control
from omnichannel_amazon_simulator.errors import Refused
from omnichannel_amazon_simulator.faults import Fault
from omnichannel_amazon_simulator.gateway import admit
from omnichannel_amazon_simulator.marketplaces import CENTRALS, HOSTS, LWA
from omnichannel_amazon_simulator.operations import ROUTER
from omnichannel_amazon_simulator.world import Entry, World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HTML = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body>openresty</body></html>"
NO_HEADER = frozenset({403, 429})


class Simulator:
    """One origin that serves the three regional hosts, LWA, Seller Central, documents and the control API.

    Args:
        dropped: raised instead of closing the connection, for in-process transports, which have none to close.
    """

    def __init__(self, world: World, dropped: Callable[[], BaseException] | None = None) -> None:
        self.state = SimpleNamespace(world=world)
        self.world, self.dropped = world, dropped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> object:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return None
        if scope["type"] != "http":
            return None
        return await Exchange(self.world, scope, receive, send, self.dropped).run()


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
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        self.call = Call(world, scope["method"], raw.decode("latin-1").split("?")[0], scope["query_string"], headers)
        self.after: Fault | None = None
        self.fault = ""

    async def run(self) -> object:
        await self._read()
        self.world.settle()
        if self.call.path.startswith("/_control"):
            await self._write(answer_control(self.call))
            return None
        self.world.requests += 1
        found = await self._answer()
        return await (self._break() if found is None else self._finish(found))

    async def _read(self) -> None:
        parts: list[bytes] = []
        more = True
        while more:
            message = await self.receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        self.call.body = b"".join(parts)

    async def _answer(self) -> Answer | None:
        """The answer, or None for a fault that breaks the connection before anything is done."""
        place, answer = self._place()
        ordered, broken = await self._faults()
        if broken:
            return None
        if "amazon" in self.call.host and not place(self.call.host):
            return Answer(404, HTML, "text/html")
        try:
            return ordered or answer(self.call)
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

    async def _faults(self) -> tuple[Answer | None, bool]:
        """Draws what was ordered: (an answer to give, whether the connection breaks now)."""
        call = self.call
        for fault in self.world.faults.draw(self._whose(), call.method, call.path, call.operation):
            self.fault = fault.kind
            if fault.kind == "latency":
                await anyio.sleep(fault.seconds)
            elif fault.kind == "status":
                return self._ordered(fault), False
            elif fault.kind in {"html", "empty"}:
                return Answer(fault.status, HTML if fault.kind == "html" else b"", "text/html"), False
            else:
                self.after = fault
                if fault.kind in {"drop_before", "hang_before"}:
                    return None, True
        return None, False

    def _ordered(self, fault: Fault) -> Answer:
        """The status of a fault, in the shape of LWA where that is asked."""
        lwa_body = {"error": fault.code or "server_error", "error_description": fault.message}
        body = lwa_body if self.call.operation == "token" else None
        code = fault.code or "InternalFailure"
        answer = _refusal(Refused(fault.status, code, fault.message, fault.details, body=body))
        answer.headers |= fault.headers
        return answer

    async def _break(self) -> object:
        """Ends the exchange without an answer.

        uvicorn closes the connection of an application that returns something; an in-process transport gets an
        exception.
        """
        self._note(0)
        if self.after is not None and self.after.kind.startswith("hang"):
            while (await self.receive())["type"] != "http.disconnect":
                pass
            return None
        if self.dropped is not None:
            raise self.dropped()
        return "connection dropped as ordered"

    # the answer

    async def _finish(self, answer: Answer) -> object:
        self._head(answer)
        fault = self.after
        if fault is not None and fault.kind in {"drop_after", "hang_after"}:
            return await self._break()
        self._note(answer.status)
        if fault is not None and fault.kind == "truncate":
            return await self._truncate(answer)
        if fault is not None and fault.kind == "malformed":
            answer.body = answer.body[: max(1, len(answer.body) // 2)]
        await self._write(answer)
        return None

    def _head(self, answer: Answer) -> None:
        """The gateway's headers: a request id always, the rate now and then, never with 403 and 429 (guide 3.3)."""
        world, call = self.world, self.call
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

    async def _start(self, answer: Answer) -> None:
        headers = {"content-length": str(len(answer.body)), "date": dates.http(self.call.now), **answer.headers}
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
