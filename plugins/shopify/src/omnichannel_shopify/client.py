"""Shopify, as one session sees it: operations by name, costs said before, pages walked to their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from omnichannel_core import errors
from omnichannel_core.driver import Answer, Session
from omnichannel_shopify.api import FILE, VERSION, denied, envelope, origin, words
from omnichannel_shopify.cost import learn, predicted
from omnichannel_shopify.operations import OPERATIONS
from omnichannel_shopify.wire import Nodes, PageInfo, UserError

T = TypeVar("T")
MOST_PAGES = 200
HOPS = 3


@dataclass(frozen=True, slots=True)
class Client:
    """Every method raises what `api.judge_shopify` and the house's http do.

    Attributes:
        hidden: paths of fields that answers left out because we may not see them.
    """

    session: Session
    hidden: set[str] = field(default_factory=set)

    async def send(self, operation: str, *, repeatable: bool = True, **variables: object) -> Answer:
        """One operation as it is; `repeatable` False for a mutation that does something each time it is sent."""
        return await self._send(operation, variables, repeatable=repeatable)

    async def _send(self, operation: str, variables: Mapping[str, object], *, repeatable: bool = True) -> Answer:
        text = OPERATIONS[operation]
        answer = await self.session.http.send(
            operation,
            "POST",
            f"{origin(self.session)}/admin/api/{VERSION}/graphql.json",
            json={"query": text, "variables": variables},
            cost=predicted(text, variables),
            repeatable=repeatable,
        )
        self._look(operation, text, variables, answer)
        return answer

    def _look(self, operation: str, text: str, variables: Mapping[str, object], answer: Answer) -> None:
        """Cost, version and hidden fields of an answer."""
        extensions = envelope(answer).extensions
        if extensions is not None and extensions.cost is not None:
            learn(text, variables, extensions.cost.requested_query_cost)
        said = answer.headers.get("x-shopify-api-version", VERSION)
        if said != VERSION:
            self._wrong_version(operation, text, said)
        for one in denied(answer):
            path = [str(part) for part in one.path or () if isinstance(part, str)]
            if not path or path[-1] not in self.hidden:
                self.session.log.warning("%s: a field is hidden from this app: %s", operation, words(one.message))
            self.hidden.add(path[-1] if path else operation)

    def _wrong_version(self, operation: str, text: str, said: str) -> None:
        """What another version says may mean something else: nothing of it is stored, and no stream goes on. A mutation
        is done; its outcome is read, and the next question stops.
        """
        what = (
            f"{operation}: Shopify answers with API version {said} instead of {VERSION}: upgrade omnichannel-shopify."
        )
        if not text.lstrip().startswith("mutation"):
            raise errors.ContractBroken(what)
        self.session.log.error("%s", what)

    async def ask(self, operation: str, shape: type[T], *, repeatable: bool = True, **variables: object) -> T:
        """The data of an operation as a wire shape.

        Raises:
            RemoteUnavailable: the data does not fit it.
        """
        answer = await self._send(operation, variables, repeatable=repeatable)
        return data(answer, shape)

    async def sized(self, operation: str, first: int, **variables: object) -> Answer:
        """A page; half of it when Shopify says that it costs too much, down to one entry."""
        while True:
            try:
                return await self._send(operation, {**variables, "first": first})
            except errors.RemoteRejected as refused:
                if refused.code != "MAX_COST_EXCEEDED" or first <= 1:
                    raise
                first = max(1, first // 2)

    async def walk(
        self, operation: str, shape: type[T], path: Sequence[str], *, first: int = 50, after: str | None = None,
        **variables: object,
    ) -> list[T]:  # fmt: skip
        """All entries of a connection, page by page.

        Args:
            path: members from the data to the connection; a null on the way is an empty one.
        """
        return await self._walk(operation, shape, path, first, after, variables)

    async def _walk(
        self, operation: str, shape: type[T], path: Sequence[str], first: int, after: str | None,
        variables: Mapping[str, object],
    ) -> list[T]:  # fmt: skip
        found = list[T]()
        for _ in range(MOST_PAGES):
            page = connection(await self.sized(operation, first, **{**variables, "after": after}), shape, path)
            found += page.nodes
            if not page.page_info.has_next_page:
                break
            after = onward(operation, page.page_info, after)
        return found

    async def rest(
        self, operation: str, page: Nodes[T], shape: type[T], path: Sequence[str], *, size: int = 50,
        **variables: object,
    ) -> list[T]:  # fmt: skip
        """The entries of a nested connection: those that came, and the ones it has more."""
        if not page.page_info.has_next_page:
            return list(page.nodes)
        after = onward(operation, page.page_info, None)
        return [*page.nodes, *await self._walk(operation, shape, path, size, after, variables)]

    async def mutate(
        self, operation: str, root: str, *, repeatable: bool = False, **variables: object
    ) -> tuple[dict[str, msgspec.Raw], list[UserError]]:
        """A mutation: the members of its payload, and what it refuses."""
        answer = await self._send(operation, variables, repeatable=repeatable)
        payload = data(answer, dict[str, dict[str, msgspec.Raw] | None]).get(root) or {}
        refused = list[UserError]()
        for name, raw in payload.items():
            if name.endswith(("userErrors", "UserErrors")):
                refused += msgspec.json.decode(raw, type=list[UserError] | None) or []
        return payload, refused

    async def file(self, url: str, to: Path) -> None:
        """A presigned file, unsigned and straight to disk; a few redirects are followed, to https only.

        Raises:
            RemoteRejected: it is not there (any more), or it is pointed in circles.
        """
        for _ in range(HOPS):
            answer = await self.session.http.download(FILE, url, to)
            if answer.status < 300:
                return
            following = urljoin(url, answer.headers.get("location", ""))
            if urlsplit(following).scheme != "https" or following == url:
                break
            url = following
        raise errors.RemoteRejected("bulkFile: Shopify points in circles", str(answer.status))


def onward(operation: str, page: PageInfo, after: str | None) -> str:
    """Where a list that has more goes on.

    Raises:
        RemoteUnavailable: it does not say so; what came is not all of it.
    """
    if not page.end_cursor or page.end_cursor == after:
        raise errors.RemoteUnavailable(f"{operation}: the list has more, and does not say where it goes on")
    return page.end_cursor


def data(answer: Answer, shape: type[T]) -> T:
    """The data of an answer as a wire shape.

    Raises:
        RemoteUnavailable: it does not fit.
    """
    try:
        return msgspec.json.decode(envelope(answer).data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise errors.RemoteUnavailable(f"{answer.operation}: the answer is not readable") from cause


def reach(answer: Answer, path: Sequence[str]) -> msgspec.Raw:
    """The raw value at a path of the data; `null` where something on the way is not there."""
    raw = envelope(answer).data
    for name in path:
        found = msgspec.json.decode(raw, type=dict[str, msgspec.Raw] | None)
        raw = (found or {}).get(name, msgspec.Raw(b"null"))
    return raw


def connection(answer: Answer, shape: type[T], path: Sequence[str]) -> Nodes[T]:
    """The page of a connection at a path.

    Raises:
        RemoteUnavailable: it does not fit.
    """
    kind: Any = Nodes[shape]  # type: ignore[valid-type]
    try:
        found: Nodes[T] | None = msgspec.json.decode(reach(answer, path), type=kind | None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise errors.RemoteUnavailable(f"{answer.operation}: the answer is not readable") from cause
    return found if found is not None else Nodes()


def refusal(refused: Sequence[UserError]) -> str:
    """What `userErrors` say, in one line."""
    texts = [f"{'.'.join(one.field[-2:]) + ': ' if one.field else ''}{one.message}" for one in refused]
    return words("; ".join(dict.fromkeys(texts)))
