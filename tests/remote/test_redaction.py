"""Secrets stay in: plain, encoded, cut off, in texts of others, in tracebacks."""

from __future__ import annotations

import base64
import gc
import io
import logging
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as some

from omnichannel_core.remote.redaction import HIDDEN, Redactor, clean, generic, hide, install, logger

SECRET = "shpss_4f/9+a b=ü7Qz-long-enough"


def _spellings(secret: str) -> list[str]:
    raw = secret.encode()
    return [
        secret, quote(secret, safe=""), quote_plus(secret), raw.hex(), base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(), base64.b64encode(b"user:" + raw).decode(),
        base64.b64encode(b"someone:" + raw + b":x").decode(), secret[:8], secret[:12], f"{secret[:9]}...",
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(11))
def test_every_spelling_is_hidden(number: int) -> None:
    """A secret is hidden plain, url-encoded, in base64 at any offset, in hex and cut off after 8 characters."""
    redactor = Redactor([SECRET])
    shown = redactor.clean(f"before {_spellings(SECRET)[number]} after")
    for spelled in _spellings(SECRET)[:8]:
        for start in range(len(spelled) - 11):
            assert spelled[start : start + 12] not in shown
    assert HIDDEN in shown
    assert shown.startswith("before ")


@given(
    some.text(some.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=8, max_size=60),
    some.text(max_size=40),
)
def test_any_secret_in_any_text(secret: str, text: str) -> None:
    """Whatever the secret and whatever stands around it, it does not come through."""
    redactor = Redactor([secret])
    assert secret not in hide(f"{text}{secret}{text}").replace(HIDDEN, "\0")
    assert len(redactor) == 1


def test_secrets_are_forgotten_with_their_session() -> None:
    """What no living session knows is not looked for any more, and a session keeps a bounded number."""
    redactor = Redactor(["abandoned-secret"], most=2)
    redactor.add("second-secret")
    redactor.add("third-secret")
    redactor.add("x")
    assert len(redactor) == 2
    assert hide("abandoned-secret third-secret") == f"abandoned-secret {HIDDEN}"
    assert "third" not in repr(redactor)
    del redactor
    gc.collect()
    assert hide("third-secret") == "third-secret"


def test_two_sessions_with_one_secret() -> None:
    """A secret two sessions share stays hidden while one of them lives."""
    one, other = Redactor(["shared-secret"]), Redactor(["shared-secret"])
    del one
    gc.collect()
    assert hide("shared-secret") == HIDDEN
    assert len(other) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdefghijkl", "Authorization: [hidden]"),
        ("'X-Auth-Token': 'abc'", "'X-Auth-Token': [hidden]"),
        ('{"access_token": "abc", "scope": "x"}', '{"access_token": [hidden], "scope": "x"}'),
        ("client_secret=abc&grant_type=x", "client_secret=[hidden]&grant_type=x"),
        ("code=0123456789abcdef", "code=[hidden]"),
        ("error code: 422", "error code: 422"),
        ("GET https://u:p@shop.example/a/b?token=x&y=z#f failed", "GET https://shop.example/a/b failed"),
        ("Cookie: a=b", "Cookie: [hidden]"),
        ("sent Basic dXNlcjpwYXNz", "sent Basic [hidden]"),
        ("a\x1b[31mred\x9b and \u202eback", "a\\x1b[31mred\\x9b and \\u202eback"),
    ],
)
def test_what_looks_like_a_secret(text: str, shown: str) -> None:
    """Credentials by name, queries of URLs and characters that paint terminals are hidden without knowing any value."""
    assert generic(text) == shown


def test_log_lines() -> None:
    """Lines of the house and of its HTTP library are clean: arguments, tracebacks, line breaks."""
    redactor, lines = Redactor([SECRET]), io.StringIO()
    handler = logging.StreamHandler(lines)
    names = ("omnichannel_core.drivers.echo", "httpcore2.http11")
    logging.getLogger(names[1])
    install()
    for name in names:
        log = logger(name)
        log.addHandler(handler)
        before, log.level = log.level, logging.DEBUG
        try:
            log.debug("token %s\nFAKE", SECRET)
            log.info("broken %d", "no number")
            try:
                raise ValueError(SECRET)
            except ValueError:
                log.exception("it raised")
        finally:
            log.removeHandler(handler)
            log.level = before
    assert SECRET not in lines.getvalue()
    assert "\nFAKE" not in lines.getvalue()
    assert lines.getvalue().count("ValueError: [hidden]") == 2
    assert len(redactor) == 1


@pytest.mark.timeout(60)  # a quadratic way would take many minutes
@pytest.mark.parametrize(
    "text", ["token=" * 50_000, "a:" * 150_000, "'" * 300_000, "https://" + "a@" * 150_000, "bearer " * 40_000]
)
def test_hostile_texts_cost_little(text: str) -> None:
    """Cleaning takes linear time: 300,000 hostile characters come to an end, however many secrets are known."""
    keep = [Redactor([f"secret-number-{number}"]) for number in range(300)]
    assert len(clean(text)) > 0
    assert len(keep) == 300
