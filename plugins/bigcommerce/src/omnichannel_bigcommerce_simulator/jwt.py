"""Signed callbacks: JSON web tokens as the platform makes them, and the broken ones a receiver must refuse (guide
1.4).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec

FLAWS = ("", "wrong_aud", "wrong_iss", "expired", "not_yet", "nbf_early", "bad_signature", "HS512", "none")


def _part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(claims: dict[str, Any], secret: str, algorithm: str = "HS256") -> str:
    """A compact JWS over `claims`; algorithms HS256, HS512 and none."""
    head = _part(msgspec.json.encode({"typ": "JWT", "alg": algorithm}))
    signed = head + b"." + _part(msgspec.json.encode(claims))
    if algorithm == "none":
        return (signed + b".").decode()
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    return (signed + b"." + _part(hmac.new(secret.encode(), signed, digest).digest())).decode()


def callback(claims: dict[str, Any], secret: str, flaw: str = "") -> str:
    """A `signed_payload_jwt`, good or with one flaw of `FLAWS`.

    `nbf_early` is good: the platform's own example has nbf five seconds before iat. `HS512` is signed well, with an
    algorithm that the official client accepts.
    """
    if flaw not in FLAWS:
        raise ValueError(f"flaw {flaw!r} is not one of {', '.join(FLAWS[1:])}")
    changes: dict[str, dict[str, Any]] = {
        "wrong_aud": {"aud": "somebody-else"},
        "wrong_iss": {"iss": "not-bc"},
        "expired": {"iat": claims["iat"] - 172_800, "nbf": claims["nbf"] - 172_800, "exp": claims["iat"] - 86_400},
        "not_yet": {"nbf": claims["iat"] + 3600},
        "nbf_early": {"nbf": claims["iat"] - 5},
    }
    claims = claims | changes.get(flaw, {})
    if flaw == "bad_signature":
        return sign(claims, secret + "-wrong")
    return sign(claims, secret, flaw if flaw in {"HS512", "none"} else "HS256")
