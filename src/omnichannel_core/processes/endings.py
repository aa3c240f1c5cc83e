"""How a turn ends: a handler's answer, or what it raised, as what the row says afterwards."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import attrs

from omnichannel_core import errors
from omnichannel_core.model.process import State
from omnichannel_core.processes.turn import Again, Done, Turn, Wait
from omnichannel_core.storage.turns import Ended, Held

FIRST, LONGEST = 30.0, 1800.0  # seconds of back-off
STORE_AGAIN = 2.0  # seconds
INTERNAL = "internal_error"


def held(turn: Turn) -> Held:
    """Whose turn it is."""
    return Held(account=turn.process.account, id=turn.process.id, fence=turn.fence)


def answered(turn: Turn, answer: Done | Again | Wait, now: datetime) -> Ended:
    """A handler's answer.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(answer, Done | Again | Wait):
        raise TypeError(
            f"A handler of {turn.process.kind!r} answered {type(answer).__name__}, not Done, Again or Wait."
        )
    payload = turn.changed() if answer.payload is None else answer.payload
    said = answer.why if isinstance(answer, Wait) else answer.message
    state, run_at = State.SUCCEEDED, None
    if isinstance(answer, Again):
        state, run_at = State.QUEUED, now
    elif isinstance(answer, Wait):
        state, run_at = State.WAITING, now + timedelta(seconds=errors.bounded(answer.seconds))
    return Ended(
        held=held(turn), state=state, now=now, run_at=run_at, message=said or None, payload=payload,
        attempts=0, error_key="", error="",
    )  # fmt: skip


def wordless(one: Ended) -> Ended:
    """The same end without what somebody else said: what the store refuses must not keep others from theirs."""
    return attrs.evolve(one, message=None, payload=None, error=one.error and "Its words cannot be stored.")


def broken(turn: Turn, now: datetime) -> Ended:
    """It raised what cannot even be told."""
    return Ended(held=held(turn), state=State.FAILED, now=now, error_key=INTERNAL, error="The log says more.")


def stopped(turn: Turn, now: datetime) -> Ended:
    """It was cancelled: the row's own flag says whether that is its end; else it goes on later."""
    return Ended(held=held(turn), state=State.QUEUED, now=now, run_at=now)


def raised(turn: Turn, error: Exception, now: datetime, *, chance: float | None = None) -> Ended:
    """A typed error waits or fails under its own key; anything else fails without its words, which may be secret."""
    if isinstance(error, errors.RemoteError | errors.StorageUnavailable):
        attempts = (0 if turn.progressed else turn.process.attempts) + 1
        seconds = pause(attempts, _wait(error), random.random() if chance is None else chance)
        return Ended(
            held=held(turn), state=State.WAITING, now=now, run_at=now + timedelta(seconds=seconds),
            payload=turn.changed(), attempts=attempts, error_key=error.key, error=str(error),
        )  # fmt: skip
    known = isinstance(error, errors.OmnichannelError)
    return Ended(
        held=held(turn), state=State.FAILED, now=now,
        error_key=error.key if isinstance(error, errors.OmnichannelError) else INTERNAL,
        error=str(error) if known else f"{type(error).__name__}: the log of this time says more.",
    )  # fmt: skip


def pause(attempts: int, wait: float | None, chance: float) -> float:
    """Seconds until the next attempt: what the remote said and up to a twentieth more, else 30 s doubling to 30 min.

    Args:
        attempts: failed ones without progress between them, this one included.
        chance: 0 to 1; spreads those that failed together by a tenth to either side.
    """
    if wait is not None:
        return errors.bounded(wait) * (1 + chance / 20)
    doubled = FIRST * 2.0 ** min(attempts - 1, 16)
    return float(min(doubled, LONGEST) * (0.9 + chance / 5))


def _wait(error: errors.RemoteError | errors.StorageUnavailable) -> float | None:
    """What was said; a store that is away for a moment is asked soon."""
    return error.wait if isinstance(error, errors.RemoteError) else STORE_AGAIN


def unwrapped(error: BaseException) -> Exception | None:
    """The one error of a group that decides; None when there is only cancellation.

    Losing the fence voids all else; then what somebody must act on, then the unexpected, then what only waits.
    """
    found = sorted((leaf for leaf in _leaves(error) if isinstance(leaf, Exception)), key=_weight)
    return found[0] if found else None


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]


def _weight(error: Exception) -> int:
    if isinstance(error, errors.Superseded):
        return 0
    if isinstance(error, errors.RemoteError | errors.StorageUnavailable):
        return 3
    return 1 if isinstance(error, errors.OmnichannelError) else 2
