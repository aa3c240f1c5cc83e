"""A small host for the driver: one connection's session over an in-process shop that says what a test wrote down."""

from __future__ import annotations

import gzip
import json as jsonlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from socket import socket
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import httpx2
import msgspec
import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse
from graphql.execution.values import get_variable_values
from omnichannel_shopify.api import API
from omnichannel_shopify.credentials import Install, ShopifyApplication, ShopifyCredentials
from omnichannel_shopify.tokens import renew
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Ask, Form, Page, Session, Settings, Token
from omnichannel_core.records import Bad, Choice, Choices, Record

F = TypeVar("F", bound=Form)
T = TypeVar("T")
SHOP, SECRET = "demo.myshopify.com", "shpss_secret-of-the-application-0123456789"


ROOT = Path(__file__).parents[4]
SPECS = next((one for p in ROOT.parents if (one := p / "shared/specs/shopify").is_dir()), None)


@cache
def official(version: str = "2026-10") -> GraphQLSchema | None:
    """Shopify's own schema, where it is here."""
    if SPECS is None:
        return None
    text = gzip.decompress((SPECS / f"admin_{version}.graphql.gz").read_bytes()).decode()
    return build_schema(text, assume_valid=True)


@cache
def parsed(text: str) -> OperationDefinitionNode:
    """The one operation of a text."""
    found = [one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode)]
    (only,) = found
    return only


def fits(text: str, variables: dict[str, Any]) -> None:
    """Every request of every test: its variables are of the types the official schema says."""
    schema = official()
    if schema is not None:
        said = get_variable_values(schema, parsed(text).variable_definitions or (), variables)
        assert isinstance(said, dict), said
        unknown = set(variables) - {one.variable.name.value for one in parsed(text).variable_definitions or ()}
        assert not unknown, f"variables that the operation does not have: {unknown}"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class StillClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        await anyio.lowlevel.checkpoint()


class DirectHttp:
    """Signs and judges as the house does and renews a refused token once; no retries, so that each request is seen."""

    def __init__(self, session: LoneSession, client: httpx2.AsyncClient) -> None:
        self.session, self.client = session, client
        self.sent: list[Ask] = []
        self.costs: list[float] = []
        self.unrepeatable: list[str] = []

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
        ask = Ask(operation=operation, method=method, url=url, body=body)
        self.costs.append(cost)
        if not repeatable:
            self.unrepeatable.append(operation)
        held = None if token is None else await self.session.token(token)
        try:
            return await self._once(ask, headers, held)
        except errors.CredentialsRejected:
            if held is None or token is None:
                raise
            other = await renew(self.session, token, held)
            if other.value == held.value:
                raise
            self.session.held = other
            return await self._once(ask, headers, other)

    async def _once(self, ask: Ask, headers: Mapping[str, str], held: Token | None) -> Answer:
        self.sent.append(ask)
        head = {**headers, "content-type": "application/json"}
        if held is not None:
            where = urlsplit(ask.url)
            assert f"{where.scheme}://{where.netloc}" in API.origins(self.session)
            head |= API.sign(self.session, ask, held)
        back = await self.client.request(ask.method, ask.url, content=ask.body, headers=head, follow_redirects=False)
        lower = {name.lower(): value for name, value in back.headers.items()}
        answer = Answer(operation=ask.operation, status=back.status_code, headers=lower, content=back.content)
        API.judge(answer)
        return answer

    async def download(self, operation: str, url: str, to: Path, *, token: str | None = None) -> Answer:
        assert token is None
        self.sent.append(Ask(operation=operation, method="GET", url=url))
        back = await self.client.get(url, follow_redirects=False)
        answer = Answer(operation=operation, status=back.status_code, headers=dict(back.headers), content=b"")
        API.judge(answer)
        if back.status_code < 300:
            await anyio.Path(to).write_bytes(back.content)
        return answer


class LoneSession(Session):
    """One connection, its forms, its token, and what a host stores for it."""

    def __init__(self, client: httpx2.AsyncClient, forms: Sequence[Form], folder: Path) -> None:
        self.forms: dict[type[Form], Form] = {type(form): form for form in forms}
        self.http = DirectHttp(self, client)
        self.clock = StillClock()
        self.log = logging.getLogger("omnichannel.test.shopify")
        self.scratch = self.exchange = folder / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self.callback_url = "https://host.example/in/shopify/u7"
        self.callback_secret = SecretStr("only-we-know")
        self.subject = None
        self.works = frozenset()
        self.held: Token | None = Token(value=SecretStr("shpat_first"), refresh=SecretStr("shprt_first"))
        self.stored: dict[tuple[type[Record], str], Record] = {}
        self.bad: list[Bad] = []

    @property
    def sent(self) -> list[Ask]:
        return self.http.sent

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The variables of every request of an operation."""
        return [jsonlib.loads(one.body)["variables"] for one in self.sent if one.operation == operation]

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
        if self.held is None:
            self.held = await renew(self, name, None)
        return self.held

    async def choices(self, name: str) -> Mapping[str, Choice]:
        found = self.stored.get((Choices, name))
        return found.items if isinstance(found, Choices) else {}

    def listed(self, name: str, *choices: Choice) -> None:
        """A pulled list."""
        self.stored[Choices, name] = Choices(id=name, items={one.value: one for one in choices})

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
        """One run of a pull to its end, each page committed; the cursor survives being stored, waits are waited."""
        cursor = stream.cursor() if cursor is None else cursor
        for _ in range(pages):
            page: Page[Any] = await stream.pull(self, cursor)
            self.commit(page.records)
            cursor = msgspec.json.decode(msgspec.json.encode(page.cursor), type=stream.cursor)
            if page.more is False:
                return cursor
            if page.more is not True:
                await self.clock.sleep(page.more.seconds)
        raise AssertionError(f"{stream.name} does not end within {pages} pages")

    def records(self, kind: type[T]) -> dict[str, T]:
        return {key: record for (of, key), record in self.stored.items() if of is kind}  # type: ignore[misc]


class Shop:
    """A shop that answers by operation: data, a function of the variables, or a list of either, one after the other."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.files: dict[str, httpx2.Response] = {}
        self.version = "2026-10"
        self.tokens: list[dict[str, Any]] = []
        self.headers: list[httpx2.Headers] = []
        self.bucket = {"maximumAvailable": 2000.0, "currentlyAvailable": 1900.0, "restoreRate": 100.0}

    def on(self, operation: str, answer: Any) -> None:
        self.answers[operation] = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/admin/oauth/access_token":
            body = jsonlib.loads(request.content)
            self.tokens.append(body)
            return self._said(self.answers["token"], body, plain=True)
        if str(request.url) in self.files:
            return self.files[str(request.url)]
        self.headers.append(request.headers)
        asked = jsonlib.loads(request.content)
        fits(asked["query"], asked["variables"])
        name = asked["query"].split("(")[0].split("{")[0].split()[1]
        return self._said(self.answers.get(name), asked["variables"])

    def _said(self, answer: Any, variables: dict[str, Any], *, plain: bool = False) -> httpx2.Response:
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(variables)
        if isinstance(answer, httpx2.Response):
            return answer
        assert answer is not None, "an operation that this test does not expect"
        if plain:
            return httpx2.Response(200, json=answer)
        cost = {"requestedQueryCost": 10, "actualQueryCost": 8, "throttleStatus": self.bucket}
        whole = answer if {"data", "errors"} & answer.keys() else {"data": answer}
        whole = {"extensions": {"cost": cost}, **whole}
        return httpx2.Response(200, json=whole, headers={"x-shopify-api-version": self.version})


@pytest.fixture
def schema() -> Callable[..., GraphQLSchema | None]:
    """`schema(version)`: the official one."""
    return official


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def lone(tmp_path: Path, shop: Shop) -> Callable[..., LoneSession]:
    """`lone(*forms)`: a session on the shop; `application=False` has no vendor's app."""

    def make(*forms: Form, application: bool = True) -> LoneSession:
        app = ShopifyApplication(
            client_id="client-1", client_secrets=(SecretStr("newer-" + SECRET), SecretStr(SECRET)),
            scopes=frozenset({"read_orders", "write_products"}),
        )  # fmt: skip
        given = [ShopifyCredentials(shop=SHOP, access=Install()), *([app] if application else []), *forms]
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(shop))
        return LoneSession(client, given, tmp_path)

    return make
