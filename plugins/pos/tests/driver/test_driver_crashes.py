"""The pull under kills: pages asked ahead, commits lost, files coming meanwhile; the books end as the till's truth."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from omnichannel_pos import exchange
from omnichannel_pos.sync import receipts
from omnichannel_pos.sync.receipts import Files
from omnichannel_pos_simulator.live import pushed
from omnichannel_pos_simulator.till import Till, Truth
from omnichannel_pos_simulator.writing import as_zip, drop

from omnichannel_core.driver import Page, Wait
from omnichannel_core.records import Bad, PosStore


class Session:
    """What a pull touches of one."""

    def __init__(self, folder: Path) -> None:
        self.exchange, self.scratch = folder / "exchange", folder / "scratch"
        self.subject = PosStore(id="1", name="x", currency="EUR")
        self.clock = self
        exchange.make(self.exchange)

    def now(self) -> datetime:
        """Long after any file was written."""
        return datetime(2031, 1, 1, tzinfo=UTC)

    async def compute(self, work: Any) -> Any:
        """At once."""
        return work()


class House:
    """Keeps committed pages; dies by chance before a commit, with a page asked ahead or not."""

    def __init__(self, session: Session, chance: Random) -> None:
        self.session, self.chance = session, chance
        self.cursor, self.kept, self.deaths = b"{}", dict[tuple[str, str], Any](), 0
        self.bad: list[str] = []

    async def turn(self) -> bool | Wait:
        """Pages until a wait or the end, the next one asked before this one is committed; True: died."""
        cursor = msgspec.json.decode(self.cursor, type=Files)
        page: Page[Files] = await receipts.pull(self.session, cursor)  # type: ignore[arg-type]
        while True:
            ahead = None
            if page.more is True and self.chance.random() < 0.7:
                ahead = await receipts.pull(self.session, page.cursor)  # type: ignore[arg-type]
            if self.chance.random() < 0.15:
                self.deaths += 1
                return True
            self._commit(page)
            if page.more is not True:
                return page.more
            page = ahead or await receipts.pull(self.session, page.cursor)  # type: ignore[arg-type]

    def _commit(self, page: Page[Files]) -> None:
        for record in page.records:
            if isinstance(record, Bad):
                self.bad.append(record.id)
                continue
            key = (type(record).__name__, record.id)
            if key not in self.kept or self.kept[key].revision <= record.revision:
                self.kept[key] = record
        self.cursor = msgspec.json.encode(page.cursor)

    async def run(self) -> None:
        """Until nothing is left to do."""
        for _ in range(500):
            if await self.turn() is False:
                return
        raise AssertionError("it never ends")


@pytest.mark.parametrize("seed", range(12))
def test_kills_anywhere(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is lost, every receipt is booked once as the till knows it, and no file is moved before it is booked."""
    monkeypatch.setattr(receipts, "PAGE", 7)
    monkeypatch.setattr(receipts, "LIVE_PAGE", 3)
    monkeypatch.setattr(receipts, "DONE_MAX", 2)
    chance, truth = Random(seed), Truth()
    with TemporaryDirectory() as folder:
        session = Session(Path(folder))
        house, till, inbox = House(session, chance), Till(seed=seed), session.exchange / "in"
        for day in range(4):
            till.work(15)
            for receipt in till.receipts:
                if chance.random() < 0.3:
                    drop(pushed(till, receipt), inbox, f"{receipt.id}.json")
            if chance.random() < 0.5:
                asyncio.run(house.turn())
            one = till.close()
            truth.add(one.truth)
            drop(as_zip([one]), inbox, f"z{day % 2}.zip" if not (inbox / f"z{day % 2}.zip").exists() else f"y{day}.zip")
            if chance.random() < 0.3:
                (inbox / f"bad{day}.zip").write_bytes(b"hello")
            if chance.random() < 0.5:
                asyncio.run(house.turn())
        asyncio.run(house.run())
        assert {one for kind, one in house.kept if kind == "Order"} == set(truth.orders)
        assert {one for kind, one in house.kept if kind == "Return"} == set(truth.returns)
        assert not any("live" in record.extra for (kind, _), record in house.kept.items() if kind == "Order")
        assert list(inbox.iterdir()) == []
        zips = list((session.exchange / "archive").rglob("*.zip"))
        assert len(zips) == 4
        assert len(list((session.exchange / "error").glob("*.reason.json"))) == len(set(house.bad))
