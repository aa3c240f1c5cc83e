"""The life of a connection: one table of moves. A move that is not in it raises MoveNotAllowed."""

from __future__ import annotations

from enum import StrEnum

from omnichannel_core import errors


class Status(StrEnum):
    """The user's switch."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DELETING = "deleting"


class Health(StrEnum):
    """The world's answer, beside the switch."""

    OK = "ok"
    ATTENTION = "attention"  # the merchant (or the operator) has to act
    WAITING = "waiting"  # the remote is down or says slow down
    SUSPENDED = "suspended"  # the gate is closed: license lapsed or distribution gone


class Move(StrEnum):
    """What may be done with a connection."""

    RENAME = "rename"
    EDIT = "edit"
    CHECK = "check"
    AUTHORIZE = "authorize"
    SYNCHRONIZE = "synchronize"
    DISABLE = "disable"
    ENABLE = "enable"
    DELETE = "delete"
    FINISH_DELETE = "finish_delete"


ACTIVE, INACTIVE, DELETING = Status.ACTIVE, Status.INACTIVE, Status.DELETING
MOVES: dict[tuple[Status, Move], Status | None] = {
    (ACTIVE, Move.RENAME): ACTIVE,
    (ACTIVE, Move.EDIT): ACTIVE,
    (ACTIVE, Move.CHECK): ACTIVE,
    (ACTIVE, Move.AUTHORIZE): ACTIVE,
    (ACTIVE, Move.SYNCHRONIZE): ACTIVE,
    (ACTIVE, Move.DISABLE): INACTIVE,
    (INACTIVE, Move.RENAME): INACTIVE,
    (INACTIVE, Move.EDIT): INACTIVE,
    (INACTIVE, Move.CHECK): INACTIVE,
    (INACTIVE, Move.AUTHORIZE): INACTIVE,
    (INACTIVE, Move.ENABLE): ACTIVE,
    (INACTIVE, Move.DELETE): DELETING,
    (DELETING, Move.DELETE): DELETING,  # pressed again: retried
    (DELETING, Move.FINISH_DELETE): None,  # gone
}

_HINTS = {
    (INACTIVE, Move.SYNCHRONIZE): "enable it first",
    (ACTIVE, Move.DELETE): "disable it first",
    (ACTIVE, Move.ENABLE): "it is active already",
    (INACTIVE, Move.DISABLE): "it is inactive already",
}


def move(connection_id: int, status: Status, wanted: Move) -> Status | None:
    """The status after the move; None when the connection is gone.

    Raises:
        MoveNotAllowed: the table has no such move.
    """
    if (status, wanted) in MOVES:
        return MOVES[status, wanted]
    hint = _HINTS.get((status, wanted), "wait until it is gone" if status is DELETING else "")
    what = wanted.value.replace("_", " ")
    raise errors.MoveNotAllowed(
        f"Connection {connection_id} is {status}: {what} is not possible" + (f"; {hint}." if hint else ".")
    )
