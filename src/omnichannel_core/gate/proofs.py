"""Signed texts: JWS compact, Ed25519 (RFC 7515, RFC 8037; algorithm name of RFC 9864), verified offline by joserfc.

A text has exactly three header members: `alg` Ed25519, `typ`, and `kid`, the key's id in the host's trusted set.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from omnichannel_core import errors

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey

PRODUCT = "omnichannel-core"
ALGORITHM = "Ed25519"
LICENSE_TYPE = "omni-lic+jwt"
REVOCATION_TYPE = "omni-rev+jwt"
TEXT_MAX = 4_000_000
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")


@attrs.frozen(repr=False)
class Trust:
    """The vendor's public keys a host trusts, by key id: the active one and, for rotation, the next."""

    keys: Mapping[str, OKPKey]

    @classmethod
    def of(cls, given: str | bytes | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Trust:
        """From a JWKS (text, or already read), one public JWK, or several. An empty set trusts nobody.

        Raises:
            UsageError: not of that form, a private key, not Ed25519, without `kid`, or one `kid` twice.
        """
        keys: dict[str, OKPKey] = {}
        for jwk in _jwks(given):
            kid = jwk.get("kid") if isinstance(jwk, Mapping) else None
            if not isinstance(kid, str) or not kid:
                raise errors.UsageError(f"Trusted key {len(keys) + 1} has no `kid`; give the public key as issued.")
            if "d" in jwk:
                raise errors.UsageError(f"Trusted key {kid!r} is a private key; give hosts the public one only.")
            if kid in keys:
                raise errors.UsageError(f"Two trusted keys have the id {kid!r}; remove one.")
            keys[kid] = _okp(jwk, kid)
        return cls(keys)

    def __repr__(self) -> str:
        return f"Trust({', '.join(self.keys)})"


def sign(private: Mapping[str, Any], typ: str, claims: Mapping[str, Any]) -> str:
    """The vendor's side: a signed text of these claims.

    Raises:
        UsageError: `private` is not an Ed25519 private JWK with a `kid`.
    """
    kid = str(private.get("kid", ""))
    if not kid or "d" not in private:
        raise errors.UsageError("Signing needs a private JWK with `kid` and `d`; make one with keygen.")
    from omnichannel_core.gate.jose import REGISTRY, jws

    header = {"alg": ALGORITHM, "kid": kid, "typ": typ}
    body = json.dumps(dict(claims), separators=(",", ":"))
    return jws.serialize_compact(header, body, _okp(private, kid), registry=REGISTRY)


def read(text: str, typ: str, trust: Trust) -> tuple[str, bytes]:
    """The host's side: key id and payload of a text that proves itself. Only one spelling of a text is accepted.

    Raises:
        LicenseInvalid: damaged, of another type or algorithm, of a key that is not trusted, or not signed by it.
    """
    from omnichannel_core.gate.jose import REGISTRY, UNREADABLE, jws

    if len(text) > TEXT_MAX or not _canonical(text):
        raise errors.LicenseInvalid("The signed text is damaged; copy it again, in one piece.")
    try:
        found = jws.extract_compact(text.encode(), registry=REGISTRY)
        header = found.headers()
    except UNREADABLE as cause:
        raise errors.LicenseInvalid("The signed text has no readable header; copy it again, in one piece.") from cause
    if set(header) != {"alg", "kid", "typ"} or header["alg"] != ALGORITHM or header["typ"] != typ:
        raise errors.LicenseInvalid(f"The signed text is not of type {typ} with algorithm {ALGORITHM}; ask the vendor.")
    kid = header["kid"]
    key = trust.keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise errors.LicenseInvalid(
            f"Key {str(kid)[:80]!r} is not trusted here; add it to the trusted keys, or ask the vendor."
        )
    try:
        proved = jws.validate_compact(found, key, registry=REGISTRY)
    except UNREADABLE:
        proved = False
    if not proved or found.payload is None:
        raise errors.LicenseInvalid(f"The signed text was not signed by key {kid!r}: changed, or forged.")
    return str(kid), found.payload


def _canonical(text: str) -> bool:
    """Base64url decoders forgive stray characters and spare bits; two spellings of one text would be two licenses."""
    parts = text.split(".")
    if len(parts) != 3:
        return False
    for part in parts:
        if not _SEGMENT.fullmatch(part) or len(part) % 4 == 1:
            return False
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
            return False
    return True


def _jwks(given: str | bytes | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    if isinstance(given, str | bytes):
        try:
            given = json.loads(given)
        except ValueError as cause:
            raise errors.UsageError('The trusted keys are not JSON; give a JWKS: {"keys": [...]}.') from cause
    if isinstance(given, Mapping):
        given = given.get("keys", [given])
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
        raise errors.UsageError('The trusted keys are not a list; give a JWKS: {"keys": [...]}.')
    return list(given)


def _okp(jwk: Mapping[str, Any], kid: str) -> OKPKey:
    from omnichannel_core.gate.jose import UNREADABLE, OKPKey

    try:
        key = OKPKey.import_key(dict(jwk))
        fits = key.curve_name == ALGORITHM and jwk.get("alg", ALGORITHM) == ALGORITHM and jwk.get("use", "sig") == "sig"
    except UNREADABLE:
        fits = False
    if not fits:
        raise errors.UsageError(f"Key {kid!r} is not an Ed25519 key for signatures (RFC 8037).")
    return key
