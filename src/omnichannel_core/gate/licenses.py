"""Licenses on the host's side: added, judged offline, revoked. It is a contract, not a lock.

**The clock mark.** Somebody who sets the host's clock back would bring an ended license to life. So the house keeps the
highest time its own clock ever showed (the mark; never a date that came from elsewhere). A clock more than 24 hours
behind the mark proves nothing: every license is LicenseInvalid until it is right again. A clock that once ran ahead by
mistake would lock the house out for good; the way out is a newly issued license: one issued later than every license
this store ever took, and not later than the clock (plus the tolerance). Then the vendor's signature vouches that the
clock is not behind that time, and the mark becomes what the clock shows. An old license cannot be used for that twice,
and a clock set back to before the newest license was issued refuses that license itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from omnichannel_core import errors
from omnichannel_core.driver.session import Clock
from omnichannel_core.gate import applications
from omnichannel_core.gate.proofs import PRODUCT, Trust
from omnichannel_core.gate.terms import Held, Revocations, State, day, read_license, read_revocations, worth
from omnichannel_core.model.license import License
from omnichannel_core.storage import accounts, audits
from omnichannel_core.storage import licenses as rows
from omnichannel_core.storage.licenses import MARK, NEWEST, REVOKED
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.storage.times import micros, moment
from omnichannel_core.storage.vault import Vault

TOLERANCE = timedelta(hours=24)
TEXT_MAX = 16_384
Facts = Mapping[str, str]  # of the whole store; see storage.licenses
MARK_STEP = timedelta(hours=1)


class Licenses:
    """Kept on main accounts; what a sandbox may use is its main account's. Never caps the number of connections.

    Args:
        trust: the vendor's public keys, given by the host.
        product: what licenses must be for.
    """

    def __init__(self, store: Store, vault: Vault, trust: Trust, clock: Clock, *, product: str = PRODUCT) -> None:
        self._store, self._vault, self._trust, self._clock, self._product = store, vault, trust, clock, product
        self._proved: dict[str, License | str] = {}

    # --- the host's doors
    async def add(self, account: str, text: str) -> License:
        """Verify and keep a license. The same text twice is once.

        Raises:
            UsageError: the account is a sandbox.
            NotFound: there is no such account.
            LicenseInvalid: the text proves nothing here: signature, key, product, account or clock.
            LicenseExpired, LicenseRevoked: it is of no use any more.
            Conflict: another license has its id.
        """
        return await self._store.write(lambda tx: self._add(tx, account, text.strip()))

    async def list(self, account: str) -> list[Held]:
        """The licenses that count for an account (a sandbox: its main account's), the best first within a driver.

        Raises:
            NotFound: there is no such account.
        """

        def work(tx: Tx) -> list[Held]:
            held = self.judge(tx, accounts.get(tx, account).buyer, self._clock.now(), rows.facts(tx))
            return sorted(held, key=lambda one: (one.driver, one.rank, one.id))

        return await self._store.read(work)

    async def remove(self, account: str, license_id: str) -> None:
        """Forget one, and the application document that no other license names.

        Raises:
            UsageError: the account is a sandbox.
            NotFound: there is no such account or license.
        """

        def work(tx: Tx) -> None:
            buyer = main_account(tx, account)
            rows.Licenses(tx, buyer).remove(license_id)
            named = {name for name, _ in self._named_applications(tx, buyer)}
            for kept in rows.Applications(tx, buyer, self._vault).every():
                if kept.name not in named:
                    rows.Applications(tx, buyer, self._vault).remove(kept.name)
            audits.note(tx, buyer, self._clock.now(), "license removed", license_id)

        await self._store.write(work)

    async def add_revocations(self, text: str) -> int:
        """Take a revocation list instead of the same key's one before; how many licenses it names.

        The same again is fine. Lists of several keys (of vendors, or of one that turned its keys) stand beside each
        other, and each counts as long as its key is trusted.

        Raises:
            LicenseInvalid: the text proves nothing here.
            Conflict: an older list, or another one of the same `seq`.
        """
        key_id, new = read_revocations(text.strip(), self._trust, self._product)

        def work(tx: Tx) -> int:
            lists = dict(_parsed(rows.fact(tx, REVOKED)))
            old = lists.get(key_id)
            if old is not None and (new.seq < old.seq or (new.seq == old.seq and new != old)):
                raise errors.Conflict(f"Revocation list {new.seq} is not newer than the stored one, {old.seq}.")
            rows.set_fact(tx, REVOKED, msgspec.json.encode(lists | {key_id: new}).decode())
            return len(new.revoked)

        return await self._store.write(work)

    async def add_application(self, account: str, document: str | bytes | Mapping[str, Any]) -> rows.KeptApplication:
        """Seal an application document that a license of the account names; a newer version replaces an older one.

        Args:
            document: see `applications.Document`; its text is not kept.

        Raises:
            UsageError: the account is a sandbox, the document is not of that form, or no license names it.
            NotFound: there is no such account.
            Conflict: that version, or a newer one, is there already.
        """
        parsed = applications.parse(document)

        def work(tx: Tx) -> rows.KeptApplication:
            buyer, now = main_account(tx, account), self._clock.now()
            kept = rows.Applications(tx, buyer, self._vault)
            return applications.add(tx, kept, buyer, parsed, self._named_applications(tx, buyer), now)

        return await self._store.write(work)

    async def applications(self, account: str) -> Sequence[rows.KeptApplication]:
        """What may be told of the application documents that count for an account.

        Raises:
            NotFound: there is no such account.
        """
        return await self._store.read(
            lambda tx: rows.Applications(tx, accounts.get(tx, account).buyer, self._vault).every()
        )

    async def clock_mark(self) -> datetime | None:
        """The highest time this house's clock ever showed (see above); None before it was noted."""
        noted = await self._store.read(lambda tx: rows.fact(tx, MARK))
        return moment(int(noted)) if noted else None

    # --- for the gate, within its transaction
    def judge(self, tx: Tx, buyer: str, now: datetime, facts: Facts, driver: str | None = None) -> Sequence[Held]:
        """The main account's licenses, or those for one driver, judged at `now` by the store's facts."""
        revoked, behind = self._revoked(facts), _behind(facts, now)
        return [self._judge(row, revoked, behind, now) for row in rows.Licenses(tx, buyer).every(driver)]

    def note_time(self, tx: Tx, now: datetime) -> None:
        """Raise the mark to what the house's own clock shows. A write transaction."""
        if now > _mark(rows.facts(tx)):
            rows.set_fact(tx, MARK, str(micros(now)))

    @staticmethod
    def mark_is_old(facts: Facts, now: datetime) -> bool:
        """Whether it is worth a write transaction to raise the mark."""
        return now - _mark(facts) >= MARK_STEP

    # --- inside
    def _named_applications(self, tx: Tx, buyer: str) -> set[tuple[str, str]]:
        """(application, driver) as the account's proved licenses name them, whatever their time."""
        proved = [self._prove(kept.text) for kept in rows.Licenses(tx, buyer).every()]
        return {(one.application, one.driver) for one in proved if isinstance(one, License) and one.application}

    def _add(self, tx: Tx, account: str, text: str) -> License:
        buyer, now = main_account(tx, account), self._clock.now()
        proved = self._prove(text)
        if isinstance(proved, str):
            raise errors.LicenseInvalid(proved)
        self._check_issued(tx, proved, now)
        kept = rows.KeptLicense(id=proved.id, account=buyer, driver=proved.driver, text=text, added_at=now)
        facts = rows.facts(tx)
        held = self._judge(kept, self._revoked(facts), _behind(facts, now), now)
        if not held.state.counts and held.state is not State.NOT_YET:
            raise held.refusal()
        if rows.Licenses(tx, buyer).add(proved, now):
            audits.note(tx, buyer, now, "license added", proved.id, detail={"driver": proved.driver})
        return proved

    def _check_issued(self, tx: Tx, proved: License, now: datetime) -> None:
        """See the module's text: a license from the future is refused, a newly issued one resets the mark."""
        if proved.issued_at > now + TOLERANCE:
            raise errors.LicenseInvalid(
                f"License {proved.id} was issued on {day(proved.issued_at)}, this host's clock shows {day(now)}: "
                "set the clock right."
            )
        newest = int(rows.fact(tx, NEWEST) or 0)
        if micros(proved.issued_at) > newest:
            rows.set_fact(tx, NEWEST, str(micros(proved.issued_at)))
            rows.set_fact(tx, MARK, str(micros(now)))

    def _judge(self, kept: rows.KeptLicense, revoked: frozenset[str], behind: str, now: datetime) -> Held:
        proved = self._prove(kept.text)
        if not isinstance(proved, str) and (proved.account, proved.id) != (kept.account, kept.id):
            proved = (
                f"License {kept.id} is for account {proved.account!r}, not {kept.account!r}; add it there, "
                "or ask the vendor."
            )
        if isinstance(proved, str):
            return _held(kept, State.INVALID, proved)
        if proved.id in revoked:
            return _held(
                kept,
                State.REVOKED,
                f"License {proved.id} for driver {proved.driver} was revoked by its vendor.",
                proved,
            )
        if behind:
            return _held(kept, State.INVALID, behind, proved)
        state, reason = worth(proved, now)
        return _held(kept, state, reason, proved)

    def _revoked(self, facts: Facts) -> frozenset[str]:
        """Ids of the licenses on the lists of trusted keys."""
        lists = _parsed(facts.get(REVOKED, ""))
        return frozenset().union(*(one.revoked for key, one in lists.items() if key in self._trust.keys))

    def _prove(self, text: str) -> License | str:
        """The license a text proves, or why it proves none. Signatures are checked once per text."""
        if len(text) > TEXT_MAX:
            return "The license is far too long; copy it again, in one piece."
        found = self._proved.get(text)
        if found is None:
            try:
                found = read_license(text, self._trust, self._product)
            except errors.LicenseInvalid as cause:
                found = str(cause)
            if len(self._proved) >= 10_000:
                self._proved.clear()
            self._proved[text] = found
        return found


def main_account(tx: Tx, account: str) -> str:
    """The id again, when it is a main account's.

    Raises:
        UsageError: it is a sandbox's.
        NotFound: there is no such account.
    """
    found = accounts.get(tx, account)
    if found.is_sandbox:
        raise errors.UsageError(
            f"Account {account!r} is a sandbox; licenses stand on main accounts: use account {found.buyer!r}."
        )
    return found.id


def _behind(facts: Facts, now: datetime) -> str:
    """Why the clock proves nothing, '' when it does."""
    mark = _mark(facts)
    if now >= mark - TOLERANCE:
        return ""
    return (
        f"This host's clock shows {day(now)}, but has shown {day(mark)} before, so no license can be judged: "
        "set the clock right, or add a newly issued license."
    )


def _mark(facts: Facts) -> datetime:
    return moment(int(facts.get(MARK) or 0))


@lru_cache(maxsize=4)
def _parsed(stored: str) -> Mapping[str, Revocations]:
    """Revocation lists by the id of the key that signed them."""
    return msgspec.json.decode(stored, type=dict[str, Revocations]) if stored else {}


def _held(kept: rows.KeptLicense, state: State, reason: str, proved: License | None = None) -> Held:
    return Held(
        id=kept.id, account=kept.account, driver=kept.driver, state=state, reason=reason, added_at=kept.added_at,
        license=proved,
    )  # fmt: skip
