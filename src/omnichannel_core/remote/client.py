"""The way out: every request of every driver goes through here, and every answer comes back through here."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

import attrs
import stamina

from omnichannel_core import errors, telemetry
from omnichannel_core.driver import Answer, Ask, Clock, RemoteApi, Session, Token, judge
from omnichannel_core.remote.exchange import MOST_BYTES, MOST_FILE_BYTES, Deadlines, Outgoing, download, exchange
from omnichannel_core.remote.limits import Scope, Turn
from omnichannel_core.remote.outgoing import body_of, merge, size_of
from omnichannel_core.remote.redaction import Redactor, clean, reveal, shown
from omnichannel_core.remote.targets import Origin, Target, origin_of, override_of, target
from omnichannel_core.remote.transport import Transport

# stamina tells of each retry; a host that does not listen to logs gets no such line on its terminal.
logging.getLogger("stamina").addHandler(logging.NullHandler())
TRIES = 4
LONGEST_NAP = 30.0  # seconds: a longer wait is a state of the process, which gives its slot back (guide engine 7)
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_ALWAYS = {"accept": "*/*", "accept-encoding": "gzip", "user-agent": "omnichannel-core"}
# After these nothing has been done over there.
_REFUSALS = (errors.AttentionNeeded, errors.ApplicationRejected, errors.RateLimited, errors.RemoteRejected)


class Tokens(Protocol):
    """The port to the house's tokens, for one session."""

    async def get(self, name: str = "access") -> Token | None:
        """A token by name, good for now; None where the driver works without."""
        ...

    async def refused(self, name: str, token: Token) -> Token | None:
        """The remote did not accept this one: another, or None when there is nothing to renew it with."""
        ...


@attrs.define(kw_only=True, eq=False)
class _Call:
    """One `send`, through all its tries."""

    ask: Ask
    target: Target
    sent_to: Origin
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes | Path = attrs.field(repr=False)
    token: str | None
    cost: float
    repeatable: bool
    to: Path | None = None
    patient: bool = True  # no more, once our own limits said that it takes too long
    renewed: bool = False  # another token was asked for, which happens once
    maybe_done: bool = False  # it left, and nobody said that nothing came of it


@attrs.define(kw_only=True, eq=False, repr=False)
class Client:
    """The `Http` of one session.

    Attributes:
        api: how the marketplace wants to be talked to; None: unsigned requests, plain HTTP.
        override: the endpoint the host points this driver to: scheme://host[:port]; '' or None is none.
        secrets: values that must not be shown; tokens are added as they come.
        max_bytes: of an answer; max_file_bytes: of a download.
    """

    api: RemoteApi | None
    session: Session
    tokens: Tokens
    limiter: Scope
    transport: Transport
    clock: Clock
    override: str | None = None
    secrets: Sequence[Any] = ()
    deadlines: Deadlines = attrs.field(factory=Deadlines)
    max_bytes: int = MOST_BYTES
    max_file_bytes: int = MOST_FILE_BYTES
    redactor: Redactor = attrs.field(init=False)
    _limits: Scope = attrs.field(init=False)
    _elsewhere: Origin | None = attrs.field(init=False, default=None)
    _left: set[_Call] = attrs.field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        self.redactor = Redactor(reveal(secret) for secret in self.secrets)
        self.secrets = ()
        self._limits = self.limiter.of(() if self.api is None else self.api.limits)
        if self.override:
            self._elsewhere, loopback = override_of(self.override)
            self.transport.permit(self._elsewhere.host, self._elsewhere.port, loopback=loopback)

    def __repr__(self) -> str:
        return f"<Client of {self.session!r}>"

    @property
    def left(self) -> bool:
        """Something unrepeatable may have arrived over there; whoever cares sets it to False before.

        What never got onto a socket, and what the remote definitely refused, does not count.
        """
        return bool(self._left)

    @left.setter
    def left(self, value: bool) -> None:
        if value:
            raise errors.UsageError("`left` may only be reset.")
        self._left.clear()

    async def send(
        self,
        operation: str,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] = {},
        headers: Mapping[str, str] = {},
        json: object = None,
        form: Mapping[str, str] | None = None,
        content: bytes | Path = b"",
        token: str | None = "access",
        cost: float = 1.0,
        repeatable: bool | None = None,
    ) -> Answer:
        """See `omnichannel_core.driver.Http`."""
        body, kind = body_of(operation, json, form, content)
        call = self._call(operation, method, url, params, headers, body, kind, token)
        call.cost = cost
        call.repeatable = call.ask.method in _REPEATABLE if repeatable is None else repeatable
        return await self._tries(call)

    async def download(self, operation: str, url: str, to: Path, *, token: str | None = None) -> Answer:
        """See `omnichannel_core.driver.Http`."""
        call = self._call(operation, "GET", url, {}, {}, b"", "", token)
        call.to = to
        return await self._tries(call)

    def _call(
        self, operation: str, method: str, url: str, params: Mapping[str, str], headers: Mapping[str, str],
        body: bytes | Path, kind: str, token: str | None,
    ) -> _Call:  # fmt: skip
        found = target(operation, url, params)
        if token is not None:
            self._may_sign(operation, found.origin)
        sent_to = self._elsewhere or found.origin
        method = method.upper()
        whole = {"host": sent_to.authority, **_ALWAYS}
        if kind:
            whole["content-type"] = kind
        merge(operation, whole, headers)
        if self._elsewhere:  # whoever stands in for several hosts can tell them apart
            whole["x-forwarded-host"] = found.origin.authority
        if body or method in _WITH_BODY:
            whole["content-length"] = str(len(body) if isinstance(body, bytes) else size_of(operation, body))
        ask = Ask(operation=operation, method=method, url=found.url, body=body if isinstance(body, bytes) else b"")
        return _Call(
            ask=ask, target=found, sent_to=sent_to, headers=whole, body=body, token=token, cost=1.0, repeatable=True
        )

    def _may_sign(self, operation: str, origin: Origin) -> None:
        """Signed requests go where the driver declared, and nowhere else."""
        if self.api is None:
            raise errors.ContractBroken(f"{operation}: a driver without `remote_api` cannot sign; or use token=None.")
        try:
            declared = {origin_of(text) for text in self.api.origins(self.session)}
        except errors.OmnichannelError:
            raise
        except Exception as cause:
            raise _broken(operation, "`origins`", cause) from cause
        if origin not in declared:
            raise errors.ContractBroken(
                f"{operation}: signed requests to {origin} are not declared; name it in `origins`, or use token=None."
            )

    async def _tries(self, call: _Call) -> Answer:
        """Again only what may be repeated, or never left; at most so many times, and so long."""
        problem: errors.RemoteError | None = None
        number, until = 0, self.clock.now().timestamp() + self.deadlines.total

        def again(raised: Exception) -> bool | float:
            nonlocal problem, number
            number += 1
            if not isinstance(raised, errors.RemoteError) or not call.patient or call.maybe_done:
                return False
            if isinstance(raised, errors.RateLimited) and not call.repeatable:
                return False
            problem = raised
            nap = _nap(raised, number)
            return 0.0 if nap <= LONGEST_NAP and self.clock.now().timestamp() + nap <= until else False

        async for attempt in stamina.retry_context(on=again, attempts=TRIES, timeout=None):
            with attempt:
                if problem is not None:  # of the session's clock, not of the retrying library's
                    await self.clock.sleep(_nap(problem, number) + random.uniform(0.0, 0.3))
                return await self._accepted(call)
        raise errors.RemoteUnavailable(f"{call.ask.operation}: no try was made")  # pragma: no cover

    async def _accepted(self, call: _Call) -> Answer:
        """Once with the token there is, and once more with another one when the remote does not take it."""
        token = None if call.token is None else await self.tokens.get(call.token)
        try:
            return await self._once(call, token)
        except errors.CredentialsRejected:
            if call.token is None or token is None or call.renewed:
                raise
            call.renewed = True
            other = await self.tokens.refused(call.token, token)
            if other is None or other.value == token.value:
                raise
        return await self._once(call, other)

    async def _once(self, call: _Call, token: Token | None) -> Answer:
        operation, host = call.ask.operation, call.target.origin.host
        request = Outgoing(
            operation=operation, method=call.ask.method, origin=call.sent_to, path=call.target.path,
            headers=self._signed(call, token), body=call.body, exactly=not call.repeatable,
        )  # fmt: skip
        try:
            turn = await self._limits.enter(operation, host, call.cost)
        except errors.RateLimited:
            call.patient = False
            raise
        answer: Answer | None = None
        try:
            answer = await self._exchange(call, request, turn)
        except errors.OmnichannelError as problem:
            self._shown(problem)
            raise
        finally:
            self._note(call, request)
            await self._limits.leave(turn, answer)
        try:
            self._judge(answer)
        except errors.OmnichannelError as problem:
            await self._refused(call, host, problem)
            raise
        return answer

    async def _exchange(self, call: _Call, request: Outgoing, turn: Turn) -> Answer:
        self.transport.begin()
        try:
            if call.to is not None:
                answer = await download(
                    self.transport, request, self.deadlines, call.to, self.max_file_bytes, self.max_bytes
                )
            else:
                answer = await exchange(self.transport, request, self.deadlines, self.max_bytes)
        except errors.OmnichannelError as trouble:
            telemetry.count("omnichannel.requests", 1, outcome=trouble.key)
            raise
        else:
            telemetry.count("omnichannel.requests", 1, outcome=f"{answer.status // 100}xx")
            return answer
        finally:
            turn.sent = request.sent
            await self.transport.end()

    def _note(self, call: _Call, request: Outgoing) -> None:
        """From the moment it is on its way, until somebody says that nothing came of it."""
        if request.sent and not call.repeatable:
            call.maybe_done = True
            self._left.add(call)

    async def _refused(self, call: _Call, host: str, problem: errors.OmnichannelError) -> None:
        if isinstance(problem, _REFUSALS):
            call.maybe_done = False
            self._left.discard(call)
        if isinstance(problem, errors.RateLimited):
            await self._limits.slow_down(call.ask.operation, host, _nap(problem, 1))
        self._shown(problem)

    def _signed(self, call: _Call, token: Token | None) -> Mapping[str, str]:
        if call.token is None or self.api is None:
            return call.headers
        if token is not None:
            self.redactor.add(reveal(token.value))
            if token.refresh is not None:
                self.redactor.add(reveal(token.refresh))
        try:
            proof = self.api.sign(self.session, call.ask, token)
        except errors.OmnichannelError as problem:
            _checked(call.ask.operation, "`sign`", problem)
        except Exception as cause:
            raise _broken(call.ask.operation, "`sign`", cause) from cause
        whole = dict(call.headers)
        merge(call.ask.operation, whole, proof)
        return whole

    def _judge(self, answer: Answer) -> None:
        try:
            (judge if self.api is None else self.api.judge)(answer)
        except errors.OmnichannelError as problem:
            _checked(answer.operation, "`judge`", problem)
        except Exception as cause:
            raise _broken(answer.operation, "`judge`", cause) from cause

    def _shown(self, problem: errors.OmnichannelError) -> None:
        """What remotes and drivers wrote into a message is shown to people: without secrets, and on one line."""
        shown(problem)


def _nap(problem: errors.RemoteError, number: int) -> float:
    """Seconds before the next try: what the remote said, else 0.4, 0.8, 1.6."""
    return 0.2 * 2.0**number if problem.wait is None or math.isnan(problem.wait) else max(0.0, problem.wait)


def _checked(operation: str, where: str, problem: errors.OmnichannelError) -> NoReturn:
    """A driver raises what drivers may raise."""
    if isinstance(problem, (*errors.DRIVERS_MAY_RAISE, errors.ContractBroken)):
        raise problem
    raise _broken(operation, where, problem) from problem


def _broken(operation: str, where: str, cause: Exception) -> errors.ContractBroken:
    said = clean(str(cause))[:200]
    return errors.ContractBroken(f"{operation}: {where} raised {type(cause).__name__} ({said}); correct the driver.")
