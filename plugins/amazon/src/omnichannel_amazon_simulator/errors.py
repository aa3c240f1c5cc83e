"""Refusals of the API and of the control API, in the shape of guide amazon 3.1."""

from __future__ import annotations

from typing import Any

DENIED = "Access to requested resource is denied."
BAD_TOKEN = "The access token you provided is revoked, malformed or invalid."  # noqa: S105 - what Amazon says
EXPIRED_TOKEN = "The access token you provided has expired."  # noqa: S105 - what Amazon says
QUOTA = "You exceeded your quota for the requested resource."


class Refused(Exception):
    """The remote says no.

    Args:
        status: HTTP status.
        code, message, details: the one entry of `errors`.
        body: the whole JSON body where an endpoint has another shape (LWA).
    """

    def __init__(self, status: int, code: str, message: str, details: str | None = "", body: Any = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details, self.body = status, code, message, details, body

    def document(self) -> Any:
        if self.body is not None:
            return self.body
        row = {"code": self.code, "message": self.message}
        return {"errors": [row if self.details is None else row | {"details": self.details}]}


def invalid(message: str, details: str = "") -> Refused:
    """400: a parameter or a body that does not fit."""
    return Refused(400, "InvalidInput", message, details)


def denied(details: str = "") -> Refused:
    """403: a bad token says so in `details`; a missing role, a foreign region or marketplace say nothing there."""
    return Refused(403, "Unauthorized", DENIED, details)


def nowhere() -> Refused:
    """403 for a missing header and for a path that does not exist: the gateway does not tell them apart."""
    return Refused(403, "MissingAuthenticationToken", "Missing Authentication Token", None)


def missing(what: str) -> Refused:
    return Refused(404, "NotFound", what)


def throttled() -> Refused:
    return Refused(429, "QuotaExceeded", QUOTA)
