"""Signed texts: what is accepted, and everything that is not."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from omnichannel_core import errors
from omnichannel_core.gate import proofs, vendor
from omnichannel_core.gate.proofs import Trust
from omnichannel_core.gate.terms import read_license, read_revocations

PRIVATE, PUBLIC = vendor.keygen()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRUST = Trust.of(PUBLIC)


def issue(**said: Any) -> str:
    told = {"account": "acme", "driver": "echo", "distribution": "omnichannel-echo", "now": NOW}
    return vendor.issue(PRIVATE, **{**told, **said})


TEXT = issue(features=["a", "b"], application="app", grace_days=3, issuer="vendor", id="L1")


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_license_says_what_was_issued() -> None:
    """Everything the vendor put in comes out on the host's side, from the text alone."""
    proved = read_license(TEXT, TRUST, proofs.PRODUCT)
    assert (proved.id, proved.account, proved.driver, proved.distribution) == ("L1", "acme", "echo", "omnichannel-echo")
    assert (proved.issuer, proved.features, proved.application) == ("vendor", frozenset("ab"), "app")
    assert (proved.issued_at, proved.not_before, proved.grace.days) == (NOW, NOW, 3)
    assert (proved.expires_at - NOW).days == 365
    assert proved.key_id == PUBLIC["kid"]
    assert TEXT not in repr(proved)


@settings(max_examples=400, deadline=None)
@given(at=st.integers(0, len(TEXT) - 1), by=st.characters(codec="utf-8"))
def test_any_changed_character_is_refused(at: int, by: str) -> None:
    """There is one spelling of a license: every other text proves nothing."""
    changed = TEXT[:at] + by + TEXT[at + 1 :]
    if changed == TEXT:
        return
    with pytest.raises(errors.LicenseInvalid):
        read_license(changed, TRUST, proofs.PRODUCT)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(TEXT)), more=st.text(min_size=1, max_size=3), cut=st.integers(0, 5))
def test_inserted_and_missing_characters_are_refused(at: int, more: str, cut: int) -> None:
    """Stray characters that decoders forgive, and cut ends, are refused too."""
    for changed in (TEXT[:at] + more + TEXT[at:], TEXT[: len(TEXT) - 1 - cut], TEXT + "=" * cut + "\n"):
        with pytest.raises(errors.LicenseInvalid):
            read_license(changed, TRUST, proofs.PRODUCT)


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=60)
    | st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}", fullmatch=True)
)
def test_no_text_does_anything_but_be_refused(text: str) -> None:
    """Whatever is handed in, the answer is LicenseInvalid and never another exception."""
    with pytest.raises(errors.LicenseInvalid):
        proofs.read(text, proofs.LICENSE_TYPE, TRUST)


@settings(max_examples=100, deadline=None)
@given(
    claim=st.sampled_from(
        ["aud", "sub", "jti", "driver", "distribution", "iat", "nbf", "exp", "grace_days", "features"]
    ),
    value=st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.lists(st.none(), max_size=2)
    | st.just("")
    | st.just(-1),
)
def test_signed_nonsense_is_refused(claim: str, value: object) -> None:
    """A vendor's mistake in a claim is LicenseInvalid, whatever the signature says."""
    said = json.loads(base64.urlsafe_b64decode(TEXT.split(".")[1] + "=="))
    if (claim, value) == ("features", []) or (isinstance(value, float) and value.is_integer()):
        return
    text = proofs.sign(PRIVATE, proofs.LICENSE_TYPE, {**said, claim: value})
    with pytest.raises(errors.LicenseInvalid):
        read_license(text, TRUST, proofs.PRODUCT)


def test_another_key_with_the_same_id_is_refused() -> None:
    """The id of a trusted key does not make a foreign signature good."""
    foreign = {**vendor.keygen()[0], "kid": PUBLIC["kid"]}
    with pytest.raises(errors.LicenseInvalid, match="was not signed by key"):
        read_license(proofs.sign(foreign, proofs.LICENSE_TYPE, {}), TRUST, proofs.PRODUCT)


def test_an_unknown_key_is_named() -> None:
    """The message names the key that is not trusted, so that the host can add it."""
    private, public = vendor.keygen()
    text = vendor.issue(private, account="acme", driver="echo", distribution="d", now=NOW)
    with pytest.raises(errors.LicenseInvalid, match=public["kid"]):
        read_license(text, TRUST, proofs.PRODUCT)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "EdDSA"])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_other_algorithms_are_refused(algorithm: str) -> None:
    """No signature, the public key used as a password, and the deprecated name: none is accepted."""
    head = {"alg": algorithm, "kid": PUBLIC["kid"], "typ": proofs.LICENSE_TYPE}
    body = TEXT.split(".")[1]
    claims = base64.urlsafe_b64decode(body + "==")
    if algorithm == "none":
        text = f"{encoded(json.dumps(head).encode())}.{body}."
    else:
        raw = base64.urlsafe_b64decode(PUBLIC["x"] + "==")
        key = OctKey.import_key(raw) if algorithm == "HS256" else OKPKey.import_key(PRIVATE | {"alg": "EdDSA"})
        text = jws.serialize_compact(head, claims, key, [algorithm])
    with pytest.raises(errors.LicenseInvalid):
        read_license(text, TRUST, proofs.PRODUCT)


def test_a_text_of_one_kind_is_not_another() -> None:
    """A revocation list is no license, and a license no revocation list."""
    revoked = vendor.revoke(PRIVATE, ["L1"], seq=1, now=NOW)
    with pytest.raises(errors.LicenseInvalid, match="not of type"):
        read_license(revoked, TRUST, proofs.PRODUCT)
    with pytest.raises(errors.LicenseInvalid, match="not of type"):
        read_revocations(TEXT, TRUST, proofs.PRODUCT)


def test_another_product_is_refused() -> None:
    """A license and a revocation list count for the product they name only."""
    with pytest.raises(errors.LicenseInvalid, match="product 'other'"):
        read_license(issue(product="other"), TRUST, proofs.PRODUCT)
    with pytest.raises(errors.LicenseInvalid, match="product 'other'"):
        read_revocations(vendor.revoke(PRIVATE, [], seq=1, now=NOW, product="other"), TRUST, proofs.PRODUCT)


def test_two_keys_are_trusted_while_one_takes_over() -> None:
    """Rotation: with both keys trusted, licenses of both count; without the old one, only the new one's."""
    private, public = vendor.keygen()
    new = vendor.issue(private, account="acme", driver="echo", distribution="d", now=NOW)
    both = Trust.of(json.dumps(vendor.key_set(PUBLIC, public)))
    assert read_license(TEXT, both, proofs.PRODUCT).key_id != read_license(new, both, vendor.PRODUCT).key_id
    with pytest.raises(errors.LicenseInvalid):
        read_license(TEXT, Trust.of(public), proofs.PRODUCT)


@pytest.mark.parametrize(
    ("given_keys", "match"),
    [
        (PRIVATE, "private key"),
        ([PUBLIC, PUBLIC], "Two trusted keys"),
        ({k: v for k, v in PUBLIC.items() if k != "kid"}, "no `kid`"),
        ({**PUBLIC, "crv": "X25519"}, "not an Ed25519 key"),
        ({**PUBLIC, "alg": "EdDSA"}, "not an Ed25519 key"),
        ({**PUBLIC, "x": "!"}, "not an Ed25519 key"),
        ("{", "not JSON"),
        ("3", "not a list"),
        ({"keys": {"a": 1}}, "not a list"),
        (["text"], "no `kid`"),
    ],
)
def test_unusable_trusted_keys_are_refused(given_keys: Any, match: str) -> None:
    """A private key, a key without id, or one of another kind never becomes a trusted key."""
    with pytest.raises(errors.UsageError, match=match) as caught:
        Trust.of(given_keys)
    assert PRIVATE["d"] not in str(caught.value)


def test_an_empty_set_trusts_nobody() -> None:
    """Without a trusted key nothing is proved."""
    with pytest.raises(errors.LicenseInvalid):
        read_license(TEXT, Trust.of({"keys": []}), proofs.PRODUCT)


@pytest.mark.parametrize("said", [{"days": 0}, {"grace_days": -1}, {"account": ""}, {"now": datetime(2026, 1, 1)}])  # noqa: DTZ001
def test_a_license_that_never_counts_is_not_issued(said: dict[str, Any]) -> None:
    """The vendor's side refuses a license that no host would take."""
    with pytest.raises(errors.UsageError):
        issue(**said)


def test_a_public_key_signs_nothing() -> None:
    """Issuing needs the private key."""
    with pytest.raises(errors.UsageError, match="private JWK"):
        vendor.issue(PUBLIC, account="a", driver="d", distribution="d", now=NOW)
