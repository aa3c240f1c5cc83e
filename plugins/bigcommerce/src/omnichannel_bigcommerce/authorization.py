"""Whose store it is, what the token may do; installs begun at BigCommerce; webhooks (guide 1.3 to 1.6, 1.13)."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from omnichannel_bigcommerce import catalog_wire, wire
from omnichannel_bigcommerce.client import Client, exchange
from omnichannel_bigcommerce.credentials import BigCommerceApplication, BigCommerceCredentials
from omnichannel_bigcommerce.settings import OrderFilters
from omnichannel_core import errors
from omnichannel_core.driver import Arrived, AuthorizationFlow, Call, Callbacks, Changed, Checkup, Left, Session

PROBES: Mapping[str, tuple[str, str]] = {
    "orders": ("getOrders", "/v2/orders"),
    "returns": ("getOrdersRefunds", "/v3/orders/payment_actions/refunds"),
    "offers": ("getProducts", "/v3/catalog/products"),
    "stock": ("getLocations", "/v3/inventory/locations"),
    "prices": ("getPriceLists", "/v3/pricelists"),
    "channels": ("getChannels", "/v3/channels"),
    "callbacks": ("getWebhooks", "/v3/hooks"),
}
"""Capability -> a cheap GET that needs its scope: no end point lists a token's scopes (guide 1.5)."""

SCOPES = ("store/order/*", "store/information/updated", "store/app/uninstalled")
HEADER = "x-omnichannel-secret"
CONTEXT = re.compile(r"stores/([a-z0-9]{4,32})")
LEEWAY, TOLERANCE, SKEW = 60, 300, 300


async def check(session: Session) -> Checkup:
    """Asks for the store, compares it with the typed hash, then tries one cheap GET per capability.

    Raises:
        CredentialsRejected: token or store hash are wrong, or belong to different stores.
    """
    client, typed = Client(session), session[BigCommerceCredentials].store_hash
    skew = abs(session.clock.now().timestamp() - await client.time())
    if skew > SKEW:
        session.log.warning("The clocks of this host and of BigCommerce are %d seconds apart", int(skew))
    works, missing, store = set[str](), dict[str, str](), catalog_wire.Store()
    try:
        store = await client.store()
    except errors.AccessMissing as refused:
        missing["store information"] = f"{refused}. Give the API account the scope, then synchronize"
    if store.id and store.id != typed:
        raise errors.CredentialsRejected("The access token belongs to another store than the store hash says")
    for capability, (operation, path) in PROBES.items():
        try:
            await client.get(operation, path, {"limit": "1"})
            works.add(capability)
        except (errors.AccessMissing, errors.RemoteRejected) as refused:
            missing[capability] = f"{refused}. Give the API account the scope, then synchronize"
    filters = session.get(OrderFilters)
    if filters is not None and not filters.statuses:
        missing["order import"] = "No order status is switched on in Order filters: nothing is imported"
    return Checkup(title=store.name or typed, works=frozenset(works), missing=missing, account=store.id)


async def receive(session: Session, call: Call) -> Sequence[Changed | Arrived | Left]:
    """Verifies what came in and says what it means; the last part of the path tells what it is.

    Raises:
        CallRefused: forged, stale or malformed.
        AuthorizationDenied: BigCommerce does not stand by the install, or grants less than the app needs.
    """
    match call.path.rstrip("/").rsplit("/", 1)[-1]:
        case "auth":
            return [await install(session, call)]
        case "load":
            said = claims(session, call)
            return [Arrived(account=said["store"], context={"url": wire.text(said.get("url"))})]
        case "uninstall":
            said = claims(session, call)
            return [Left(account=said["store"], at=datetime.fromtimestamp(float(said["iat"]), UTC))]
        case "remove_user":
            claims(session, call)  # users of the store are none of ours: nothing is kept about them
            return []
        case _:
            return hooked(session, call)


def application(session: Session) -> BigCommerceApplication:
    """The vendor's app.

    Raises:
        ApplicationRejected: a call for an app came in and the host has none.
    """
    app = session.get(BigCommerceApplication)
    if app is None:
        raise errors.ApplicationRejected("BigCommerce calls for an app, but no application was added with the license")
    return app


async def install(session: Session, call: Call) -> Arrived:
    """No state of ours exists: proved by exchanging the code at once; the house binds it to nobody unconfirmed."""
    app, query = application(session), call.query
    context = CONTEXT.fullmatch(query.get("context", ""))
    if context is None or not query.get("code") or not query.get("scope"):
        raise errors.CallRefused("The install names no store, code or scope")
    lacking = sorted(app.scopes - set(query["scope"].split()))
    if lacking:
        raise errors.AuthorizationDenied(f"The install does not grant {', '.join(lacking)}: install the app again")
    back = app.auth_callback or f"{session.callback_url.rstrip('/')}/auth"
    try:
        said = await exchange(session, app, query, back)
    except errors.CredentialsRejected as refused:
        raise errors.ApplicationRejected("BigCommerce refuses the application's client id or secret") from refused
    except errors.RemoteRejected as refused:
        raise errors.AuthorizationDenied(
            "BigCommerce refuses the install's code: it was used before, is too old, or the registered auth callback "
            "differs; install the app again"
        ) from refused
    if said.context != query["context"] or not said.scope or not said.access_token:
        raise errors.AuthorizationDenied("BigCommerce answered for another store, or without scope")
    account = context.group(1)
    fields = {"store_hash": account, "access_token": said.access_token}
    return Arrived(account=account, fields=fields, context={"account_uuid": said.account_uuid or ""})


def claims(session: Session, call: Call) -> dict[str, Any]:
    """The claims of `signed_payload_jwt`, and the store hash as `store`.

    HS256 with the client secret; `iat` is not compared with the clock, as BigCommerce's own client does not.

    Raises:
        CallRefused: signature, audience, issuer, time or subject are wrong.
    """
    app, now = application(session), session.clock.now().timestamp()
    said = verified(app, call.query.get("signed_payload_jwt", ""))
    store = CONTEXT.fullmatch(wire.text(said.get("sub")))
    times = [said.get(name) for name in ("exp", "nbf", "iat")]
    if not all(isinstance(at, int | float) and not isinstance(at, bool) for at in times):
        raise errors.CallRefused("The call's proof has no times")
    audience = said.get("aud")
    if (audience if isinstance(audience, list) else [audience]) != [app.client_id] or said.get("iss") != "bc":
        raise errors.CallRefused("The call's proof is for another app")
    if said["exp"] + LEEWAY < now or said["nbf"] - LEEWAY > now:
        raise errors.CallRefused("The call's proof is out of date")
    if store is None:
        raise errors.CallRefused("The call's proof names no store")
    return {**said, "store": store.group(1)}


def verified(app: BigCommerceApplication, proof: str) -> dict[str, Any]:
    """The claims under a signature made with one of the app's secrets."""
    for secret in app.client_secrets:
        try:
            token = jwt.decode(proof, OctKey.import_key(secret.get_secret_value()), algorithms=["HS256"])
        except (JoseError, ValueError, TypeError):
            continue
        return dict(token.claims)
    raise errors.CallRefused("Not signed by BigCommerce for this app")


def hooked(session: Session, call: Call) -> Sequence[Changed | Arrived | Left]:
    """A webhook: our own header proves it (in both modes); the body only says which id changed.

    BigCommerce's signature is checked for age where one of our secrets made it. One that none of them made is no
    proof against the call: hooks of a typed token are signed with that API account's secret, which we never see.
    """
    ours = session.callback_secret.get_secret_value().encode()
    if not hmac.compare_digest(call.headers.get(HEADER, "").encode(), ours):
        raise errors.CallRefused("Unknown sender")
    signed_at = signature_time(session, call)
    if signed_at is not None and abs(session.clock.now().timestamp() - signed_at) > TOLERANCE:
        raise errors.CallRefused("The webhook's signature is out of date")
    try:
        event = msgspec.json.decode(call.body, type=wire.Event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise errors.CallRefused("The webhook's body is not readable") from cause
    mine = session.get(BigCommerceCredentials)
    if mine is not None and event.producer and event.producer != f"stores/{mine.store_hash}":
        raise errors.CallRefused("The webhook is of another store")
    return meaning(event)


def signature_time(session: Session, call: Call) -> float | None:
    """When BigCommerce signed (Standard Webhooks), None where no secret of ours made the signature."""
    app, head = session.get(BigCommerceApplication), call.headers
    if app is None or "webhook-signature" not in head:
        return None
    given = [part.removeprefix("v1,") for part in head["webhook-signature"].split() if part.startswith("v1,")]
    content = f"{head.get('webhook-id', '')}.{head.get('webhook-timestamp', '')}.".encode() + call.body
    for secret in app.client_secrets:
        made = hmac.digest(secret.get_secret_value().encode(), content, "sha256")
        if any(hmac.compare_digest(made, decoded(one)) for one in given):
            at = head.get("webhook-timestamp", "")
            return float(at) if at.isdigit() else 0.0
    return None


def decoded(signature: str) -> bytes:
    """Base64 to bytes, b'' when it is none."""
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""


def meaning(event: wire.Event) -> Sequence[Changed | Arrived | Left]:
    """What to look at again."""
    data = event.data
    if event.scope == "store/app/uninstalled":
        at = datetime.fromtimestamp(event.created_at, UTC) if event.created_at else None
        return [Left(account=event.producer.removeprefix("stores/"), at=at)]
    if event.scope.startswith("store/information/"):
        return [Changed(stream="data-model", key=event.hash)]
    if not event.scope.startswith("store/order/"):
        return []
    order = wire.text(data.get("order_id") or data.get("id"))
    found = [Changed(stream="orders", ids=[order] if order else [], key=event.hash)]
    refund = data.get("refund")
    if isinstance(refund, Mapping) and refund.get("refund_id"):
        found.append(Changed(stream="returns", ids=[wire.text(refund["refund_id"])], key=f"{event.hash}:refund"))
    return found


async def subscribe(session: Session) -> None:
    """Makes it so; also daily, because BigCommerce switches hooks off after two days of trouble."""
    if not session.callback_url.startswith("https://"):
        session.log.info("BigCommerce calls https addresses only: changes are found by asking")
        return
    client = Client(session)
    there = {hook.scope: hook for hook in await client.hooks() if hook.destination == session.callback_url}
    for scope in SCOPES:
        if scope in there and there[scope].is_active:
            continue
        body = {
            "scope": scope,
            "destination": session.callback_url,
            "is_active": True,
            "headers": {HEADER: session.callback_secret.get_secret_value()},
        }
        try:
            if scope in there:
                await client.change_hook(there[scope].id, body)
            else:
                await client.add_hook(body)
        except errors.RemoteRejected as refused:
            session.log.warning("BigCommerce does not take the webhook %s: %s", scope, refused)


async def unsubscribe(session: Session) -> None:
    """Takes our hooks back; those of another API account are invisible and not ours."""
    client = Client(session)
    for hook in await client.hooks():
        if hook.destination == session.callback_url:
            await client.remove_hook(hook.id)


FLOW = AuthorizationFlow(check=check, disconnect=unsubscribe)
CONTROL_PANEL = ("https://*.mybigcommerce.com", "https://*.bigcommerce.com")
"""Whose frame an installed app is shown in (guide bigcommerce-and-shopify 1.3: auth and load are answered there)."""

CALLBACKS = Callbacks(receive=receive, subscribe=subscribe, unsubscribe=unsubscribe, framed_by=CONTROL_PANEL)
