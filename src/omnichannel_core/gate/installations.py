"""Installations: drivers switched on in one account, a main one or a sandbox, each for itself."""

from __future__ import annotations

from omnichannel_core import errors
from omnichannel_core.driver.session import Clock
from omnichannel_core.gate.admission import Gate
from omnichannel_core.model.license import Installation
from omnichannel_core.storage import accounts, audits
from omnichannel_core.storage import licenses as rows
from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.store import Store, Tx


class Installations:
    """Buying on the main account makes a driver installable; nothing is imported."""

    def __init__(self, store: Store, clock: Clock, gate: Gate) -> None:
        self._store, self._clock, self._gate = store, clock, gate

    async def install(self, account: str, driver: str) -> Installation:
        """Switch a driver on; again is fine.

        Raises:
            NotFound: there is no such account.
            NotAdmitted: no such driver, it does not fit, or the main account holds no license that counts.
        """

        def work(tx: Tx) -> Installation:
            verdict, now = self._gate.judge(tx, account, driver), self._clock.now()
            verdict.license()
            self._gate.licenses.note_time(tx, now)
            if verdict.installation is not None:
                return verdict.installation
            audits.note(tx, account, now, "driver installed", driver)
            return rows.Installations(tx, account).add(driver, now)

        return await self._store.write(work)

    async def uninstall(self, account: str, driver: str) -> None:
        """Switch it off; needs neither license nor distribution.

        Raises:
            NotFound: there is no such account, or the driver is not installed there.
            Conflict: the account still has connections with it.
        """

        def work(tx: Tx) -> None:
            accounts.get(tx, account)
            count = Connections(tx, account).count(driver)
            if count:
                still = "1 connection" if count == 1 else f"{count} connections"
                raise errors.Conflict(
                    f"Account {account!r} still has {still} with driver {driver!r}: delete them first."
                )
            if not rows.Installations(tx, account).remove(driver):
                raise errors.NotFound(f"Driver {driver!r} is not installed in account {account!r}.")
            audits.note(tx, account, self._clock.now(), "driver uninstalled", driver)

        await self._store.write(work)

    async def list(self, account: str) -> list[Installation]:
        """What is switched on, by driver.

        Raises:
            NotFound: there is no such account.
        """

        def work(tx: Tx) -> list[Installation]:
            accounts.get(tx, account)
            return rows.Installations(tx, account).every()

        return await self._store.read(work)
