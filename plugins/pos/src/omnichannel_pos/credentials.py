"""A point of sale has nothing to type."""

from __future__ import annotations

from omnichannel_core.driver import Credentials


class PosCredentials(Credentials):
    """Empty: whoever may add a store may connect it."""
