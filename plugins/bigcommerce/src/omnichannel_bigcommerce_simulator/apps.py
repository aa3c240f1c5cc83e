"""Single-click apps: install, exchange of the code, re-authorization, uninstall, signed callbacks (guide 1.3, 1.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec

from omnichannel_bigcommerce_simulator import jwt
from omnichannel_bigcommerce_simulator.answers import Answer, reply
from omnichannel_bigcommerce_simulator.store import Store
from omnichannel_bigcommerce_simulator.tokens import Token

if TYPE_CHECKING:
    from omnichannel_bigcommerce_simulator.world import World

Row = dict[str, Any]
KINDS = ("load", "uninstall", "remove_user")


@dataclass(slots=True)
class App:
    """What a vendor registered: credentials, callbacks, scopes."""

    client_id: str
    client_secret: str
    auth_callback: str = ""
    load_callback: str = ""
    uninstall_callback: str = ""
    remove_user_callback: str = ""
    scopes: list[str] = field(
        default_factory=lambda: ["store_v2_orders", "store_v2_products", "store_v2_information_read_only"]
    )


@dataclass(slots=True)
class Code:
    """An authorization code: good once."""

    client_id: str
    store: str
    scopes: list[str]
    user: Row
    used: bool = False


def install(world: World, app: App, store: Store, user: Row | None = None, scopes: list[str] | None = None) -> Row:
    """A merchant clicks Install: the address the browser is sent to, and the code in it. Earlier tokens live until
    the exchange.
    """
    person = {"id": 9128, "username": "owner", "email": store.owner_email} | (user or {})
    granted = app.scopes if scopes is None else scopes
    code = f"{world.random.getrandbits(100):025x}"
    world.codes[code] = Code(app.client_id, store.hash, granted, person)
    words = {
        "code": code,
        "scope": " ".join(granted),
        "context": f"stores/{store.hash}",
        "account_uuid": store.account_uuid,
    }
    return {"url": f"{app.auth_callback}?{urlencode(words)}", **words}


def _refused(status: int, error: str) -> Answer:
    return reply({"error": error}, status)


def exchange(world: World, content_type: str, body: bytes) -> Answer:
    """`POST /oauth2/token`, as JSON or as a form.

    400 for a used or unknown code, a redirect_uri that is not exactly the registered one, another store's context;
    401 for client credentials. A context that names no store at all (an unfilled template) gives a token that may do
    nothing (NangoHQ/nango#7026).
    """
    try:
        words: Row = msgspec.json.decode(body) if "json" in content_type else dict(parse_qsl(body.decode()))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _refused(400, "invalid_request")
    if not isinstance(words, dict):
        return _refused(400, "invalid_request")
    app = world.apps.get(str(words.get("client_id")))
    if app is None or words.get("client_secret") != app.client_secret:
        return _refused(401, "invalid_client")
    if words.get("grant_type") != "authorization_code":
        return _refused(400, "unsupported_grant_type")
    code = world.codes.get(str(words.get("code")))
    if code is None or code.used or code.client_id != app.client_id:
        return _refused(400, "invalid_grant")
    if words.get("redirect_uri") != app.auth_callback:
        return _refused(400, "redirect_uri_mismatch")
    context = str(words.get("context", ""))
    store = world.stores[code.store]
    if context != f"stores/{store.hash}" and context.removeprefix("stores/") in world.stores:
        return _refused(400, "invalid_context")
    code.used = True
    return reply(_grant(world, app, store, code, empty=context != f"stores/{store.hash}"))


def _grant(world: World, app: App, store: Store, code: Code, *, empty: bool) -> Row:
    kill(store, app)
    scopes = frozenset[str]() if empty else frozenset(code.scopes)
    token = Token(f"{world.random.getrandbits(120):030x}", app.client_id, app.client_secret, scopes, app=True)
    store.admit(token)
    user = {"id": code.user["id"], "username": code.user["username"], "email": code.user["email"]}
    return {
        "access_token": token.token,
        "scope": None if empty else " ".join(code.scopes),
        "user": user,
        "owner": {"id": 9128, "username": "owner", "email": store.owner_email},
        "context": f"stores/{store.hash}",
        "account_uuid": store.account_uuid,
    }


def kill(store: Store, app: App) -> int:
    """The app's tokens of a store die; how many did."""
    alive = [token for token in store.tokens.values() if token.client_id == app.client_id and token.app and token.alive]
    for token in alive:
        token.alive = False
    return len(alive)


def callback(world: World, app: App, store: Store, kind: str, words: Row) -> Row:
    """The address of a load, uninstall or remove_user callback with its signed payload; `flaw` as in `jwt.FLAWS`."""
    if kind not in KINDS:
        raise ValueError(f"callback: kind {kind!r} is not one of {', '.join(KINDS)}")
    now = int(world.clock.now())
    owner = {"id": 9128, "email": store.owner_email}
    claims = {
        "aud": app.client_id,
        "iss": "bc",
        "iat": now,
        "nbf": now - 5,
        "exp": now + 86_400,
        "jti": words.get("jti") or str(UUID(int=world.random.getrandbits(128), version=4)),
        "sub": f"stores/{store.hash}",
        "user": owner | {"locale": "en-US"} | words.get("user", {}),
        "owner": owner,
        "url": words.get("url", "/"),
        "channel_id": words.get("channel_id"),
    }
    signed = jwt.callback(claims, app.client_secret, words.get("flaw", ""))
    return {"url": f"{getattr(app, kind + '_callback')}?signed_payload_jwt={signed}", "jwt": signed, "claims": claims}


def uninstall(world: World, app: App, store: Store) -> Row:
    """Tells `store/app/uninstalled`, then tokens and hooks of the app are gone; the callback to hand over."""
    store.hooks.emit("store/app/uninstalled", {"type": "app", "id": app.client_id})
    killed = kill(store, app)
    store.hooks.remove_of(app.client_id)
    return callback(world, app, store, "uninstall", {}) | {"tokens_killed": killed}
