"""Who acts: the host says it, request by request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

import attrs
from starlette.requests import Request


class Permission(StrEnum):
    """What an actor may do in the account."""

    SEE = "see"  # connections, settings, processes, drivers
    OPERATE = "operate"  # synchronize, enable, disable, cancel, retry, dismiss
    MANAGE = "manage"  # create, edit, authorize, delete, defaults, schedules
    LICENSE = "license"  # licenses, applications, installations
    HUB = "hub"  # orders and returns with their personal data, pushes, erasure


EVERYTHING = frozenset(Permission)


@attrs.frozen(kw_only=True)
class Actor:
    """A signed-in user of the host.

    Attributes:
        id: opaque, stable; owns views and drafts, and stands in the audit.
        account: the account all of the request is about.
        display: shown in the page's head.
        language: "en" or "de"; '' is what the browser prefers.
    """

    id: str
    account: str
    permissions: frozenset[Permission]
    display: str = ""
    language: str = ""


Resolve = Callable[[Request], Awaitable[Actor | None]]
"""The host's answer to *who is this?*; None is nobody (401). There is no default: nobody gets in without it."""
