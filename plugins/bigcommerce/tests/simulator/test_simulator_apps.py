"""Installing apps, tokens and their scopes, signed callbacks."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt as jose
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

pytestmark = pytest.mark.anyio

APP = {
    "client_id": "app-1",
    "client_secret": "shhh-a-secret-of-32-characters-or-more",
    "auth_callback": "https://app.example.com/auth",
    "load_callback": "https://app.example.com/load",
    "uninstall_callback": "https://app.example.com/uninstall",
    "remove_user_callback": "https://app.example.com/remove",
    "scopes": ["store_v2_orders", "store_v2_products_read_only"],
}


async def exchange(api: Any, started: dict[str, Any], **changes: Any) -> httpx2.Response:
    words = {
        "client_id": "app-1",
        "client_secret": APP["client_secret"],
        "code": started["code"],
        "context": started["context"],
        "scope": started["scope"],
        "grant_type": "authorization_code",
        "redirect_uri": APP["auth_callback"],
    }
    return await api.http.post("/oauth2/token", json=words | changes)


@pytest.fixture
async def installed(api: Any) -> dict[str, Any]:
    await api.control("POST", "/apps", APP)
    started: dict[str, Any] = await api.control("POST", "/apps/app-1/install", {"hash": "shop1"})
    return started


async def test_install_and_exchange(api: Any, client: Any, installed: dict[str, Any]) -> None:
    """The browser comes with code, scope and context; the exchange gives a token with the app's scopes, once."""
    query = parse_qs(urlsplit(installed["url"]).query)
    assert query["context"] == ["stores/shop1"]
    answer = await exchange(api, installed)
    assert answer.status_code == 200
    granted = answer.json()
    assert granted.keys() == {"access_token", "scope", "user", "owner", "context", "account_uuid"}
    app = await client(granted["access_token"])
    assert (await app.get("/v2/orders")).status_code == 200
    assert (await exchange(api, installed)).status_code == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"redirect_uri": "https://app.example.com/auth/"}, 400),
        ({"redirect_uri": "https://app.example.com/load"}, 400),
        ({"client_secret": "wrong"}, 401),
        ({"client_id": "nobody"}, 401),
        ({"code": "made-up"}, 400),
        ({"grant_type": "refresh_token"}, 400),
    ],
)
async def test_exchange_refuses(api: Any, installed: dict[str, Any], changes: dict[str, Any], status: int) -> None:
    """Anything that is not exactly registered is refused, and the code stays good."""
    assert (await exchange(api, installed, **changes)).status_code == status
    assert (await exchange(api, installed)).status_code == 200


async def test_form_encoding_works_too(api: Any, installed: dict[str, Any]) -> None:
    """The token endpoint takes a form as well as JSON."""
    words = {key: APP[key] for key in ("client_id", "client_secret")} | {
        key: installed[key] for key in ("code", "context", "scope")
    }
    words |= {"grant_type": "authorization_code", "redirect_uri": APP["auth_callback"]}
    assert (await api.http.post("/oauth2/token", data=words)).status_code == 200


async def test_unfilled_context_gives_a_token_that_may_do_nothing(
    api: Any, client: Any, installed: dict[str, Any]
) -> None:
    """A template sent as context yields a token with scope null, and 403 everywhere."""
    granted = (await exchange(api, installed, context="stores/{store_hash}")).json()
    assert granted["scope"] is None
    answer = await (await client(granted["access_token"])).get("/v2/orders")
    assert (answer.status_code, answer.json()[0]["message"]) == (
        403,
        "You don't have a required scope to access the endpoint",
    )


async def test_scopes_decide_what_a_token_may(api: Any, client: Any, installed: dict[str, Any]) -> None:
    """Read-only scopes admit GET, nothing else; families without a scope are 403; hooks need none."""
    app = await client((await exchange(api, installed)).json()["access_token"])
    assert (await app.get("/v3/catalog/products")).status_code == 200
    assert (await app("POST", "/v3/catalog/brands", {"name": "X"})).status_code == 403
    assert (await app.get("/v3/inventory/items")).status_code == 403
    assert (await app.get("/v3/hooks")).status_code == 200


async def test_wrong_token_and_wrong_hash_are_401(client: Any) -> None:
    """A wrong token and a wrong store answer alike, each version in its own words."""
    for api in (await client("wrong"), await client(store="nowhere")):
        answer = await api.get("/v3/channels")
        assert answer.status_code == 401
        assert answer.json()["title"].startswith("Unauthorized - the v3 Auth client ID or token")
        assert isinstance((await api.get("/v2/time")).json(), list)


async def test_new_scopes_kill_the_token_until_the_next_exchange(
    api: Any, client: Any, installed: dict[str, Any]
) -> None:
    """When an app's scopes or the owner's mail change, its token dies and a fresh install replaces it."""
    token = (await exchange(api, installed)).json()["access_token"]
    changed = await api.control("PUT", "/apps/app-1", {"scopes": ["store_v2_orders"]})
    assert changed["tokens_killed"] == 1
    assert (await (await client(token)).get("/v2/orders")).status_code == 401
    again = await api.control("POST", "/apps/app-1/install", {"hash": "shop1"})
    fresh = (await exchange(api, again)).json()["access_token"]
    assert (await (await client(fresh)).get("/v2/orders")).status_code == 200
    await api.control("PUT", "/stores/shop1", {"owner_email": "new@example.com"})
    assert (await (await client(fresh)).get("/v2/orders")).status_code == 401
    assert (await api.get("/v2/orders")).status_code == 200, "the manual token lives"


async def test_uninstall_takes_tokens_and_hooks(api: Any, client: Any, installed: dict[str, Any]) -> None:
    """After an uninstall the token is dead, the app's hooks are gone, and the callback is signed."""
    app = await client((await exchange(api, installed)).json()["access_token"])
    await app("POST", "/v3/hooks", {"scope": "store/order/*", "destination": "https://app.example.com/h"})
    gone = await api.control("POST", "/apps/app-1/uninstall", {"hash": "shop1"})
    assert gone["tokens_killed"] == 1
    assert gone["url"].startswith("https://app.example.com/uninstall?signed_payload_jwt=")
    assert (await app.get("/v3/hooks")).status_code == 401
    await api.control("POST", "/stores/shop1/orders", {})
    await api.control("POST", "/clock", {"advance": 3600})
    await api.control("POST", "/stores/shop1/orders", {})
    assert (await api.control("GET", "/stores/shop1/deliveries?all=1"))["deliveries"] == []


def verify(token: str) -> dict[str, Any]:
    """What a careful receiver does (guide 1.4)."""
    decoded = jose.decode(token, OctKey.import_key(APP["client_secret"]), algorithms=["HS256", "HS512"])
    rules = {"aud": {"essential": True, "value": "app-1"}, "iss": {"essential": True, "value": "bc"}}
    registry = jose.JWTClaimsRegistry(now=1_790_000_000, leeway=10, **rules)
    registry.validate(decoded.claims)
    return dict(decoded.claims)


@pytest.mark.parametrize("flaw", ["", "nbf_early", "HS512"])
async def test_good_callbacks_verify(api: Any, installed: dict[str, Any], flaw: str) -> None:
    """Good callbacks verify with the client secret, nbf five seconds early and HS512 included."""
    made = await api.control("POST", "/apps/app-1/callback", {"hash": "shop1", "kind": "load", "flaw": flaw})
    claims = verify(made["jwt"])
    assert claims["sub"] == "stores/shop1"
    assert claims["exp"] - claims["iat"] == 86_400


@pytest.mark.parametrize("flaw", ["wrong_aud", "wrong_iss", "expired", "not_yet", "bad_signature", "none"])
async def test_flawed_callbacks_do_not_verify(api: Any, installed: dict[str, Any], flaw: str) -> None:
    """Each flaw makes a careful receiver refuse."""
    made = await api.control("POST", "/apps/app-1/callback", {"hash": "shop1", "kind": "remove_user", "flaw": flaw})
    with pytest.raises((JoseError, ValueError)):
        verify(made["jwt"])
    head = made["jwt"].split(".")[0]
    algorithm = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"]
    assert algorithm == ("none" if flaw == "none" else "HS256")


async def test_suspended_store_is_503(api: Any) -> None:
    """A suspended store answers 503 to a good token, not 401."""
    await api.control("PUT", "/stores/shop1", {"status": "suspended"})
    assert (await api.get("/v2/store")).status_code == 503


async def test_rotated_token(api: Any, client: Any) -> None:
    """A rotated token dies at once and the new one has its scopes."""
    await api.control("PUT", "/stores/shop1/tokens/token-1", {"rotate_to": "token-2"})
    assert (await api.get("/v2/time")).status_code == 401
    assert (await (await client("token-2")).get("/v2/time")).status_code == 200


async def test_functions_outside_the_plan_are_403(api: Any) -> None:
    """What the plan does not include is refused in other words than a missing scope."""
    await api.control("PUT", "/stores/shop1", {"not_in_plan": ["inventory"]})
    answer = await api.get("/v3/inventory/items")
    assert answer.status_code == 403
    assert "plan" in answer.json()["title"]
