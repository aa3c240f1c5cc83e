"""Its author meant credential_schema."""

from __future__ import annotations

from omnichannel_core.driver import Credentials, hookimpl


@hookimpl
def credential_shema() -> type[Credentials]:
    """Misspelt on purpose."""
    return Credentials
