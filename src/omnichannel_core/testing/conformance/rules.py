"""Rules: what each demands, why it matters, whether it can apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from omnichannel_core.testing.conformance.trying import Subject


class Level(IntEnum):
    """What a driver has proved."""

    NONE = 0
    BRONZE = 1
    SILVER = 2
    GOLD = 3
    PLATINUM = 4


class Capability(StrEnum):
    """What a marketplace may have no way for, so that the rule which tries it cannot apply to its driver."""

    FETCH = "fetch"  # single records by id
    DEFINITION = "definition"  # something official that requests and answers could be compared with


class Failed(AssertionError):
    """A rule does not hold: what was seen, and what now."""


class NotShown(Exception):
    """The facts do not let the rule be tried."""


@attrs.frozen(kw_only=True)
class Rule:
    """One demand.

    Attributes:
        why: what goes wrong for a merchant or a host otherwise.
        out_of_place: says why the rule cannot apply to a driver; '' when it does. Computed from what the driver
            declares, never from what its author wishes.
        needs: what the rule tries. Where the facts say that there is no such thing, the rule cannot apply.
        disprove: raises Failed when the driver has it nevertheless; tried before the facts are believed.
    """

    name: str
    level: Level
    why: str
    check: Callable[[Subject], None]
    out_of_place: Callable[[Subject], str]
    needs: Capability | None = None
    disprove: Callable[[Subject], None] | None = None


_RULES: dict[str, Rule] = {}


def rule(
    level: Level, why: str, *, out_of_place: Callable[[Subject], str] = lambda subject: "",
    needs: Capability | None = None, disprove: Callable[[Subject], None] | None = None,
) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:  # fmt: skip
    """Register a function as the rule of its name."""

    def add(check: Callable[[Subject], None]) -> Callable[[Subject], None]:
        name = f"{level.name.lower()}-{check.__name__.replace('_', '-')}"
        _RULES[name] = Rule(
            name=name, level=level, why=why, check=check, out_of_place=out_of_place, needs=needs, disprove=disprove
        )
        return check

    return add


def all_rules() -> Mapping[str, Rule]:
    """By name, from bronze to platinum."""
    from omnichannel_core.testing.conformance import (  # noqa: F401 - they register
        authorizing,
        bronze,
        cancelling,
        gold,
        platinum,
        silver,
        standing,
    )

    return dict(sorted(_RULES.items(), key=lambda pair: pair[1].level))
