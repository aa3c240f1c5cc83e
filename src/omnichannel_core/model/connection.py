"""A connection, as it is kept and shown."""

from __future__ import annotations

from datetime import datetime

import attrs

from omnichannel_core import errors
from omnichannel_core.model.lifecycle import Health, Status

NAME_MAX = 255


@attrs.frozen(kw_only=True)
class Connection:
    """One link from an account to one shop on one marketplace, through one driver.

    Attributes:
        id: given by the system, never reused.
        remote_account: whose it is over there; connections that say the same share a grant.
        channel: which part of that account.
        order_return_errors: an order or return, or a shipment, invoice or cancellation of one, has failed and is
            neither retried well nor dismissed.
        other_errors: how many records of other streams have failed.
        calls_trouble: why the marketplace could not be asked to call; '' when it was, or nobody wants it to.
        version: counts changes of what people edit; a stale form is a Conflict.
    """

    id: int
    account: str
    driver: str
    name: str
    status: Status
    health: Health = Health.OK
    health_reason: str = ""
    order_return_errors: bool = False
    other_errors: int = 0
    remote_account: str = ""
    remote_title: str = ""
    channel: str = ""
    works: frozenset[str] = frozenset()
    missing: dict[str, str] = attrs.field(factory=dict)
    expires: dict[str, datetime] = attrs.field(factory=dict)
    created_at: datetime
    last_synced_at: datetime | None = None
    calls_trouble: str = ""
    version: int = 1


def clean_name(typed: str) -> str:
    """Trimmed and checked.

    Raises:
        FormInvalid: empty, longer than 255 characters, or with control characters.
    """
    name = typed.strip()
    if not name:
        raise errors.FormInvalid("A connection needs a name.", {"name": "Enter a name."})
    if len(name) > NAME_MAX:
        raise errors.FormInvalid("The name is too long.", {"name": f"At most {NAME_MAX} characters, not {len(name)}."})
    if any(ord(char) < 32 or ord(char) == 127 for char in name):
        raise errors.FormInvalid("The name has control characters.", {"name": "Line breaks and tabs are not allowed."})
    return name
