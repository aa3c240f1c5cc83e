"""Budgets as arithmetic: whatever happens, no stretch of time holds more than was declared."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from omnichannel_core.driver import Limit, Reading
from omnichannel_core.remote.buckets import AFTER_AN_ANSWER, NOW, Bucket, Buckets, LocalBuckets, Plan

pytestmark = pytest.mark.anyio
DRIP = Plan(rate=2.0, burst=10.0, window=None)
WINDOW = Plan(rate=float("inf"), burst=150.0, window=30.0)
STEPS = some.lists(some.tuples(some.floats(0, 40), some.integers(1, 4)), min_size=1, max_size=120)


def _spend(plan: Plan, steps: list[tuple[float, int]]) -> list[tuple[float, float]]:
    """(when, units) of what was let through, asking at these distances, every other time when told to."""
    bucket, now, spent = Bucket(), 1_000_000.0, []
    for number, (pause, cost) in enumerate(steps):
        now += pause
        wait = bucket.take(plan, cost, now)
        if wait > 0 and number % 2:
            now += wait
            wait = bucket.take(plan, cost, now)
            assert wait < 1e-3, "what was told to be worth asking again was not"
        if wait == NOW:
            spent.append((now, float(cost)))
    return spent


@given(STEPS)
def test_drip_never_above_budget(steps: list[tuple[float, int]]) -> None:
    """In any stretch a dripping bucket lets through its burst and what dripped, never more."""
    spent = _spend(DRIP, steps)
    for first in range(len(spent)):
        total = 0.0
        for at, units in spent[first:]:
            total += units
            assert total <= DRIP.burst + (at - spent[first][0]) * DRIP.rate + 1e-3


@given(some.floats(0.5, 60), some.integers(1, 20), STEPS)
def test_untold_window_never_above_budget(window: float, most: int, steps: list[tuple[float, int]]) -> None:
    """While the remote has told nothing, no stretch of a window's length holds more than the window."""
    plan = Plan(rate=float("inf"), burst=float(most), window=window)
    spent = [(at, min(units, most)) for at, units in _spend(plan, steps)]
    for at, _ in spent:
        assert sum(units for other, units in spent if at <= other < at + window) <= most + 1e-6


def test_a_day_at_the_budget() -> None:
    """A simulated day of asking all the time spends the whole budget and not one unit more."""
    bucket, now, count = Bucket(), 0.0, 0
    while now < 86_400:
        wait = bucket.take(DRIP, 1.0, now)
        if wait:
            now += wait
        else:
            count += 1
    assert 86_400 * DRIP.rate <= count <= 86_400 * DRIP.rate + DRIP.burst + 1


LATENCIES = some.lists(some.tuples(some.floats(0, 30), some.floats(0, 20)), min_size=20, max_size=80)


def _remote(plan: Plan, trips: list[tuple[float, float]], most: int) -> int:
    """How many a remote's own bucket refuses: each is (seconds to there, seconds back), `most` under way at once."""
    bucket, now, under_way, arrivals = Bucket(), 0.0, list[tuple[float, int]](), list[float]()
    for there, back in trips:
        if len(under_way) == most:
            under_way.sort()
            over, turn = under_way.pop(0)
            now = max(now, over)
            bucket.settle(plan, 1.0, turn, None, over)
        while wait := bucket.take(plan, 1.0, now):
            now += wait
        arrivals.append(now + there)
        under_way.append((now + there + back, bucket.turn))
    level, at, refused = plan.burst, min(arrivals), 0
    for arrival in sorted(arrivals):
        level, at = min(plan.burst, level + (arrival - at) * plan.rate), arrival
        refused += level < 1 - 1e-6
        level -= 1 if level >= 1 - 1e-6 else 0
    return refused


@given(LATENCIES, some.integers(1, 4))
def test_latency_is_no_permission(trips: list[tuple[float, float]], most: int) -> None:
    """However long requests take to arrive, some of them at once, the remote's own bucket refuses none."""
    for plan in (Plan(rate=0.1, burst=5.0, window=None), Plan(rate=1.0, burst=6.0, window=None)):
        assert _remote(plan, trips, most) == 0


def test_first_request_was_slow() -> None:
    """A connection that took long to open starts the remote's drip late: what dripped meanwhile is not there."""
    plan = Plan(rate=0.0056, burst=20.0, window=None)
    assert _remote(plan, [(2.0, 0.1)] + [(0.05, 0.1)] * 60, most=1) == 0


def test_slow_down_means_empty() -> None:
    """After one refusal a dripping bucket is taken for empty: the next units come as they drip, none is guessed."""
    bucket = Bucket()
    assert bucket.take(DRIP, 1.0, 0.0) == NOW
    bucket.settle(DRIP, 1.0, bucket.turn, None, 0.0)
    bucket.wait(0.5, 0.0)
    assert bucket.take(DRIP, 1.0, 0.0) == pytest.approx(0.5)
    assert bucket.take(DRIP, 1.0, 0.5) == NOW
    assert bucket.take(DRIP, 1.0, 0.5) == pytest.approx(0.5)


def test_requests_of_the_dead_leave_the_rate() -> None:
    """Units that nobody settles any more take room of the burst, and nothing of the rate."""
    bucket, now, count = Bucket(pending=15.0), 0.0, 0
    while now < 1000:
        if wait := bucket.take(DRIP, 1.0, now):
            now += wait
            continue
        count += 1
        bucket.settle(DRIP, 1.0, bucket.turn, None, now)
    assert count >= 0.99 * 1000 * DRIP.rate


def test_untold_window_wastes_little() -> None:
    """Asking all the time, an untold window is used to nine tenths or better."""
    bucket, now, count = Bucket(), 0.0, 0
    while now < 3000:
        wait = bucket.take(WINDOW, 1.0, now)
        now += wait or 0.01
        count += not wait
    assert 0.9 * 15_000 <= count <= 15_150


def test_told_window_obeys_the_remote() -> None:
    """Once told, what is left and when it starts anew are the remote's words, though an older answer says otherwise."""
    bucket = Bucket()
    assert bucket.take(WINDOW, 1, 99.0) == NOW
    bucket.settle(WINDOW, 1, bucket.turn, Reading(left=9, burst=150, full_in=7), 99.0)
    assert [bucket.take(WINDOW, 1, 100.0) for _ in range(2)] == [NOW] * 2
    for left in (1, 2):
        bucket.settle(WINDOW, 1, bucket.turn, Reading(left=left, burst=150, full_in=5), 101.0)
    assert bucket.take(WINDOW, 1, 102.0) == NOW
    assert bucket.take(WINDOW, 1, 102.0) == pytest.approx(4.01)
    assert bucket.take(WINDOW, 1, 106.02) == NOW
    assert bucket.left == 149


def test_last_units_wait_for_answers() -> None:
    """While it is not known what the last answer had counted, the last units go one after the other."""
    bucket = Bucket()
    bucket.take(WINDOW, 1, 99.0)
    bucket.settle(WINDOW, 1, bucket.turn, Reading(left=5, full_in=21), 99.0)
    assert [bucket.take(WINDOW, 1, 100.0) for _ in range(3)] == [NOW, NOW, AFTER_AN_ANSWER]
    bucket.settle(WINDOW, 1, bucket.turn, Reading(left=3, full_in=20), 100.0)
    assert bucket.take(WINDOW, 1, 100.0) == AFTER_AN_ANSWER
    bucket.settle(WINDOW, 1, bucket.turn, Reading(left=4, full_in=20), 100.0)
    for _ in range(3):
        assert bucket.take(WINDOW, 1, 100.0) == NOW
        bucket.settle(WINDOW, 1, bucket.turn, None, 100.0)
    assert bucket.take(WINDOW, 1, 100.0) == pytest.approx(20.01)


def test_late_answers_of_a_window_that_is_gone() -> None:
    """An answer that tells about a window which has ended changes nothing in the new one."""
    bucket = Bucket()
    assert [bucket.take(WINDOW, 1, 99.0) for _ in range(3)] == [NOW] * 3
    bucket.settle(WINDOW, 1, bucket.turn, Reading(left=40, full_in=1), 99.0)
    bucket.settle(WINDOW, 1, bucket.turn, Reading(left=149, full_in=29), 100.1)
    bucket.settle(WINDOW, 1, bucket.turn, Reading(left=39, full_in=0), 100.2)
    assert (bucket.left, bucket.at) == (148, pytest.approx(129.11))


def test_told_drip() -> None:
    """A remote that tells its bucket (left, size, rate, real cost) is believed."""
    bucket, plan = Bucket(), Plan(rate=50.0, burst=1000.0, window=None)
    bucket.take(plan, 100, 0.0)
    bucket.settle(plan, 100, 0, Reading(left=20, burst=2000, rate=100), 0.0)
    assert bucket.take(plan, 100, 0.0) == pytest.approx(0.8)
    assert bucket.take(plan, 100, 0.8) == NOW
    bucket.settle(plan, 100, 0, Reading(spent=10), 0.8)
    assert bucket.left == pytest.approx(90)


def test_lost_requests_do_not_count_forever() -> None:
    """What somebody who died had under way stops counting after a while."""
    bucket = Bucket()
    bucket.take(DRIP, 5, 0.0)
    bucket.take(DRIP, 1, 1000.0)
    bucket.settle(DRIP, 1, bucket.turn, Reading(left=10), 1000.0)
    assert (bucket.left, bucket.pending) == (10, 0)


def test_lost_requests_do_not_count_forever_beside_others() -> None:
    """What several that died had under way stops counting although others go on asking."""
    bucket, plan = Bucket(), Plan(rate=1.0, burst=10.0, window=None)
    for _ in range(2):
        assert bucket.take(plan, 5, 1000.0) == NOW  # never answered: they died
    served = 0
    for second in range(1001, 1400):
        if bucket.take(plan, 2, float(second)) == NOW:
            bucket.settle(plan, 2, bucket.turn, Reading(left=8, spent=2), second + 0.5)
            served += 1
    assert served > 50
    assert bucket.pending == bucket.older == 0


def test_an_answer_of_the_turn_before() -> None:
    """A request that is answered after a dripping bucket's turn is over is not counted as lost."""
    bucket, plan = Bucket(since=1000.0), Plan(rate=1.0, burst=10.0, window=None)
    assert bucket.take(plan, 5, 1119.0) == NOW
    turn = bucket.turn
    assert bucket.take(plan, 2, 1121.0) == NOW
    assert (bucket.turn, bucket.pending, bucket.older) == (turn + 1, 7, 5)
    bucket.settle(plan, 5, turn, None, 1122.0)
    assert (bucket.pending, bucket.older) == (2, 0)
    bucket.settle(plan, 2, turn + 1, None, 1123.0)
    assert (bucket.pending, bucket.older) == (0, 0)


@given(STEPS)
def test_state_survives_a_store(steps: list[tuple[float, int]]) -> None:
    """A bucket written to JSON and read back goes on as if nothing had happened."""
    for plan in (DRIP, WINDOW):
        one, other, now = Bucket(), Bucket(), 0.0
        for pause, cost in steps:
            now += pause
            assert one.take(plan, cost, now) == other.take(plan, cost, now)
            reading = Reading(left=cost, full_in=cost) if plan is WINDOW else Reading(left=cost)
            one.settle(plan, cost, one.turn, reading, now)
            other.settle(plan, cost, other.turn, reading, now)
            other = msgspec.json.decode(msgspec.json.encode(other), type=Bucket)
        assert one == other


@pytest.fixture(params=["local"])
def buckets(request: pytest.FixtureRequest) -> Buckets:
    """Every implementation of the port; another one is one more parameter."""
    return {"local": LocalBuckets}[request.param]()


async def test_port_spends_once(buckets: Buckets) -> None:
    """Units taken by key are gone for everybody, given ones are back, other keys are untouched."""
    for _ in range(10):
        assert (await buckets.take("a", DRIP, 1.0, 5.0))[0] == NOW
    assert (await buckets.take("a", DRIP, 1.0, 5.0))[0] == pytest.approx(0.5)
    assert (await buckets.take("a", DRIP, 1.0, 5.0, ahead=3.0))[0] == pytest.approx(2.0)
    assert (await buckets.take("b", DRIP, 1.0, 5.0))[0] == NOW
    await buckets.give("a", DRIP, 1.0)
    assert (await buckets.take("a", DRIP, 1.0, 5.0))[0] == NOW


async def test_port_reads_and_waits(buckets: Buckets) -> None:
    """What an answer tells, and a wait the remote asks for, hold for everybody under the key."""
    _, turn = await buckets.take("a", WINDOW, 1.0, 5.0)
    await buckets.settle("a", WINDOW, 1.0, turn, Reading(left=1, full_in=10), 5.0)
    assert (await buckets.take("a", WINDOW, 1.0, 5.0))[0] == NOW
    assert (await buckets.take("a", WINDOW, 1.0, 5.0))[0] == pytest.approx(10.01)
    await buckets.wait("a", WINDOW, 60.0, 5.0)
    assert (await buckets.take("a", WINDOW, 1.0, 20.0))[0] == pytest.approx(45.0)
    assert (await buckets.take("a", WINDOW, 1.0, 65.0))[0] == NOW


async def test_local_buckets_forget() -> None:
    """Budgets nobody has used for long are forgotten; those in use are not."""
    local: Any = LocalBuckets()
    for number in range(4200):
        await local.take(f"old {number}", DRIP, 1.0, 0.0)
        await local.settle(f"old {number}", DRIP, 1.0, 0, None, 0.0)
    await local.take("new", DRIP, 10.0, 10_000.0)
    assert len(local._buckets) == 1
    assert (await local.take("new", Plan.of(Limit(name="x", rate=2.0, burst=10.0)), 1.0, 10_000.0))[0] == 0.5
