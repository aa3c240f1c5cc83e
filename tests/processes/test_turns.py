"""The worker's door: fair, fenced, and quick to notice the dead."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.model.process import State
from omnichannel_core.storage import turns
from omnichannel_core.storage.fairness import Who
from omnichannel_core.storage.processes import Beat, Processes, prune
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.turns import Held

MINUTE = timedelta(minutes=1)


def fill(store: Store, clock: Any, counts: dict[int, int], account: str = "a") -> None:
    """So many processes of each connection, in this order, a microsecond apart."""

    def work(tx: Any) -> None:
        for connection, count in counts.items():
            for _ in range(count):
                clock.turn(0.000001)
                Processes(tx, account).submit(connection=connection, kind="work", key="", payload={}, now=clock.now())

    store.write_now(work)


def take(store: Store, clock: Any, worker: str = "me", limit: int = 10, **options: Any) -> list[Held]:
    """With a lease of a minute."""
    busy = options.pop("busy", None)
    who = Who(**{"worker": worker, "kinds": {"work"}} | options)
    return store.write_now(lambda tx: turns.take(tx, who, clock.now(), clock.now() + MINUTE, limit, busy))


def connections(store: Store, held: list[Held]) -> list[int | None]:
    """Whose they are, in order."""

    def work(tx: Any) -> list[int | None]:
        return [Processes(tx, one.account).get(one.id).connection for one in held]

    return store.read_now(work)


@pytest.mark.parametrize("many", [20, 700])
def test_a_long_queue_of_one_connection_starves_no_other(store: Store, clock: Any, many: int):
    """However many one connection has queued before, each other connection is served in the first batch."""
    fill(store, clock, {1: many, 2: 1, 3: 2})
    batch = take(store, clock, limit=4)
    assert Counter(connections(store, batch)) == {1: 2, 2: 1, 3: 1}


def test_one_slot_goes_round(store: Store, clock: Any):
    """With a single slot, a connection that was just served waits behind one that was not."""
    fill(store, clock, {1: 400, 2: 1})
    first = take(store, clock, limit=1)
    second = take(store, clock, limit=1, busy={("a", 1): 1})
    assert connections(store, first) + connections(store, second) == [1, 2]


def test_who_waits_longest_is_first(store: Store, clock: Any):
    """Among connections with equal turns the oldest due time decides, and given-back ones go to the end."""
    fill(store, clock, {3: 1, 1: 1, 2: 1})
    assert connections(store, take(store, clock)) == [3, 1, 2]


def test_nothing_is_taken_before_its_time(store: Store, clock: Any):
    """A process with a later run_at is taken when that time has come."""
    later = clock.now() + MINUTE
    store.write_now(
        lambda tx: Processes(tx, "a").submit(
            connection=1, kind="work", key="", payload={}, now=clock.now(), run_at=later
        )
    )
    assert take(store, clock) == []
    clock.turn(60)
    assert len(take(store, clock)) == 1


def test_kinds_of_others_are_left_alone(store: Store, clock: Any):
    """A worker takes only kinds it has handlers for, and only ids it was told when it was told some."""
    fill(store, clock, {1: 2})
    assert take(store, clock, kinds={"other"}) == []
    assert [one.id for one in take(store, clock, only={2})] == [2]


def test_a_dead_worker_is_taken_over_at_once(store: Store, clock: Any):
    """No lease has to run out when the owner's lock file is free."""
    fill(store, clock, {1: 1})
    (first,) = take(store, clock, worker="dead")
    assert take(store, clock, alive=lambda _: True) == []
    (second,) = take(store, clock, alive=lambda _: False)
    assert (second.id, second.fence) == (first.id, first.fence + 1)


def test_a_paused_worker_is_taken_over_after_its_lease_and_commits_nothing_more(store: Store, clock: Any):
    """The old fence raises Superseded, and the progress of the new owner stands."""
    fill(store, clock, {1: 1})
    (old,) = take(store, clock, worker="paused")
    clock.turn(59)
    assert take(store, clock) == []
    clock.turn(1)
    (new,) = take(store, clock)
    until = clock.now() + MINUTE
    store.write_now(lambda tx: Processes(tx, "a").beat(new.id, new.fence, Beat(done=7), until))
    with pytest.raises(errors.Superseded):
        store.write_now(lambda tx: Processes(tx, "a").beat(old.id, old.fence, Beat(done=1), until))
    ended = turns.Ended(held=old, state=State.SUCCEEDED, now=clock.now())
    assert store.write_now(lambda tx: turns.finish(tx, ended)) is None
    row = store.read_now(lambda tx: Processes(tx, "a").get(new.id))
    assert (row.state, row.done, row.worker) == (State.RUNNING, 7, "me")


def test_a_beat_prolongs_the_lease(store: Store, clock: Any):
    """A worker that shows progress keeps its process beyond the first lease."""
    fill(store, clock, {1: 1})
    (held,) = take(store, clock, worker="slow")
    clock.turn(50)
    until = clock.now() + MINUTE
    store.write_now(lambda tx: Processes(tx, "a").beat(held.id, held.fence, Beat(), until))
    clock.turn(50)
    assert take(store, clock) == []


def test_fences_can_be_raised_from_outside(store: Store, clock: Any):
    """Deleting a connection ends its open processes at once, except the one that deletes."""
    fill(store, clock, {1: 3})
    held = take(store, clock, limit=2)
    keep = held[1].id
    gone = store.write_now(lambda tx: Processes(tx, "a").fence_off(1, clock.now(), keep=[keep]))
    assert sorted(gone) == sorted({1, 2, 3} - {keep})
    with pytest.raises(errors.Superseded):
        store.write_now(lambda tx: Processes(tx, "a").beat(held[0].id, held[0].fence, Beat(), clock.now()))
    assert store.write_now(lambda tx: Processes(tx, "a").forget(1, keep=[keep])) == 2
    assert [one.id for one in store.read_now(lambda tx: Processes(tx, "a").page())] == [keep]


def test_a_key_belongs_to_its_account(store: Store, clock: Any):
    """Two accounts may use the same key; within one the open process is answered."""

    def submit(account: str) -> tuple[int, bool]:
        process, new = store.write_now(
            lambda tx: Processes(tx, account).submit(connection=1, kind="work", key="k", payload={}, now=clock.now())
        )
        return process.id, new

    assert [submit("a"), submit("b"), submit("a")] == [(1, True), (2, True), (1, False)]


def test_pages_go_from_the_newest_back(store: Store, clock: Any):
    """A listing is cut by id, filtered by connection, state and kind, and shows one account only."""
    fill(store, clock, {1: 3, 2: 2})
    fill(store, clock, {3: 1}, account="b")

    def ids(**options: Any) -> list[int]:
        return [one.id for one in store.read_now(lambda tx: Processes(tx, "a").page(**options))]

    assert ids(limit=2) == [5, 4]
    assert ids(limit=2, before=4) == [3, 2]
    assert ids(connection=2) == [5, 4]
    take(store, clock, limit=1)
    assert ids(states=[State.RUNNING]) == [1]
    assert ids(kind="other") == []


def test_old_ends_are_pruned_and_open_ones_never(store: Store, clock: Any):
    """Only processes that ended before the border go."""
    fill(store, clock, {1: 2})
    (held,) = take(store, clock, limit=1)
    store.write_now(lambda tx: turns.finish(tx, turns.Ended(held=held, state=State.FAILED, now=clock.now())))
    assert store.write_now(lambda tx: prune(tx, clock.now())) == 0
    clock.turn(1)
    assert store.write_now(lambda tx: prune(tx, clock.now())) == 1
    assert [one.id for one in store.read_now(lambda tx: Processes(tx, "a").page())] == [2]


def test_a_noisy_account_does_not_starve_others(store: Store, clock: Any) -> None:
    """Behind three thousand due processes of one account, ten of ten others get a slot in the very next take."""
    fill(store, clock, dict.fromkeys(range(1, 101), 30), account="noisy")
    quiet = {f"quiet-{number}" for number in range(10)}
    for account in sorted(quiet):
        fill(store, clock, {1000: 1}, account=account)
    held = take(store, clock, limit=11, busy={("noisy", 1): 5})
    assert Counter(one.account for one in held) == Counter(sorted(quiet)) + Counter({"noisy": 1})
    fill(store, clock, {1000: 20}, account="quiet-0")
    shares = Counter(one.account for _ in range(5) for one in take(store, clock, limit=4))
    assert shares == {"noisy": 10, "quiet-0": 10}


def crash(store: Store, clock: Any, times: int, *, page: bool = False) -> list[Held]:
    """So many workers take it and are never seen again, at last perhaps after a page."""
    held: list[Held] = []
    for number in range(times):
        held = take(store, clock, f"worker {number}")
        clock.turn(61)
    if page:
        (one,) = held
        store.write_now(lambda tx: Processes(tx, "a").beat(one.id, one.fence, Beat(done=1), clock.now()))
    return held


def test_what_every_worker_dies_over_fails_and_says_so(store: Store, clock: Any):
    """After twenty workers that died over it without a page between, a process fails for the operator to look at."""
    fill(store, clock, {1: 1})
    (held,) = crash(store, clock, turns.CRASHES)
    assert take(store, clock, "one more") == []
    process = store.read_now(lambda tx: Processes(tx, "a").get(held.id))
    assert (process.state, process.error_key) == (State.FAILED, "worker_lost")
    assert process.finished_at == clock.now()


def test_a_page_between_crashes_shows_that_it_goes_on(store: Store, clock: Any):
    """Workers that die, but get further, are followed by others for as long as it takes."""
    fill(store, clock, {1: 1})
    for _ in range(3):
        crash(store, clock, turns.CRASHES - 1, page=True)
    assert len(take(store, clock, "one more")) == 1
