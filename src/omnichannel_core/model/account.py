"""Accounts: main ones, and sandboxes below them."""

from __future__ import annotations

from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Account:
    """The owner of connections. `main` is None for a main account, else the id of the main account above."""

    id: str
    name: str
    main: str | None = None
    created_at: datetime

    @property
    def is_sandbox(self) -> bool:
        """Whether it stands below a main account."""
        return self.main is not None

    @property
    def buyer(self) -> str:
        """The id of the main account whose licenses count here."""
        return self.main or self.id
