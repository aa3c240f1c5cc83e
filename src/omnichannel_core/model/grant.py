"""Grants and drafts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

DRAFT_LIFE = timedelta(hours=1)


@attrs.frozen(kw_only=True)
class Grant:
    """One remote account's authorization within one account and application: tokens, lease and limits hang on it.

    Attributes:
        proof: digest of the typed secrets; connections with other secrets have another grant.
    """

    id: int
    account: str
    driver: str
    remote_account: str
    proof: str


@attrs.frozen(kw_only=True)
class Draft:
    """An unfinished create (`connection` None) or re-authorization. Its id becomes the connection's.

    Attributes:
        account: None until a signed-in user confirmed what the marketplace began.
        typed: the form as typed, secrets apart and sealed.
    """

    id: int
    account: str | None
    driver: str
    actor: str = ""
    connection: int | None = None
    name: str = ""
    typed: Mapping[str, Any] = attrs.field(factory=dict)
    context: Mapping[str, str] = attrs.field(factory=dict)
    remote_account: str = ""
    created_at: datetime
    expires_at: datetime
