"""The vendor's side: keys, licenses, revocation lists. Hosts verify; they never hold a private key."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc.jwk import OKPKey

from omnichannel_core import errors
from omnichannel_core.gate import proofs
from omnichannel_core.gate.proofs import PRODUCT


def keygen() -> tuple[dict[str, Any], dict[str, Any]]:
    """A new pair of JWKs: (private, public). The key id is the key's thumbprint (RFC 7638)."""
    key = OKPKey.generate_key("Ed25519")
    named = {"kid": key.thumbprint(), "use": "sig", "alg": proofs.ALGORITHM}
    return {**key.as_dict(private=True), **named}, {**key.as_dict(private=False), **named}


def key_set(*public: Mapping[str, Any]) -> dict[str, Any]:
    """A JWKS for hosts: the active key, and the next one.

    Raises:
        UsageError: one of them is not a public key.
    """
    proofs.Trust.of(public)
    return {"keys": [dict(jwk) for jwk in public]}


def issue(
    private: Mapping[str, Any],
    *,
    account: str,
    driver: str,
    distribution: str,
    now: datetime,
    product: str = PRODUCT,
    days: int = 365,
    not_before: datetime | None = None,
    expires: datetime | None = None,
    grace_days: int = 14,
    features: Iterable[str] = (),
    application: str = "",
    issuer: str = "",
    id: str = "",  # noqa: A002
) -> str:
    """A signed license. Times are kept in whole seconds, UTC.

    Args:
        account: the main account that bought the driver.
        not_before: default is `now`.
        expires: default is `days` after `not_before`; `grace_days` follow.
        application: name of the application document that comes with it.
        id: default is a random one.

    Raises:
        UsageError: the license would never be valid, or `private` is not a private key.
    """
    begin = not_before or now
    end = expires or begin + timedelta(days=days)
    if end <= begin or grace_days < 0 or not (account and driver and distribution and product):
        raise errors.UsageError("A license names account, driver, distribution and product, and ends after it begins.")
    claims: dict[str, Any] = {
        "iss": issuer, "aud": product, "sub": account, "jti": id or secrets.token_hex(16),
        "driver": driver, "distribution": distribution,
        "iat": _seconds(now), "nbf": _seconds(begin), "exp": _seconds(end), "grace_days": grace_days,
        "features": sorted(set(features)), "application": application,
    }  # fmt: skip
    return proofs.sign(private, proofs.LICENSE_TYPE, claims)


def revoke(
    private: Mapping[str, Any], ids: Iterable[str], *, seq: int, now: datetime, product: str = PRODUCT, issuer: str = ""
) -> str:
    """A signed revocation list: all revoked ids, each time; `seq` is higher than that of every list before.

    Raises:
        UsageError: `seq` is below 1, or `private` is not a private key.
    """
    if seq < 1:
        raise errors.UsageError("A revocation list's seq is 1 or more, and rises with every list.")
    claims = {"iss": issuer, "aud": product, "iat": _seconds(now), "seq": seq, "revoked": sorted(set(ids))}
    return proofs.sign(private, proofs.REVOCATION_TYPE, claims)


def _seconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise errors.UsageError("A license's times need a time zone; give UTC.")
    return int(at.astimezone(UTC).timestamp())
