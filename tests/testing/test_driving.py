"""What hypothesis draws within a rule: bounded, repeatable, and told by its smallest case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from hypothesis import strategies as st

from omnichannel_core.testing.conformance import DriverConformance, Remote, driving
from omnichannel_core.testing.conformance.rules import Failed, NotShown
from omnichannel_core.testing.conformance.trying import Bench, Subject

NUMBERS = st.lists(st.integers(0, 1000), max_size=5)


class Facts(DriverConformance):
    """Of the echo driver, on one loop."""

    driver = "echo"
    loops = ("asyncio",)
    credentials = {"shop": "a", "secret": "hush-echo"}

    @contextmanager
    def open_remote(self) -> Iterator[Remote]:
        """Nothing is asked."""
        yield Remote()


@pytest.fixture
def subject(plug: Any) -> Subject:
    """The echo driver."""
    plug.ready("echo")
    return Subject(Facts(), plug.catalog())


def tried(subject: Subject, wrong: int) -> list[Sequence[int]]:
    """All cases, in their order; one with a number from `wrong` on fails."""
    seen = list[Sequence[int]]()

    async def work(bench: Bench, case: Sequence[int]) -> None:
        seen.append(case)
        if any(number >= wrong for number in case):
            raise Failed("A number is too high.")

    driving.drive(subject, NUMBERS, work, str)
    return seen


def test_the_message_names_the_smallest_case(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the first case that fails was, the message tells the shortest that fails."""
    monkeypatch.setattr(driving, "QUICK", attrs.evolve(driving.QUICK, cases=50))
    with pytest.raises(Failed, match=r"^A number is too high. Smallest case: \[7\].$"):
        tried(subject, 7)


def test_the_seed_decides(subject: Subject) -> None:
    """The same seed draws the same cases, another one others; each case is tried once."""
    first = tried(subject, 2000)
    assert first == tried(subject, 2000)
    assert len({str(one) for one in first}) == len(first) == driving.QUICK.cases
    subject.facts.seed = 1
    assert tried(subject, 2000) != first


def test_time_is_bounded(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time no new case is tried, but some always are; nor is a case that fails made smaller any more."""
    over = attrs.evolve(driving.QUICK, cases=50, seconds=-1.0, shrinking=-1.0)
    monkeypatch.setattr(driving, "QUICK", over)
    assert len(tried(subject, 2000)) == driving.LEAST
    with pytest.raises(Failed, match=r"Smallest case: \[.*[1-9]"):
        tried(subject, 1)


def test_what_cannot_be_shown_is_told(subject: Subject) -> None:
    """Facts that are missing end it with the first case."""
    cases = list[Sequence[int]]()

    async def work(bench: Bench, case: Sequence[int]) -> None:
        cases.append(case)
        raise NotShown("say more")

    with pytest.raises(NotShown, match="say more"):
        driving.drive(subject, NUMBERS, work, str)
    assert len(cases) == 1


@pytest.mark.parametrize("count", [0, 1, 2, 7, 60])
def test_numbers_are_spread(count: int) -> None:
    """Each once; the first three already come from everywhere."""
    order = list(driving.spread(count))
    assert sorted(order) == list(range(count))
    if count >= 60:
        assert max(order[:3]) - min(order[:3]) > count / 4
