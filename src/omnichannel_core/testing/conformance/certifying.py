"""From rules to a level: what was tried, what held, what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import attrs

from omnichannel_core import errors
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.testing.conformance.facts import DriverConformance
from omnichannel_core.testing.conformance.rules import Capability, Failed, Level, NotShown, Rule, all_rules
from omnichannel_core.testing.conformance.trying import Subject


class Verdict(StrEnum):
    """What became of one rule."""

    HOLDS = "holds"
    FAILS = "fails"
    OUT_OF_PLACE = "cannot apply"
    NOT_SHOWN = "not shown"
    NOT_RUN = "not run"


@attrs.frozen
class Tried:
    """One rule's verdict, and why where it does not hold."""

    rule: str
    verdict: Verdict
    reason: str = ""


@attrs.frozen
class Certificate:
    """What a driver proved. Rules that were left out count as not run: nothing is switched off silently."""

    driver: str
    tried: Mapping[str, Tried]

    @property
    def missing(self) -> Sequence[tuple[Rule, Tried]]:
        """What stands between the driver and platinum, lowest first."""
        verdicts = [(one, self.tried.get(one.name, Tried(one.name, Verdict.NOT_RUN))) for one in all_rules().values()]
        return [pair for pair in verdicts if pair[1].verdict not in (Verdict.HOLDS, Verdict.OUT_OF_PLACE)]

    @property
    def level(self) -> Level:
        """The highest whose rules, and all below, hold."""
        return Level(min((one.level for one, _ in self.missing), default=Level.PLATINUM + 1) - 1)

    def lines(self) -> list[str]:
        """For people."""
        apart = [one for one in self.tried.values() if one.verdict is Verdict.OUT_OF_PLACE]
        counts = Counter(one.verdict for one in self.tried.values() if one not in apart)
        parts = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
        besides = f", {len(apart)} {'rule does' if len(apart) == 1 else 'rules do'} not apply" if apart else ""
        found = [f"{self.driver}: {self.level.name.lower()}{besides} ({', '.join(parts)})"]
        for one, tried in self.missing:
            found.append(f"  {tried.verdict}: {one.name}: {tried.reason or 'deselected, skipped or interrupted'}")
            found.append(f"      why it matters: {one.why}")
        return [*found, *(f"  cannot apply: {one.rule}: {one.reason}" for one in apart)]


def certify(
    facts: DriverConformance, *, only: Collection[str] = (), catalog: Catalog | None = None, stop: bool = False
) -> Certificate:
    """Blocking: try all rules, or those named; with `stop` only up to the first that fails.

    Raises:
        UsageError: `only` or the facts name a rule or a capability that does not exist, or give no reason.
    """
    if strangers := set(only) - set(all_rules()):
        raise errors.UsageError(f"No such rule: {', '.join(sorted(strangers))}. There: {', '.join(all_rules())}.")
    subject, tried = Subject(facts, catalog or Catalog()), dict[str, Tried]()
    for one in all_rules().values():
        if only and one.name not in only:
            continue
        tried[one.name] = found = try_rule(subject, one)
        if stop and found.verdict is Verdict.FAILS:
            break
    return Certificate(facts.driver, tried)


def try_rule(subject: Subject, one: Rule) -> Tried:
    """Blocking: whatever the driver raises fails the rule.

    Raises:
        UsageError: the facts name a rule or a capability that does not exist, or give no reason.
    """
    _no_strangers("lacking", subject.facts.lacking, list(all_rules()))
    _no_strangers("without", subject.facts.without, list(Capability))
    try:
        if why := one.out_of_place(subject):
            return Tried(one.name, Verdict.OUT_OF_PLACE, why)
        if one.needs is not None and one.needs in subject.facts.without:
            if one.disprove is not None:
                one.disprove(subject)
            return Tried(one.name, Verdict.OUT_OF_PLACE, subject.facts.without[one.needs])
        if one.name in subject.facts.lacking:
            return Tried(one.name, Verdict.NOT_SHOWN, subject.facts.lacking[one.name])
        one.check(subject)
    except NotShown as nothing:
        return Tried(one.name, Verdict.NOT_SHOWN, str(nothing))
    except Exception as problem:  # noqa: BLE001 - a driver may raise anything
        return Tried(one.name, Verdict.FAILS, _said(problem))
    return Tried(one.name, Verdict.HOLDS)


def _no_strangers(fact: str, said: Mapping[str, str], there: Collection[str]) -> None:
    if strangers := sorted(set(said) - set(there)):
        raise errors.UsageError(f"`{fact}` names {', '.join(strangers)}, which is none of: {', '.join(there)}.")
    if mute := sorted(name for name, why in said.items() if not why.strip()):
        raise errors.UsageError(f"`{fact}` says no reason for {', '.join(mute)}; say why.")


def _said(problem: BaseException) -> str:
    while isinstance(problem, BaseExceptionGroup) and len(problem.exceptions) == 1:
        problem = problem.exceptions[0]
    return str(problem) if isinstance(problem, Failed) else f"{type(problem).__name__}: {problem}"[:500]


def try_in_pytest(facts: DriverConformance, name: str) -> None:
    """One rule as one test: its verdict is told to the report, and skips say why."""
    import pytest

    found = try_rule(Subject(facts), all_rules()[name])
    raise_as = {Verdict.FAILS: pytest.fail, Verdict.OUT_OF_PLACE: pytest.skip, Verdict.NOT_SHOWN: pytest.skip}
    facts.__dict__["tried"] = found
    if found.verdict in raise_as:
        text = f"{found.verdict}: {found.reason}"
        if found.verdict is Verdict.FAILS:
            pytest.fail(f"{text} Why it matters: {all_rules()[name].why}", pytrace=False)
        pytest.skip(text)
