"""Session tokens of apps that are shown within Shopify's admin: signed for a minute, and read back (guide 2.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.installs import App
    from omnichannel_shopify_simulator.store import Store

LIFE = 60
HEAD = {"alg": "HS256", "typ": "JWT"}


class Claims(msgspec.Struct):
    """What a session token says."""

    iss: str
    dest: str
    aud: str
    sub: str
    exp: int
    nbf: int
    iat: int
    jti: str
    sid: str


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _signature(app: App, text: str) -> str:
    return _text(hmac.new(app.signing_secret.encode(), text.encode(), hashlib.sha256).digest())


def session_token(store: Store, app: App, now: float) -> str:
    """A JWT (HS256, by the app's secret) for a visit that begins now."""
    shop, at, random = f"https://{store.domain}", int(now), store.random
    claims = Claims(
        f"{shop}/admin", shop, app.client_id, "42", at + LIFE, at, at, f"{random.getrandbits(64):x}",
        f"{random.getrandbits(64):x}",
    )  # fmt: skip
    text = f"{_text(msgspec.json.encode(HEAD))}.{_text(msgspec.json.encode(claims))}"
    return f"{text}.{_signature(app, text)}"


def is_visit(store: Store, app: App, token: str, now: float) -> bool:
    """Whether it is a session token of this app in this shop, signed and still good."""
    text, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(app, text).encode(), signature.encode()):
        return False
    body = text.partition(".")[2]
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Claims)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return False
    return (claims.aud, claims.dest) == (app.client_id, f"https://{store.domain}") and claims.nbf <= now < claims.exp
