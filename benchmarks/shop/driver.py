"""The hooks of the benchmark's driver: one stream, `orders`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from benchmarks.shop.wire import WireOrder, order, whole_order
from omnichannel_core.driver import (
    Answer,
    AuthorizationFlow,
    Checkup,
    Credentials,
    Limit,
    Page,
    PullStream,
    RemoteApi,
    Session,
    SettingsPage,
    Streams,
    hookimpl,
    judge,
)  # fmt: skip
from omnichannel_core.records import Bad, Order, Record

HOME = "https://shop.example"
PAGE = 250


class ShopCredentials(Credentials):
    """Which of the server's tenants; whether records keep all they have room for, or what the contest asks for."""

    tenant: int = 0
    whole: bool = False

    def remote_account(self) -> str:
        return str(self.tenant)


class OrderCursor(msgspec.Struct, frozen=True):
    """The page to ask for next; once all are read, since when changes are asked for."""

    page: int = 1
    since: str = ""
    newest: str = ""


async def check(session: Session) -> Checkup:
    """The server answers."""
    await session.http.send("stats", "GET", f"{HOME}/stats")
    tenant = str(session[ShopCredentials].tenant)
    return Checkup(title=f"Shop {tenant}", account=tenant, works=frozenset({"orders"}))


async def pull(session: Session, cursor: OrderCursor) -> Page[OrderCursor]:
    """One page of 250."""
    asked = {"page": str(cursor.page), "limit": str(PAGE)}
    if cursor.since:
        asked["updated_since"] = cursor.since
    typed = session[ShopCredentials]
    answer = await session.http.send("orders", "GET", f"{HOME}/t/{typed.tenant}/orders", params=asked)
    canonical = whole_order if typed.whole else order
    records, newest = await session.compute(lambda: read(answer, canonical))
    newest = max(newest, cursor.newest)
    more = len(records) == PAGE
    after = OrderCursor(cursor.page + 1, cursor.since, newest) if more else OrderCursor(1, newest, newest)
    return Page(cursor=after, records=records, more=more)


def read(answer: Answer, canonical: Callable[[WireOrder], Order]) -> tuple[list[Record | Bad], str]:
    """The answer's orders, those that cannot be read beside them, and the newest change."""
    rows = answer.rows(WireOrder, at="data")
    found: list[Record | Bad] = [canonical(wire) for wire in rows.good]
    newest = max((one.revision for one in found if isinstance(one, Order)), default="")
    found += [Bad(kind=Order, id="", reason=one.reason, raw=one.raw) for one in rows.bad]
    return found, newest


@hookimpl
def credential_schema() -> type[Credentials]:
    """A tenant."""
    return ShopCredentials


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """The server takes everybody."""
    return AuthorizationFlow(check=check)


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """None."""
    return []


@hookimpl
def sync_streams() -> Streams:
    """Orders."""
    return [PullStream(name="orders", yields=(Order,), cursor=OrderCursor, pull=pull)]


@hookimpl
def remote_api() -> RemoteApi:
    """No proof is asked for; a limit that is kept, and far away."""
    limit = Limit(name="requests", rate=10_000, burst=10_000)
    return RemoteApi(sign=lambda *_: {}, judge=judge, origins=lambda _: (HOME,), limits=(limit,))
