"""SAVE: all or nothing, of the same remote account, and never more than it says."""

from __future__ import annotations

from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.connections.settings import SettingsService
from omnichannel_core.driver import Page
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.records import Order
from tests.connections.lab import TYPED, count, made, opened, synced

pytestmark = pytest.mark.anyio


async def above(house: Any, lab: int) -> int:
    """The stored filter."""
    driver = await house.drivers.load("acme", "lab")
    settings: SettingsService = house.connections.settings
    found = await settings.effective("acme", driver, lab)
    return int(found["import"].above)  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", ["name", "credentials", "settings", "page"])
async def test_all_or_nothing(open_house: Any, wrong: str) -> None:
    """When one of name, credentials and settings fails, none is saved."""
    async with opened(open_house) as (house, _):
        lab = await made(house)
        before = await house.connections.get("acme", lab)
        change: dict[str, Any] = {
            "name": " " if wrong == "name" else "New",
            "credentials": {"shop": "a", "secret": "wrong" if wrong == "credentials" else "new"},
            "settings": {"other" if wrong == "page" else "import": {"above": "x" if wrong == "settings" else 3}},
        }
        with pytest.raises(errors.OmnichannelError):
            await house.connections.edit("acme", lab, **change)
        assert await house.connections.get("acme", lab) == before
        assert await above(house, lab) == 0
        change = {"name": "New", "credentials": {"shop": "a", "secret": "new"}, "settings": {"import": {"above": 3}}}
        saved = await house.connections.edit("acme", lab, **change)
        assert (saved.connection.name, await above(house, lab)) == ("New", 3)


async def test_settings_are_checked(open_house: Any) -> None:
    """Changed settings are checked with the stored credentials, then a sync is queued; a check that fails saves nothing."""
    async with opened(open_house) as (house, bench):
        lab = await made(house)
        checked = bench.checked
        saved = await house.connections.edit("acme", lab, settings={"import": {"above": 3}})
        assert (bench.checked, saved.process is not None) == (checked + 1, True)
        bench.trouble["check"] = errors.RemoteUnavailable("down")
        with pytest.raises(errors.RemoteUnavailable):
            await house.connections.edit("acme", lab, settings={"import": {"above": 4}})
        assert await above(house, lab) == 3


async def test_other_remote_account(open_house: Any) -> None:
    """Credentials of another remote account are a conflict, unless the move is asked for."""
    async with opened(open_house) as (house, _):
        lab = await made(house)
        with pytest.raises(errors.RemoteAccountChanged, match=r"belongs to a; these credentials lead to b"):
            await house.connections.edit("acme", lab, credentials={"shop": "b", "secret": ""})
        saved = await house.connections.edit("acme", lab, credentials={"shop": "b", "secret": "n"}, move_account=True)
        assert saved.connection.remote_account == "b"
        assert (await house.connections.get("acme", lab)).remote_account == "b"


async def test_account_by_the_remotes_own_word(open_house: Any) -> None:
    """What is typed for one account and answered by another is rejected, at create and at edit."""
    async with opened(open_house) as (house, bench):
        bench.account = "z"
        with pytest.raises(errors.CredentialsRejected, match="belong to z"):
            await made(house)
        bench.account = "a"
        lab = await made(house)
        bench.account = "z"
        with pytest.raises(errors.OmnichannelError, match="z"):
            await house.connections.edit("acme", lab, credentials={"shop": "a", "secret": "n"})


async def test_widened_filter_fills_in(open_house: Any) -> None:
    """A widened filter brings in what it newly admits without doubling; a narrowed one removes nothing."""
    async with opened(open_house) as (house, bench):

        def pull(session: Any, cursor: Any) -> Any:
            wanted = next(form for form in session.forms.values() if hasattr(form, "above")).above
            every = [Order(id=str(number), number=str(number)) for number in range(1, 9)]
            return Page(cursor=type(cursor)(9), records=[o for o in every if int(o.id) > max(wanted, cursor.page)])

        bench.scripts["orders"] = pull
        lab = await made(house)
        await house.connections.edit("acme", lab, settings={"import": {"above": 5}})
        await synced(house, lab)
        assert await count(house, lab) == 3
        await house.connections.edit("acme", lab, settings={"import": {"above": 7}})
        await synced(house, lab)
        assert await count(house, lab) == 3
        await house.connections.edit("acme", lab, settings={"import": {"above": 2}})
        await synced(house, lab)
        assert await count(house, lab) == 6


async def test_default_widens_its_heirs(open_house: Any) -> None:
    """A changed default is in force at once for who applies it, fills in, and leaves who has own values alone."""
    async with opened(open_house) as (house, _):
        heir, own = await made(house), await made(house, shop="b")
        await house.connections.edit("acme", own, settings={"import": {"above": 4}})
        await house.connections.set_defaults("acme", "lab", "import", {"above": 9})
        assert (await above(house, heir), await above(house, own)) == (9, 4)


async def test_name(open_house: Any) -> None:
    """A name is trimmed, at most 255 long, needed, and may be given twice."""
    async with opened(open_house) as (house, _):
        for name in ("", "  ", "x" * 256, "a\nb"):
            with pytest.raises(errors.FormInvalid):
                await house.connections.create("acme", "lab", name, TYPED)
        one = await house.connections.create("acme", "lab", f" {'x' * 255} ", TYPED)
        two = await house.connections.create("acme", "lab", "x" * 255, TYPED)
        assert one.connection.name == two.connection.name


async def test_fixed_field(open_house: Any, shop: Any) -> None:
    """A field that is set at create stays."""
    async with open_house() as house:
        await open_house.settle(house)
        saved = await house.connections.create("acme", "echo", "Shop", {"shop": "a", "secret": "hush-echo"})
        with pytest.raises(errors.FormInvalid, match="cannot be changed"):
            await house.connections.edit("acme", saved.connection.id, credentials={"shop": "b", "secret": ""})


async def test_deleting_allows_nothing(open_house: Any) -> None:
    """While it is being deleted nothing may be changed, not even a schedule; delete pressed again is the same."""
    async with opened(open_house) as (house, _):
        lab = await made(house)
        await house.connections.disable("acme", [lab])
        first = await house.connections.delete("acme", lab)
        for move in (house.connections.rename("acme", lab, "x"), house.connections.check("acme", lab),
                     house.connections.schedule("acme", lab, "orders", 5)):  # fmt: skip
            with pytest.raises(errors.MoveNotAllowed):
                await move
        assert (await house.connections.delete("acme", lab)).id == first.id
        assert (await house.connections.get("acme", lab)).status is Status.DELETING
