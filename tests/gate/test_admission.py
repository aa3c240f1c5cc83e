"""The gate: found, compatible, licensed, installed, in this order; and nothing of a driver is imported before it."""

from __future__ import annotations

import copy
import sys
from typing import Any

import attrs
import pytest

from omnichannel_core import errors
from omnichannel_core.driver.hookspecs import HOOK_API
from omnichannel_core.gate import vendor
from omnichannel_core.gate.admission import Admission
from omnichannel_core.gate.loader import load
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.storage.connections import Connections, Kept

pytestmark = pytest.mark.anyio
DAY = 86_400


async def line(house: Any, name: str = "echo", account: str = "acme") -> Any:
    return next(one for one in await house.gate.listing(account) if one.name == name)


async def test_every_step_to_the_gate_is_named_in_its_order(house: Any, plug: Any) -> None:
    """Not found, not licensed, not installed, available: error and listing say the same, and what now."""
    with pytest.raises(errors.DriverNotFound, match="declares driver 'echo': install it"):
        await house.admit()
    assert await house.gate.listing("acme") == []
    plug.ready("echo")
    with pytest.raises(errors.LicenseMissing) as missing:
        await house.admit()
    seen = await line(house)
    assert (seen.compatible, seen.licensed, seen.installed, seen.available) == (True, False, False, False)
    assert seen.reason == str(missing.value)
    await house.licenses.add("acme", house.issue())
    with pytest.raises(errors.DriverNotInstalled) as idle:
        await house.admit()
    seen = await line(house)
    assert (seen.licensed, seen.installed, seen.available, seen.reason) == (True, False, False, str(idle.value))
    await house.installations.install("acme", "echo")
    admission = await house.admit()
    assert (admission.account, admission.buyer, admission.driver) == ("acme", "acme", "echo")
    seen = await line(house)
    assert (seen.name, seen.title, seen.version, seen.distribution) == ("echo", "Echo", "1.0", "omnichannel-echo")
    assert (seen.available, seen.reason, seen.notice) == (True, "", "")


async def test_an_incompatible_driver_is_refused_before_its_license(house: Any, plug: Any) -> None:
    """What the catalog says against a driver is the reason at the gate."""
    plug.distribution("x", {"x": "x.driver"}, keywords=f"omnichannel-hook-api-{HOOK_API + 1}")
    with pytest.raises(errors.DriverIncompatible, match="hook API"):
        await house.admit("x")
    seen = await line(house, "x")
    assert (seen.compatible, seen.available) == (False, False)
    assert "hook API" in seen.reason


async def test_buying_on_the_main_account_lets_each_sandbox_install(house: Any, plug: Any) -> None:
    """The license is the family's, the installation is each account's own, other accounts get nothing."""
    plug.ready("echo")
    await house.buy()
    with pytest.raises(errors.DriverNotInstalled):
        await house.admit(account="acme-test")
    await house.installations.install("acme-test", "echo")
    admission = await house.admit(account="acme-test")
    assert (admission.account, admission.buyer) == ("acme-test", "acme")
    await house.installations.uninstall("acme", "echo")
    with pytest.raises(errors.DriverNotInstalled):
        await house.admit()
    await house.admit(account="acme-test")
    with pytest.raises(errors.LicenseMissing):
        await house.admit(account="other")
    with pytest.raises(errors.NotFound):
        await house.admit(account="nobody")


async def test_a_stranger_cannot_wear_a_paid_drivers_name(house: Any, plug: Any) -> None:
    """A license counts for the distribution it names; names are compared as installers compare them."""
    plug.ready("echo")
    await house.licenses.add("acme", house.issue(distribution="somebody-else"))
    with pytest.raises(errors.LicenseInvalid, match="is for distribution somebody-else"):
        await house.installations.install("acme", "echo")
    assert not (await line(house)).licensed
    await house.buy(distribution="Omnichannel_Echo")
    await house.admit()


async def test_a_lapsed_license_closes_the_gate_and_a_new_one_opens_it(house: Any, plug: Any) -> None:
    """Grace is told ahead; after it nothing is admitted; a renewal brings everything back."""
    plug.ready("echo")
    await house.buy(days=10, grace_days=5)
    house.clock.turn(12 * DAY)
    await house.admit()
    seen = await line(house)
    assert seen.available
    assert "honored until 2026-01-16" in seen.notice
    house.clock.turn(10 * DAY)
    with pytest.raises(errors.LicenseExpired, match="renew it"):
        await house.admit()
    seen = await line(house)
    assert (seen.licensed, seen.installed, seen.available) == (False, True, False)
    await house.licenses.add("acme", house.issue(days=10))
    await house.admit()


async def test_a_revoked_license_closes_the_gate(house: Any, plug: Any) -> None:
    """From the list on, not a moment later."""
    plug.ready("echo")
    await house.buy(id="L1")
    await house.admit()
    await house.licenses.add_revocations(vendor.revoke(house.private, ["L1"], seq=1, now=house.clock.now()))
    with pytest.raises(errors.LicenseRevoked):
        await house.admit()


async def test_a_removed_distribution_stays_in_the_list_of_who_has_it(house: Any, plug: Any) -> None:
    """Its line says what is gone, for the account that bought or installed it, and for nobody else."""
    plug.ready("echo")
    await house.buy()
    for file in next(plug.site.glob("*.dist-info")).iterdir():
        file.unlink()
    seen = await line(house)
    assert (seen.compatible, seen.licensed, seen.installed, seen.available) == (False, True, True, False)
    assert (seen.distribution, seen.version) == ("omnichannel-echo", "")
    assert "No installed distribution declares driver 'echo'" in seen.reason
    assert await house.gate.listing("other") == []


# --- installations
async def test_installing_needs_distribution_and_license(house: Any, plug: Any) -> None:
    """Without either nothing is switched on; twice is once."""
    with pytest.raises(errors.DriverNotFound):
        await house.installations.install("acme", "echo")
    plug.ready("echo")
    with pytest.raises(errors.LicenseMissing):
        await house.installations.install("acme", "echo")
    assert await house.installations.list("acme") == []
    await house.buy()
    first = await house.installations.list("acme")
    house.clock.turn(60)
    assert [await house.installations.install("acme", "echo")] == first
    with pytest.raises(errors.NotFound):
        await house.installations.list("nobody")


async def test_uninstalling_is_refused_while_connections_exist(house: Any, plug: Any) -> None:
    """The message counts them; another account's do not matter; a lapsed license does not hinder."""
    plug.ready("echo")
    await house.buy(days=1, grace_days=0)
    await house.installations.install("acme-test", "echo")

    def connect(tx: Any) -> None:
        for number in (1, 2):
            seen = Connection(
                id=number, account="acme", driver="echo", name="x", status=Status.ACTIVE, created_at=house.clock.now()
            )
            Connections(tx, "acme").add(
                Kept(seen=seen, credentials={}, grant=0, subject="", callback_key="", fence=0, arrived_at=None)
            )

    await house.store.write(connect)
    with pytest.raises(errors.Conflict, match="still has 2 connections"):
        await house.installations.uninstall("acme", "echo")
    await house.installations.uninstall("acme-test", "echo")
    await house.store.write(lambda tx: [Connections(tx, "acme").remove(number) for number in (1, 2)])
    house.clock.turn(5 * DAY)
    await house.installations.uninstall("acme", "echo")
    assert await house.installations.list("acme") == []
    with pytest.raises(errors.NotFound, match="is not installed"):
        await house.installations.uninstall("acme", "echo")


# --- the proof
async def test_only_the_gate_makes_an_admission(house: Any, plug: Any) -> None:
    """Neither the class nor a changed copy nor something alike lets anybody in."""
    with pytest.raises(errors.UsageError, match="Only the gate"):
        Admission()
    plug.ready("echo")
    plug.distribution("stranger", {"stranger": "stranger.driver"})
    await house.buy()
    admission = await house.admit()
    with pytest.raises((errors.UsageError, TypeError)):
        attrs.evolve(admission, found=house.gate.catalog.get("stranger"))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        admission.found = house.gate.catalog.get("stranger")
    assert copy.copy(admission) == admission

    class Alike(Admission):
        pass

    for false in (None, "echo", object.__new__(Alike)):
        with pytest.raises(errors.UsageError):
            load(false)  # type: ignore[arg-type]


class Watch:
    """An import hook that sees every module that anybody asks for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Finds nothing, remembers the name."""
        self.asked.append(name)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """First in line."""
    watching = Watch()
    monkeypatch.setattr(sys, "meta_path", [watching, *sys.meta_path])
    return watching


async def test_no_module_of_a_driver_is_imported_before_its_admission(house: Any, plug: Any, watch: Watch) -> None:
    """Listing, licensing, installing and every refusal leave plugins alone; loading one imports that one only."""
    for name in ("plain", "paid", "other"):
        code = {f"spied_{name}/__init__.py": "", f"spied_{name}/driver.py": "raise RuntimeError('imported')\n"}
        plug.distribution(f"omnichannel-{name}", {name: f"spied_{name}.driver"}, code=code)
    await house.gate.listing("acme")
    for name in ("plain", "paid", "nowhere"):
        with pytest.raises(errors.NotAdmitted):
            await house.admit(name)
    await house.buy("paid", days=1, grace_days=0)
    await house.buy("other")
    await house.gate.listing("acme")
    await house.installations.list("acme")
    await house.licenses.list("acme")
    admission = await house.admit("other")
    house.clock.turn(3 * DAY)
    with pytest.raises(errors.LicenseExpired):
        await house.admit("paid")
    await house.gate.listing("acme")
    await house.installations.uninstall("acme", "paid")
    touched = [name for name in [*watch.asked, *sys.modules] if name.startswith("spied_")]
    assert touched == []
    with pytest.raises(errors.DriverBroken):
        load(admission)
    assert {name.split(".")[0] for name in watch.asked if name.startswith("spied_")} == {"spied_other"}
