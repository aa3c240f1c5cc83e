"""What answers mean, and what they tell about the quota."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnichannel_bigcommerce.api import API, judge_bigcommerce, read_quota, wait

from omnichannel_core import errors
from omnichannel_core.driver import Answer

QUOTA = {
    "x-rate-limit-time-window-ms": "30000",
    "x-rate-limit-time-reset-ms": "12000",
    "x-rate-limit-requests-quota": "150",
    "x-rate-limit-requests-left": "35",
}


def answer(status: int, body: object = None, headers: dict[str, str] | None = None) -> Answer:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Answer(operation="getOrders", status=status, headers=headers or {}, content=content)


def test_quota():
    """Window, rate, what is left and when it starts anew are read from every answer, errors included."""
    for status in (200, 404, 500):
        reading = read_quota(answer(status, None, QUOTA))
        assert reading is not None
        assert (reading.left, reading.burst, reading.rate, reading.full_in) == (35.0, 150.0, 5.0, 12.0)
    assert read_quota(answer(200)) is None


def test_quota_after_429():
    """After a 429 nothing is left, even where the header says there is."""
    reading = read_quota(answer(429, None, QUOTA))
    assert reading is not None
    assert (reading.left, reading.full_in) == (0.0, 12.0)


def test_declared_quota():
    """The standard plan's window is declared, and stock is adjusted one call at a time."""
    limits = {limit.name: limit for limit in API.limits}
    assert (limits["quota"].burst, limits["quota"].window, limits["quota"].operations) == (150, 30.0, None)
    assert limits["stock"].concurrent == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"x-rate-limit-time-reset-ms": "1500"}, 1.5),
        ({"x-retry-after": "7"}, 7.0),
        ({"x-rate-limit-time-reset-ms": "15000", "x-retry-after": "7"}, 15.0),
        ({"x-rate-limit-time-reset-ms": "15", "x-retry-after": "7"}, 7.0),
        ({"x-rate-limit-time-reset-ms": "soon", "x-retry-after": "nan"}, None),
    ],
)
def test_wait_after_429(headers: dict[str, str], seconds: float | None):
    """The longer of milliseconds and seconds is waited; without either the house backs off by itself."""
    assert wait(answer(429, None, headers)) == seconds
    with pytest.raises(errors.RateLimited) as caught:
        judge_bigcommerce(answer(429, None, headers))
    assert caught.value.wait == seconds


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, errors.CredentialsRejected),
        (403, errors.AccessMissing),
        (404, errors.RemoteRejected),
        (409, errors.RemoteRejected),
        (413, errors.RemoteRejected),
        (422, errors.RemoteRejected),
        (423, errors.RemoteUnavailable),
        (499, errors.RemoteUnavailable),
        (500, errors.RemoteUnavailable),
        (501, errors.RemoteRejected),
        (502, errors.RemoteUnavailable),
        (503, errors.RemoteUnavailable),
        (504, errors.RemoteUnavailable),
        (507, errors.RemoteRejected),
    ],
)
def test_statuses(status: int, error: type[Exception]):
    """Each status becomes the error of whoever has to act."""
    with pytest.raises(error):
        judge_bigcommerce(answer(status))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            [{"status": 404, "message": "The requested resource was not found."}],
            "The requested resource was not found.",
        ),
        ({"status": 422, "title": "Bad", "errors": {"name": "is taken"}}, "Bad; name: is taken"),
        ({"status": 422, "title": "Bad", "errors": {}}, "Bad"),
        ({"data": [{"status": 422, "title": "No store credit for guests."}]}, "No store credit for guests."),
        ({"batch_errors": [{"data": {}, "field_errors": {"price": "too low"}}]}, "price: too low"),
        (b"<?xml version='1.0'?><errors/>", "refused"),
        (b"", "refused"),
        (b"[" * 100_000, "refused"),
    ],
)
def test_words_of_errors(body: object, words: str):
    """The remote's own words survive from both versions' shapes, and nothing breaks without any."""
    with pytest.raises(errors.RemoteRejected, match="getOrders: 422") as caught:
        judge_bigcommerce(answer(422, body))
    assert str(caught.value).endswith(words)
    assert caught.value.code == "422"


def test_words_hide_tokens():
    """What looks like a token is blanked out of the remote's words."""
    with pytest.raises(errors.RemoteRejected) as caught:
        judge_bigcommerce(answer(400, [{"message": "X-Auth-Token 0123456789abcdefghijklmnopqrstu is odd"}]))
    assert "0123456789abcdef" not in str(caught.value)


@given(st.integers(100, 599), st.binary(max_size=80) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["message", "title", "errors", "data", "details", "x"]), inner, max_size=3),
    max_leaves=12))  # fmt: skip
def test_judging_never_breaks(status: int, body: object):
    """Whatever the body, only typed errors come out, and every refusal raises."""
    raised: BaseException | None = None
    try:
        judge_bigcommerce(answer(status, body))
    except errors.OmnichannelError as error:
        raised = error
    assert (raised is None) == (status < 300)
    assert raised is None or type(raised) in errors.DRIVERS_MAY_RAISE
