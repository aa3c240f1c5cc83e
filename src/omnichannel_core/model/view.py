"""A saved way to look at the list of connections."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import attrs

COLUMNS = (
    "name", "status", "order_return_errors", "driver", "id",
    "health", "health_reason", "last_synced_at", "created_at", "remote_account", "remote_title", "other_errors",
)  # fmt: skip
DEFAULT_COLUMNS = ("name", "status", "order_return_errors", "driver", "id", "health", "last_synced_at")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "between", "like")


@attrs.frozen(kw_only=True)
class Filter:
    """One condition on a column. `value` is text as typed; `between` has two. A paused one is kept and not used."""

    column: str
    operator: Literal["=", "!=", "<", "<=", ">", ">=", "between", "like"]
    value: str
    value2: str = ""
    paused: bool = False


@attrs.frozen(kw_only=True)
class Look:
    """Which columns in which order, what is filtered, how it is sorted ('-created_at' is descending)."""

    columns: tuple[str, ...] = DEFAULT_COLUMNS
    filters: tuple[Filter, ...] = ()
    sort: tuple[str, ...] = ("id",)


@attrs.frozen(kw_only=True)
class View:
    """A named look; private until published. `changed`: the actor's working copy differs from what is saved."""

    id: int
    account: str
    owner: str
    name: str
    published: bool = False
    saved: Look = Look()
    working: Look | None = None
    created_at: datetime

    @property
    def changed(self) -> bool:
        """The manual's asterisk."""
        return self.working is not None and self.working != self.saved

    @property
    def look(self) -> Look:
        """What is shown now."""
        return self.working or self.saved
