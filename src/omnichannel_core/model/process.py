"""A process: one run of something long. Its row is the truth; an engine only delivers it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs


class State(StrEnum):
    """Queued, running and waiting are open; the others are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({State.QUEUED, State.RUNNING, State.WAITING})


@attrs.frozen(kw_only=True)
class Process:
    """One run.

    Attributes:
        kind: synchronize, deliver, delete...
        key: at most one open process of a key; '' for no such limit.
        payload: what the run needs and what it remembers between turns; JSON.
        fence: raised whenever somebody takes the process; a stale fence commits nothing.
        run_at: not before (queued, waiting).
        error_key: of the error tree, '' when none.
    """

    id: int
    account: str
    connection: int | None
    kind: str
    key: str = ""
    state: State
    payload: Mapping[str, Any] = attrs.field(factory=dict)
    fence: int = 0
    worker: str = ""
    lease_until: datetime | None = None
    run_at: datetime
    done: int = 0
    total: int | None = None
    message: str = ""
    cancel: bool = False
    attempts: int = 0
    error_key: str = ""
    error: str = ""
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Not ended yet."""
        return self.state in OPEN
