"""The main job on the perfect driver: from a license to a deleted connection."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import pytest

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.model.process import State
from omnichannel_core.records import Line, Money, Order, StockLevel
from omnichannel_core.storage.hub import Found

pytestmark = pytest.mark.anyio
TYPED = {"shop": "a", "secret": "hush-echo"}


def order(number: int, status: str = "open") -> Order:
    """An order with a line."""
    line = Line(id="1", sku=f"sku-{number}", quantity=Decimal(2), price=Money(Decimal("9.50"), "EUR"))
    return Order(
        id=str(number), number=f"N{number}", revision="1", status=status, lines={"1": line},
        placed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


async def made(house: Omnichannel) -> int:
    """A synchronized connection."""
    saved = await house.connections.create("acme", "echo", " My shop ", TYPED)
    assert saved.process is not None
    ended = await house.processes.run_to_end("acme", saved.process.id)
    assert (ended.state, ended.error) == (State.SUCCEEDED, "")
    return saved.connection.id


async def test_main_job(house: Omnichannel, shop: Any) -> None:
    """A connection is created, synchronized, fed with stock, disabled and deleted."""
    shop.orders.extend(order(number) for number in range(1, 8))
    one = await made(house)
    seen = await house.connections.get("acme", one)
    assert (seen.name, seen.status, seen.health) == ("My shop", Status.ACTIVE, Health.OK)
    assert seen.last_synced_at is not None
    assert await house.hub.count("acme", Found(kind="Order", connection=one)) == 7
    assert await house.hub.count("acme", Found(kind="Attribute", connection=one)) > 0
    lines = await house.hub.lines("acme", one, "3")
    assert [(line.sku, line.quantity) for line in lines] == [("sku-3", "2")]
    await house.hub.push("acme", one, "stock", [StockLevel(id="sku-3", sku="sku-3", quantity=Decimal(5))])
    for process in await house.processes.list("acme", kind="deliver"):
        await house.processes.run_to_end("acme", process.id)
    assert shop.stock == {"sku-3": Decimal(5)}
    (moved,) = await house.connections.disable("acme", [one])
    assert moved.error is None
    assert (await house.connections.what_goes("acme", one))["orders"] == 7
    process = await house.connections.delete("acme", one)
    ended = await house.processes.run_to_end("acme", process.id)
    assert ended.state is State.SUCCEEDED
    assert shop.disconnected
    assert await house.connections.list("acme") == []
    assert await house.hub.count("acme", Found(kind="Order")) == 0
    assert (await house.processes.get("acme", process.id)).message.startswith("Deleted")


async def test_failed_check_leaves_nothing(house: Omnichannel, shop: Any) -> None:
    """Credentials that the remote refuses leave no connection, no secret and no process."""
    with pytest.raises(errors.CredentialsRejected):
        await house.connections.create("acme", "echo", "Shop", {"shop": "a", "secret": "wrong"})
    assert await house.connections.list("acme") == []
    assert await house.processes.list("acme") == []
    assert sum((await house.vault_census()).values()) == 1  # the canary


async def test_edit_name_only(house: Omnichannel, shop: Any) -> None:
    """A name alone neither checks nor synchronizes."""
    one = await made(house)
    calls = list(shop.calls)
    saved = await house.connections.edit("acme", one, name="Other")
    assert (saved.connection.name, saved.process) == ("Other", None)
    assert shop.calls == calls


async def test_edit_credentials(house: Omnichannel, shop: Any) -> None:
    """An empty secret keeps the stored one, is checked, and a synchronize is queued."""
    one = await made(house)
    saved = await house.connections.edit("acme", one, credentials={"shop": "a", "secret": ""})
    assert saved.process is not None
    assert shop.calls[-1] == "check"
    ended = await house.processes.run_to_end("acme", saved.process.id)
    assert ended.state is State.SUCCEEDED


async def test_edit_keeps_old_credentials(house: Omnichannel, shop: Any) -> None:
    """New credentials that are refused change nothing, the name neither."""
    one = await made(house)
    with pytest.raises(errors.CredentialsRejected):
        await house.connections.edit("acme", one, name="New", credentials={"shop": "a", "secret": "wrong"})
    assert (await house.connections.get("acme", one)).name == "My shop"
    await house.connections.check("acme", one)


async def test_stale_form(house: Omnichannel, shop: Any) -> None:
    """A form that was opened before somebody else saved is a conflict."""
    one = await made(house)
    version = (await house.connections.get("acme", one)).version
    await house.connections.edit("acme", one, name="First", version=version)
    with pytest.raises(errors.Conflict):
        await house.connections.edit("acme", one, name="Second", version=version)


async def test_inactive(house: Omnichannel, shop: Any) -> None:
    """An inactive connection refuses to synchronize and says what to do; an edit queues nothing."""
    one = await made(house)
    await house.connections.disable("acme", [one])
    with pytest.raises(errors.MoveNotAllowed, match="enable it first"):
        await house.connections.synchronize("acme", one)
    saved = await house.connections.edit("acme", one, credentials={"shop": "a", "secret": ""})
    assert saved.process is None
    (answer,) = await house.connections.disable("acme", [one])
    assert isinstance(answer.error, errors.MoveNotAllowed)
    assert "inactive already" in str(answer.error)


async def test_synchronize_twice(house: Omnichannel, shop: Any) -> None:
    """Pressed again it answers with the open process."""
    one = await made(house)
    first = await house.connections.synchronize("acme", one)
    assert (await house.connections.synchronize("acme", one)).id == first.id


async def test_bulk(house: Omnichannel, shop: Any) -> None:
    """Bulk moves act on those that can, and answer for each id."""
    one, two = await made(house), await made(house)
    await house.connections.disable("acme", [one])
    answers = await house.connections.disable("acme", [one, two, 99])
    assert [type(one.error).__name__ for one in answers] == ["MoveNotAllowed", "NoneType", "NotFound"]


async def test_other_account(house: Omnichannel, shop: Any) -> None:
    """Another account's connection is not found, whatever is asked."""
    one = await made(house)
    await house.accounts.add("other")
    for ask in (house.connections.get, house.connections.synchronize, house.connections.check, house.connections.delete,
                house.connections.schedules, house.connections.what_goes):  # fmt: skip
        with pytest.raises(errors.NotFound):
            await ask("other", one)
    (answer,) = await house.connections.disable("other", [one])
    assert isinstance(answer.error, errors.NotFound)


@pytest.mark.parametrize("work", [False, True])
async def test_what_the_block_raises_leaves_as_it_is(open_house: Any, work: bool) -> None:
    """A host catches an error of its block by its own name, around the house as well, with workers or without."""
    with pytest.raises(errors.NotFound):
        async with open_house(work=work) as house:
            await house.accounts.get("nobody")


async def test_a_house_can_be_left_by_cancelling(open_house: Any) -> None:
    """Cancelling around an open house ends it, and nothing is raised."""
    with anyio.move_on_after(0.2) as scope:
        async with open_house(work=True):
            await anyio.sleep_forever()
    assert scope.cancelled_caught
