"""What an author's facts say about requests, and what the rules of gold make of it."""

from __future__ import annotations

import pytest

from omnichannel_core.testing.conformance import DriverConformance
from omnichannel_core.testing.conformance.gold import _alike, _writes
from omnichannel_core.testing.faults import Exchange, Fault


class Graph(DriverConformance):
    """All is sent by POST; mutations begin with their name."""

    def writes(self, exchange: Exchange) -> bool:
        """Mutations."""
        return exchange.body.startswith(b"mutation")

    def repeatable(self, exchange: Exchange) -> bool:
        """The key is in the text."""
        return b"@idempotent" in exchange.body


def sent(method: str, body: bytes = b"", **headers: str) -> Exchange:
    """A request."""
    return Exchange(method, "/graphql", headers, body)


@pytest.mark.parametrize(
    ("facts", "question", "write"),
    [
        (DriverConformance(), sent("GET"), sent("POST")),
        (Graph(), sent("POST", b"query Q"), sent("POST", b"mutation M")),
    ],
)
def test_faults_meet_writes_only(facts: DriverConformance, question: Exchange, write: Exchange) -> None:
    """The fault that is to meet the second write passes every question and the first write."""
    plan = _writes(facts, Fault.DROPPED, 1)
    assert [plan(n, one) for n, one in enumerate((question, write, question, write, write))] == [
        None, None, None, Fault.DROPPED, None,
    ]  # fmt: skip


def test_what_may_be_sent_again() -> None:
    """A repeat is one of the same body; with a key among the headers, or where the facts find it, it is allowed."""
    plain, graph = DriverConformance(), Graph()
    assert _alike(plain, sent("POST", b"a"), sent("POST", b"a"))
    assert not _alike(plain, sent("POST", b"a"), sent("POST", b"b"))
    assert not _alike(plain, sent("PUT", b"a"), sent("PUT", b"a"))
    assert not _alike(plain, sent("POST", b"a", **{"x-idempotency-key": "k"}), sent("POST", b"a"))
    assert _alike(graph, sent("POST", b"mutation M"), sent("POST", b"mutation M"))
    assert not _alike(graph, sent("POST", b"mutation M @idempotent"), sent("POST", b"mutation M @idempotent"))
