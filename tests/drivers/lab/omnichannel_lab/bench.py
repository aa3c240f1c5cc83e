"""What tests set up and look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import attrs
import msgspec
from pydantic import SecretStr

from omnichannel_core.driver import Credentials, Page, Session, Settings, Ui
from omnichannel_core.records import Bad, Record


class LabCredentials(Credentials):
    """`key` is brought by AUTHORIZE."""

    shop: str
    secret: SecretStr | None = None
    key: Annotated[str | None, Ui(locked=True)] = None

    def remote_account(self) -> str:
        """The shop."""
        return self.shop


class LabSettings(Settings):
    """What comes in."""

    above: int = 0


class At(msgspec.Struct, frozen=True):
    """How many pages were given."""

    page: int = 0


Pull = Callable[[Session, At], Any]


@attrs.define
class Bench:
    """Scripts by stream: a list of pages' records, or a function of session and cursor."""

    scripts: dict[str, Sequence[Sequence[Record | Bad]] | Pull] = attrs.field(factory=dict)
    singles: dict[str, Any] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)
    told: list[str] = attrs.field(factory=list)
    account: str = ""
    trouble: dict[str, Exception] = attrs.field(factory=dict)
    checked: int = 0
    trips: list[str] = attrs.field(factory=list)  # addresses the browser was sent to
    outcome: Any = None  # what settle finds out; None is nothing

    async def give(self, name: str, session: Session, cursor: At) -> Any:
        """The next page of a stream."""
        self.asked.append(f"{name} {cursor.page}")
        script = self.scripts.get(name, ())
        if callable(script):
            found = script(session, cursor)
            return await found if hasattr(found, "__await__") else found
        records = script[cursor.page] if cursor.page < len(script) else ()
        return Page(cursor=At(cursor.page + 1), records=records, more=cursor.page + 1 < len(script))

    def fail(self, what: str) -> None:
        """Raise what is set for a call."""
        if what in self.trouble:
            raise self.trouble[what]


BENCH = Bench()
