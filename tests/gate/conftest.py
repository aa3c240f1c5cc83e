"""A gate on a real store, and the vendor who signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from omnichannel_core.gate import vendor
from omnichannel_core.gate.accounts import Accounts
from omnichannel_core.gate.admission import Admission, Gate
from omnichannel_core.gate.installations import Installations
from omnichannel_core.gate.licenses import Licenses
from omnichannel_core.gate.proofs import Trust
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.vault import Vault

PAIR = vendor.keygen()


@attrs.frozen(kw_only=True)
class House:
    """The parts a host opens, and the vendor's private key beside them."""

    private: Mapping[str, Any]
    store: Store
    clock: Any
    accounts: Accounts
    licenses: Licenses
    gate: Gate
    installations: Installations

    def issue(self, driver: str = "echo", **said: Any) -> str:
        """A license of account acme, signed by the vendor."""
        told = {"account": "acme", "driver": driver, "distribution": f"omnichannel-{driver}", "now": self.clock.now()}
        return vendor.issue(self.private, **{**told, **said})

    async def buy(self, driver: str = "echo", **said: Any) -> None:
        """A license added, the driver installed."""
        await self.licenses.add("acme", self.issue(driver, **said))
        await self.installations.install("acme", driver)

    async def admit(self, driver: str = "echo", account: str = "acme") -> Admission:
        """Through the gate."""
        return await self.gate.admit(account, driver)


@pytest.fixture
def vault() -> Vault:
    """With one key."""
    return Vault(KeyRing({"k1": bytes(32)}))


@pytest.fixture
async def house(store: Store, clock: Any, plug: Any, vault: Vault) -> House:
    """Main account acme with sandbox acme-test, main account other; nothing plugged, bought or installed."""
    accounts = Accounts(store, clock)
    licenses = Licenses(store, vault, Trust.of(PAIR[1]), clock)
    gate = Gate(store, vault, plug.catalog(), licenses, clock)
    await accounts.add("acme", "Acme")
    await accounts.add("acme-test", main="acme")
    await accounts.add("other")
    return House(
        private=PAIR[0], store=store, clock=clock, accounts=accounts, licenses=licenses, gate=gate,
        installations=Installations(store, clock, gate),
    )  # fmt: skip
