"""Fifty callers in four processes need a token that is about to end: one refresh, however they come."""

from __future__ import annotations

import json
import mmap
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import attrs
from pydantic import SecretStr

from campaigns.board import until
from campaigns.figures import Figure, control
from campaigns.ground import ACCOUNT, Ground, forked, prepared, spawn
from omnichannel_core import errors
from omnichannel_core.connections.tokens import Tokens
from omnichannel_core.driver import Token
from omnichannel_core.storage.grants import Grants, StoredToken

CALLERS = (("asyncio", 13), ("trio", 13), ("asyncio", 12), ("trio", 12))
LIFE = 3600.0  # seconds of a token
START = datetime(2026, 1, 1, tzinfo=UTC)
MARGIN = 10.0  # seconds a token still has when a round begins


class Shared:
    """What the processes share: which round it is, and how many of them have ended it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 64)

    @property
    def number(self) -> int:
        """0 is before the first."""
        return int(struct.unpack_from("q", self._memory, 0)[0])

    @number.setter
    def number(self, number: int) -> None:
        struct.pack_into("q", self._memory, 0, number)

    def ended(self, process: int, number: int) -> None:
        """This process has all its tokens."""
        struct.pack_into("q", self._memory, 8 + 8 * process, number)

    def all_ended(self, number: int) -> bool:
        """Everybody has."""
        return all(struct.unpack_from("q", self._memory, 8 + 8 * at)[0] == number for at in range(len(CALLERS)))


@attrs.define
class RoundClock:
    """Its time is the round's: every token of the round before is about to end."""

    shared: Shared

    def now(self) -> datetime:
        """Aware, UTC."""
        return START + timedelta(seconds=(LIFE - MARGIN) * self.shared.number)

    async def sleep(self, seconds: float) -> None:
        """Really."""
        await anyio.sleep(seconds)


class Issuer:
    """A token end point on loopback: counts, rotates, and revokes everything when a used refresh token comes back."""

    def __init__(self) -> None:
        self.asked = self.reused = 0
        self.current = "refresh-0"
        self.used: set[str] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]

    def serve(self) -> None:
        """In a thread each, until closed."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No more answers."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(caller,), daemon=True).start()

    def _answer(self, caller: socket.socket) -> None:
        with caller:
            given = caller.makefile("r").readline().strip()
            time.sleep(0.02)  # a window for others to be in
            with self._lock:
                self.asked += 1
                if given in self.used:
                    self.reused += 1
                    caller.sendall(b'{"error": "invalid_grant"}\n')
                    return
                self.used.add(given)
                self.current = f"refresh-{self.asked}"
                answer = {"access": f"access-{self.asked}", "refresh": self.current}
            caller.sendall(json.dumps(answer).encode() + b"\n")


async def _ask(port: int, old: Token | None, now: datetime) -> Token:
    """One refresh at the issuer.

    Raises:
        AuthorizationNeeded: it was revoked.
    """
    refresh = old.refresh.get_secret_value() if old and old.refresh else ""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(refresh.encode() + b"\n")
        said = b""
        while not said.endswith(b"\n"):
            said += await stream.receive()
    found = json.loads(said)
    if "error" in found:
        raise errors.AuthorizationNeeded("The refresh token was used before.")
    return Token(
        value=SecretStr(found["access"]), refresh=SecretStr(found["refresh"]), expires=now + timedelta(seconds=LIFE)
    )


class Naive(Tokens):
    """The fault of the control: whoever finds the token about to end renews it; one lock in each process."""

    async def _leased(self, account: str, grant: int, name: str) -> bool:
        return True


@attrs.frozen
class Caller:
    """One of the processes, with its callers."""

    ground: Ground
    shared: Shared
    port: int
    number: int
    rounds: int
    tokens: type[Tokens]

    def run(self) -> None:
        """All rounds; what every caller got is written beside the database."""
        backend, callers = CALLERS[self.number]
        got = anyio.run(self._rounds, callers, backend=backend)
        (self.ground.folder / f"got-{self.number}.json").write_text(json.dumps(got))

    async def _rounds(self, callers: int) -> list[list[str]]:
        store, vault = self.ground.opened()
        clock = RoundClock(self.shared)
        tokens = self.tokens(store, vault, clock)
        got: list[list[str]] = []
        self.shared.ended(self.number, 0)
        for number in range(1, self.rounds + 1):
            while self.shared.number < number:  # noqa: ASYNC110 - another process says so
                await anyio.sleep(0.0005)
            got.append([])
            async with anyio.create_task_group() as group:
                for _ in range(callers):
                    group.start_soon(self._one, tokens, clock, got[-1])
            self.shared.ended(self.number, number)
        store.close()
        return got

    async def _one(self, tokens: Tokens, clock: RoundClock, got: list[str]) -> None:
        async def renew(name: str, old: Token | None) -> Token:
            return await _ask(self.port, old, clock.now())

        try:
            token = await tokens.get(ACCOUNT, 1, "access", renew)
        except errors.OmnichannelError as refused:
            got.append(f"error {refused.key}")
        else:
            got.append("none" if token is None else token.value.get_secret_value())


def _settle(ground: Ground) -> None:
    """A grant whose first token ends with the first round."""

    async def main() -> None:
        async with ground.house(work=False) as house:
            await house.accounts.add(ACCOUNT)

    first = StoredToken(value=SecretStr("access-0"), refresh=SecretStr("refresh-0"), renewed=START,
                        expires=START + timedelta(seconds=LIFE))  # fmt: skip
    ground.migrate()
    anyio.run(main)
    store, vault = ground.opened()

    def write(tx: Any) -> None:
        grants = Grants(tx, ACCOUNT, vault)
        grants.put(grants.ensure("none", "shop", ""), "access", first)

    try:
        store.write_now(write)
    finally:
        store.close()


@attrs.frozen
class Seen:
    """What the issuer and the callers saw."""

    asked: int
    reused: int
    answers: int
    differing: int  # rounds in which not every caller got the same token
    refused: int
    stuck: bool


def _campaign(rounds: int, tokens: type[Tokens], store: str = "sqlite") -> Seen:
    """The callers are forked before the issuer has threads."""
    with prepared(store) as ground:
        forked(lambda: _settle(ground))
        shared, issuer = Shared(), Issuer()
        for at in range(len(CALLERS)):
            shared.ended(at, -1)
        callers = [spawn(Caller(ground, shared, issuer.port, at, rounds, tokens).run) for at in range(len(CALLERS))]
        issuer.serve()
        stuck = not until(lambda: shared.all_ended(0))
        for number in range(1, rounds + 1):
            shared.number = number
            stuck = stuck or not until(lambda now=number: shared.all_ended(now), 60.0)  # type: ignore[misc]
        codes = [os.waitpid(one, 0)[1] for one in callers] if not stuck else [1]
        issuer.close()
        return _seen(ground, issuer, rounds, stuck=stuck or any(codes))


def _seen(ground: Ground, issuer: Issuer, rounds: int, *, stuck: bool) -> Seen:
    if stuck:
        return Seen(issuer.asked, issuer.reused, 0, rounds, 0, stuck=True)
    got = [json.loads((ground.folder / f"got-{at}.json").read_text()) for at in range(len(CALLERS))]
    by_round = [[one for process in got for one in process[at]] for at in range(rounds)]
    return Seen(
        asked=issuer.asked, reused=issuer.reused, answers=sum(len(one) for one in by_round),
        differing=sum(len(set(one)) > 1 for one in by_round), stuck=False,
        refused=sum(text.startswith(("error", "none")) for one in by_round for text in one),
    )  # fmt: skip


def run(size: float = 1.0, store: str = "sqlite") -> Iterable[Figure]:
    """A hundred rounds."""
    rounds, callers = max(round(100 * size), 5), sum(count for _, count in CALLERS)
    seen = _campaign(rounds, Tokens, store)
    yield Figure("refreshes_beyond_one_a_round", abs(seen.asked - rounds), 0, details={
        "rounds": rounds, "callers": callers, "processes": len(CALLERS), "refreshes": seen.asked,
    })  # fmt: skip
    yield Figure("refresh_tokens_used_twice", seen.reused, 0)
    yield Figure("refresh_callers_answered", seen.answers - seen.refused, rounds * callers, least=True)
    yield Figure("refresh_rounds_with_different_tokens", seen.differing, 0)
    few = 5
    began = time.monotonic()
    seen = _campaign(few, Naive, store)
    yield control("refreshes_beyond_one_a_round", seen.asked - few, rounds=few, used_twice=seen.reused,
                  what="no lease among processes", seconds=round(time.monotonic() - began, 1))  # fmt: skip


if __name__ == "__main__":
    for figure in run(float(sys.argv[1]) if len(sys.argv) > 1 else 0.05):
        print(figure.line(), flush=True)
