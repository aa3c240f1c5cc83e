"""What licenses and revocation lists say, and what a license is worth at a time. Nothing is kept here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, TypeVar

import attrs
import msgspec

from omnichannel_core import errors
from omnichannel_core.gate import proofs
from omnichannel_core.gate.proofs import Trust
from omnichannel_core.model.license import License

S = TypeVar("S")
LEEWAY = timedelta(minutes=5)  # between the vendor's clock and the host's

_Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class State(StrEnum):
    """What a license is worth now; the order is from best to worst."""

    VALID = "valid"
    GRACE = "grace"
    NOT_YET = "not yet"
    EXPIRED = "expired"
    REVOKED = "revoked"
    INVALID = "invalid"

    @property
    def counts(self) -> bool:
        """Whether it opens the gate."""
        return self in (State.VALID, State.GRACE)


@attrs.frozen(kw_only=True)
class Held:
    """A license of an account, judged. `license` is None when its text proves nothing (any more)."""

    id: str
    account: str
    driver: str
    state: State
    reason: str
    added_at: datetime
    license: License | None = None

    @property
    def rank(self) -> tuple[int, float]:
        """The best first: by state, then by the later end."""
        end = 0.0 if self.license is None else (self.license.expires_at + self.license.grace).timestamp()
        return list(State).index(self.state), -end

    def refusal(self) -> errors.NotAdmitted:
        """The error of a license that does not count."""
        kinds = {State.NOT_YET: errors.LicenseExpired, State.EXPIRED: errors.LicenseExpired,
                 State.REVOKED: errors.LicenseRevoked}  # fmt: skip
        return kinds.get(self.state, errors.LicenseInvalid)(self.reason)


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    aud: str
    sub: _Word
    jti: _Word
    driver: _Word
    distribution: _Word
    iat: _Seconds
    nbf: _Seconds
    exp: _Seconds
    grace_days: Annotated[int, msgspec.Meta(ge=0, le=3660)] = 0
    iss: str = ""
    features: Sequence[str] = ()
    application: str = ""


class Revocations(msgspec.Struct, frozen=True, kw_only=True):
    aud: str
    iat: _Seconds
    seq: Annotated[int, msgspec.Meta(ge=1)]
    revoked: Sequence[str]
    iss: str = ""


def read_license(text: str, trust: Trust, product: str) -> License:
    """What a license's text proves.

    Raises:
        LicenseInvalid: nothing: signature, key, form or product.
    """
    key_id, payload = proofs.read(text, proofs.LICENSE_TYPE, trust)
    says = _decode(payload, Claims, "license")
    _for_product(says.aud, product, f"License {says.jti}")
    if says.exp <= says.nbf:
        raise errors.LicenseInvalid(f"License {says.jti} ends before it begins; ask the vendor for a new one.")
    return License(
        id=says.jti, account=says.sub, product=says.aud, driver=says.driver, distribution=says.distribution,
        issuer=says.iss, issued_at=_at(says.iat), not_before=_at(says.nbf), expires_at=_at(says.exp),
        grace=timedelta(days=says.grace_days), features=frozenset(says.features), application=says.application,
        key_id=key_id, text=text,
    )  # fmt: skip


def read_revocations(text: str, trust: Trust, product: str) -> tuple[str, Revocations]:
    """What a revocation list's text proves, and the id of the key that signed it.

    Shape of the answer: (key id, list).

    Raises:
        LicenseInvalid: nothing: signature, key, form or product.
    """
    key_id, payload = proofs.read(text, proofs.REVOCATION_TYPE, trust)
    says = _decode(payload, Revocations, "revocation list")
    _for_product(says.aud, product, f"Revocation list {says.seq}")
    return key_id, says


def worth(proved: License, now: datetime) -> tuple[State, str]:
    """Its state by time alone, and the reason when it is not simply valid."""
    what, last = f"License {proved.id} for driver {proved.driver}", proved.expires_at + proved.grace
    if now + LEEWAY < proved.not_before:
        return State.NOT_YET, f"{what} begins on {day(proved.not_before)}."
    if now < proved.expires_at:
        return State.VALID, ""
    if now < last:
        return State.GRACE, f"{what} ended on {day(proved.expires_at)}; it is honored until {day(last)}: renew it."
    return State.EXPIRED, f"{what} ended on {day(proved.expires_at)}: renew it."


def day(at: datetime) -> str:
    """A time as people read it in a message."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _for_product(named: str, product: str, what: str) -> None:
    if named != product:
        raise errors.LicenseInvalid(f"{what} is for product {named!r}, not {product!r}; ask the vendor.")


def _decode(payload: bytes, shape: type[S], what: str) -> S:
    try:
        return msgspec.json.decode(payload, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise errors.LicenseInvalid(f"The {what} does not say what it must ({cause}); ask the vendor.") from cause


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
