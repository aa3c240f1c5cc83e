"""Accounts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnichannel_core import errors
from omnichannel_core.gate import accounts as room
from omnichannel_core.gate.accounts import Accounts

pytestmark = pytest.mark.anyio


async def test_a_main_account_and_its_sandbox_are_kept(store: Any, clock: Any) -> None:
    """A sandbox names its main account, a main account buys for itself."""
    accounts = Accounts(store, clock)
    main = await accounts.add("acme", "Acme Ltd")
    sandbox = await accounts.add("acme-test", main="acme")
    assert (main.buyer, sandbox.buyer, sandbox.name) == ("acme", "acme", "acme-test")
    assert await accounts.get("acme-test") == sandbox
    assert [one.id for one in await accounts.list()] == ["acme", "acme-test"]
    assert await accounts.list(main="acme") == [sandbox]


async def test_a_sandbox_stands_below_a_main_account_only(store: Any, clock: Any) -> None:
    """A sandbox below a sandbox, or below nobody, is refused."""
    accounts = Accounts(store, clock)
    await accounts.add("acme")
    await accounts.add("box", main="acme")
    with pytest.raises(errors.UsageError, match="'box' is a sandbox"):
        await accounts.add("boxbox", main="box")
    with pytest.raises(errors.NotFound):
        await accounts.add("orphan", main="nobody")
    assert len(await accounts.list()) == 2


async def test_an_id_is_given_once(store: Any, clock: Any) -> None:
    """The same id again is a Conflict and changes nothing."""
    accounts = Accounts(store, clock)
    await accounts.add("acme", "First")
    with pytest.raises(errors.Conflict):
        await accounts.add("acme", "Second")
    assert (await accounts.get("acme")).name == "First"


async def test_a_name_may_change_and_an_id_may_not(store: Any, clock: Any) -> None:
    """Rename keeps the id; of an unknown account it is NotFound."""
    accounts = Accounts(store, clock)
    await accounts.add("acme")
    assert (await accounts.rename("acme", " Acme ")).name == "Acme"
    assert (await accounts.get("acme")).name == "Acme"
    with pytest.raises(errors.NotFound):
        await accounts.rename("nobody", "X")
    with pytest.raises(errors.UsageError):
        await accounts.rename("acme", "two\nlines")


@pytest.mark.parametrize(
    "bad", ["", " ", " acme", "acme ", "a\nb", "a\x00b", "a\x7fb", "x" * 201, "\ud800", "a\u202eb"]
)
async def test_an_unusable_id_is_refused(store: Any, clock: Any, bad: str) -> None:
    """Empty, long, padded or unprintable ids never reach the store."""
    with pytest.raises(errors.UsageError):
        await Accounts(store, clock).add(bad)


@given(st.text(max_size=210))
def test_every_accepted_id_is_plain(typed: str) -> None:
    """Whatever is accepted is printable, of allowed length and not padded."""
    try:
        accepted = room._clean_id(typed)
    except errors.UsageError:
        return
    assert accepted == typed.strip()
    assert 1 <= len(accepted) <= 200
    assert accepted.isprintable()
    accepted.encode()
