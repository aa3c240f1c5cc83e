"""What every act of the demo has: the house, its vendor, the story so far, and what an operator does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio.to_thread
import attrs

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.cli.following import together
from omnichannel_core.cli.output import say
from omnichannel_core.connections.managing import Saved
from omnichannel_core.driver import Call
from omnichannel_core.gate import vendor
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.records import Record
from omnichannel_core.storage.hub import Found
from omnichannel_core.testing import consent, simulator

ACCOUNT, ACTOR = "acme", "demo"
NAMES = {"Attribute": "attributes", "AttributeSet": "attribute sets", "Choices": "lists", "Order": "orders",
         "Return": "returns"}  # fmt: skip


def there(driver: str) -> bool:
    """Whether a driver and its simulator are installed beside this program."""
    return driver in Catalog().listing() and driver in simulator.names()


@attrs.frozen
class Stage:
    """One telling of the story.

    Attributes:
        base: where the admin pages are, or would be: what marketplaces send browsers back to.
        told: the closing table, (step, what) in order.
    """

    house: Omnichannel
    private: Mapping[str, Any]
    base: str
    told: list[tuple[str, str]] = attrs.field(factory=list)

    def step(self, text: str) -> None:
        """What happens now."""
        say(f"> {text}")

    def tell(self, step: str, what: str) -> None:
        """A line of the closing table."""
        self.told.append((step, what))

    def back(self, driver: str) -> str:
        """Where the browser comes back to after AUTHORIZE, as registered with the marketplace."""
        return f"{self.base}/oauth/{driver}"

    async def license(self, driver: str, values: Mapping[str, Any] | None = None) -> None:
        """License and installation; with `values` an application of the vendor's."""
        name, found = f"demo-{driver}", Catalog().listing()[driver]
        text = vendor.issue(
            self.private, account=ACCOUNT, driver=driver, distribution=found.distribution, now=datetime.now(UTC),
            days=30, application=name if values is not None else "",
        )  # fmt: skip
        await self.house.licenses.add(ACCOUNT, text)
        if values is not None:
            document = {"name": name, "driver": driver, "version": 1, "values": dict(values)}
            await self.house.licenses.add_application(ACCOUNT, document)
        await self.house.drivers.install(ACCOUNT, driver)
        (line,) = [one for one in await self.house.drivers.list(ACCOUNT) if one.name == driver]
        self.tell("Driver", f"{line.title} {line.version} from {line.distribution}: licensed, installed, available")

    async def connect(self, driver: str, name: str, typed: Mapping[str, Any], **more: Any) -> Saved:
        """Create, with the first synchronize to its end."""
        saved = await self.house.connections.create(ACCOUNT, driver, name, typed, actor=ACTOR, **more)
        await self.follow(saved.process)
        return saved

    async def authorize(self, driver: str, name: str, typed: Mapping[str, Any], **more: Any) -> Saved:
        """AUTHORIZE: out to the consent page, back into the same form, and SAVE; the first synchronize to its end.

        Raises:
            OmnichannelError: the marketplace's refusal.
        """
        begun = await self.house.connections.authorize(
            ACCOUNT, driver, typed, return_url=self.back(driver), actor=ACTOR, name=name
        )
        home = await anyio.to_thread.run_sync(consent.agree, begun.url)
        call = Call(method="GET", path="return", query=dict(parse_qsl(urlsplit(home).query)))
        back = await self.house.connections.returned(call, account=ACCOUNT, actor=ACTOR, driver=driver)
        if back.error is not None:
            raise back.error
        return await self.connect(driver, name, {}, draft=begun.draft, **more)

    async def push(self, connection: int, stream: str, records: Sequence[Record]) -> None:
        """Handed over, delivered, and what became of each."""
        rows = await self.house.hub.push(ACCOUNT, connection, stream, records)
        queued = await self.house.processes.list(ACCOUNT, connection=connection, kind="deliver")
        for ended in await together(self.house, ACCOUNT, [one for one in queued if one.open], patient=False):
            say(f"{ended.kind} {ended.state}. {ended.message}")
        keys = [row.key for row in rows]
        for row in (await self.house.hub.pushes(ACCOUNT, connection=connection, keys=keys)).items:
            self.tell(f"Pushed to {row.stream}", f"{row.thing}: {row.state} {row.reason}".strip())

    async def follow(self, process: Any) -> None:
        """To its end, and well; or to where it waits for the marketplace.

        Raises:
            UsageError: it failed.
        """
        for ended in await together(self.house, ACCOUNT, [process] if process else [], patient=False):
            if ended.error_key:
                raise errors.UsageError(f"{ended.kind} {ended.state}: {ended.error}")
            say(f"{ended.kind} {ended.state}. {ended.message}")

    async def count(self, connection: int, kind: str) -> int:
        """Of what is in the hub."""
        return await self.house.hub.count(ACCOUNT, Found(kind=kind, connection=connection))

    async def counts(self, connection: int, *kinds: str) -> str:
        """The same, in words."""
        return ", ".join([f"{await self.count(connection, kind)} {NAMES[kind]}" for kind in kinds])
