"""Stores: points of sale of the host, each with its own connection (guide actindo-pos-and-other-shops 1.8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec

from omnichannel_core import errors
from omnichannel_core.connections.calling import CallAnswer, Calling
from omnichannel_core.connections.managing import Managing, Saved
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.sessions import Sessions
from omnichannel_core.driver import Call
from omnichannel_core.model.connection import clean_name
from omnichannel_core.model.lifecycle import Health, Move, Status, move
from omnichannel_core.records import PosStore
from omnichannel_core.storage import audits, bodies
from omnichannel_core.storage.connections import Connections, Kept
from omnichannel_core.storage.numbers import next_number
from omnichannel_core.storage.store import Tx

ADDRESS_MAX = 1000  # characters
_KIND = PosStore.__name__
_CURRENCY = re.compile(r"[A-Z]{3}")


@attrs.frozen(kw_only=True)
class Store:
    """A point of sale and its connection.

    Attributes:
        id: the connection's; every move of connections takes it.
        connection: the connection's name.
        gross_prices: the store's tax setting: prices are with tax.
        exchange: the directory where files come in and go out.
        callback_url: where tills may push receipts; whoever knows it may push. '' where the host is not reachable.
    """

    id: int
    name: str
    address: str
    currency: str
    gross_prices: bool
    driver: str
    connection: str
    status: Status
    health: Health
    exchange: Path
    callback_url: str = attrs.field(default="", repr=False)


@attrs.define
class Stores:
    """`house.stores`. The first argument is the account's id; another account's store is NotFound."""

    parts: Parts
    sessions: Sessions
    managing: Managing
    calling: Calling

    async def add(
        self, account: str, name: str, *, address: str = "", currency: str = "EUR", gross_prices: bool = True,
        driver: str = "", actor: str = "",
    ) -> Saved:  # fmt: skip
        """A new store; its connection "POS store <name>" is there, active and synchronizing when this returns.

        Args:
            driver: needed only where several installed drivers make connections for stores.

        Raises:
            FormInvalid, NotAdmitted leaves. UsageError: no installed driver is made for stores, or several are.
        """
        typed = _checked(PosStore(id="", name=name, address=address, currency=currency, gross_prices=gross_prices))
        chosen = await self._driver(account, driver)
        number = await self.parts.store.write(lambda tx: next_number(tx, "store"))
        made_for = msgspec.structs.replace(typed, id=str(number))
        return await self.managing.create(account, chosen, title(typed.name), made_for=made_for, actor=actor)

    async def list(self, account: str) -> Sequence[Store]:
        """All stores of an account, by id."""
        kept = await self.parts.store.read(lambda tx: Connections(tx, account).all())
        return [self._shown(one, found) for one in kept if (found := _store_of(one)) is not None]

    async def get(self, account: str, store_id: int) -> Store:
        """One.

        Raises:
            NotFound: not in this account, or a connection that is no store's.
        """
        kept, found = await self.parts.store.read(lambda tx: _get(tx, account, store_id))
        return self._shown(kept, found)

    async def edit(
        self, account: str, store_id: int, *, name: str | None = None, address: str | None = None,
        gross_prices: bool | None = None, actor: str = "",
    ) -> Store:  # fmt: skip
        """Change what is given; the currency stays. A connection still named after the store is renamed with it.

        Raises:
            NotFound, MoveNotAllowed (being deleted), FormInvalid.
        """
        given = {"name": name, "address": address, "gross_prices": gross_prices}
        changed = {field: value for field, value in given.items() if value is not None}

        def write(tx: Tx) -> tuple[Kept, PosStore]:
            kept, found = _get(tx, account, store_id)
            move(store_id, kept.seen.status, Move.RENAME)
            store = _checked(msgspec.structs.replace(found, **changed))
            renamed = title(store.name) if kept.seen.name == title(found.name) else kept.seen.name
            seen = attrs.evolve(kept.seen, name=renamed, version=kept.seen.version + 1)
            kept = attrs.evolve(kept, seen=seen, subject=f"{_KIND}:{bodies.encode(store).decode()}")
            Connections(tx, account).replace(kept)
            now = self.parts.clock.now()
            audits.note(tx, account, now, "store edited", str(store_id), actor=actor, detail={"changed": list(changed)})
            return kept, store

        return self._shown(*await self.parts.store.write(write))

    async def receive(self, account: str, store_id: int, receipt: Mapping[str, Any] | bytes) -> CallAnswer:
        """A receipt, or a list of them as JSON, pushed during the day; the driver's README names its schema.

        Raises:
            NotFound, NotAdmitted. FormInvalid: it does not fit the schema; the message says where.
        """
        await self.get(account, store_id)
        body = receipt if isinstance(receipt, bytes) else msgspec.json.encode(receipt)
        try:
            return await self.calling.hand_over(account, store_id, Call(method="POST", path="", body=body))
        except errors.CallRefused as wrong:  # whoever typed it is known: it is the receipt that is wrong
            raise errors.FormInvalid("The receipt is not taken.", {"receipt": str(wrong)}) from wrong

    async def offered(self, account: str) -> bool:
        """Whether an installed driver makes connections for stores, or one cannot be asked whether it does."""
        for one in await self.parts.gate.listing(account):
            if one.installed and (not one.available or await self._makes(account, one.name)):
                return True
        return False

    async def _makes(self, account: str, driver: str) -> bool:
        try:
            return (await self.sessions.driver(account, driver)).flow.made_for is PosStore
        except (errors.DriverError, errors.NotAdmitted):
            return False

    async def _driver(self, account: str, wanted: str) -> str:
        if wanted:
            return wanted
        there = [one.name for one in await self.parts.gate.listing(account) if one.available]
        made = [one for one in there if await self._makes(account, one)]
        if len(made) != 1:
            which = f"several ({', '.join(made)}): name one" if made else "none: install one"
            raise errors.UsageError(f"A store needs a driver that is made for stores; there are {which}.")
        return made[0]

    def _shown(self, kept: Kept, found: PosStore) -> Store:
        seen = kept.seen
        return Store(
            id=seen.id, name=found.name, address=found.address, currency=found.currency,
            gross_prices=found.gross_prices, driver=seen.driver, connection=seen.name, status=seen.status,
            health=seen.health, exchange=self.sessions.folder(seen.id) / "exchange",
            callback_url=self.sessions.callback_url(kept) if self.parts.callback_base else "",
        )  # fmt: skip


def title(name: str) -> str:
    """Of a store's connection."""
    return f"POS store {name}"


def _checked(typed: PosStore) -> PosStore:
    """Trimmed and checked as people type it."""
    name, wrong = clean_name(typed.name), {}
    clean_name(title(name))
    if len(typed.address) > ADDRESS_MAX or any(ord(char) < 32 and char != "\n" for char in typed.address):
        wrong["address"] = f"At most {ADDRESS_MAX} characters, no control characters."
    if not _CURRENCY.fullmatch(typed.currency):
        wrong["currency"] = "Three capital letters (ISO 4217), such as EUR."
    if wrong:
        raise errors.FormInvalid("The store cannot be saved.", wrong)
    return msgspec.structs.replace(typed, name=name, address=typed.address.strip())


def _get(tx: Tx, account: str, store_id: int) -> tuple[Kept, PosStore]:
    kept = Connections(tx, account).get(store_id)
    found = _store_of(kept)
    if found is None:
        raise errors.NotFound(f"Account {account!r} has no store {store_id}.")
    return kept, found


def _store_of(kept: Kept) -> PosStore | None:
    kind, _, body = kept.subject.partition(":")
    found = bodies.decode(kind, body.encode()) if kind == _KIND else None
    return found if isinstance(found, PosStore) else None
