"""Out to the marketplace and back, and what begins there."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.connections.authorizing import Begun
from omnichannel_core.driver import Call
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.model.process import State
from tests.connections.lab import TYPED, made, opened, synced

pytestmark = pytest.mark.anyio
BACK = "https://host.example/return"


async def begun(house: Any, **more: Any) -> Begun:
    """AUTHORIZE pressed by ann."""
    found: Begun = await house.connections.authorize(
        "acme", "lab", more.pop("typed", TYPED), return_url=BACK, actor="ann", **more
    )
    return found


def back(url: str, **query: str) -> Call:
    """The browser at the return URL."""
    return Call(method="GET", path="return", query={"state": url.partition("state=")[2], **query})


def call(sign: str = "right", **said: Any) -> Call:
    """The marketplace calls."""
    return Call(method="POST", path="", headers={"x-sign": sign}, body=json.dumps(said).encode())


async def test_missing_field(open_house: Any) -> None:
    """AUTHORIZE names a field it needs, and keeps nothing."""
    async with opened(open_house) as (house, _):
        with pytest.raises(errors.FormInvalid) as caught:
            await begun(house, typed={"shop": "a"})
        assert list(caught.value.fields) == ["secret"]
        assert sum((await house.vault_census()).values()) == 1


async def test_out_and_back_and_saved(open_house: Any) -> None:
    """The return shows the filled form; SAVE makes the connection under the draft's id and uses the draft up."""
    async with opened(open_house) as (house, _):
        trip = await begun(house, name="My lab")
        returned = await house.connections.returned(back(trip.url), account="acme", actor="ann")
        assert returned.error is None
        assert (returned.form.id, returned.form.name, returned.form.authorized) == (trip.draft, "My lab", True)
        assert returned.form.values == {"shop": "a", "secret": {"set": True}, "key": "brought"}
        assert await house.connections.list("acme") == []
        saved = await house.connections.create("acme", "lab", "My lab", draft=trip.draft, actor="ann")
        assert saved.connection.id == trip.draft
        assert (await house.connections.credentials("acme", trip.draft))["key"] == "brought"
        with pytest.raises(errors.NotFound):
            await house.connections.draft("acme", trip.draft, actor="ann")
        with pytest.raises(errors.NotFound):
            await house.connections.create("acme", "lab", "Twice", draft=trip.draft, actor="ann")


async def test_failed_return_keeps_the_form(open_house: Any) -> None:
    """A trip that fails shows the same form with the reason, and may be begun again."""
    async with opened(open_house) as (house, _):
        trip = await begun(house)
        returned = await house.connections.returned(back(trip.url, error="denied"), account="acme", actor="ann")
        assert isinstance(returned.error, errors.AuthorizationDenied)
        assert (returned.form.values["shop"], returned.form.authorized) == ("a", False)
        again = await begun(house, draft=trip.draft)
        assert again.draft == trip.draft
        returned = await house.connections.returned(back(again.url), account="acme", actor="ann")
        assert returned.form.authorized


async def test_brought_fields_survive_a_second_trip(open_house: Any) -> None:
    """What a trip filled in may stand in the form when AUTHORIZE is pressed again."""
    async with opened(open_house) as (house, _):
        trip = await begun(house)
        await house.connections.returned(back(trip.url), account="acme", actor="ann")
        again = await begun(house, draft=trip.draft)
        returned = await house.connections.returned(back(again.url), account="acme", actor="ann")
        assert returned.form.values["key"] == "brought"


async def test_late(open_house: Any, clock: Any) -> None:
    """Ten minutes later the answer counts no more, and the form with all that was typed is there for another trip."""
    async with opened(open_house) as (house, _):
        trip = await begun(house, name="My lab")
        clock.turn(601)
        for _again in range(2):
            returned = await house.connections.returned(back(trip.url), account="acme", actor="ann")
            assert isinstance(returned.error, errors.AuthorizationDenied)
            assert (returned.form.id, returned.form.name, returned.form.authorized) == (trip.draft, "My lab", False)
            assert returned.form.values["secret"] == {"set": True}
            trip = await begun(house, typed={}, draft=returned.form.id)
            clock.turn(601)
        assert (await house.connections.draft("acme", trip.draft, actor="ann")).values["shop"] == "a"


@pytest.mark.parametrize("how", ["used", "unknown", "other account", "other actor", "none"])
async def test_state(open_house: Any, clock: Any, how: str) -> None:
    """A state is good once, for its account and its user."""
    async with opened(open_house) as (house, _):
        trip = await begun(house)
        await house.accounts.add("other")
        came, account, actor = back(trip.url), "acme", "ann"
        if how == "used":
            await house.connections.returned(came, account=account, actor=actor)
        elif how == "unknown":
            came = back("state=guess")
        elif how == "none":
            came = Call(method="GET", path="return")
        account, actor = ("other" if how == "other account" else account), ("bob" if how == "other actor" else actor)
        with pytest.raises(errors.AuthorizationDenied):
            await house.connections.returned(came, account=account, actor=actor)


async def test_draft_is_gone_after_an_hour(open_house: Any, clock: Any) -> None:
    """An hour later a draft is over for everybody, and swept with its secrets."""
    async with opened(open_house) as (house, _):
        trip = await begun(house)
        await house.connections.returned(back(trip.url), account="acme", actor="ann")
        clock.turn(3601)
        with pytest.raises(errors.NotFound):
            await house.connections.draft("acme", trip.draft, actor="ann")
        with pytest.raises(errors.NotFound):
            await house.connections.create("acme", "lab", "Late", draft=trip.draft, actor="ann")
        await house._scheduling.housekeeping()  # type: ignore[attr-defined]
        assert sum((await house.vault_census()).values()) == 1


async def test_back_deletes_the_token(open_house: Any) -> None:
    """Back, by whoever typed it, rejects everything: draft, form and token; its id is not given again."""
    async with opened(open_house) as (house, _):
        trip = await begun(house)
        await house.connections.returned(back(trip.url), account="acme", actor="ann")
        for account, actor in (("acme", "bob"), ("acme", ""), ("other", "ann")):
            with pytest.raises(errors.NotFound):
                await house.connections.discard(account, trip.draft, actor=actor)
        await house.connections.discard("acme", trip.draft, actor="ann")
        assert sum((await house.vault_census()).values()) == 1
        assert await made(house) > trip.draft


async def test_reauthorize(open_house: Any) -> None:
    """AUTHORIZE of a stored connection brings its locked field and token in with the SAVE of an edit."""
    async with opened(open_house) as (house, _):
        lab = await made(house)
        trip = await begun(house, typed={"shop": "a", "secret": ""}, connection=lab)
        await house.connections.returned(back(trip.url), account="acme", actor="ann")
        with pytest.raises(errors.NotFound):
            await house.connections.create("acme", "lab", "Not this way", draft=trip.draft, actor="ann")
        saved = await house.connections.edit("acme", lab, draft=trip.draft, actor="ann")
        assert saved.process is not None
        assert (await house.connections.credentials("acme", lab))["key"] == "brought"


async def test_arrived_confirmed_created(open_house: Any) -> None:
    """An install that began at the marketplace belongs to nobody until the browser that came from there confirms it."""
    async with opened(open_house) as (house, _):
        await house.accounts.add("other")
        answer = await house.connections.receive("lab", call(arrived="s", fields={"shop": "s", "secret": "hush-s"}))
        assert answer.draft is not None
        assert answer.claim not in repr(answer)
        with pytest.raises(errors.NotFound):
            await house.connections.draft("acme", answer.draft)
        with pytest.raises(errors.NotFound):
            await house.connections.create("acme", "lab", "Early", draft=answer.draft)
        for claim in ("", "guessed"):
            with pytest.raises(errors.NotFound):
                await house.connections.confirm("acme", answer.draft, claim=claim)
        form = await house.connections.confirm("acme", answer.draft, claim=answer.claim, actor="ann")
        assert (form.values["shop"], form.values["secret"]) == ("s", {"set": True})
        with pytest.raises(errors.NotFound):
            await house.connections.confirm("other", answer.draft, claim=answer.claim)
        saved = await house.connections.create("acme", "lab", "Arrived", draft=answer.draft, actor="ann")
        assert (saved.connection.id, saved.connection.remote_account) == (answer.draft, "s")


async def test_arrived_again_updates(open_house: Any) -> None:
    """A known account that arrives again is updated after a check; credentials that fail it change nothing."""
    async with opened(open_house) as (house, bench):
        lab = await made(house)
        checked = bench.checked
        answer = await house.connections.receive("lab", call(arrived="a", fields={"shop": "a", "secret": "new"}))
        assert (answer.connections, bench.checked) == ([lab], checked + 1)
        with pytest.raises(errors.CredentialsRejected):
            await house.connections.receive("lab", call(arrived="a", fields={"shop": "a", "secret": "wrong"}))
        await house.connections.check("acme", lab)


async def test_arrived_brings_a_locked_field(open_house: Any) -> None:
    """What cannot be typed may be brought by the marketplace."""
    async with opened(open_house) as (house, _):
        lab = await made(house)
        await house.connections.receive("lab", call(arrived="a", fields={"key": "k2"}))
        assert (await house.connections.credentials("acme", lab))["key"] == "k2"


async def test_left(open_house: Any, clock: Any) -> None:
    """An uninstall needs attention, unless it is older than the last arrival."""
    async with opened(open_house) as (house, _):
        lab = await made(house)
        before = clock.now() - timedelta(minutes=1)
        await house.connections.receive("lab", call(arrived="a", fields={"secret": "new"}))
        assert (await house.connections.receive("lab", call(left="a", at=before.isoformat()))).connections == []
        assert (await house.connections.get("acme", lab)).health is Health.OK
        clock.turn(60)
        answer = await house.connections.receive("lab", call(left="a", at=clock.now().isoformat()))
        assert answer.connections == [lab]
        assert (await house.connections.get("acme", lab)).health is Health.ATTENTION


async def test_forged(open_house: Any) -> None:
    """A forged call is refused as such, also where another account's door is closed for another reason."""
    async with opened(open_house) as (house, _):
        await house.accounts.add("sand", main="acme")
        await house.drivers.install("sand", "lab")
        with pytest.raises(errors.CallRefused):
            await house.connections.receive("lab", call("wrong", arrived="a"))
        with pytest.raises(errors.NotFound):
            await house.connections.receive("lab", call(), key="guessed")


async def test_changed(open_house: Any) -> None:
    """A change is fetched by its id, once for its key, and pulls nothing else."""
    from omnichannel_core.records import Order

    async with opened(open_house) as (house, bench):
        lab = await made(house)
        await synced(house, lab)
        before = (await house.connections.get("acme", lab)).last_synced_at
        bench.asked.clear()
        bench.singles["7"] = Order(id="7", number="N7")
        for expected in ([lab], []):
            answer = await house.connections.receive("lab", call(account="a", stream="orders", ids=["7"], key="k1"))
            assert answer.connections == expected
        (process,) = await house.processes.list("acme", states=[State.QUEUED])
        assert (await house.processes.run_to_end("acme", process.id)).state is State.SUCCEEDED
        assert bench.asked == ["fetch 7"]
        assert (await house.hub.order("acme", lab, "7")).number == "N7"
        assert (await house.connections.get("acme", lab)).last_synced_at == before


async def test_changed_without_stream(open_house: Any) -> None:
    """A change that names no stream is a check; a connection that is switched off is left alone."""
    async with opened(open_house) as (house, bench):
        lab = await made(house)
        await synced(house, lab)
        bench.asked.clear()
        checked = bench.checked
        await house.connections.receive("lab", call(account="a", key="k1"))
        (process,) = await house.processes.list("acme", states=[State.QUEUED])
        await house.processes.run_to_end("acme", process.id)
        assert (bench.checked, bench.asked) == (checked + 1, [])
        await house.connections.disable("acme", [lab])
        assert (await house.connections.receive("lab", call(account="a", key="k2"))).connections == []
        assert (await house.connections.get("acme", lab)).status is Status.INACTIVE
