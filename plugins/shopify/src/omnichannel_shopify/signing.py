"""What Shopify signs: addresses of the browser (hex) and bodies of webhooks (base64), by one of the app's secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

from omnichannel_core import errors
from omnichannel_core.driver import Call, Session
from omnichannel_shopify.credentials import SHOP, Organization, ShopifyApplication, ShopifyCredentials, StaticToken

LATE = 90.0
"""Seconds an address from Shopify may be old, as its own libraries have it (guide 2.3)."""


def secrets(session: Session) -> list[bytes]:
    """All that may have signed: the vendor's (newest first; Shopify uses the oldest valid one), or the merchant's."""
    app, mine = session.get(ShopifyApplication), session.get(ShopifyCredentials)
    found = list(app.client_secrets) if app is not None else []
    if mine is not None and isinstance(mine.access, Organization):
        found = [mine.access.client_secret]
    elif mine is not None and isinstance(mine.access, StaticToken):
        found = [mine.access.api_secret] if mine.access.api_secret is not None else []
    return [one.get_secret_value().encode() for one in found]


def check_address(session: Session, call: Call) -> str:
    """The shop that an address from Shopify's own hand is about.

    All parameters but `hmac`, sorted, `k=v` joined by `&`, what separates escaped, HMAC-SHA256 in hex (guide 2.3).

    Raises:
        CallRefused: not a shop, not signed for this app, or too old.
    """
    shop = call.query.get("shop", "")
    if not SHOP.fullmatch(shop.lower()):
        raise errors.CallRefused("The call names no Shopify shop")
    said = [pair for pair in sorted(call.query.items()) if pair[0] not in ("hmac", "signature")]
    rest = "&".join(f"{escaped(key).replace('=', '%3D')}={escaped(value)}" for key, value in said)
    given = call.query.get("hmac", "").encode()
    made = [hmac.new(secret, rest.encode(), hashlib.sha256).hexdigest().encode() for secret in secrets(session)]
    if not any(hmac.compare_digest(one, given) for one in made):
        raise errors.CallRefused("Not signed by Shopify for this app")
    stamp = call.query.get("timestamp", "")
    age = session.clock.now().timestamp() - float(stamp) if stamp.isascii() and stamp.isdigit() else LATE + 1
    if abs(age) > LATE:
        raise errors.CallRefused("The call from Shopify is too old")
    return shop.lower()


def escaped(text: str) -> str:
    """So that no value looks like two parameters."""
    return text.replace("%", "%25").replace("&", "%26")


def head(call: Call, name: str) -> str:
    """A header of a delivery, of either family (`X-Shopify-Topic`, `shopify-topic`)."""
    return call.headers.get(f"x-shopify-{name}") or call.headers.get(f"shopify-{name}", "")


def check_body(session: Session, call: Call) -> None:
    """A delivery: HMAC-SHA256 of the raw bytes, in base64.

    Raises:
        CallRefused: none of the secrets made it.
    """
    given = head(call, "hmac-sha256").encode()
    made: Sequence[bytes] = [base64.b64encode(hmac.digest(secret, call.body, "sha256")) for secret in secrets(session)]
    if not any(hmac.compare_digest(one, given) for one in made):
        raise errors.CallRefused("Not signed by Shopify for this app")


def triggered(call: Call) -> datetime | None:
    """When the event happened, None where the header is missing or no moment."""
    try:
        found = datetime.fromisoformat(head(call, "triggered-at"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
