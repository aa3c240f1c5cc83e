"""Licenses of accounts: added, judged by the house's own clock, revoked, renewed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.gate import vendor
from omnichannel_core.gate.licenses import Licenses
from omnichannel_core.gate.proofs import Trust
from omnichannel_core.gate.terms import State
from omnichannel_core.storage import audits
from tests.gate.conftest import PAIR

pytestmark = pytest.mark.anyio
DAY = 86_400


async def states(house: Any, account: str = "acme") -> list[State]:
    return [held.state for held in await house.licenses.list(account)]


async def test_a_license_is_added_once_and_listed(house: Any) -> None:
    """The same text again is the same license; the sandbox sees its main account's."""
    text = house.issue(id="L1", features=["pro"])
    first = await house.licenses.add("acme", text)
    assert await house.licenses.add("acme", f" {text}\n") == first
    (held,) = await house.licenses.list("acme-test")
    assert (held.id, held.driver, held.state, held.reason) == ("L1", "echo", State.VALID, "")
    assert held.license.features == {"pro"}
    assert await house.licenses.list("other") == []
    lines = await house.store.read(lambda tx: audits.lines(tx, "acme"))
    assert [line["action"] for line in lines] == ["license added"]


async def test_a_license_stands_on_its_main_account_only(house: Any) -> None:
    """A sandbox is told which account to use; another account's license and an unknown account are refused."""
    with pytest.raises(errors.UsageError, match="use account 'acme'"):
        await house.licenses.add("acme-test", house.issue())
    with pytest.raises(errors.LicenseInvalid, match="is for account 'acme', not 'other'"):
        await house.licenses.add("other", house.issue())
    with pytest.raises(errors.NotFound):
        await house.licenses.add("nobody", house.issue())
    assert await states(house) == []


async def test_two_licenses_cannot_share_an_id(house: Any) -> None:
    """The second with the same id is a Conflict, the first stays."""
    await house.licenses.add("acme", house.issue(id="L1"))
    with pytest.raises(errors.Conflict, match="L1"):
        await house.licenses.add("acme", house.issue(id="L1", days=1000))
    assert len(await states(house)) == 1


async def test_time_passes_over_a_license(house: Any) -> None:
    """Not yet, valid, in grace with a word about it, expired: by the house's clock."""
    start = house.clock.now()
    begin = start + timedelta(days=2)
    await house.licenses.add("acme", house.issue(not_before=begin, days=10, grace_days=3))
    seen = []
    for day in (0, 2, 11, 12, 14, 15):
        house.clock.time = start + timedelta(days=day)
        seen += await states(house)
    assert seen == [State.NOT_YET, State.VALID, State.VALID, State.GRACE, State.GRACE, State.EXPIRED]
    (held,) = await house.licenses.list("acme")
    assert "ended on 2026-01-13 00:00 UTC: renew it." in held.reason
    assert isinstance(held.refusal(), errors.LicenseExpired)


async def test_a_vendor_whose_clock_is_a_little_ahead_is_no_trouble(house: Any) -> None:
    """A license issued a minute from now is valid at once."""
    await house.licenses.add("acme", house.issue(now=house.clock.now() + timedelta(minutes=1)))
    assert await states(house) == [State.VALID]


async def test_an_ended_license_is_not_taken(house: Any) -> None:
    """Adding what is over is refused as expired, with the way out."""
    text = house.issue(days=1, grace_days=0)
    house.clock.turn(2 * DAY)
    with pytest.raises(errors.LicenseExpired, match="renew it"):
        await house.licenses.add("acme", text)


async def test_renewed_licenses_stand_beside_the_old_ones(house: Any) -> None:
    """The best comes first: the one that is valid longest, and then what ended."""
    await house.licenses.add("acme", house.issue(id="old", days=10, grace_days=0))
    await house.licenses.add("acme", house.issue(id="longest", days=100))
    await house.licenses.add("acme", house.issue(id="longer", days=50))
    house.clock.turn(20 * DAY)
    held = await house.licenses.list("acme")
    assert [one.id for one in held] == ["longest", "longer", "old"]
    assert [one.state for one in held] == [State.VALID, State.VALID, State.EXPIRED]


async def test_a_removed_license_is_gone(house: Any) -> None:
    """Remove forgets it; of another account, or twice, it is NotFound."""
    await house.licenses.add("acme", house.issue(id="L1"))
    with pytest.raises(errors.NotFound):
        await house.licenses.remove("other", "L1")
    with pytest.raises(errors.UsageError):
        await house.licenses.remove("acme-test", "L1")
    await house.licenses.remove("acme", "L1")
    assert await states(house) == []
    with pytest.raises(errors.NotFound):
        await house.licenses.remove("acme", "L1")


# --- revocation
async def test_a_revoked_license_counts_no_more(house: Any) -> None:
    """The list takes effect at once, and a revoked license cannot be added again."""
    text = house.issue(id="L1")
    await house.licenses.add("acme", text)
    assert await house.licenses.add_revocations(vendor.revoke(house.private, ["L1"], seq=1, now=house.clock.now())) == 1
    (held,) = await house.licenses.list("acme")
    assert held.state is State.REVOKED
    assert isinstance(held.refusal(), errors.LicenseRevoked)
    await house.licenses.remove("acme", "L1")
    with pytest.raises(errors.LicenseRevoked):
        await house.licenses.add("acme", text)


async def test_an_older_revocation_list_is_refused(house: Any) -> None:
    """Lists only go forward: an older seq, or another list of the same seq, is a Conflict; the same again is fine."""
    now = house.clock.now()
    second = vendor.revoke(house.private, ["L1"], seq=2, now=now)
    await house.licenses.add("acme", house.issue(id="L1"))
    await house.licenses.add_revocations(second)
    await house.licenses.add_revocations(second)
    for other in (vendor.revoke(house.private, [], seq=1, now=now), vendor.revoke(house.private, [], seq=2, now=now)):
        with pytest.raises(errors.Conflict):
            await house.licenses.add_revocations(other)
    assert await states(house) == [State.REVOKED]
    await house.licenses.add_revocations(vendor.revoke(house.private, [], seq=3, now=now))
    assert await states(house) == [State.VALID]


async def test_vendors_do_not_replace_each_others_lists(store: Any, clock: Any, vault: Any, house: Any) -> None:
    """The lists of two trusted keys stand beside each other; one whose key is no longer trusted does not count."""
    other = vendor.keygen()
    both = Trust.of([PAIR[1], other[1]])
    await house.licenses.add("acme", house.issue(id="L1"))
    hosts = Licenses(store, vault, both, clock)
    await hosts.add_revocations(vendor.revoke(house.private, ["L1"], seq=7, now=clock.now()))
    await hosts.add_revocations(vendor.revoke(other[0], ["M1"], seq=1, now=clock.now()))
    assert [one.state for one in await hosts.list("acme")] == [State.REVOKED]
    await hosts.add_revocations(vendor.revoke(house.private, [], seq=8, now=clock.now()))
    assert [one.state for one in await hosts.list("acme")] == [State.VALID]
    await hosts.add_revocations(vendor.revoke(other[0], ["L1"], seq=2, now=clock.now()))
    assert [one.state for one in await hosts.list("acme")] == [State.REVOKED]
    assert [one.state for one in await house.licenses.list("acme")] == [State.VALID]


async def test_a_forged_revocation_list_is_refused(house: Any) -> None:
    """A list of a key that is not trusted takes nothing away."""
    with pytest.raises(errors.LicenseInvalid):
        await house.licenses.add_revocations(vendor.revoke(vendor.keygen()[0], ["L1"], seq=1, now=house.clock.now()))


async def test_a_license_ends_with_the_trust_in_its_key(house: Any, vault: Any) -> None:
    """When the host takes a key out of its trusted set, what that key signed proves nothing any more."""
    await house.licenses.add("acme", house.issue(id="L1"))
    rotated = Licenses(house.store, vault, Trust.of(vendor.keygen()[1]), house.clock)
    (held,) = await rotated.list("acme")
    assert (held.id, held.driver, held.state, held.license) == ("L1", "echo", State.INVALID, None)
    assert "is not trusted here" in held.reason


# --- the clock mark
@pytest.fixture
async def sold(house: Any, plug: Any) -> Any:
    """Echo bought for ten days and installed."""
    plug.ready("echo")
    await house.buy(id="L1", days=10, grace_days=0)
    return house


async def test_a_clock_set_back_revives_no_ended_license(sold: Any) -> None:
    """More than 24 hours behind what the clock has shown before, no license counts."""
    sold.clock.turn(9 * DAY)
    await sold.admit()
    sold.clock.turn(2 * DAY)
    with pytest.raises(errors.LicenseExpired):
        await sold.admit()
    sold.clock.turn(-3 * DAY)
    await sold.admit()  # one day behind the mark of the last admission is tolerated
    sold.clock.turn(-3600)
    with pytest.raises(errors.LicenseInvalid, match="set the clock right"):
        await sold.admit()
    sold.clock.turn(3600)
    await sold.admit()


async def test_the_mark_outlives_the_program(sold: Any, vault: Any) -> None:
    """A new start with the clock set back is refused too."""
    sold.clock.turn(5 * DAY)
    await sold.admit()
    sold.clock.turn(-4 * DAY)
    again = Licenses(sold.store, vault, Trust.of({k: v for k, v in sold.private.items() if k != "d"}), sold.clock)
    (held,) = await again.list("acme")
    assert held.state is State.INVALID
    assert "has shown 2026-01-06 00:00 UTC before" in held.reason


async def test_a_newly_issued_license_resets_a_clock_that_ran_ahead(sold: Any) -> None:
    """A clock that once showed a far future locks the gate, until the vendor issues a license anew."""
    sold.clock.turn(8 * DAY)
    await sold.admit()
    sold.clock.turn(-6 * DAY)  # now the clock is right
    with pytest.raises(errors.LicenseInvalid):
        await sold.admit()
    await sold.licenses.add("acme", sold.issue(id="L2", days=5, grace_days=0))
    assert (await sold.admit()).license.id == "L1"
    sold.clock.turn(9 * DAY)
    with pytest.raises(errors.LicenseExpired):
        await sold.admit()


async def test_an_old_license_resets_nothing(sold: Any) -> None:
    """Only a license issued later than all that were ever taken vouches for the time, and each one once."""
    spare = sold.issue(id="spare", days=300)
    sold.clock.turn(1 * DAY)
    await sold.licenses.add("acme", sold.issue(id="newer", days=5, grace_days=0))
    await sold.licenses.remove("acme", "newer")
    sold.clock.turn(8 * DAY)
    await sold.admit()
    sold.clock.turn(-7 * DAY)
    with pytest.raises(errors.LicenseInvalid, match="set the clock right"):
        await sold.licenses.add("acme", spare)
    with pytest.raises(errors.LicenseInvalid):
        await sold.admit()


async def test_a_license_from_the_future_is_refused(sold: Any) -> None:
    """A clock set back to before the newest license was issued cannot take that license, and resets nothing."""
    text = sold.issue(id="L2", now=sold.clock.now() + timedelta(days=3))
    with pytest.raises(errors.LicenseInvalid, match="was issued on 2026-01-04 00:00 UTC"):
        await sold.licenses.add("acme", text)
    sold.clock.turn(4 * DAY)
    assert (await sold.licenses.add("acme", text)).id == "L2"
