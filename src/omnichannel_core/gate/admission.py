"""The gate: available = found and compatible and licensed and installed, asked in this order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import attrs

from omnichannel_core import errors
from omnichannel_core.driver.session import Clock
from omnichannel_core.gate import applications
from omnichannel_core.gate.catalog import Catalog, Found, canonical
from omnichannel_core.gate.licenses import Licenses
from omnichannel_core.gate.terms import Held, State
from omnichannel_core.model.account import Account
from omnichannel_core.model.license import Installation, License
from omnichannel_core.storage import accounts
from omnichannel_core.storage import licenses as rows
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.storage.vault import Vault

if TYPE_CHECKING:
    from omnichannel_core.driver.forms import Application

PORTION = 200  # judged in one transaction
A = TypeVar("A", bound="Application")


@attrs.frozen(init=False, kw_only=True)
class Admission:
    """Proof that an account may use a driver now. Only the gate makes one; the loader takes nothing else.

    It is a contract, not a lock: whoever edits this house's code gets in.

    Attributes:
        buyer: the main account whose license counts.
    """

    account: str
    buyer: str
    found: Found
    license: License

    def __init__(self) -> None:
        raise errors.UsageError("Only the gate makes an Admission: await gate.admit(account, driver).")

    @property
    def driver(self) -> str:
        """The driver's name."""
        return self.found.name


def _admit(account: Account, found: Found, license_: License) -> Admission:
    new: Admission = object.__new__(Admission)
    for name, value in (("account", account.id), ("buyer", account.buyer), ("found", found), ("license", license_)):
        object.__setattr__(new, name, value)
    return new


@attrs.frozen(kw_only=True)
class DriverListing:
    """A driver as an account sees it.

    Attributes:
        reason: why it is not available: what, which, what now; '' when it is.
        notice: what should be done although it is available, such as renewing a license that is in its grace.
    """

    name: str
    title: str
    version: str
    distribution: str
    compatible: bool
    licensed: bool
    installed: bool
    available: bool
    reason: str = ""
    notice: str = ""


@attrs.frozen(kw_only=True)
class Verdict:
    """What stands between an account and a driver.

    Attributes:
        refusal: the first thing in the way, the installation apart.
        mark_is_old: the clock mark should be raised (see licenses).
    """

    account: Account
    driver: str
    found: Found | None
    held: Held | None
    installation: Installation | None
    refusal: errors.NotAdmitted | None
    mark_is_old: bool = False

    def license(self) -> License:
        """The license that counts.

        Raises:
            NotAdmitted: what is in the way.
        """
        if self.refusal is not None:
            raise self.refusal
        assert self.held is not None and self.held.license is not None  # noqa: S101, PT018 - follows from no refusal
        return self.held.license


class Gate:
    """Asked at every use; imports nothing of a driver."""

    def __init__(self, store: Store, vault: Vault, catalog: Catalog, licenses: Licenses, clock: Clock) -> None:
        self._store, self._vault, self._clock = store, vault, clock
        self.catalog, self.licenses = catalog, licenses

    async def admit(self, account: str, driver: str) -> Admission:
        """The proof that the account may use the driver now.

        Raises:
            NotFound: there is no such account.
            DriverNotFound, DriverIncompatible, LicenseMissing, LicenseInvalid, LicenseRevoked, LicenseExpired,
            DriverNotInstalled: the first thing in the way.
        """
        verdict = await self._store.read(lambda tx: self.judge(tx, account, driver))
        license_ = verdict.license()
        if verdict.mark_is_old:
            await self._store.write(lambda tx: self.licenses.note_time(tx, self._clock.now()))
        if verdict.installation is None or verdict.found is None:
            raise _not_installed(account, driver)
        return _admit(verdict.account, verdict.found, license_)

    async def closed(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Why (account, driver) may not be used now, '' where it may; many in one question."""
        wanted, found = list(dict.fromkeys(pairs)), dict[tuple[str, str], str]()
        for at in range(0, len(wanted), PORTION):
            some = wanted[at : at + PORTION]
            catalog = self.catalog.listing()

            def judged(
                tx: Tx, some: Sequence[tuple[str, str]] = some, catalog: Mapping[str, Found] = catalog
            ) -> dict[tuple[str, str], str]:
                return {pair: self._closed(tx, *pair, catalog) for pair in some}

            found |= await self._store.read(judged)
        return found

    def _closed(self, tx: Tx, account: str, driver: str, catalog: Mapping[str, Found]) -> str:
        try:
            verdict = self.judge(tx, account, driver, catalog)
        except errors.NotFound as gone:
            return str(gone)
        refusal = verdict.refusal
        if refusal is None and (verdict.installation is None or verdict.found is None):
            refusal = _not_installed(account, driver)
        return str(refusal or "")

    async def listing(self, account: str) -> list[DriverListing]:
        """Every driver that is found here, or that the account has a license or an installation of, by name.

        Raises:
            NotFound: there is no such account.
        """
        return await self._store.read(lambda tx: self._listing(tx, account))

    async def application(self, admission: Admission, form: type[A]) -> A | None:
        """The vendor's application, unsealed into the driver's own form; None when none was added.

        Raises:
            VaultSealed: it does not open.
            ApplicationMissing: what was added does not fit the form.
            ContractBroken: the form itself raises.
        """
        name = admission.license.application
        if not name:
            return None

        def work(tx: Tx) -> dict[str, object] | None:
            kept = rows.Applications(tx, admission.buyer, self._vault)
            found = kept.get(name)
            return None if found is None or found.driver != admission.driver else kept.values(name)

        values = await self._store.read(work)
        return None if values is None else applications.fill(form, values, name, admission.driver)

    # --- within a transaction
    def judge(self, tx: Tx, account: str, driver: str, catalog: Mapping[str, Found] | None = None) -> Verdict:
        """What stands between the account and the driver. `catalog`: as just listed, for many questions.

        Raises:
            NotFound: there is no such account.
        """
        owner = accounts.get(tx, account)
        catalog = self.catalog.listing() if catalog is None else catalog
        facts, now = rows.facts(tx), self._clock.now()
        held = self.licenses.judge(tx, owner.buyer, now, facts, driver)
        verdict = _verdict(owner, driver, catalog, held, rows.Installations(tx, account).get(driver))
        return attrs.evolve(verdict, mark_is_old=self.licenses.mark_is_old(facts, now))

    def _listing(self, tx: Tx, account: str) -> list[DriverListing]:
        owner, catalog, now = accounts.get(tx, account), self.catalog.listing(), self._clock.now()
        held: dict[str, list[Held]] = {}
        for one in self.licenses.judge(tx, owner.buyer, now, rows.facts(tx)):
            held.setdefault(one.driver, []).append(one)
        on = {one.driver: one for one in rows.Installations(tx, account).every()}
        return [
            _line(_verdict(owner, name, catalog, held.get(name, []), on.get(name)))
            for name in sorted({*catalog, *held, *on})
        ]


def _verdict(
    owner: Account, driver: str, catalog: Mapping[str, Found], held: Sequence[Held], on: Installation | None
) -> Verdict:
    found = catalog.get(driver)
    best = min((_for_distribution(one, found) for one in held), key=lambda one: one.rank, default=None)
    refusal: errors.NotAdmitted | None = None
    if found is None:
        there = ", ".join(catalog) or "none"
        refusal = errors.DriverNotFound(
            f"No installed distribution declares driver {driver!r}: install it. Found: {there}."
        )
    elif not found.compatible:
        refusal = errors.DriverIncompatible(found.reason)
    elif best is None:
        refusal = errors.LicenseMissing(
            f"Account {owner.buyer!r} holds no license for driver {driver!r}: add one to it."
        )
    elif not best.state.counts:
        refusal = best.refusal()
    return Verdict(account=owner, driver=driver, found=found, held=best, installation=on, refusal=refusal)


def _for_distribution(held: Held, found: Found | None) -> Held:
    """A stranger cannot wear a paid driver's name: the license names the distribution too."""
    if found is None or not found.compatible or held.license is None or not held.state.counts:
        return held
    if canonical(held.license.distribution) == found.distribution:
        return held
    reason = (
        f"License {held.id} is for distribution {held.license.distribution}, but driver {found.name} comes from "
        f"{found.distribution}: install the licensed one."
    )
    return attrs.evolve(held, state=State.INVALID, reason=reason)


def _not_installed(account: str, driver: str) -> errors.DriverNotInstalled:
    return errors.DriverNotInstalled(f"Driver {driver!r} is not installed in account {account!r}: install it there.")


def _line(verdict: Verdict) -> DriverListing:
    found, held = verdict.found, verdict.held
    refusal = verdict.refusal
    if refusal is None and verdict.installation is None:
        refusal = _not_installed(verdict.account.id, verdict.driver)
    claimed = held.license.distribution if held is not None and held.license is not None else ""
    return DriverListing(
        name=verdict.driver,
        title=found.title if found else verdict.driver,
        version=found.version if found else "",
        distribution=found.distribution if found else claimed,
        compatible=found is not None and found.compatible,
        licensed=held is not None and held.state.counts,
        installed=verdict.installation is not None,
        available=refusal is None,
        reason=str(refusal or ""),
        notice=held.reason if held is not None and held.state is State.GRACE and refusal is None else "",
    )
