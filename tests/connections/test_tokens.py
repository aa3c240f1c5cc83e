"""Connections of one seller: one grant, one refresh, one limit, one pull."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import attrs
import pytest
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.connections.tokens import Tokens
from omnichannel_core.driver import Token
from omnichannel_core.model.process import State
from omnichannel_core.storage.grants import Grants, StoredToken
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.vault import Vault
from tests.connections.lab import count

pytestmark = pytest.mark.anyio


@attrs.define
class Remote:
    """What the seller's remote has, and what it was asked."""

    url: str
    orders: dict[str, list[str]] = attrs.field(factory=dict)
    asked: list[tuple[str, str]] = attrs.field(factory=list)  # path, token


@pytest.fixture
def remote() -> Iterator[Remote]:
    """A server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, self.headers.get("authorization", "")))
            body = json.dumps(made.orders if self.path == "/orders" else {}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Remote(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def sites(open_house: Any, remote: Remote, *names: str) -> AsyncIterator[tuple[Omnichannel, Any, list[int]]]:
    """Connections to sites of one seller."""
    open_house.plug.ready("shared")
    driver = importlib.import_module("omnichannel_shared.driver")
    driver.SEEN = driver.Seen()
    async with open_house(endpoints={"shared": remote.url}) as house:
        await house.accounts.add("acme")
        await open_house.buy(house, driver="shared")
        await house.drivers.install("acme", "shared")
        made = []
        for name in names:
            typed = {"url": "https://seller.example", "seller": "s", "site": name, "secret": "hush-s"}
            saved = await house.connections.create("acme", "shared", name, typed)
            made.append(saved.connection.id)
        yield house, driver.SEEN, made


async def test_one_grant_one_refresh_one_pull(open_house: Any, remote: Remote, clock: Any) -> None:
    """Two sites share one grant: its token is renewed once for both, and one poll brings each its own orders."""
    remote.orders = {"de": ["1", "2"], "fr": ["3"]}
    async with sites(open_house, remote, "de", "fr") as (house, seen, (de, fr)):
        clock.turn(7200)
        checks = seen.renewed  # before SAVE there is no grant
        process = await house.connections.synchronize("acme", de)
        assert (await house.processes.run_to_end("acme", process.id)).state is State.SUCCEEDED
        assert (await count(house, de), await count(house, fr)) == (2, 1)
        assert seen.polls == [("de", "fr")]
        process = await house.connections.synchronize("acme", fr)
        await house.processes.run_to_end("acme", process.id)
        assert seen.renewed == checks + 1
        assert len({token for path, token in remote.asked if path == "/orders"}) == 1


async def test_one_limit(open_house: Any, remote: Remote, clock: Any) -> None:
    """Requests of both sites spend one budget: beyond the burst they come as the rate allows."""
    async with sites(open_house, remote, "de", "fr") as (house, _, (de, fr)):
        began = clock.now()
        for at in range(4):
            process = await house.connections.synchronize("acme", (de, fr)[at % 2])
            await house.processes.run_to_end("acme", process.id)
        orders = [path for path, _ in remote.asked if path == "/orders"]
        assert len(orders) == 4
        # two checks and four polls at 4 at once and 0.1 a second
        assert clock.now() - began >= timedelta(seconds=19)


async def test_member_switched_off(open_house: Any, remote: Remote) -> None:
    """A site that is switched off is left out, and the other goes on."""
    remote.orders = {"de": ["1"], "fr": ["3"]}
    async with sites(open_house, remote, "de", "fr") as (house, seen, (de, fr)):
        await house.connections.disable("acme", [fr])
        process = await house.connections.synchronize("acme", de)
        assert (await house.processes.run_to_end("acme", process.id)).state is State.SUCCEEDED
        assert (seen.polls, await count(house, de), await count(house, fr)) == ([("de",)], 1, 0)
        await house.connections.enable("acme", [fr])
        process = await house.connections.synchronize("acme", fr)
        await house.processes.run_to_end("acme", process.id)
        assert await count(house, fr) == 1


async def test_member_switched_off_meanwhile(open_house: Any, remote: Remote, monkeypatch: Any) -> None:
    """A site that is switched off while its page is fetched keeps its place; the other's page is stored."""
    remote.orders = {"de": ["1"], "fr": ["3"]}
    async with sites(open_house, remote, "de", "fr") as (house, seen, (de, fr)):
        process = await house.connections.synchronize("acme", de)
        polls = seen.polls

        class Polls(list[tuple[str, ...]]):
            def append(self, one: tuple[str, ...]) -> None:
                house._store.write_now(  # type: ignore[attr-defined]
                    lambda tx: tx.exec_driver_sql(f"UPDATE omni_connection SET status='inactive' WHERE id={int(fr)}")
                )
                polls.append(one)

        seen.polls = Polls()
        ended = await house.processes.run_to_end("acme", process.id)
        assert (ended.state, ended.message) == (State.SUCCEEDED, "orders: 1")
        assert (await count(house, de), await count(house, fr)) == (1, 0)


# --- tokens alone
@pytest.fixture
def vault() -> Vault:
    """With one key."""
    return Vault(KeyRing({"k1": bytes(32)}))


def granted(store: Store, vault: Vault, clock: Any, seconds: float | None = None) -> int:
    """A grant; with a token that ends in so many seconds."""

    def write(tx: Any) -> int:
        grants = Grants(tx, "acme", vault)
        one = grants.ensure("lab", "s", "proof")
        if seconds is not None:
            ends = clock.now() + timedelta(seconds=seconds)
            grants.put(one, "access", StoredToken(value=SecretStr("old"), refresh=SecretStr("r1"), expires=ends))
        return one

    return store.write_now(write)


@attrs.define
class Renewal:
    """Counts, answers, fails."""

    clock: Any
    calls: int = 0
    trouble: list[Exception] = attrs.field(factory=list)
    refresh: str | None = "r2"

    async def __call__(self, name: str, old: Token | None) -> Token:
        self.calls += 1
        await anyio.sleep(0.01)
        if self.trouble:
            raise self.trouble.pop(0)
        refresh = SecretStr(self.refresh) if self.refresh else None
        return Token(
            value=SecretStr(f"new{self.calls}"), refresh=refresh, expires=self.clock.now() + timedelta(hours=1)
        )


async def test_many_ask_one_refreshes(store: Store, vault: Vault, clock: Any) -> None:
    """Fifty ask at the same time and one refresh is sent; another house on the store uses it too."""
    grant, renew = granted(store, vault, clock, 10), Renewal(clock)
    tokens, found = Tokens(store, vault, clock), list[str]()

    async def ask() -> None:
        token = await tokens.get("acme", grant, "access", renew)
        assert token is not None
        found.append(token.value.get_secret_value())

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(ask)
    assert (renew.calls, set(found)) == (1, {"new1"})
    assert await Tokens(store, vault, clock).get("acme", grant, "access", renew) is not None
    assert renew.calls == 1


async def test_refresh_token_is_never_blanked(store: Store, vault: Vault, clock: Any) -> None:
    """A renewal without a refresh token keeps the stored one; a rotated one is stored, the old one beside it."""
    grant, renew = granted(store, vault, clock, 10), Renewal(clock, refresh=None)
    tokens = Tokens(store, vault, clock)
    found = await tokens.get("acme", grant, "access", renew)
    assert found is not None
    assert found.refresh is not None
    assert found.refresh.get_secret_value() == "r1"
    renew.refresh = "r2"
    found = await tokens.get("acme", grant, "access", renew, refused=found)
    assert found is not None
    assert found.refresh is not None
    assert found.previous is not None
    assert (found.refresh.get_secret_value(), found.previous.get_secret_value()) == ("r2", "r1")


async def test_no_answer_to_a_refresh(store: Store, vault: Vault, clock: Any) -> None:
    """No answer is asked for once more with the same token; a refusal is told, and gives the lease back."""
    grant, renew = granted(store, vault, clock, 10), Renewal(clock, trouble=[errors.RemoteUnavailable("no answer")])
    tokens = Tokens(store, vault, clock)
    assert await tokens.get("acme", grant, "access", renew) is not None
    assert renew.calls == 2
    clock.turn(7200)
    renew.trouble = [errors.AuthorizationNeeded("revoked")]
    with pytest.raises(errors.AuthorizationNeeded):
        await tokens.get("acme", grant, "access", renew)
    assert await tokens.get("acme", grant, "access", renew) is not None


async def test_cancelled_renewal_gives_its_lease_back(store: Store, vault: Vault, clock: Any) -> None:
    """Whoever is cancelled while renewing leaves the way free for the next."""
    grant, renew = granted(store, vault, clock), Renewal(clock)

    async def forever(name: str, old: Token | None) -> Token:
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.move_on_after(0.1):
        await Tokens(store, vault, clock).get("acme", grant, "access", forever)
    other = Tokens(store, vault, clock)
    with anyio.fail_after(5):
        assert await other.get("acme", grant, "access", renew) is not None


async def test_other_account(store: Store, vault: Vault, clock: Any) -> None:
    """Another account's grant is not found."""
    grant = granted(store, vault, clock, 3600)
    with pytest.raises(errors.NotFound):
        await Tokens(store, vault, clock).get("other", grant, "access", None)


async def test_grant_taken_away_meanwhile(store: Store, vault: Vault, clock: Any) -> None:
    """A grant that goes while its token is renewed leaves nothing to work with but another AUTHORIZE."""
    grant, renew = granted(store, vault, clock, 10), Renewal(clock)

    async def late(name: str, old: Token | None) -> Token:
        store.write_now(lambda tx: Grants(tx, "acme", vault).sweep(grant))
        return await renew(name, old)

    with pytest.raises(errors.AuthorizationNeeded, match="AUTHORIZE again"):
        await Tokens(store, vault, clock).get("acme", grant, "access", late)


def test_time_without_a_zone() -> None:
    """A token whose end has no time zone is refused where the driver makes it, with what to say instead."""
    with pytest.raises(errors.ContractBroken, match=r"Token\.expires has no time zone: say session\.clock"):
        Token(value=SecretStr("a"), expires=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the mistake
