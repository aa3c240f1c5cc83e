"""Drivers as an account sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from omnichannel_core.connections import forms
from omnichannel_core.driver import Driver
from omnichannel_core.gate.admission import DriverListing, Gate
from omnichannel_core.gate.installations import Installations
from omnichannel_core.gate.loader import load, loaded


@attrs.define
class Drivers:
    """`house.drivers`. Listing imports nothing of any driver."""

    _gate: Gate
    _installations: Installations

    async def list(self, account: str) -> Sequence[DriverListing]:
        """All that are there, and why one is not available."""
        return await self._gate.listing(account)

    async def install(self, account: str, driver: str) -> None:
        """Switch a licensed driver on in this account.

        Raises:
            NotFound, NotAdmitted leaves: why not.
        """
        await self._installations.install(account, driver)

    async def uninstall(self, account: str, driver: str) -> None:
        """Switch it off.

        Raises:
            Conflict: connections exist.
        """
        await self._installations.uninstall(account, driver)

    async def load(self, account: str, driver: str) -> Driver:
        """What the driver declares: through the gate, then imported.

        Raises:
            NotAdmitted leaves, DriverBroken.
        """
        return load(await self._gate.admit(account, driver))

    def locales(self) -> Mapping[str, str]:
        """Drivers loaded by now -> folder of their catalogs, for faces that speak other languages than English."""
        return {one.name: one.locale for one in loaded() if one.locale}

    async def schema(self, account: str, driver: str) -> dict[str, Any]:
        """Forms as JSON Schema, streams, and what the marketplace has no way for."""
        found = await self.load(account, driver)
        return {
            "name": found.name,
            "title": found.title,
            "authorize": found.flow.begin is not None,
            "made_for": found.flow.made_for.__name__ if found.flow.made_for else "",
            "credentials": forms.schema(found.credentials),
            "settings": {
                page.name: {"title": page.title, "inherits": page.inherits, "form": forms.schema(page.form)}
                for page in found.pages.values()
            },
            "pulls": list(found.pulls),
            "pushes": list(found.pushes),
            "not_supported": dict(found.not_supported),
        }
