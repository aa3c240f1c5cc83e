"""Made for a store; a check makes its exchange directory and asks nobody."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from omnichannel_core import errors
from omnichannel_core.driver import AuthorizationFlow, Call, Callbacks, Changed, Checkup, Session
from omnichannel_core.records import PosStore
from omnichannel_pos import exchange, live
from omnichannel_pos.refusals import FileRefused

BODY_MAX = 16_000_000  # bytes of one call


async def check(session: Session) -> Checkup:
    """The store itself; all works from the first second."""
    store = session.subject
    if not isinstance(store, PosStore):
        raise errors.RemoteRejected("A point of sale is connected by adding a store.")
    await session.compute(lambda: exchange.make(session.exchange))
    return Checkup(title=store.name, works=frozenset({"receipts", "offers", "prices", "stock"}))


async def receive(session: Session, call: Call) -> Sequence[Changed]:
    """Live receipts, one or a list: each becomes a file in `in/` like any other, so there is one way in.

    The address with its unguessable key is the till's proof; the host may put more before it.
    """
    if not isinstance(session.subject, PosStore):
        raise errors.CallRefused("Receipts are pushed to the address of one store.")
    if call.method != "POST" or len(call.body) > BODY_MAX:
        raise errors.CallRefused(f"Receipts come by POST, at most {BODY_MAX} bytes at once.")
    return await session.compute(lambda: _keep(session, call.body))


def _keep(session: Session, body: bytes) -> list[Changed]:
    try:
        raw = _each(body)
        for one in raw:
            live.read(one)
    except FileRefused as wrong:
        raise errors.CallRefused(str(wrong)) from wrong
    names = [f"live-{live.digest(one)}.json" for one in raw]
    for name, one in zip(names, raw, strict=True):
        exchange.write(session.exchange / "in" / name, one)
    return [Changed(stream="receipts", key=live.digest("".join(names).encode()))]


def _each(body: bytes) -> list[bytes]:
    """The receipts of a call, each with its own bytes."""
    if body.lstrip()[:1] != b"[":
        return [body]
    try:
        return [bytes(one) for one in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise FileRefused(f"Not a list of receipts: {wrong}", "bad_receipt") from wrong


FLOW = AuthorizationFlow(check=check, made_for=PosStore)
CALLBACKS = Callbacks(receive=receive)
