"""Answers kept by idempotency key."""

from __future__ import annotations

from typing import Any

import pytest

from omnichannel_core import errors

pytestmark = pytest.mark.anyio
MINE = ("acme", "ann", "k")


async def test_once(house: Any) -> None:
    """The first asker goes on, the second is refused until there is an answer, then it is given the same one."""
    assert await house.answers.begin(*MINE, b"ask") is None
    with pytest.raises(errors.Conflict, match="under way"):
        await house.answers.begin(*MINE, b"ask")
    await house.answers.end(*MINE, 201, "{}")
    kept = await house.answers.begin(*MINE, b"ask")
    assert (kept.status, kept.body) == (201, "{}")
    with pytest.raises(errors.Conflict, match="another request"):
        await house.answers.begin(*MINE, b"something else")


async def test_whose(house: Any) -> None:
    """Another actor's and another account's keys are their own."""
    await house.accounts.add("other")
    for who in (MINE, ("acme", "bob", "k"), ("other", "ann", "k")):
        assert await house.answers.begin(*who, b"ask") is None


async def test_dropped_and_old(house: Any, clock: Any) -> None:
    """A key is free again when nothing was done, and after a day."""
    await house.answers.begin(*MINE, b"ask")
    await house.answers.drop(*MINE)
    assert await house.answers.begin(*MINE, b"other") is None
    await house.answers.end(*MINE, 200, "{}")
    clock.turn(25 * 3600)
    await house.answers.begin("acme", "bob", "new", b"ask")
    assert await house.answers.begin(*MINE, b"third") is None


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb"])
async def test_keys(house: Any, key: str) -> None:
    """A key that is none is refused."""
    with pytest.raises(errors.UsageError):
        await house.answers.begin("acme", "ann", key, b"ask")
