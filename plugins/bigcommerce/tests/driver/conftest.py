"""A small host for the driver: one connection's session over an in-process remote, without sockets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio.lowlevel
import httpx2
import msgspec
import pytest
from omnichannel_bigcommerce.api import API
from omnichannel_bigcommerce.credentials import BigCommerceApplication, BigCommerceCredentials
from omnichannel_bigcommerce_simulator import create
from pydantic import SecretStr

from omnichannel_core.driver import Answer, Ask, Form, Page, Session, Settings, Token
from omnichannel_core.records import Bad, Choice, Choices, Record

F = TypeVar("F", bound=Form)
T = TypeVar("T")
HASH, TOKEN, SECRET = "abc123", "0123456789abcdefghijklmnopqrstu", "s3cret-of-the-application-0123456789"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class StillClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        await anyio.lowlevel.checkpoint()


class DirectHttp:
    """Signs and judges as the house does; no retries, so that every request is seen."""

    def __init__(self, session: LoneSession, client: httpx2.AsyncClient) -> None:
        self.session, self.client = session, client
        self.sent: list[Ask] = []

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
        request = self.client.build_request(method, url, params=dict(params) or None, content=body)
        ask = Ask(operation=operation, method=method, url=str(request.url), body=body)
        self.sent.append(ask)
        head = dict(headers)
        if token is not None:
            where = urlsplit(url)
            assert f"{where.scheme}://{where.netloc}" in API.origins(self.session)
            head |= API.sign(self.session, ask, None)
        request.headers.update(head | ({"content-type": "application/json"} if body else {}))
        back = await self.client.send(request)
        lower = {name.lower(): value for name, value in back.headers.items()}
        answer = Answer(operation=operation, status=back.status_code, headers=lower, content=back.content)
        if token is not None or answer.status != 400:
            API.judge(answer)
        return answer

    async def download(self, operation: str, url: str, to: Path, *, token: str | None = None) -> Answer:
        raise AssertionError("this driver downloads nothing")


class LoneSession(Session):
    """One connection, its forms, and what a host stores for it."""

    def __init__(self, client: httpx2.AsyncClient, forms: Sequence[Form], folder: Path) -> None:
        self.forms: dict[type[Form], Form] = {type(form): form for form in forms}
        self.http = DirectHttp(self, client)
        self.clock = StillClock()
        self.log = logging.getLogger("omnichannel.test.bigcommerce")
        self.scratch = self.exchange = folder
        self.callback_url = "https://host.example/in/bigcommerce/u7"
        self.callback_secret = SecretStr("only-we-know")
        self.subject = None
        self.works = frozenset()
        self.stored: dict[tuple[type[Record], str], Record] = {}
        self.bad: list[Bad] = []

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
        raise AssertionError("this driver signs with what was typed")

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
            if (old is None and record.known_only) or (old is not None and old.revision > record.revision):
                continue
            self.stored[key] = record

    async def run(self, stream: Any, cursor: Any = None, *, pages: int = 500) -> Any:
        """One run of a pull to its end, each page committed; the cursor survives being stored."""
        cursor = stream.cursor() if cursor is None else cursor
        for _ in range(pages):
            page: Page[Any] = await stream.pull(self, cursor)
            self.commit(page.records)
            cursor = msgspec.json.decode(msgspec.json.encode(page.cursor), type=stream.cursor)
            if page.more is False:
                return cursor
        raise AssertionError(f"{stream.name} does not end within {pages} pages")

    def records(self, kind: type[T]) -> dict[str, T]:
        return {key: record for (of, key), record in self.stored.items() if of is kind}  # type: ignore[misc]


@pytest.fixture
def lone(tmp_path: Path) -> Callable[..., LoneSession]:
    """`lone(app, *forms)`: a session whose remote is an ASGI app or a function from request to response."""

    def make(remote: Any, *forms: Form, async_app: bool = False, application: bool = True) -> LoneSession:
        transport = httpx2.ASGITransport(app=remote) if async_app else httpx2.MockTransport(remote)
        typed = BigCommerceCredentials(store_hash=HASH, access_token=SecretStr(TOKEN))
        app = BigCommerceApplication(
            client_id="client-1", client_secrets=(SecretStr("newer-" + SECRET), SecretStr(SECRET)), app_id="app-77"
        )
        given = [typed, *([app] if application else []), *forms]
        return LoneSession(httpx2.AsyncClient(transport=transport), given, tmp_path)

    return make


@pytest.fixture
def door(lone: Callable[..., LoneSession]) -> Callable[..., LoneSession]:
    """The same without a connection: only the application is there."""

    def make(remote: Any) -> LoneSession:
        session = lone(remote)
        del session.forms[BigCommerceCredentials]
        return session

    return make


class Shop:
    """A simulated store and a session on it; the simulator's clock is moved by hand and the same as the session's."""

    def __init__(self, lone: Callable[..., LoneSession], forms: Sequence[Form], options: Mapping[str, Any]) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
        words = {"hash": HASH, "token": TOKEN, "quota": 100_000, "products": 6, **options}
        self.app = create(clock="manual", now=self.now, stores=[words], dropped=lambda: httpx2.ReadError("dropped"))
        self.session = lone(self.app, *forms, async_app=True)
        self.store = self.app.state.world.stores[HASH]

    async def control(self, method: str, path: str, body: object = None) -> Any:
        """A call of the simulator's control API below the store; `//` begins one at its root."""
        where = f"/_control{path[1:]}" if path.startswith("//") else f"/_control/stores/{HASH}{path}"
        answer = await self.session.http.client.request(method, f"https://api.bigcommerce.com{where}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def advance(self, seconds: float) -> None:
        await self.control("POST", "//clock", {"advance": seconds})
        await self.session.clock.sleep(seconds)

    def asked(self, since: int = 0) -> list[tuple[str, str]]:
        """Method and path of the requests sent since."""
        base = f"/stores/{HASH}"
        return [(ask.method, urlsplit(ask.url).path.removeprefix(base)) for ask in self.session.sent[since:]]


@pytest.fixture
def shop(lone: Callable[..., LoneSession]) -> Callable[..., Shop]:
    """`shop(*forms, **options)`: a simulated store with the options of its control API."""

    def make(*forms: Form, **options: Any) -> Shop:
        return Shop(lone, forms, options)

    return make
