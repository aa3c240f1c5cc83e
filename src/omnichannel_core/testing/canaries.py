"""Whether a secret, or a task, got out."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import anyio
import attrs

NESTED = 12  # causes of causes


@attrs.define
class Heard(logging.Handler):
    """Lines of all loggers, as a host's plain handler would write them."""

    lines: list[str] = attrs.field(factory=list)

    def __attrs_pre_init__(self) -> None:
        super().__init__(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        """One line, with its traceback."""
        self.lines.append(logging.Formatter("%(name)s: %(message)s").format(record))

    __hash__ = logging.Handler.__hash__


@contextmanager
def listening() -> Iterator[Heard]:
    """Hears every logger from DEBUG on."""
    root, heard = logging.getLogger(), Heard()
    level = root.level
    root.addHandler(heard)
    root.setLevel(logging.DEBUG)
    try:
        yield heard
    finally:
        root.removeHandler(heard)
        root.setLevel(level)


def told(problem: BaseException) -> str:
    """Everything that an exception shows: its traceback's text, and the repr and state of it and of its causes."""
    parts = ["".join(traceback.format_exception(problem))]
    one: BaseException | None = problem
    for _ in range(NESTED):
        if one is None:
            break
        parts.append(f"{one!r} {one.args!r} {vars(one)!r}")
        one = one.__cause__ or one.__context__
    return "\n".join(parts)


def secrets_in(text: str, secrets: Sequence[str]) -> list[int]:
    """Which of the secrets, by their place in the list, stand in a text. Never the secret itself."""
    return [number for number, secret in enumerate(secrets) if secret and secret in text]


def tasks() -> frozenset[int]:
    """What runs on this loop now, besides the one that asks."""
    mine = anyio.get_current_task().id
    return frozenset(one.id for one in anyio.get_running_tasks()) - {mine}
