"""What `omnichannel doctor` makes of what it sees: each line is ok, warn or fail, with what to do now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import attrs

from omnichannel_core.gate.licenses import TOLERANCE
from omnichannel_core.gate.terms import Held, day
from omnichannel_core.storage.condition import Condition, Server

SOON = timedelta(days=30)
LONG, STUCK = timedelta(minutes=5), timedelta(hours=1)
DRIFT = timedelta(seconds=2)  # of a server's clock: leases there are eight seconds
GB = 1_000_000_000
POSTGRESQL = 15
ROOM = 26  # sessions: of two workers
OWN_TIMEOUT = "5s"  # what the house sets in each of its sessions


@attrs.frozen
class Finding:
    """One line. `now`: what to do, '' when it is ok."""

    what: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    now: str = ""


def tables(found: str, newest: str, *, server: bool) -> Finding:
    """The version of the tables against this program's."""
    if found == newest:
        return Finding("tables", "ok", f"version {found}")
    if found > newest:
        detail = f"version {found} is newer than this program's {newest}"
        return Finding("tables", "fail", detail, "Upgrade omnichannel-core here.")
    detail = f"version {found}, this program's is {newest}" if found else "none of ours yet"
    if server:
        return Finding("tables", "fail", detail, "Run `omnichannel migrate`.")
    return Finding("tables", "warn", detail, "Back it up; the next command that opens the store migrates it.")


def key(file: Path | None, own: Path | None, folders: Sequence[Path]) -> Finding:
    """Where the vault's key lies: `file` that was named, else `own` beside the store, else the environment."""
    named = file or (own if own is not None and own.exists() else None)
    if named is None:
        return Finding("key", "ok", "from the environment, OMNICHANNEL_KEYS")
    if any(named.resolve().is_relative_to(folder.resolve()) for folder in folders):
        move = "Move it elsewhere, name it by --key-file, and keep the copy apart from the store's backup."
        return Finding("key", "warn", f"{named} lies with the store: one backup holds both", move)
    return Finding("key", "ok", f"{named}, apart from the store")


def clock(mark: datetime | None, now: datetime) -> Finding:
    """The house's clock against the highest time it ever showed."""
    shown = f"{day(now)}, highest mark {day(mark) if mark else 'none'}"
    if mark is None or now >= mark - timedelta(minutes=5):
        return Finding("clock", "ok", shown)
    if now >= mark - TOLERANCE:
        return Finding("clock", "warn", f"{shown}: it was set back", "Set the clock right (NTP).")
    todo = "Set the clock right, or add a newly issued license: until then no license counts."
    return Finding("clock", "fail", f"{shown}: it was set back too far", todo)


def licenses(account: str, held: Sequence[Held], used: frozenset[str], now: datetime) -> Iterator[Finding]:
    """The best license for each driver of a main account; `used`: drivers that it or its sandboxes installed."""
    best: dict[str, Held] = {}
    for one in sorted(held, key=lambda one: one.rank):
        best.setdefault(one.driver, one)
    for driver, one in sorted(best.items()):
        what = f"license {driver} for {account}"
        ends = one.license.expires_at if one.license is not None else None
        if not one.state.counts:
            bad = driver in used and one.state.value != "not yet"
            yield Finding(what, "fail" if bad else "warn", one.reason, "Ask the vendor for a new one; `licenses add`.")
        elif one.reason or (ends is not None and ends - now < SOON):
            yield Finding(what, "warn", one.reason or f"ends on {day(ends or now)}", "Renew it: `licenses add`.")
        else:
            yield Finding(what, "ok", f"until {day(ends)}" if ends is not None else "valid")


def disk(folder: Path, free: int, total: int) -> Finding:
    """Bytes that are free where the store or its files are."""
    detail = f"{free / GB:.1f} of {total / GB:.1f} GB free in {folder}"
    if free < GB / 10:
        return Finding("disk", "fail", detail, "Make room now: writes are about to fail.")
    if free < GB or free < total / 20:
        return Finding("disk", "warn", detail, "Make room.")
    return Finding("disk", "ok", detail)


def condition(seen: Condition, now: datetime, *, server: bool) -> Iterator[Finding]:
    """Workers, what waits, what failed, and connections by health."""
    yield from _waiting(seen, now, server=server)
    yield _failed(seen)
    yield _connections(seen.connections)
    if seen.server is not None:
        yield from _server(seen.server)


def _waiting(seen: Condition, now: datetime, *, server: bool) -> Iterator[Finding]:
    waits = now - seen.due_since if seen.due_since is not None else timedelta()
    told = f"{seen.others} {'workers alive' if server else 'other programs have the store open'}"
    idle = not seen.others and waits > timedelta(minutes=1)
    start = "Nobody works: start the host, or `omnichannel worker`."
    yield Finding("workers", "warn" if idle else "ok", told, start if idle else "")
    oldest = f"{seen.due} due, the oldest for {_span(waits)}" if seen.due else "nothing is due"
    if waits <= LONG:
        yield Finding("waiting", "ok", oldest)
    else:
        more = "Look at the workers' log; more slots or workers when it only grows." if seen.others else start
        yield Finding("waiting", "fail" if waits > STUCK else "warn", oldest, more)


def _failed(seen: Condition) -> Finding:
    counts = {
        "records not taken in": seen.bad, "pushes rejected": seen.rejected, "pushes unknown": seen.unknown,
    }  # fmt: skip
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    if seen.settling:
        told += f", {seen.settling} being settled"
    if any(counts.values()):
        return Finding("failures", "warn", told, "`omnichannel hub errors`; then `hub retry` or `hub dismiss`.")
    return Finding("failures", "ok", told)


def _connections(found: Mapping[tuple[str, str], int]) -> Finding:
    told = ", ".join(f"{count} {status} {health}" for (status, health), count in sorted(found.items())) or "none"
    suspended = sum(count for (_, health), count in found.items() if health == "suspended")
    attention = sum(count for (status, health), count in found.items() if (status, health) == ("active", "attention"))
    if suspended:
        return Finding("connections", "warn", told, "Suspended: their license or distribution is missing; see above.")
    if attention:
        return Finding("connections", "warn", told, "Their owners have to act: `omnichannel connections list`.")
    return Finding("connections", "ok", told)


def _server(seen: Server) -> Iterator[Finding]:
    version = seen.settings["server_version"]
    old = int(version.split(".")[0].split()[0]) < POSTGRESQL
    yield Finding(
        "postgresql", "fail" if old else "ok", version, f"PostgreSQL {POSTGRESQL} or newer is needed." if old else ""
    )
    hurts = list(_hurting(seen))
    yield from hurts or [Finding("server settings", "ok", "none that hurts")]
    room = int(seen.settings["max_connections"])
    full = room - seen.sessions < ROOM
    todo = "Raise max_connections: 13 for each worker or host, and 10 for people."
    yield Finding(
        "server sessions", "warn" if full else "ok", f"{seen.sessions} of {room} in use", todo if full else ""
    )
    off = abs(seen.ahead) > DRIFT
    todo = "Set both clocks right (NTP): leases of eight seconds are compared by them." if off else ""
    yield Finding("server clock", "warn" if off else "ok", f"{seen.ahead.total_seconds():+.1f} s from this one", todo)


def _hurting(seen: Server) -> Iterator[Finding]:
    said = seen.settings
    wrong = "server settings"
    if seen.standby or said["default_transaction_read_only"] == "on":
        yield Finding(wrong, "fail", "it only reads (a standby?)", "Give the URL of the primary server.")
    if said["server_encoding"] != "UTF8":
        yield Finding(wrong, "fail", f"encoding {said['server_encoding']}", "Use a database with UTF8.")
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if said[name] == "off":
            todo = "Switch it on: what was told to a marketplace must survive a power loss."
            yield Finding(wrong, "warn" if name == "synchronous_commit" else "fail", f"{name} = off", todo)
    if said["autovacuum"] == "off":
        yield Finding(wrong, "warn", "autovacuum = off", "Switch it on: queues grow and slow down without it.")
    if said["statement_timeout"] not in ("0", "0ms"):
        todo = "Unset it for the house's user: a migration or a big page may take longer."
        yield Finding(wrong, "warn", f"statement_timeout = {said['statement_timeout']}", todo)
    if said["idle_in_transaction_session_timeout"] != OWN_TIMEOUT:
        todo = "Connect past the pooler, or set it to session mode: sessions lose what they begin with."
        yield Finding(wrong, "fail", "a pooler in transaction mode is between", todo)


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
