"""The bundle about a connection may be given away."""

from __future__ import annotations

import json
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.records import Order

pytestmark = pytest.mark.anyio
CANARY, SECRET = "canary-5d1f", "sesame-77ab-opens"


async def filled(house: Omnichannel, shop: Any) -> int:
    """A connection with canaries wherever somebody may write something."""
    shop.secret = SECRET
    shop.orders = [Order(id="1", number=f"{CANARY}-number", email=f"{CANARY}@shop.example")]
    typed = {"shop": "a", "secret": shop.secret}
    saved = await house.connections.create("acme", "echo", f"{CANARY}-name", typed)
    assert saved.process is not None
    await house.processes.run_to_end("acme", saved.process.id)
    shop.trouble = errors.CredentialsRejected(f"{CANARY}-message {shop.secret}")
    again = await house.connections.synchronize("acme", saved.connection.id)
    await house.processes.run_to_end("acme", again.id)
    return saved.connection.id


async def test_no_canary(house: Omnichannel, shop: Any) -> None:
    """No secret, name, message or data of anybody is inside; states, ages and keys are."""
    connection = await filled(house, shop)
    seen = repr([one.error + one.message for one in await house.processes.list("acme", connection=connection)])
    assert f"{CANARY}-message" in seen  # it is there to be told
    bundle = await house.diagnose("acme", connection)
    told = json.dumps(bundle)
    assert CANARY not in told
    assert SECRET not in told
    assert bundle["connection"]["health"] == "attention"
    assert [one["error"] for one in bundle["processes"] if one["state"] == "failed"] == ["credentials_rejected"]
    assert bundle["driver"][0]["name"] == "echo"
    assert {one["stream"] for one in bundle["schedules"]} >= {"orders"}


async def test_other_account(house: Omnichannel, shop: Any) -> None:
    """Another account's connection is not there."""
    connection = await filled(house, shop)
    await house.accounts.add("other")
    with pytest.raises(errors.NotFound):
        await house.diagnose("other", connection)
