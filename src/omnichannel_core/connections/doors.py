"""Whose application a call without a connection's key may be for: one account for each application, not all of them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

import anyio
import attrs

from omnichannel_core.connections.parts import Parts
from omnichannel_core.gate.admission import PORTION
from omnichannel_core.gate.catalog import Found
from omnichannel_core.storage import licenses
from omnichannel_core.storage.store import Tx

FRESH = 60.0  # seconds; what changes in the store is seen at once, what lapses with time a little later


@attrs.define
class Doors:
    """Accounts that share an application are asked once, however many they are: a forged call must stay cheap."""

    parts: Parts
    _known: dict[str, tuple[object, float, Sequence[str]]] = attrs.field(factory=dict)
    _proofs: dict[tuple[str, str, int, object], str] = attrs.field(factory=dict, repr=False)

    async def of(self, driver: str) -> Sequence[str]:
        """Accounts to ask, one for each application; where the gate is closed for all that have the driver, one."""
        state = await self.parts.store.read(lambda tx: licenses.state_of(tx, driver))
        known = self._known.get(driver)
        if known is None or known[0] != state or anyio.current_time() >= known[1]:
            known = (state, anyio.current_time() + FRESH, await self._look(driver))
            self._known[driver] = known
        return known[2]

    async def _look(self, driver: str) -> Sequence[str]:
        accounts = await self.parts.store.read(lambda tx: licenses.installed_in(tx, driver))
        catalog, first = self.parts.gate.catalog.listing(), dict[str, str]()
        for at in range(0, len(accounts), PORTION):
            some = accounts[at : at + PORTION]

            def look(tx: Tx, some: Sequence[str] = some) -> dict[str, str | None]:
                return {one: self._proof(tx, one, driver, catalog) for one in some}

            proofs = await self.parts.store.read(look)
            for one, proof in proofs.items():
                if proof is not None:
                    first.setdefault(proof, one)
        return list(first.values()) or accounts[:1]

    def _proof(self, tx: Tx, account: str, driver: str, catalog: Mapping[str, Found]) -> str | None:
        """Tells applications apart, and nothing else; '' is none, None where the gate is closed."""
        verdict = self.parts.gate.judge(tx, account, driver, catalog)
        if verdict.refusal is not None or verdict.installation is None:
            return None
        name, buyer = verdict.license().application, verdict.account.buyer
        kept = licenses.Applications(tx, buyer, self.parts.vault)
        found = kept.get(name) if name else None
        if found is None:
            return ""
        key = (buyer, name, found.version, found.added_at)
        if key not in self._proofs:
            said = json.dumps(kept.values(name), sort_keys=True)
            self._proofs[key] = hmac.new(self.parts.vault.pepper, said.encode(), hashlib.sha256).hexdigest()
        return self._proofs[key]
