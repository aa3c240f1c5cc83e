"""The single-click app against the simulated store: install, load, uninstall, webhooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from omnichannel_bigcommerce.authorization import check, receive, subscribe, unsubscribe
from omnichannel_bigcommerce.credentials import BigCommerceApplication, BigCommerceCredentials
from pydantic import SecretStr

from omnichannel_core import errors
from omnichannel_core.driver import Arrived, Call, Changed, Left

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]
BACK = "https://host.example/in/bigcommerce/u7/auth"
SECRET = "s3cret-of-the-application-0123456789"


async def app(shop: Make, **said: Any) -> Any:
    here = shop(orders=20)
    words = {
        "client_id": "client-1", "client_secret": SECRET, "auth_callback": BACK,
        "load_callback": "https://host.example/load", "uninstall_callback": "https://host.example/uninstall",
        "remove_user_callback": "https://host.example/remove_user",
        "scopes": ["store_v2_orders", "store_v2_information_read_only", "store_v2_default"],
    }  # fmt: skip
    await here.control("POST", "//apps", words)
    here.session.set(BigCommerceApplication(client_id="client-1", client_secrets=(SecretStr(SECRET),), **said))
    return here


async def installed(here: Any) -> Arrived:
    brought = await here.control("POST", "//apps/client-1/install", {"hash": "abc123"})
    query = {name: brought[name] for name in ("code", "scope", "context", "account_uuid")}
    (found,) = await receive(here.session, Call(method="GET", path="auth", query=query))
    assert isinstance(found, Arrived)
    return found


async def test_install_and_check(shop: Make):
    """An install fills both fields, and its token passes the check with what it may do."""
    here = await app(shop)
    found = await installed(here)
    here.session.set(BigCommerceCredentials.model_validate(dict(found.fields)))
    checked = await check(here.session)
    assert (checked.account, checked.title) == ("abc123", "Demo Store")
    assert "orders" in checked.works
    assert {"offers", "stock", "prices"} <= set(checked.missing)


async def test_code_works_once(shop: Make):
    """A code that was used is refused."""
    here = await app(shop)
    brought = await here.control("POST", "//apps/client-1/install", {"hash": "abc123"})
    call = Call(method="GET", path="auth", query={name: brought[name] for name in ("code", "scope", "context")})
    await receive(here.session, call)
    with pytest.raises(errors.AuthorizationDenied):
        await receive(here.session, call)


async def test_wrong_callback(shop: Make):
    """Another address than the registered one is refused by BigCommerce and said so."""
    here = await app(shop, auth_callback="https://host.example/in/bigcommerce/u7/auth/")
    with pytest.raises(errors.AuthorizationDenied, match="auth callback"):
        await installed(here)


async def test_wrong_secret(shop: Make):
    """A wrong client secret is the operator's to mend."""
    here = await app(shop)
    here.session.set(BigCommerceApplication(client_id="client-1", client_secrets=(SecretStr("x" * 40),)))
    with pytest.raises((errors.ApplicationRejected, errors.AuthorizationDenied)):
        await installed(here)


@pytest.mark.parametrize("kind", ["load", "uninstall", "remove_user"])
async def test_signed_calls(shop: Make, kind: str):
    """What BigCommerce signs is understood."""
    here = await app(shop)
    await installed(here)
    made = await here.control("POST", "//apps/client-1/callback", {"hash": "abc123", "kind": kind})
    found = await receive(here.session, Call(method="GET", path=kind, query={"signed_payload_jwt": made["jwt"]}))
    assert [type(one) for one in found] == {"load": [Arrived], "uninstall": [Left], "remove_user": []}[kind]


async def test_webhooks_live(shop: Make):
    """Hooks are made, an order's change is delivered with our secret, and hooks are taken back."""
    here = await app(shop)
    found = await installed(here)
    here.session.set(BigCommerceCredentials.model_validate(dict(found.fields)))
    await subscribe(here.session)
    await here.advance(120)
    await here.control("POST", "/orders/105/status", {"status_id": 10})
    due = await here.control("GET", "/deliveries")
    rows = due if isinstance(due, list) else next(iter(due.values()))
    meant = list[Any]()
    for row in rows:
        raw = row["body"] if isinstance(row["body"], str) else json.dumps(row["body"])
        head = {name.lower(): value for name, value in row["headers"].items()}
        meant += await receive(here.session, Call(method="POST", path="", headers=head, body=raw.encode()))
    assert any(isinstance(one, Changed) and (one.stream, list(one.ids)) == ("orders", ["105"]) for one in meant)
    await unsubscribe(here.session)
    await subscribe(here.session)
    await unsubscribe(here.session)
    assert here.asked()[-1][0] == "DELETE"
