"""Accounts, as the host keeps them: main ones, and sandboxes below them."""

from __future__ import annotations

import attrs

from omnichannel_core import errors
from omnichannel_core.driver.session import Clock
from omnichannel_core.model.account import Account
from omnichannel_core.storage import accounts
from omnichannel_core.storage.store import Store, Tx

ID_MAX = 200
NAME_MAX = 255


@attrs.frozen
class Accounts:
    """Added by the host, under ids of its own choice."""

    store: Store
    clock: Clock

    async def add(self, id: str, name: str = "", main: str | None = None) -> Account:  # noqa: A002
        """A new account; with `main`, a sandbox below that main account. Without a name it is called by its id.

        Raises:
            UsageError: the id or the name is not usable, or `main` is itself a sandbox.
            NotFound: there is no account `main`.
            Conflict: the id is taken.
        """
        new = Account(id=_clean_id(id), name=_clean_name(name or id), main=main, created_at=self.clock.now())

        def work(tx: Tx) -> Account:
            if main is not None and accounts.get(tx, main).is_sandbox:
                raise errors.UsageError(f"Account {main!r} is a sandbox; sandboxes stand below main accounts only.")
            accounts.insert(tx, new)
            return new

        return await self.store.write(work)

    async def get(self, id: str) -> Account:  # noqa: A002
        """The account of that id.

        Raises:
            NotFound: there is none.
        """
        return await self.store.read(lambda tx: accounts.get(tx, id))

    async def list(self, main: str | None = None) -> list[Account]:
        """All accounts by id, or only the sandboxes below a main account."""
        return await self.store.read(lambda tx: accounts.every(tx, main))

    async def rename(self, id: str, name: str) -> Account:  # noqa: A002
        """Another name; the id stays.

        Raises:
            UsageError: the name is not usable.
            NotFound: there is no such account.
        """
        clean = _clean_name(name)

        def work(tx: Tx) -> Account:
            found = accounts.get(tx, id)
            accounts.rename(tx, id, clean)
            return attrs.evolve(found, name=clean)

        return await self.store.write(work)


def _clean_id(typed: str) -> str:
    if not typed or len(typed) > ID_MAX or typed != typed.strip() or not typed.isprintable():
        raise errors.UsageError(
            f"An account's id is 1 to {ID_MAX} printable characters without blanks around; {typed[:40]!r} is not."
        )
    return typed


def _clean_name(typed: str) -> str:
    name = typed.strip()
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise errors.UsageError(
            f"An account's name is 1 to {NAME_MAX} printable characters in one line; {name[:40]!r} is not."
        )
    return name
