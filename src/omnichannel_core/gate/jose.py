"""joserfc, set up for one algorithm. Imported when the first key is read: a house without licenses does without."""

from __future__ import annotations

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

ALGORITHM = "Ed25519"
TEXT_MAX = 4_000_000
UNREADABLE = (JoseError, ValueError, TypeError, KeyError)


class _Registry(jws.JWSRegistry):
    max_payload_length = TEXT_MAX  # a revocation list of many years; joserfc's own limit is 128 kB


REGISTRY = _Registry(algorithms=[ALGORITHM])

__all__ = ["ALGORITHM", "REGISTRY", "TEXT_MAX", "UNREADABLE", "OKPKey", "jws"]
