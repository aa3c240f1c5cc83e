"""What a handler's error makes of its process."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnichannel_core import errors
from omnichannel_core.processes.endings import pause, unwrapped


@given(attempts=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_back_off_doubles_from_half_a_minute_to_half_an_hour(attempts: int, chance: float):
    """Every attempt waits within a tenth of its doubled pause, never above half an hour and a tenth."""
    planned = min(30.0 * 2 ** min(attempts - 1, 10), 1800.0)
    assert 0.9 * planned <= pause(attempts, None, chance) <= 1.1 * planned + 1e-6


@given(wait=st.floats(0, 1e6), chance=st.floats(0, 1))
def test_what_the_remote_said_is_obeyed(wait: float, chance: float):
    """A wait of the remote's own is never cut short."""
    assert wait <= pause(3, wait, chance) <= wait * 1.05 + 1e-6


@pytest.mark.parametrize(
    ("leaves", "decides"),
    [
        ([errors.RateLimited("r"), ValueError("v")], ValueError),
        ([errors.RateLimited("r"), errors.CredentialsRejected("c"), ValueError("v")], errors.CredentialsRejected),
        ([errors.CredentialsRejected("c"), errors.Superseded("s")], errors.Superseded),
        ([errors.RateLimited("r")], errors.RateLimited),
    ],
)
def test_one_error_of_a_group_decides(leaves: list[Exception], decides: type[Exception]):
    """Nested groups are opened: a lost fence first, then what somebody must act on, then bugs, then waiting."""
    nested: Any = ExceptionGroup("outer", [ExceptionGroup("inner", leaves), errors.RemoteUnavailable("u")])
    assert type(unwrapped(nested)) is decides


def test_cancellation_alone_is_no_error():
    """A group that holds only what is no Exception gives nothing."""
    assert unwrapped(BaseExceptionGroup("all", [KeyboardInterrupt()])) is None
