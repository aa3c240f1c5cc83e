"""A small host for the driver: sessions over an in-process remote, without sockets."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import httpx2
import msgspec
import pytest
from omnichannel_amazon.api import API
from omnichannel_amazon.authorization import renew
from omnichannel_amazon.credentials import AmazonApplication, AmazonCredentials
from omnichannel_amazon_simulator import create
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Ask, Form, Page, Session, Settings, Token
from omnichannel_core.records import Bad, Choice, Choices, Record
from omnichannel_core.remote.limits import Limiter, Scope
from omnichannel_core.storage.pages import _merge

F = TypeVar("F", bound=Form)
T = TypeVar("T")
SELLER, CLIENT, SECRET = "A3TESTSELLER01", "amzn1.application-oa2-client.test", "amzn1.oa2-cs.v1.s3cret"
APP_ID = "amzn1.sellerapps.app.0bf296b5-0000"
DE, FR, UK, US, JP = "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "A1F83G8C2ARO7P", "ATVPDKIKX0DER", "A1VC38T7YXB528"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class StillClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        await anyio.lowlevel.checkpoint()


class DirectHttp:
    """Signs, renews once and judges as the house does; no retries, so that every request is seen."""

    def __init__(self, session: LoneSession, client: httpx2.AsyncClient) -> None:
        self.session, self.client = session, client
        self.sent: list[Ask] = []
        self.heads: list[Mapping[str, str]] = []
        self.answers: list[tuple[Ask, Answer]] = []
        self.limited = True

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
        body = msgspec.json.encode(json) if json is not None else b""
        words: dict[str, Any] = {"data": dict(form)} if form is not None else {"content": body or content}
        head = dict(headers) | ({"content-type": "application/json"} if body else {})
        for again in (False, True):
            request = self.client.build_request(method, url, params=dict(params) or None, headers=head, **words)
            ask = Ask(operation=operation, method=method, url=str(request.url), body=request.read())
            self.sent.append(ask)
            if token is not None:
                where = urlsplit(url)
                assert f"{where.scheme}://{where.netloc}" in API.origins(self.session)
                held = await self.session.token(token)
                request.headers.update(API.sign(self.session, ask, held))
            else:
                assert not any(name.startswith("x-amz") for name in request.headers)
            self.heads.append(dict(request.headers))
            answer = await self._answer(operation, request)
            self.answers.append((ask, answer))
            try:
                API.judge(answer)
            except errors.CredentialsRejected:
                if token is None or again:
                    raise
                await self.session.renew(token)
                continue
            return answer
        raise AssertionError("never here")

    async def _answer(self, operation: str, request: httpx2.Request) -> Answer:
        limits, answer = self.session.limits, None
        turn = await limits.enter(operation, request.url.host, 1.0) if limits is not None else None
        try:
            back = await self.client.send(request)
            lower = {name.lower(): value for name, value in back.headers.items()}
            answer = Answer(operation=operation, status=back.status_code, headers=lower, content=back.content)
            return answer
        finally:
            if limits is not None and turn is not None:
                turn.sent = True
                await limits.leave(turn, answer)

    async def download(self, operation: str, url: str, to: Path, *, token: str | None = None) -> Answer:
        answer = await self.send(operation, "GET", url, token=token)
        await anyio.Path(to).write_bytes(answer.content)
        return Answer(operation=operation, status=answer.status, headers=answer.headers, content=b"")


class LoneSession(Session):
    """One connection, its forms, and what a host stores for it."""

    def __init__(self, client: httpx2.AsyncClient, forms: Sequence[Form], folder: Path) -> None:
        self.forms: dict[type[Form], Form] = {type(form): form for form in forms}
        self.http = DirectHttp(self, client)
        self.clock = StillClock()
        self.log = logging.getLogger("omnichannel.test.amazon")
        self.scratch = self.exchange = folder
        self.callback_url = "https://host.example/in/amazon/u7"
        self.callback_secret = SecretStr("only-we-know")
        self.subject = None
        self.works = frozenset({"BUYER", "RECIPIENT", "TAX", "orders", "offers"})
        self.stored: dict[tuple[type[Record], str], Record] = {}
        self.bad: list[Bad] = []
        self.tokens: dict[str, Token] = {}
        self.limits: Scope | None = None

    @property
    def sent(self) -> list[Ask]:
        return self.http.sent

    def set(self, form: Form) -> None:
        self.forms[type(form)] = form

    def __getitem__(self, form: type[F]) -> F:
        found = self.get(form)
        if found is None:
            raise KeyError(form)
        return found

    def get(self, form: type[F]) -> F | None:
        found = self.forms.get(form)
        if found is None and issubclass(form, Settings):
            return form()
        return found  # type: ignore[return-value]

    async def token(self, name: str = "access") -> Token:
        held = self.tokens.get(name)
        if held is None or (held.expires is not None and held.expires <= self.clock.now()):
            await self.renew(name)
        return self.tokens[name]

    async def renew(self, name: str) -> None:
        old = self.tokens.get(name)
        new = await renew(self, name, old)
        self.tokens[name] = Token(
            value=new.value, expires=new.expires, refresh=new.refresh or (old.refresh if old else None),
            granted=old.granted if old else None,
        )  # fmt: skip

    async def choices(self, name: str) -> Mapping[str, Choice]:
        found = self.stored.get((Choices, name))
        return found.items if isinstance(found, Choices) else {}

    async def known(self, kind: type[Record], ids: frozenset[str]) -> frozenset[str]:
        return frozenset(one for one in ids if (kind, one) in self.stored)

    async def compute(self, work: Callable[[], T]) -> T:
        await anyio.lowlevel.checkpoint()
        return work()

    async def connect(self, host: str, port: int) -> socket:
        raise AssertionError("this driver opens no socket")

    # --- what a host does with pages
    def commit(self, records: Sequence[Record | Bad]) -> None:
        for record in records:
            if isinstance(record, Bad):
                self.bad.append(record)
                continue
            key = (type(record), record.id)
            old = self.stored.get(key)
            if old is None and record.known_only:
                continue
            self.stored[key] = record if old is None else _merge(old, record)

    def records(self, kind: type[T]) -> dict[str, T]:
        return {key: record for (of, key), record in self.stored.items() if of is kind}  # type: ignore[misc]


@pytest.fixture
def lone(tmp_path: Path) -> Callable[..., LoneSession]:
    """`lone(remote, *forms)`: a session whose remote is an ASGI app or a function from request to response."""

    def make(remote: Any, *forms: Form, async_app: bool = False) -> LoneSession:
        transport = httpx2.ASGITransport(app=remote) if async_app else httpx2.MockTransport(remote)
        typed = AmazonCredentials(seller_id=SELLER, marketplace=DE)
        app = AmazonApplication(application_id=APP_ID, client_id=CLIENT, client_secrets=(SecretStr(SECRET),))
        session = LoneSession(httpx2.AsyncClient(transport=transport), [typed, app, *forms], tmp_path)
        session.tokens["access"] = Token(value=SecretStr("Atza|x"), refresh=SecretStr("Atzr|x"), granted=NOW)
        return session

    return make


class MovingClock:
    """Whoever waits on it moves the clocks of both sides."""

    def __init__(self, here: Amazon) -> None:
        self.here = here

    def now(self) -> datetime:
        return self.here.session.clock.now()

    async def sleep(self, seconds: float) -> None:
        await self.here.advance(math.ceil(seconds * 1000 + 0.01) / 1000)  # both clocks know whole milliseconds


class Amazon:
    """A simulated seller and a session per marketplace; all clocks are one and moved by hand."""

    def __init__(self, lone: Callable[..., LoneSession], forms: Sequence[Form], options: Mapping[str, Any]) -> None:
        words = {"seller_id": SELLER, "listings": 20, "types": 12, **options}
        app = {"client_id": CLIENT, "client_secret": SECRET, "application_id": APP_ID,
               "redirect_uris": ["https://host.example/back"]}  # fmt: skip
        self.app = create(
            clock="manual",
            now=NOW.timestamp(),
            sellers=[words],
            apps=[app],
            dropped=lambda: httpx2.ReadError("dropped"),
        )
        self.seller, self.client = self.app.world.sellers[SELLER], CLIENT
        clock = StillClock()
        limiter = Limiter(MovingClock(self), longest=math.inf)
        limits = limiter.scoped(driver="amazon", account=SELLER).of(API.limits)
        self.sessions: dict[str, LoneSession] = {}
        for place in self.seller.marketplaces:
            one = self.sessions[place] = lone(self.app, *forms, async_app=True)
            one.set(AmazonCredentials(seller_id=SELLER, marketplace=place))
            one.clock = clock
            one.limits = limits
            one.tokens = {}
        self.session = self.sessions[self.seller.marketplaces[0]]

    async def control(self, method: str, path: str, body: object = None) -> Any:
        """A call of the simulator's control API below the seller; `//` begins one at its root."""
        where = f"/_control{path[1:]}" if path.startswith("//") else f"/_control/sellers/{SELLER}{path}"
        answer = await self.session.http.client.request(
            method, f"https://sellingpartnerapi-eu.amazon.com{where}", json=body
        )
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def authorize(self, roles: list[str] | None = None) -> None:
        """Self-authorization: every session has the seller's refresh token."""
        words = {"client_id": CLIENT} | ({"roles": roles} if roles is not None else {})
        refresh = (await self.control("POST", "/authorize", words))["refresh_token"]
        for one in self.sessions.values():
            one.tokens = {
                "access": Token(value=SecretStr("Atza|old"), expires=NOW, refresh=SecretStr(refresh), granted=NOW)
            }

    async def advance(self, seconds: float) -> None:
        await self.control("POST", "//clock", {"advance": seconds})
        await self.session.clock.sleep(seconds)

    async def run(self, stream: Any, cursors: dict[str, Any] | None = None, *, pages: int = 2000) -> dict[str, Any]:
        """One run of a pull for all sessions, each page committed; cursors survive being stored, waits are waited."""
        found = {place: stream.cursor() for place in self.sessions} if cursors is None else dict(cursors)
        for _ in range(pages):
            if stream.pull_together is not None:
                turn = await stream.pull_together({p: (self.sessions[p], found[p]) for p in found})
            else:
                turn = {p: await stream.pull(self.sessions[p], found[p]) for p in found}
            for place, page in turn.items():
                self.sessions[place].commit(page.records)
                found[place] = msgspec.json.decode(msgspec.json.encode(page.cursor), type=stream.cursor)
            mores = [page.more for page in turn.values()]
            if not any(mores):
                return found
            if True not in mores:
                await self.advance(min(one.seconds for one in mores if not isinstance(one, bool)))
        raise AssertionError(f"{stream.name} does not end within {pages} pages")

    async def figures(self, operation: str) -> Any:
        """The simulator's own bucket: used, refused, share."""
        found = (await self.control("GET", "/figures"))["buckets"]
        return next(one for one in found if one["operation"] == operation)

    def asked(self, operation: str) -> list[Ask]:
        """Requests of an operation, of all sessions."""
        return [ask for one in self.sessions.values() for ask in one.sent if ask.operation == operation]


@pytest.fixture
def amazon(lone: Callable[..., LoneSession], official: Any) -> Iterator[Callable[..., Amazon]]:
    """`amazon(*forms, **options)`: a simulated seller with the options of the control API.

    What was sent and answered is held against the official models when the test is over.
    """
    made = list[Amazon]()

    def make(*forms: Form, **options: Any) -> Amazon:
        made.append(Amazon(lone, forms, options))
        return made[-1]

    yield make
    sessions = [one for here in made for one in here.sessions.values()]
    wrong = {bad for one in sessions for bad in official.wrong(one.http.answers)} if official is not None else ()
    assert not wrong, "\n".join(sorted(wrong))


def page_of(page: Page[Any]) -> Sequence[Record | Bad]:
    return page.records
