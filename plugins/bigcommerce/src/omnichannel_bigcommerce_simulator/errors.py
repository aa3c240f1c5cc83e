"""Refusals, and how each API version words them (guide 1.8)."""

from __future__ import annotations

from typing import Any

TYPE_URL = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"

NO_TOKEN = "Unauthorized - the v3 Auth client ID or token in the request are not a valid combination for this store."  # noqa: S105
NO_SCOPE = "You don't have a required scope to access the endpoint"
NOT_FOUND = "The requested resource was not found."


class Refused(Exception):
    """The remote says no: rendered as a v2 array or a v3 object by the app.

    Args:
        status: HTTP status.
        title: the sentence, `message` in v2 and `title` in v3.
        errors: field errors of v3; None leaves the key out.
        body: the whole JSON body when an endpoint has a shape of its own.
        headers: more headers, e.g. X-Retry-After.
        problem: answer as `application/problem+json` (inventory and locations).
    """

    def __init__(
        self,
        status: int,
        title: str,
        *,
        errors: dict[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        problem: bool = False,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.errors = errors
        self.body = body
        self.headers = headers or {}
        self.problem = problem
        self.details = details

    def document(self, version: str) -> Any:
        """The JSON body for API version `v2` or `v3`."""
        if self.body is not None:
            return self.body
        if version == "v2":
            row: dict[str, Any] = {"status": self.status, "message": self.title}
            return [row | ({"details": self.details} if self.details else {})]
        document: dict[str, Any] = {"status": self.status, "title": self.title, "type": TYPE_URL}
        return document | ({"errors": self.errors} if self.errors is not None else {})


def not_found(what: str = NOT_FOUND) -> Refused:
    return Refused(404, what)


def invalid(errors: dict[str, Any], title: str = "JSON data is missing or invalid") -> Refused:
    """A v3 422 with field errors."""
    return Refused(422, title, errors=errors)


def too_many(limit: int) -> Refused:
    """413 of a batch over its cap; wording of guide 1.8."""
    return Refused(413, f"The request payload is too large. The maximum items allowed in the array is {limit}.")
