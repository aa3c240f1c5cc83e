"""Hypothesis within a rule: seeded, bounded in time, and its message names the smallest case that fails."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, TypeVar

import attrs
import hypothesis
from hypothesis.strategies import SearchStrategy

from omnichannel_core.testing.conformance.rules import Failed, NotShown
from omnichannel_core.testing.conformance.trying import Bench, Subject

T = TypeVar("T")
LEAST = 3  # cases that are tried however long they take
GOLDEN = 0.6180339887498949  # numbers a golden section apart are spread evenly, however many of them are taken


@attrs.frozen
class Profile:
    """How much is tried: so many cases, no new one after so many seconds; seconds to make one smaller that fails."""

    cases: int
    seconds: float
    shrinking: float


QUICK = Profile(cases=5, seconds=5.0, shrinking=15.0)
THOROUGH = Profile(cases=200, seconds=300.0, shrinking=120.0)


def profile(subject: Subject, share: float = 1) -> Profile:
    """Quick with every run of the tests, thorough where it is asked for; so many share a rule's seconds."""
    whole = THOROUGH if subject.facts.thorough else QUICK
    return attrs.evolve(whole, seconds=whole.seconds / share)


def drive(
    subject: Subject, made: SearchStrategy[T], work: Callable[[Bench, T], Awaitable[None]], say: Callable[[T], str],
    *, share: float = 1,
) -> None:  # fmt: skip
    """Try `work` on every loop with a remote of its own for each case; `share` such calls make a rule.

    Raises:
        Failed: with what `say` says of the smallest case that was found. NotShown: the first case told so.
    """
    cases = _Cases(subject, work, say, profile(subject, share))
    settings = hypothesis.settings(
        max_examples=cases.profile.cases, deadline=None, database=None, derandomize=False, print_blob=False,
        report_multiple_bugs=False, verbosity=hypothesis.Verbosity.quiet,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
    )  # fmt: skip

    @hypothesis.seed(subject.facts.seed)
    @settings
    @hypothesis.given(made)
    def each(case: T) -> None:
        cases.one(case)

    try:
        each()
    except Failed:
        raise Failed(f"{cases.problem} Smallest case: {cases.smallest}.") from None
    if cases.not_shown is not None:
        raise cases.not_shown


@attrs.define(eq=False)
class _Cases(Generic[T]):
    """What is known of each case: tried once, and after the time is over nothing new is."""

    subject: Subject
    work: Callable[[Bench, T], Awaitable[None]]
    say: Callable[[T], str]
    profile: Profile
    begun: float = attrs.field(factory=time.monotonic)
    known: dict[str, str] = attrs.field(factory=dict)
    not_shown: NotShown | None = None
    failed: float | None = None
    problem: str = ""
    smallest: str = ""

    def one(self, case: T) -> None:
        name = self.say(case)
        if name not in self.known:
            if self._over():
                return
            self.known[name] = self._tried(case)
        if self.known[name]:
            self.problem, self.smallest = self.known[name], name
            raise Failed(self.problem)

    def _tried(self, case: T) -> str:
        """What is wrong with it."""
        try:
            self.subject.each(lambda bench: self.work(bench, case))
        except NotShown as nothing:
            self.not_shown = nothing
        except Failed as problem:
            self.failed = self.failed or time.monotonic()
            return str(problem)
        return ""

    def _over(self) -> bool:
        if self.not_shown is not None:
            return True
        if self.failed is not None:
            return time.monotonic() - self.failed > self.profile.shrinking
        return len(self.known) >= LEAST and time.monotonic() - self.begun > self.profile.seconds


def spread(count: int) -> Iterator[int]:
    """All numbers below `count`, in an order in which the first few already reach everywhere."""
    yield from sorted(range(count), key=lambda number: (number * GOLDEN) % 1.0)


def in_time(subject: Subject, numbers: Iterator[int], share: float) -> Iterator[int]:
    """As many as this share of the profile's seconds allows, and no fewer than are tried at least."""
    begun, limit = time.monotonic(), profile(subject, share).seconds
    for tried, number in enumerate(numbers):
        if tried >= LEAST and time.monotonic() - begun > limit:
            return
        yield number
