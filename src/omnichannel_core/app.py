"""Omnichannel: opens and closes the parts, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.to_thread

from omnichannel_core import errors
from omnichannel_core.connections import budgets, diagnosing
from omnichannel_core.connections.authorizing import Authorizing
from omnichannel_core.connections.calling import Calling
from omnichannel_core.connections.checking import Checking
from omnichannel_core.connections.clock import SystemClock
from omnichannel_core.connections.deleting import KIND as DELETE
from omnichannel_core.connections.deleting import PATIENCE, Deleting
from omnichannel_core.connections.delivering import KIND as DELIVER
from omnichannel_core.connections.delivering import Delivering
from omnichannel_core.connections.door import ConnectionsDoor
from omnichannel_core.connections.events import Events
from omnichannel_core.connections.hub import Hub
from omnichannel_core.connections.licensing import Drivers
from omnichannel_core.connections.listing import Listing
from omnichannel_core.connections.managing import Managing
from omnichannel_core.connections.parts import HostList, Parts, Sink
from omnichannel_core.connections.processing import ProcessDoor
from omnichannel_core.connections.repeating import Repeating
from omnichannel_core.connections.scheduling import Scheduling
from omnichannel_core.connections.sessions import Sessions
from omnichannel_core.connections.settings import SettingsService
from omnichannel_core.connections.stores import Stores
from omnichannel_core.connections.switching import Switching
from omnichannel_core.connections.synchronizing import KIND as SYNCHRONIZE
from omnichannel_core.connections.synchronizing import Synchronizing
from omnichannel_core.connections.tokens import Tokens
from omnichannel_core.connections.views import Views
from omnichannel_core.driver import Clock
from omnichannel_core.gate.accounts import Accounts
from omnichannel_core.gate.admission import Gate
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.gate.installations import Installations
from omnichannel_core.gate.licenses import Licenses
from omnichannel_core.gate.proofs import Trust
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.runner import Runner
from omnichannel_core.remote import redaction
from omnichannel_core.remote.addresses import Allowed
from omnichannel_core.remote.guard import AddressGuard
from omnichannel_core.remote.limits import Limiter
from omnichannel_core.storage import condition, migrations
from omnichannel_core.storage.condition import Condition
from omnichannel_core.storage.keys import KeyRing
from omnichannel_core.storage.opening import key_file, open_store
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.vault import Vault

TICK, HOUSEKEEPING = 1.0, 60.0  # seconds


class Omnichannel:
    """The house. `async with Omnichannel("shop.db") as house:` opens it; no task of it outlives the block.

    Args:
        store: path of a SQLite file, or a SQLAlchemy URL.
        data: directory for files beside the store; default: beside the SQLite file.
        keys: keys of the vault; default for a SQLite store: a key file beside it, made with a brand-new store only.
        trust: the vendor's public keys (a JWKS as text or mapping) that licenses are verified with.
        endpoints: driver -> URL where its requests go instead (simulators, proxies). Permits exactly that origin.
            A plain http one on loopback is a simulator: AUTHORIZE goes there too, to http://<real host>.localhost.
        allow: CIDR or CIDR:port that drivers may connect to past the address guard; or a mapping from account ids.
        sink: writes pulled records that are new or changed into the host's own tables, in the page's transaction.
        hosts: plugins with @hostimpl functions that want to be told events.
        host_lists: lists the host keeps for settings ("shipping_providers"): name -> account -> value -> label.
        callback_base: where marketplaces reach the host, e.g. https://host.example/omnichannel; '' is nowhere.
        clock: what time it is; a test's stands still until it is turned.
        work: run processes in this house's own task group; False: only queue (a worker runs them).
        slots: processes at once.
        lease: seconds without a sign after which a worker's processes are taken over, where its file lock cannot tell.
        delete_patience: so long a deleted connection asks what became of pushes that may have arrived.
        catalog: the drivers that are there; default: those of the installed distributions.

    Raises on entering:
        VaultSealed: no key, or another one than the store's. StoreOutdated. StorageError.
    """

    def __init__(
        self, store: str | Path, *, data: str | Path | None = None, keys: KeyRing | None = None,
        trust: str | Mapping[str, Any] | None = None, endpoints: Mapping[str, str] | None = None,
        allow: Iterable[str] | Mapping[str, Iterable[str]] = (), sink: Sink | None = None, hosts: Sequence[object] = (),
        host_lists: Mapping[str, HostList] | None = None, callback_base: str = "", clock: Clock | None = None,
        work: bool = True, slots: int = 64, lease: float = 60.0, delete_patience: timedelta = PATIENCE,
        catalog: Catalog | None = None,
    ) -> None:  # fmt: skip
        self._store = Store(str(store), Path(data) if data is not None else None)
        self._keys, self._work, self._slots, self._lease, self._patience = keys, work, slots, lease, delete_patience
        self._clock: Clock = clock or SystemClock()
        self._trust = Trust.of(trust if trust is not None else {"keys": []})
        self._catalog = catalog or Catalog()
        self._guard = _guard(allow)
        self._endpoints = dict(endpoints or {})
        self._events = Events(hosts)
        self._sink, self._host_lists, self._callback_base = sink, dict(host_lists or {}), callback_base
        self._stack: AsyncExitStack | None = None

    accounts: Accounts
    licenses: Licenses
    drivers: Drivers
    connections: ConnectionsDoor
    stores: Stores
    views: Views
    processes: ProcessDoor
    hub: Hub
    answers: Repeating

    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise errors.UsageError("This house is open already; open another one, or use this one.")
        async with AsyncExitStack() as stack:
            vault = await anyio.to_thread.run_sync(open_store, self._store, self._keys)
            stack.callback(self._store.close)
            self._budgets = budgets.shared(self._store, self._clock)
            stack.callback(self._budgets.close)
            await self._budgets.sweep(self._clock.now())
            self._build(vault)
            redaction.install()
            stack.push_async_callback(self._sessions.aclose)
            if self._work:
                group = await stack.enter_async_context(anyio.create_task_group())
                stack.callback(group.cancel_scope.cancel)
                await group.start(self._runner.serve)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        stack, self._stack = self._stack, None
        try:
            return None if stack is None else await stack.__aexit__(kind, raised, trace)
        except BaseExceptionGroup as group:
            if raised is None or group.exceptions != (raised,):
                raise
            return False  # nothing but what the block raised: it leaves as it is, with workers or without

    def _build(self, vault: Vault) -> None:
        redaction.install()
        self._gate_room(vault)
        queue = Queue(self._store, self._clock)
        self._parts = Parts(
            store=self._store, vault=vault, clock=self._clock, gate=self._gate, queue=queue, events=self._events,
            guard=self._guard, limiter=Limiter(self._clock, self._budgets), endpoints=self._endpoints,
            host_lists=self._host_lists, callback_base=self._callback_base, sink=self._sink,
        )  # fmt: skip
        self._sessions = Sessions(self._parts, Tokens(self._store, vault, self._clock))
        self._connection_room()

    def _gate_room(self, vault: Vault) -> None:
        self.accounts = Accounts(self._store, self._clock)
        self.licenses = Licenses(self._store, vault, self._trust, self._clock)
        self._gate = Gate(self._store, vault, self._catalog, self.licenses, self._clock)
        self._installations = Installations(self._store, self._clock, self._gate)

    def _connection_room(self) -> None:
        parts, sessions = self._parts, self._sessions
        settings = SettingsService(parts)
        authorizing = Authorizing(parts, sessions)
        switching = Switching(parts, sessions)
        managing = Managing(parts, sessions, settings, authorizing, switching)
        synchronizing, delivering = Synchronizing(parts, sessions), Delivering(parts, sessions)
        deleting = Deleting(parts, sessions, delivering, self._patience)
        listing = Listing(parts.store)
        self._scheduling = Scheduling(parts, sessions, authorizing, switching)
        self._runner = Runner(
            store=parts.store, clock=parts.clock, queue=parts.queue, slots=self._slots, lease=self._lease,
            handlers={SYNCHRONIZE: synchronizing.handle, DELETE: deleting.handle, DELIVER: delivering.handle},
            on_finished=self._finished,
            ticks=((TICK, self._scheduling.tick), (HOUSEKEEPING, self._scheduling.housekeeping)),
        )  # fmt: skip
        self.drivers = Drivers(self._gate, self._installations)
        calling = Calling(parts, sessions, authorizing, managing)
        self.connections = ConnectionsDoor(
            managing, authorizing, Checking(parts, sessions), synchronizing, deleting, listing, settings,
            self._scheduling, calling, switching,
        )  # fmt: skip
        self.stores = Stores(parts, sessions, managing, calling)
        self.views = Views(parts.store, parts.clock)
        self.processes = ProcessDoor(parts.queue, self._runner)
        self.hub = Hub(parts, sessions)
        self.answers = Repeating(parts)

    async def _finished(self, process: Any) -> None:
        await self._events.tell("process_finished", process=process)

    # --- the whole store
    async def migrate(self) -> str:
        """Bring the tables to this version, without opening the house; the version."""

        def work() -> str:
            self._store.open()
            try:
                migrations.migrate(self._store)
                return self._store.read_now(migrations.current) or ""
            finally:
                self._store.close()

        return await anyio.to_thread.run_sync(work)

    async def look(self) -> str:
        """Version of the store's tables, '' where there are none: without opening the house, and changing none.

        Raises:
            StorageError: the store cannot be reached.
        """

        def work() -> str:
            self._store.open()
            try:
                return self._store.read_now(migrations.current) or ""
            finally:
                self._store.close()

        return await anyio.to_thread.run_sync(work)

    async def condition(self) -> Condition:
        """How the store is, over all accounts: counts, the longest wait, a server's settings."""
        others = await anyio.to_thread.run_sync(self._store.presence.others)
        return await self._parts.store.read(lambda tx: condition.look(tx, self._clock.now, others))

    async def restored(self) -> int:
        """A backup came back: open pushes of all accounts become unknown before anything is sent; how many."""
        return await self.hub.restored()

    async def version(self) -> str:
        """Of the store's tables."""
        return await self._store.read(migrations.current) or ""

    async def diagnose(self, account: str, connection_id: int) -> dict[str, Any]:
        """A bundle about one connection that may be given away: states, ages, counts; no secret, no text of anybody.

        Raises:
            NotFound: not in this account.
        """
        return await diagnosing.diagnose(
            account, connection_id, connections=self.connections, processes=self.processes, hub=self.hub,
            drivers=self.drivers, clock=self._clock, tables=await self.version(), store=self._parts.store,
        )  # fmt: skip

    @property
    def callback_base(self) -> str:
        """Where marketplaces reach the host; '' is nowhere."""
        return self._callback_base

    @property
    def store_shown(self) -> str:
        """Where the store is, for eyes: without password and options."""
        return self._store.shown

    @property
    def own_key_file(self) -> Path | None:
        """Where an embedded store's own key lies."""
        return key_file(self._store) if self._store.is_sqlite else None

    async def watch_gate(self) -> None:
        """Look at once whether connections are to be suspended, or may go on."""
        await self._scheduling.watch_gate()

    async def rotate_vault(self) -> Mapping[str, int]:
        """Seal every secret with the primary key; how many were sealed anew, and how many there are.

        Raises:
            VaultSealed: one does not open; or there are secrets and none was found under another key.
        """
        store, vault = self._parts.store, self._parts.vault
        before = await store.read(vault.census)
        stale = sum(count for key, count in before.items() if key != vault.ring.primary)
        sealed, after = 0, None
        while True:
            count, after = await store.write(lambda tx, at=after: vault.rotate(tx, at))  # type: ignore[misc]
            sealed += count
            if after is None:
                break
        if sealed < stale:
            raise errors.VaultSealed(
                f"Of {stale} secrets under other keys only {sealed} were found: nothing else changed."
            )
        total = sum(before.values())
        return {"sealed": sealed, "current": total - stale, "secrets": total}

    async def vault_census(self) -> Mapping[str, int]:
        """How many secrets each key holds; the primary one is `primary` in `doctor`."""
        return await self._parts.store.read(self._parts.vault.census)


def _guard(allow: Iterable[str] | Mapping[str, Iterable[str]]) -> AddressGuard:
    if isinstance(allow, Mapping):
        return AddressGuard(accounts={account: [Allowed.parse(one) for one in some] for account, some in allow.items()})
    return AddressGuard([Allowed.parse(one) for one in allow])
