"""What remotes and drivers say may be made to break whoever stores it; it breaks nothing but its own process."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Limit, Page, Reading, Wait, retry_after
from omnichannel_core.model.process import State
from omnichannel_core.model.view import Look
from omnichannel_core.records import Bad, Line, Order
from omnichannel_core.remote.buckets import NOW, Bucket, Plan
from tests.connections.lab import count, made, opened

pytestmark = pytest.mark.anyio


class Mute(errors.CredentialsRejected):
    """Cannot be told."""

    def __str__(self) -> str:
        raise ValueError("no words")


def forever() -> errors.RemoteError:
    """Its wait was set behind the constructor's back."""
    made = errors.RateLimited("Slow down.")
    made.wait = float("inf")
    return made


SAID: dict[str, Any] = {
    "half a character": errors.RemoteRejected("a\ud800b"),
    "half a character that waits": errors.RateLimited("a\ud800b", 5.0),
    "NUL": errors.RemoteRejected("a\0b"),
    "no words": Mute("x"),
    "an endless wait": errors.RateLimited("Slow down.", float("inf")),
    "an endless wait behind our back": forever(),
    "a wait that is no number": errors.RateLimited("Slow down.", float("nan")),
    "an endless pause": Wait(float("inf"), "?"),
    "a pause that is no number": Wait(float("nan"), "?"),
    "a pause for half a character": Wait(5.0, "a\ud800b"),
    "a pause for NUL": Wait(5.0, "a\0b"),
    "a total no store can hold": 2**70,
    "a negative total": -1,
}


@pytest.mark.parametrize("said", SAID)
async def test_its_own_process_only(open_house: Any, said: str) -> None:
    """Whatever a pull says, its process ends or waits, and the connection beside it is synchronized."""
    async with opened(open_house, work=True, slots=1) as (house, bench):

        async def pull(session: Any, cursor: Any) -> Any:
            if session.connection_id == bad:
                if isinstance(SAID[said], Exception):
                    raise SAID[said]
                more = {"total": SAID[said]} if isinstance(SAID[said], int) else {"more": SAID[said]}
                return Page(cursor=type(cursor)(cursor.page + 1), records=[Order(id="1")], **more)
            return Page(cursor=cursor, records=[Order(id="1")])

        bench.scripts["orders"] = pull
        bad = 1
        assert await made(house) == bad
        with anyio.fail_after(20):
            while (await house.processes.get("acme", 1)).state not in (State.FAILED, State.WAITING):  # noqa: ASYNC110
                await anyio.sleep(0.01)
        good = await made(house, shop="b")
        assert (await house.processes.run_to_end("acme", 2)).state is State.SUCCEEDED
        assert await count(house, good) == 1


async def test_records_with_strange_ids(open_house: Any) -> None:
    """Records whose ids, numbers and reasons hold what no person types are stored, found and counted like others."""
    async with opened(open_house, work=False) as (house, bench):
        strange = [
            "\u202eabc",
            "'; DROP TABLE omni_record; --",
            "\N{ZERO WIDTH SPACE}",
            "x" * 255,
            "%_\\",
            "\U0001f469",
        ]
        bench.scripts["orders"] = [
            [
                *(Order(id=one, number=one) for one in strange),
                *(Bad(kind=Order, id=f"b{one}", reason=one) for one in strange),
            ]
        ]
        lab = await made(house)
        (process,) = await house.processes.list("acme")
        assert (await house.processes.run_to_end("acme", process.id)).state is State.SUCCEEDED
        assert await count(house, lab) == len(strange)
        for one in strange:
            assert (await house.hub.order("acme", lab, one)).number == one
        assert len(await house.hub.errors("acme", lab)) == len(strange)


async def test_records_with_nul(open_house: Any) -> None:
    """NUL in ids, numbers, names and reasons stops no stream; a database whose text has none gets a mark."""
    async with opened(open_house, work=False) as (house, bench):
        bench.scripts["orders"] = lambda session, cursor: Page(
            cursor=type(cursor)(cursor.page + 1),
            records=[
                Order(id="a\0b", number="n\0", revision="\0", lines={"l\0": Line(id="l\0", sku="\0")}),
                Bad(kind=Order, id="bad\0", reason="why\0", raw=b"\0"),
                Order(id="plain"),
            ],
        )
        lab = await made(house)
        (process,) = await house.processes.list("acme")
        for _again in range(2):
            assert (await house.processes.run_to_end("acme", process.id)).state is State.SUCCEEDED
            assert await count(house, lab) == 2
            assert len(await house.hub.errors("acme", lab)) == 1
            process = await house.connections.synchronize("acme", lab)
        found = {one.id for one in (await house.hub.orders("acme", connection=lab)).items}
        assert len(found) == 2
        for one in found:
            assert await house.hub.order("acme", lab, one)


@pytest.mark.parametrize("number", [2**63, 2**70, -(2**63) - 1])
async def test_numbers_no_store_can_hold(open_house: Any, number: int) -> None:
    """An id of more than 64 bits is the caller's mistake at every door, and in a bulk move it is answered by id."""
    async with opened(open_house, work=False) as (house, _):
        lab = await made(house)
        one = house.connections
        for call in (
            one.get("acme", number), one.rename("acme", number, "x"), one.synchronize("acme", number),
            one.delete("acme", number), house.processes.cancel("acme", number), house.hub.order("acme", number, "1"),
            house.hub.erase("acme", number), one.discard("acme", number), house.diagnose("acme", number),
        ):  # fmt: skip
            with pytest.raises(errors.UsageError):
                await call
        answers = await one.disable("acme", [number, lab, 10**9])
        assert [answer.id for answer in answers] == [number, lab, 10**9]
        assert [type(answer.error) for answer in answers][1:] == [type(None), errors.NotFound]
        assert isinstance(answers[0].error, errors.UsageError)


@pytest.mark.parametrize("text", ["a\ud800b", "\ud800"])
async def test_text_no_store_can_hold(open_house: Any, text: str) -> None:
    """Half a character is the caller's mistake wherever it is typed, and nothing is stored."""
    async with opened(open_house, work=False) as (house, _):
        lab = await made(house)
        for call in (
            house.connections.rename("acme", lab, text), house.connections.list(text), house.drivers.list(text),
            house.hub.order("acme", lab, text), house.hub.orders("acme", number=text),
            house.connections.create("acme", "lab", "x", {"shop": text}), house.accounts.add(text),
            house.views.create("acme", "ann", text, Look()),
        ):  # fmt: skip
            with pytest.raises((errors.UsageError, errors.FormInvalid)):
                await call
        assert (await house.connections.get("acme", lab)).name == "Lab"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("1.5", 1.5), ("inf", None), ("nan", None), ("1e999", None), ("-3", None), ("", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    """Only plain seconds (or a date) are believed."""
    assert retry_after(Answer(operation="x", status=429, headers={"retry-after": text}, content=b"")) == seconds


def test_a_budget_survives_what_is_told() -> None:
    """Readings and waits that are no numbers, or endless, leave a budget that goes on."""
    plan, bucket = Plan.of(Limit(name="all", rate=1.0, burst=5)), Bucket()
    assert bucket.take(plan, 1, 0.0) == NOW
    for wrong in (float("inf"), float("nan")):
        for field in ("left", "burst", "rate", "full_in", "spent"):
            bucket.settle(plan, 0, bucket.turn, Reading(**{field: wrong}), 1.0)
        bucket.wait(wrong, 1.0)
    assert bucket.take(plan, 1, errors.WAIT_MAX + 10) == NOW
