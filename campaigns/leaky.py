"""A careless driver: says whatever it knows in its errors and logs; its remote sends back whatever it got."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import (
    Accepted,
    Answer,
    Application,
    Arrived,
    Ask,
    AuthorizationFlow,
    Batch,
    Call,
    Callbacks,
    Changed,
    Checkup,
    Credentials,
    Grant,
    Left,
    Outcome,
    Page,
    PullStream,
    PushStream,
    Rejected,
    RemoteApi,
    Session,
    SettingsPage,
    Streams,
    Token,
    Trip,
    Ui,
    hookimpl,
    judge,
)  # fmt: skip
from omnichannel_core.records import Bad, Order, Shipment, StockLevel

SNAPSHOT: list[Callable[[], None]] = []
"""Called while secrets are in a driver's hands."""


class LeakyCredentials(Credentials):
    """Where the remote is, and its key."""

    shop: Annotated[str, Ui(fixed=True)]
    key: SecretStr

    def remote_account(self) -> str:
        """The shop."""
        return self.shop


class LeakyApplication(Application):
    """The vendor's."""

    client_id: str
    client_secret: SecretStr


class Cursor(msgspec.Struct, frozen=True):
    """Nothing to remember."""


def sign(session: Session, ask: Ask, token: Token | None) -> Mapping[str, str]:
    """Every secret there is, so that the remote can send it back."""
    headers = {"x-said": "hello"}
    headers["x-app"] = _application(session)
    credentials = session.get(LeakyCredentials)
    if credentials is not None:
        headers["x-key"] = credentials.key.get_secret_value()
    if token is not None:
        headers["x-token"] = token.value.get_secret_value()
    return headers


def judged(answer: Answer) -> None:
    """Says everything the remote said."""
    text = answer.content.decode(errors="replace")
    if answer.status == 401:
        raise errors.CredentialsRejected(f"{answer.operation}: refused, it says {text}")
    if answer.status == 422:
        raise errors.RemoteRejected(f"{answer.operation}: wrong, it says {text}", text)
    if answer.status == 503:
        raise errors.RemoteUnavailable(f"{answer.operation}: down, it says {text}")
    judge(answer)


def _key(session: Session) -> str:
    return session[LeakyCredentials].key.get_secret_value()


def _shop(session: Session) -> str:
    return session[LeakyCredentials].shop


def _application(session: Session) -> str:
    application = session.get(LeakyApplication)
    return "" if application is None else application.client_secret.get_secret_value()


async def _ask(session: Session, operation: str, status: int, method: str = "GET", **more: object) -> Answer:
    """The remote answers with this status, and with everything it got."""
    url = f"{_shop(session)}/{operation}?status={status}&key={_key(session)}"
    try:
        answer = await session.http.send(operation, method, url, **more)  # type: ignore[arg-type]
    finally:
        for snapshot in SNAPSHOT:
            snapshot()
    session.log.debug("%s said %s", operation, answer.content.decode(errors="replace"))
    session.log.warning("%s sent %s", operation, answer.headers)
    return answer


async def check(session: Session) -> Checkup:
    """The key's first letters decide what happens."""
    key = _key(session)
    status = {"refuse": 401, "reject": 422, "down": 503}.get(key.partition("-")[0], 200)
    if key.startswith("raise-"):
        raise ValueError(f"the key is {key}")
    await _ask(session, "check", status)
    return Checkup(title="Leaky", account=session[LeakyCredentials].shop)


async def begin(session: Session, trip: Trip) -> str:
    """Out to the remote."""
    return f"{session[LeakyCredentials].shop}/authorize?state={trip.state}"


async def finish(session: Session, trip: Trip, call: Call) -> Grant:
    """Back with a token, or with a fault that says everything."""
    code = call.query["code"]
    if code.startswith("refuse-"):
        raise errors.AuthorizationDenied(f"the code was {code}, the answer {call!r}")
    if code.startswith("raise-"):
        raise RuntimeError(f"cannot use {code} of {session.get(LeakyApplication)!r}")
    return Grant(token=_token(session, code))


def _token(session: Session, value: str) -> Token:
    ends = session.clock.now() + timedelta(hours=1)
    return Token(value=SecretStr(value), refresh=SecretStr(f"{value}~refresh"), expires=ends)


async def renew(session: Session, name: str, old: Token | None) -> Token:
    """The first one is the key itself; later the old refresh token goes out, and comes back with a fault."""
    if old is None or old.refresh is None:
        return _token(session, _key(session))
    form = {"refresh_token": old.refresh.get_secret_value(), "grant_type": "refresh_token"}
    await _ask(session, "renew", 401 if RENEW_FAILS else 200, "POST", form=form, token=None)
    return _token(session, f"{old.value.get_secret_value()}~new")


RENEW_FAILS: list[bool] = []
PULLS: list[str] = []
"""What the next pulls do: a status, or `raise`, or `driver`."""


async def pull(session: Session, cursor: Cursor) -> Page[Cursor]:
    """As told."""
    what = PULLS.pop(0) if PULLS else "200"
    if what.isdigit():
        await _ask(session, "orders", int(what))
        order = Order(id="1", number="N1", revision="1")
        return Page(cursor=cursor, records=[order, Bad(kind=Order, id="2", reason="no number", raw=b"{}")])
    token = await session.token()
    text = f"token {token.value.get_secret_value()}, key {_key(session)}"
    if what == "driver":
        session.log.error("trouble with %s", text)
        raise errors.RemoteUnavailable(f"no luck with {text}")
    if what == "attention":
        raise errors.CredentialsRejected(f"no luck with {text}")
    raise ValueError(text)


async def push_stock(session: Session, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
    """Refused, with all that was said."""
    try:
        await _ask(session, "stock", 422, "POST", json={"sku": batch.items[0].record.sku})
    except errors.RemoteRejected as refusal:
        return {item.key: Rejected(f"{refusal} {refusal.code}") for item in batch.items}
    return {item.key: Accepted() for item in batch.items}


async def ship(session: Session, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
    """A fault after it went out."""
    await _ask(session, "ship", 422, "POST", json={})
    return {}


async def receive(session: Session, call: Call) -> Sequence[Changed | Arrived | Left]:
    """An install with a token in it, a change, or a forgery that is quoted."""
    body = call.body.decode()
    if call.path == "forged":
        raise errors.CallRefused(f"forged: {call!r} {session.get(LeakyApplication)!r} {_application(session)}")
    if call.path == "raise":
        raise ValueError(f"cannot read it with {_application(session)}")
    if call.path == "arrive":
        token = _token(session, body)
        return [Arrived(account="http://127.0.0.1:1", fields={"shop": "http://127.0.0.1:1", "key": body}, token=token)]
    return [Changed(stream="orders", ids=["1"], key="once")]


@hookimpl
def credential_schema() -> type[Credentials]:
    """Shop and key."""
    return LeakyCredentials


@hookimpl
def application_schema() -> type[Application]:
    """Id and secret."""
    return LeakyApplication


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """All of it."""
    return AuthorizationFlow(check=check, begin=begin, finish=finish, renew=renew)


@hookimpl
def remote_api() -> RemoteApi:
    """To the shop only."""
    return RemoteApi(sign=sign, judge=judged, origins=lambda session: [session[LeakyCredentials].shop])


@hookimpl
def callbacks() -> Callbacks:
    """Taken as they come."""
    return Callbacks(receive=receive)


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """None."""
    return []


@hookimpl
def sync_streams() -> Streams:
    """In: orders. Out: stock, shipments."""
    return [
        PullStream(name="orders", yields=(Order,), cursor=Cursor, pull=pull),
        PushStream(name="stock", takes=StockLevel, push=push_stock, state=True, repeatable=True),
        PushStream(name="shipments", takes=Shipment, push=ship),
    ]


def soon(moment: datetime) -> datetime:
    """After a token's end."""
    return moment + timedelta(hours=2)
