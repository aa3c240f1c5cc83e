"""The table of moves, walked through a real house by a state machine."""

from __future__ import annotations

import itertools
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from omnichannel_core import errors
from omnichannel_core.gate import loader
from omnichannel_core.model.lifecycle import MOVES, Move, Status, move
from omnichannel_core.model.process import State
from omnichannel_core.storage.schema import secret
from omnichannel_core.synchronous import blocking
from omnichannel_core.testing import postgres
from tests.conftest import RING, Backing, FakeClock, Opener, Plug

TYPED = {"shop": "a", "secret": "hush-echo"}
ASKED = [one for one in Move if one is not Move.FINISH_DELETE]


@pytest.mark.parametrize(("status", "wanted"), list(itertools.product(Status, Move)))
def test_table(status: Status, wanted: Move) -> None:
    """A pair that is not in the table raises and says what now; one that is leads where the table says."""
    if (status, wanted) in MOVES:
        assert move(7, status, wanted) == MOVES[status, wanted]
    else:
        with pytest.raises(errors.MoveNotAllowed, match=rf"Connection 7 is {status}: .*\."):
            move(7, status, wanted)


class Lives(RuleBasedStateMachine):
    """A model of each connection's status beside the house's own."""

    backend: ClassVar[str] = "asyncio"
    server: ClassVar[tuple[postgres.Server, str] | None] = None  # and the template of its databases; None: SQLite
    ids = Bundle("ids")
    drafts = Bundle("drafts")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.model: dict[int, Status] = {}
        self.given: set[int] = set()
        self.gone: set[int] = set()

    @initialize()
    def open(self) -> None:
        """A house with driver echo, and a shop."""
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(sys, "path", list(sys.path))
        patch.setattr(loader, "_LOADED", {})
        (folder / "site").mkdir()
        opener = Opener(Plug(folder / "site"), FakeClock(), self.backing(folder))
        opener.plug.ready("echo")
        remote = __import__("omnichannel_echo.remote", fromlist=["SHOPS"])
        remote.SHOPS["a"] = self.shop = remote.Remote()
        self.house, self.call = self.stack.enter_context(blocking(opener(), backend=self.backend))
        self.call(opener.settle, self.house)

    def backing(self, folder: Path) -> Backing:
        """A store of this life alone."""
        if self.server is None:
            return Backing(str(folder / "shop.db"), folder / "data")
        server, template = self.server
        url = server.database(template)
        self.stack.callback(server.drop, url)
        return Backing(url.render_as_string(hide_password=False), folder / "data", RING)

    def teardown(self) -> None:
        """All is closed."""
        self.stack.close()

    @rule(target=ids)
    def create(self) -> int:
        """A new id, Active, its initial sync queued."""
        saved = self.call(self.house.connections.create, "acme", "echo", "Shop", TYPED)
        one: int = saved.connection.id
        assert one not in self.given
        assert saved.process is not None
        self.given.add(one)
        self.model[one] = Status.ACTIVE
        return one

    @rule()
    def create_refused(self) -> None:
        """A failed check leaves nothing."""
        with pytest.raises(errors.CredentialsRejected):
            self.call(self.house.connections.create, "acme", "echo", "Shop", {**TYPED, "secret": "wrong"})

    @rule(target=drafts)
    def arrive(self) -> tuple[int, str]:
        """A draft takes an id of its own."""
        draft, claim = self.call(
            self.house.connections.confirm.__self__.arrived, "echo", "a", TYPED, None, {}  # type: ignore[attr-defined]
        )  # fmt: skip
        assert draft not in self.given
        self.given.add(draft)
        return draft, claim

    @rule(target=ids, draft=consumes(drafts))
    def save_draft(self, draft: tuple[int, str]) -> int:
        """Its id becomes the connection's."""
        self.call(self.house.connections.confirm, "acme", draft[0], claim=draft[1])
        saved = self.call(self.house.connections.create, "acme", "echo", "Arrived", draft=draft[0])
        assert saved.connection.id == draft[0]
        self.model[draft[0]] = Status.ACTIVE
        return draft[0]

    @rule(draft=consumes(drafts))
    def discard(self, draft: tuple[int, str]) -> None:
        """Back."""
        self.call(self.house.connections.confirm, "acme", draft[0], claim=draft[1])
        self.call(self.house.connections.discard, "acme", draft[0])

    @rule(one=ids, wanted=st.sampled_from(ASKED))
    def ask(self, one: int, wanted: Move) -> None:
        """Any move of any connection: as the table says."""
        status = self.model.get(one)
        try:
            self._ask(one, wanted)
        except errors.NotFound:
            assert status is None
        except errors.MoveNotAllowed:
            assert status is not None
            assert (status, wanted) not in MOVES
        except errors.UsageError:  # echo has no AUTHORIZE
            assert wanted is Move.AUTHORIZE
        else:
            assert status is not None
            after = MOVES[status, wanted]
            assert after is not None
            self.model[one] = after

    def _ask(self, one: int, wanted: Move) -> None:
        door, call = self.house.connections, self.call
        if wanted is Move.RENAME:
            call(door.rename, "acme", one, "Other")
        elif wanted is Move.EDIT:
            saved = call(door.edit, "acme", one, credentials={"shop": "a", "secret": ""})
            assert (saved.process is not None) == (self.model.get(one) is Status.ACTIVE)
        elif wanted is Move.AUTHORIZE:
            call(door.authorize, "acme", "echo", {}, return_url="https://x.example", connection=one)
        elif wanted in (Move.CHECK, Move.SYNCHRONIZE, Move.DELETE):
            call(getattr(door, wanted.value), "acme", one)
        else:
            (answer,) = call(getattr(door, wanted.value), "acme", [one])
            if answer.error is not None:
                raise answer.error

    @rule()
    def work(self) -> None:
        """All that is queued runs; only what is active pulls; what is deleted vanishes."""
        self.shop.calls.clear()
        for process in self.call(self.house.processes.list, "acme", states=[State.QUEUED, State.WAITING]):
            ended = self.call(self.house.processes.run_to_end, "acme", process.id)
            assert ended.state in {State.SUCCEEDED, State.CANCELLED}, ended.error
        if Status.ACTIVE not in self.model.values():
            assert "orders" not in self.shop.calls
        for one in [one for one, status in self.model.items() if status is Status.DELETING]:
            del self.model[one]
            self.gone.add(one)

    @rule(one=ids)
    def bury(self, one: int) -> None:
        """The whole way down, so that every walk sees some."""
        if self.model.get(one) is Status.ACTIVE:
            self.ask(one, Move.DISABLE)
        if one in self.model:
            self.ask(one, Move.DELETE)
            self.work()
            assert one in self.gone

    @invariant()
    def as_the_model_says(self) -> None:
        """The house lists what the model has, and no secret of what is gone is left."""
        if not hasattr(self, "house"):
            return
        seen = {one.id: one.status for one in self.call(self.house.connections.list, "acme")}
        assert seen == self.model
        owners = self.call(self.house._store.read, lambda tx: list(tx.execute(
            secret.select().where(secret.c.owner_kind == "connection"))))  # fmt: skip
        assert {int(row.owner_id) for row in owners} == set(self.model)
        assert not self.gone & set(seen)


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_lives(backend: str, where: str, request: pytest.FixtureRequest) -> None:
    """Whatever is asked in whatever order, the house does what the table of moves says, on both databases."""
    server = None
    if where == "postgresql":
        server = (request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_template"))
    machine = type("Lives", (Lives,), {"backend": backend, "server": server})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine, settings=settings(max_examples=12, stateful_step_count=20, deadline=None, database=None,
                                   suppress_health_check=list(HealthCheck)),
    )  # fmt: skip
