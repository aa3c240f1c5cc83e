"""Errors as HTTP: one table of statuses, `application/problem+json` (RFC 9457) for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from omnichannel_core import errors
from omnichannel_core.web.telling import told

STATUSES: tuple[tuple[type[errors.OmnichannelError], int], ...] = (
    (errors.FormInvalid, 422),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.MoveNotAllowed, 409),
    (errors.CallRefused, 401),
    (errors.UsageError, 400),
    (errors.NotAdmitted, 403),
    (errors.AttentionNeeded, 422),
    (errors.AddressRefused, 422),
    (errors.ApplicationRejected, 409),
    (errors.ApplicationMissing, 409),
    (errors.OperatorNeeded, 503),
    (errors.RateLimited, 503),
    (errors.RemoteError, 502),
    (errors.RemoteRejected, 502),
)
TITLES = {
    400: "Not possible", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 405: "Not possible here",
    409: "Not possible now", 412: "Changed meanwhile", 413: "Too large", 415: "Not understood",
    422: "Please check what was entered", 428: "Say which version", 500: "Something is broken",
    502: "The marketplace does not answer", 503: "Not possible right now",
}  # fmt: skip


class Refused(errors.UsageError):
    """A refusal that only HTTP knows: not signed in, not permitted, too large."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[type[Refused], tuple[int, str]]:
        return type(self), (self.status, str(self))


def status_of(trouble: errors.OmnichannelError) -> int:
    """By the table; 500 is the house's or a driver's own fault."""
    if isinstance(trouble, Refused):
        return trouble.status
    return next((status for kind, status in STATUSES if isinstance(trouble, kind)), 500)


def problem(trouble: errors.OmnichannelError, status: int = 0) -> dict[str, Any]:
    """The document of RFC 9457; `key` is stable, `fields` and `difference` only where there are some."""
    status = status or status_of(trouble)
    said: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status,
                            "detail": str(trouble), "key": trouble.key}  # fmt: skip
    if isinstance(trouble, errors.FormInvalid):
        said["fields"] = dict(trouble.fields)
    if isinstance(trouble, errors.Conflict) and trouble.difference:
        said["difference"] = {name: list(map(told, pair)) for name, pair in trouble.difference.items()}
    return said


def answer(trouble: errors.OmnichannelError, status: int = 0, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The problem as a response."""
    document, more = problem(trouble, status), dict(headers or {})
    wait = getattr(trouble, "wait", None)
    if wait:
        more["Retry-After"] = str(max(1, int(wait)))
    return JSONResponse(document, document["status"], more, media_type="application/problem+json")
