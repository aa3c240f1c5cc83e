"""An operation: what it takes and gives, said once; done, documented and tested from that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import Response

from omnichannel_core import errors
from omnichannel_core.web import problems
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.guarding import Door
from omnichannel_core.web.problems import Refused
from omnichannel_core.web.telling import told
from omnichannel_core.web.visits import Visit

KEY = "idempotency-key"


class Body(BaseModel):
    """What is sent as JSON; strangers are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Nothing(Body):
    """No parameters."""


@attrs.frozen(kw_only=True)
class Given:
    """What one request gave, checked."""

    visit: Visit
    body: Any = None
    query: Any = None
    version: int | None = None


@attrs.frozen(kw_only=True)
class Made:
    """An answer that is more than a value."""

    value: Any
    status: int = 0
    etag: int | None = None


Does = Callable[[Given], Awaitable[Any]]


@attrs.frozen(kw_only=True)
class Operation:
    """One method of one address below `/api/v1`.

    Attributes:
        answer: the type of what it gives, for the document; None is no content.
        etag: its answer has a version; If-Match is understood by what changes it.
    """

    method: str
    path: str
    name: str
    summary: str
    permission: Permission
    does: Does
    body: type[Body] | None = None
    query: type[Body] = Nothing
    answer: Any = None
    status: int = 200
    etag: bool = False

    def door(self, prefix: str) -> Door:
        """As an address."""
        return Door(
            method=self.method, path=prefix + self.path, handler=self._handle, permission=self.permission, machine=True
        )

    async def _handle(self, visit: Visit) -> Response:
        query = checked(self.query, _query(self.query, visit))
        raw = await visit.body() if self.body is not None else b""
        body = self._body(visit, raw) if self.body is not None else None
        given = Given(visit=visit, body=body, query=query, version=self._version(visit))
        key = visit.request.headers.get(KEY)
        if key is None or self.method != "POST":
            return self._response(visit, await self._do(given))
        return await self._once(given, key, raw)

    async def _do(self, given: Given) -> Made | Response:
        try:
            found = await self.does(given)
        except errors.Conflict as trouble:
            if given.version is not None and type(trouble) is errors.Conflict:
                return problems.answer(trouble, 412)
            raise
        return found if isinstance(found, Made | Response) else Made(value=found)

    async def _once(self, given: Given, key: str, raw: bytes) -> Response:
        """The answer kept under the key, or a new one that is kept."""
        visit, answers = given.visit, given.visit.house.answers
        who = (visit.account, visit.actor.id)
        asked = f"{self.method} {visit.request.url.path}?{visit.request.url.query}\n".encode() + raw
        before = await answers.begin(*who, key, asked)
        if before is not None:
            return Response(before.body, before.status, {"Idempotent-Replayed": "true"}, "application/json")
        try:
            response = self._response(visit, await self._do(given))
        except BaseException as trouble:
            if isinstance(trouble, errors.OmnichannelError):
                await answers.drop(*who, key)
            raise
        if response.status_code < 300 and hasattr(response, "body"):
            await answers.end(*who, key, response.status_code, bytes(response.body).decode())
        else:
            await answers.drop(*who, key)
        return response

    def _body(self, visit: Visit, raw: bytes) -> Any:
        assert self.body is not None  # noqa: S101 - asked before
        kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if raw and kind != "application/json":
            raise Refused(415, "Send JSON, as application/json.")
        try:
            found = json.loads(raw or b"{}", parse_constant=_refused)
        except (ValueError, RecursionError):
            raise Refused(400, "The body is not JSON.") from None
        return checked(self.body, found)

    def _version(self, visit: Visit) -> int | None:
        said = visit.request.headers.get("if-match")
        if not self.etag or said is None or said.strip() == "*":
            return None
        number = said.strip().removeprefix("W/").strip('"').partition("-")[0]
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            raise Refused(412, "If-Match names a version that was never given.")
        return int(number)

    def _response(self, visit: Visit, made: Made | Response) -> Response:
        if isinstance(made, Response):
            return made
        if self.answer is None:
            return Response(None, 204)
        text = json.dumps(told(made.value), ensure_ascii=False).encode("utf-8", "replace")
        headers = {}
        if made.etag is not None:  # the version is what people changed; the rest tells what the world did to it
            headers["ETag"] = f'"{made.etag}-{hashlib.sha256(text).hexdigest()[:16]}"'
            known = visit.request.headers.get("if-none-match", "").split(",")
            if self.method == "GET" and headers["ETag"] in (one.strip().removeprefix("W/") for one in known):
                return Response(None, 304, headers)
        return Response(text, made.status or self.status, headers, "application/json")


def _refused(word: str) -> Any:
    raise ValueError(word)


def _query(model: type[Body], visit: Visit) -> Mapping[str, Any]:
    """Query parameters; those of a list may be repeated."""
    given = visit.request.query_params
    found: dict[str, Any] = {}
    for name in given:
        field = model.model_fields.get(name)
        many = field is not None and "tuple" in str(field.annotation)
        values = given.getlist(name)
        if not many and len(values) > 1:
            raise errors.FormInvalid(f"{name} is given more than once.", {name: "Give it once."})
        found[name] = values if many else values[0]
    return found


def checked(model: type[Body], given: Any) -> Any:
    """As the model wants it.

    Raises:
        FormInvalid: names what is wrong, never a value.
    """
    try:
        return model.model_validate(given)
    except ValidationError as cause:
        wrong = {
            ".".join(map(str, one["loc"])) or "body": str(one["msg"])
            for one in cause.errors(include_url=False, include_context=False, include_input=False)
        }
    raise errors.FormInvalid(f"The request is not valid: check {', '.join(wrong)}.", wrong)
