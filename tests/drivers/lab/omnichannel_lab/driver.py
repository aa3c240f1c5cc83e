"""The hooks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import (
    Arrived,
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
    Pending,
    PullStream,
    PushStream,
    RemoteApi,
    Session,
    Settings,
    SettingsPage,
    Streams,
    Token,
    Trip,
    Wait,
    hookimpl,
    judge,
)  # fmt: skip
from omnichannel_core.records import Attribute, Bad, Order, Record, StockLevel
from omnichannel_lab import bench
from omnichannel_lab.bench import At, LabCredentials, LabSettings


async def check(session: Session) -> Checkup:
    """Fails as told."""
    bench.BENCH.checked += 1
    bench.BENCH.fail("check")
    typed = session[LabCredentials]
    if typed.secret is not None and typed.secret.get_secret_value() == "wrong":
        raise errors.CredentialsRejected("The lab refuses this secret.")
    return Checkup(title=f"Lab {typed.shop}", account=bench.BENCH.account)


async def begin(session: Session, trip: Trip) -> str:
    """Needs the secret."""
    if session[LabCredentials].secret is None:
        raise errors.FormInvalid("AUTHORIZE needs the secret.", {"secret": "Fill in this field."})
    bench.BENCH.trips.append(f"https://lab.example/authorize?state={trip.state}&back={trip.return_url}")
    return f"https://lab.example/authorize?state={trip.state}"


async def finish(session: Session, trip: Trip, call: Call) -> Grant:
    """Brings a token, and fills in the key."""
    if call.query.get("error"):
        raise errors.AuthorizationDenied("The seller said no.")
    typed = session[LabCredentials]
    filled = LabCredentials(shop=typed.shop, secret=typed.secret, key="brought")
    return Grant(token=Token(value=SecretStr("hush-token")), credentials=filled)


async def receive(session: Session, call: Call) -> Sequence[Changed | Arrived | Left]:
    """Signed with `right`."""
    if call.headers.get("x-sign") != "right":
        raise errors.CallRefused("The signature does not fit.")
    said = json.loads(call.body)
    if "arrived" in said:
        return [Arrived(account=said["arrived"], fields=said.get("fields", {}))]
    if "left" in said:
        return [Left(account=said["left"], at=datetime.fromisoformat(said["at"]))]
    return [Changed(**said)]


async def subscribe(session: Session) -> None:
    """Asks to be called."""
    bench.BENCH.asked.append("subscribe")
    bench.BENCH.fail("subscribe")


async def unsubscribe(session: Session) -> None:
    """Asks not to be called any more."""
    bench.BENCH.asked.append("unsubscribe")


async def acknowledge(session: Session, record: Record) -> None:
    """Remembers the receipt."""
    bench.BENCH.fail("acknowledge")
    bench.BENCH.told.append(f"{record.id} {record.receipt}")


async def fetch(session: Session, ids: Sequence[str]) -> Sequence[Record | Bad]:
    """Single ones."""
    bench.BENCH.asked.append(f"fetch {' '.join(ids)}")
    bench.BENCH.fail("fetch")
    return [bench.BENCH.singles[one] for one in ids if one in bench.BENCH.singles]


async def push(session: Session, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
    """Taken, told later."""
    bench.BENCH.fail("push")
    bench.BENCH.told += [f"stock {item.record.id}" for item in batch.items]
    return {item.key: Pending("ticket", Wait(60)) for item in batch.items}


async def settle(session: Session, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
    """As the test says."""
    bench.BENCH.asked += [f"settle {item.record.id}" for item in batch.items]
    bench.BENCH.fail("settle")
    return {} if bench.BENCH.outcome is None else {item.key: bench.BENCH.outcome for item in batch.items}


def widen(cursor: At, before: Settings, now: Settings) -> At | None:
    """From the beginning when a lower id is admitted."""
    assert isinstance(before, LabSettings)
    assert isinstance(now, LabSettings)
    return At() if now.above < before.above else None


def _pull(name: str) -> Any:
    async def pull(session: Session, cursor: At, name: str) -> Any:
        return await bench.BENCH.give(name, session, cursor)

    return partial(pull, name=name)


@hookimpl
def credential_schema() -> type[Credentials]:
    """Shop, secret, key."""
    return LabCredentials


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Out and back."""
    return AuthorizationFlow(check=check, begin=begin, finish=finish)


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """One, which inherits."""
    return [SettingsPage("import", "Import", LabSettings, inherits=True)]


@hookimpl
def remote_api() -> RemoteApi:
    """Nothing is ever sent."""
    return RemoteApi(sign=lambda session, ask, token: {}, judge=judge, origins=lambda session: ())


@hookimpl
def callbacks() -> Callbacks:
    """Signed."""
    return Callbacks(receive=receive, subscribe=subscribe, unsubscribe=unsubscribe)


@hookimpl
def sync_streams() -> Streams:
    """A snapshot, orders, and stock."""
    return [
        PullStream(name="data-model", yields=(Attribute,), cursor=At, pull=_pull("data-model"), snapshot=True),
        PullStream(name="orders", yields=(Order,), cursor=At, pull=_pull("orders"), fetch=fetch,
                   acknowledge=acknowledge, widen=widen),
        PushStream(name="stock", takes=StockLevel, push=push, settle=settle, batch=10, state=True),
    ]  # fmt: skip
