"""What an author says about a driver so that the kit can try it: the only thing there is to write."""

from __future__ import annotations

import inspect
import json
import urllib.request
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from omnichannel_core.driver import Call, Token
from omnichannel_core.records import Record
from omnichannel_core.testing.faults import Exchange
from omnichannel_core.testing.serving import load, served

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Expected = Mapping[str, Mapping[str, Mapping[str, object]] | None]
"""By pull stream, and by record id: fields as they must come in ({} where only the id matters).

None instead of ids: at least one record, whichever."""
STANDARD = frozenset({"test_rule"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@attrs.define
class Remote:
    """A marketplace to try a driver on: a simulator behind an address, or something in memory ('' then).

    Attributes:
        app: the simulator itself, which is served by a thread of this process.
        exchange: the connection's exchange directory, where driver and remote meet in files.
    """

    address: str = ""
    app: Any = None
    exchange: Path | None = None

    def control(self, path: str, body: Mapping[str, Any] | None = None, method: str = "") -> Any:
        """One call of the simulator's control API, past all faults."""
        data = None if body is None else json.dumps(dict(body)).encode()
        request = urllib.request.Request(  # noqa: S310 - the simulator's own loopback address
            f"{self.address}/_control/{path}", data=data, method=method or ("GET" if body is None else "POST"),
            headers={"content-type": "application/json"},
        )  # fmt: skip
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None


class DriverConformance:
    """Subclass it as `class TestMyDriver(DriverConformance)`, say the facts, and run pytest.

    Attributes:
        driver: the entry point's name.
        credentials: as a person types them; `wrong_credentials` are well formed and refused by the remote.
        authorizing: the form as it is when AUTHORIZE is pressed, where that differs from `credentials`.
        application: what the vendor registered, where the driver has such a form.
        settings: what is set, by page.
        subject: what the connection is made for, where the flow says `made_for`.
        simulator: name of an installed simulator, with `options`; or say `open_remote` yourself.
        loops: event loops to run on.
        lacking: rule -> why it cannot be shown yet. It is told in the report, and holds the level below.
        later: seconds from a change over there until the next run can see it (an index that lags, a run that is due).
        without: capability -> why the marketplace has no way for it. The rule that tries it cannot apply, which is
            told with the reason; the kit looks whether the driver has it nevertheless, and then the rule fails.
        records: how many records the rule of flat memory pulls.
        patience: seconds for one try of a rule on one loop.
        thorough: more cases, a longer soak, a million records: `pytest --conformance=thorough`.
        seed: of everything that is drawn: `pytest --conformance-seed=7`.
    """

    driver: ClassVar[str] = ""
    credentials: ClassVar[Mapping[str, Any]] = {}
    wrong_credentials: ClassVar[Mapping[str, Any] | None] = None
    authorizing: ClassVar[Mapping[str, Any] | None] = None
    application: ClassVar[Mapping[str, Any] | None] = None
    settings: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    subject: ClassVar[Record | None] = None
    simulator: ClassVar[str] = ""
    options: ClassVar[Mapping[str, Any]] = {}
    loops: ClassVar[tuple[str, ...]] = ("asyncio", "trio")
    lacking: ClassVar[Mapping[str, str]] = {}
    later: ClassVar[float] = 0.0
    without: ClassVar[Mapping[str, str]] = {}
    records: ClassVar[int] = 2_000
    patience: ClassVar[float] = 120.0
    thorough: bool = False
    seed: int = 0

    def __init_subclass__(cls, **more: Any) -> None:
        """A standard test is never replaced."""
        super().__init_subclass__(**more)
        if replaced := STANDARD & set(vars(cls)):
            raise TypeError(f"{cls.__name__} replaces {', '.join(sorted(replaced))}; say what is lacking in `lacking`.")

    def open_remote(self) -> AbstractContextManager[Remote]:
        """A remote of its own for each rule, with something in it."""
        return self._simulated()

    @contextmanager
    def _simulated(self) -> Iterator[Remote]:
        app: Callable[..., Awaitable[object]] = load(self.simulator, self.options)
        with served(app) as address:
            remote = Remote(address, app)
            self.fill(remote)
            yield remote

    def fill(self, remote: Remote) -> None:
        """Put into a new simulator what there is to pull."""

    def tokens(self, remote: Remote) -> Mapping[str, Token]:
        """What AUTHORIZE brought, where the driver has tokens that credentials alone do not give."""
        return {}

    def agreed(self, remote: Remote, url: str) -> Call | None:
        """What a browser brings back to the return URL from the page at `url`, where a person agreed.

        To be said where the driver's flow has `begin` and `finish`. A simulator has a consent page, or its control.
        """
        return None

    def turn(self, remote: Remote, seconds: float) -> None:
        """The clock went on: let the remote's follow."""

    def expected(self, remote: Remote) -> Expected:
        """What a full pull of each stream must bring: no less, and no more of the kind it names first in `yields`."""
        return {}

    def change(self, remote: Remote) -> Expected:
        """Change something over there after a full pull; what the next run must bring (more is tolerated)."""
        return {}

    def pushes(self, remote: Remote) -> Mapping[str, Sequence[Record]]:
        """Records to push, by stream: at least one for each push stream."""
        return {}

    def drawn(self, remote: Remote) -> Mapping[str, SearchStrategy[Record]]:
        """Strategies for records that are accepted as well, by stream (omnichannel_core.testing.strategies)."""
        return {}

    def held(self, remote: Remote) -> object:
        """What the remote holds that pushes change, comparable with ==; numbers of effects, not their times."""
        return None

    def writes(self, exchange: Exchange) -> bool:
        """Whether a request does something over there: by its method. Say it where questions are sent by POST too."""
        return exchange.method not in SAFE

    def repeatable(self, exchange: Exchange) -> bool:
        """Whether a request sent twice does no more than once: by its method, or a key among its headers.

        Say it where all is sent by POST, or the key is in the body.
        """
        return exchange.method != "POST" or any("idempotency" in name for name in exchange.headers)

    def agrees(self, exchange: Exchange) -> Collection[str]:
        """How a request or an answer differs from the official API definition; empty where it agrees."""
        return ()

    def many(self, remote: Remote, count: int) -> str:
        """So many records to pull from now on; the name of the stream that brings them."""
        return ""

    def test_rule(self, rule: str) -> None:
        """Every rule is one test, named after it."""
        from omnichannel_core.testing.conformance.certifying import try_in_pytest

        try_in_pytest(self, rule)


def says(facts: DriverConformance, name: str) -> bool:
    """Whether the author wrote this fact."""
    own = inspect.getattr_static(type(facts), name)
    return own is not inspect.getattr_static(DriverConformance, name)
