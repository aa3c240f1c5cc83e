"""Which drivers are there: read from distribution metadata only, no code of a driver is imported.

A driver's distribution says, in its `pyproject.toml`:

- `[project.entry-points."omnichannel_core.drivers"]` `shopify = "omnichannel_shopify.driver"`: name and module;
- `description`: the driver's title;
- a dependency on `omnichannel-core` that admits the running version;
- the hook API it was written for, as a keyword: `keywords = ["omnichannel-hook-api-2"]`; without one it is 1. Keywords
  are plain core metadata that every build backend writes. The house fits its own `HOOK_API` and the one before.

Whatever is wrong with one distribution is the reason on its own line and never an exception.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import attrs

from omnichannel_core.driver.hookspecs import HOOK_API

if TYPE_CHECKING:
    from packaging.requirements import Requirement

GROUP = "omnichannel_core.drivers"
CORE = "omnichannel-core"
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_MAX = 64
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_HOOK_API = re.compile(r"(?<![\w-])omnichannel-hook-api-(\d{1,4})(?![\w-])")
_SETTLED_NS = 5_000_000_000

Find = Callable[[], Iterable[metadata.Distribution]]
_Infos: TypeAlias = tuple[tuple[str, int], ...]


@attrs.frozen(kw_only=True)
class Found:
    """One driver as its distribution describes it.

    Attributes:
        name: the entry point's; the driver's name, said nowhere else.
        title: the distribution's summary.
        distribution: its normalized name; several, joined by ", ", when they claim the same driver.
        module: what the loader imports once the gate let somebody in.
        reason: why it is not compatible; '' when it is.
    """

    name: str
    title: str
    version: str
    distribution: str
    module: str
    reason: str = ""

    @property
    def compatible(self) -> bool:
        """Whether it fits this version of omnichannel-core."""
        return not self.reason


class Catalog:
    """The drivers on this interpreter's path. Safe in threads; blocking: milliseconds, then a few `stat` calls.

    Args:
        find: where distributions come from, asked every time; default is `sys.path`, scanned when a folder changed.
        core: the running version of omnichannel-core; default is that of its own distribution.
    """

    def __init__(self, find: Find | None = None, core: str | None = None) -> None:
        self._find, self._core = find, core
        self._lock, self._path = threading.Lock(), _Path()
        self._key: object = None
        self._seen: Mapping[str, Found] = MappingProxyType({})

    def listing(self) -> Mapping[str, Found]:
        """Drivers by name, sorted."""
        with self._lock:
            key, settled = self._path.state() if self._find is None else (None, False)
            if key is None or key != self._key:
                self._seen = MappingProxyType(self._scan())
                self._key = key if settled else None
            return self._seen

    def get(self, name: str) -> Found | None:
        """The driver of that name."""
        return self.listing().get(name)

    def refresh(self) -> None:
        """Look again at the next `listing`: metadata was edited in place."""
        with self._lock:
            self._key = None
            importlib.invalidate_caches()

    def _scan(self) -> dict[str, Found]:
        core = self._core or _version_of_core()
        claims: dict[str, list[Found]] = defaultdict(list)
        for distribution in (self._find or metadata.distributions)():
            for found in _read(distribution, core):
                claims[found.name].append(found)
        return {name: _one_of(claims[name]) for name in sorted(claims)}


class _Path:
    """What of `sys.path` changes when a distribution comes or goes: the metadata folders, and when they changed.

    Folders that change all the time (a working directory beside its database) are looked through again, not their
    distributions. Installers write a folder's files after the folder, and file times have ticks: nothing is taken for
    known before it is a few seconds old.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, _Infos]] = {}

    def state(self) -> tuple[object, bool]:
        """A key that changes, and whether all of it is old enough to be relied on."""
        now, all_of_it = time.time_ns(), [(entry, self._infos(entry or ".")) for entry in sys.path]
        fresh = any(_fresh(at, now) for _, infos in all_of_it for _, at in infos)
        return tuple(all_of_it), not fresh

    def _infos(self, entry: str) -> _Infos:
        try:
            changed = os.stat(entry).st_mtime_ns  # noqa: PTH116 - asked at every admission
        except OSError:
            return ()
        known = self._known.get(entry)
        if known is not None and known[0] == changed and not _fresh(changed, time.time_ns()):
            return known[1]
        try:
            with os.scandir(entry) as files:
                infos = tuple(sorted((file.name, file.stat().st_mtime_ns) for file in files if _is_info(file.name)))
        except OSError:
            infos = (("", changed),)  # a zip, or a folder that is just going
        self._known[entry] = (changed, infos)
        return infos


def _is_info(name: str) -> bool:
    return name.endswith((".dist-info", ".egg-info"))


def _fresh(at: int, now: int) -> bool:
    return abs(now - at) <= _SETTLED_NS


def _version_of_core() -> str:
    try:
        return metadata.version(CORE)
    except metadata.PackageNotFoundError:
        return ""


def _read(distribution: metadata.Distribution, core: str) -> Sequence[Found]:
    """The drivers of one distribution; whatever its files do, this answers."""
    try:
        text = distribution.read_text("entry_points.txt")
    except Exception:  # noqa: BLE001 - any finder's any error: without entry points there is no driver
        return ()
    if not text or GROUP not in text:
        return ()
    try:
        about = distribution.metadata
        name, version = canonical(str(about["Name"])), str(about["Version"])
        title = " ".join(_member(about, "Summary").split()) or name
        points = [(point.name, point.value) for point in distribution.entry_points if point.group == GROUP]
        misfit = _misfit(distribution, _member(about, "Keywords"), name, core)
    except Exception as cause:  # noqa: BLE001 - damaged metadata is a reason, not an exception
        return (_unreadable(distribution, type(cause).__name__),)
    return [
        Found(
            name=point, title=title, version=version, distribution=name, module=module,
            reason=_broken(name, point, module) or misfit,
        )
        for point, module in points
    ]  # fmt: skip


def _member(about: metadata.PackageMetadata, name: str) -> str:
    return str(about[name]) if name in about else ""


def _unreadable(distribution: metadata.Distribution, trouble: str) -> Found:
    try:
        name = canonical(str(distribution.metadata["Name"]))
    except Exception:  # noqa: BLE001 - see above
        name = canonical("unreadable-distribution")
    reason = f"The metadata of distribution {name} is damaged ({trouble}): install it again."
    return Found(name=name, title=name, version="", distribution=name, module="", reason=reason)


def _broken(distribution: str, name: str, module: str) -> str:
    if not KEBAB.fullmatch(name) or len(name) > NAME_MAX:
        return f"Distribution {distribution} names a driver {name!r}: names are lower case words joined by hyphens."
    if not _MODULE.fullmatch(module):
        return f"Distribution {distribution} points driver {name} at {module!r}, which is not a module: upgrade it."
    return ""


def _misfit(distribution: metadata.Distribution, keywords: str, name: str, core: str) -> str:
    """Why it does not fit the running core, '' when it does."""
    if not core:
        return f"{CORE} is not installed as a distribution, so nothing can be compared with it: install it."
    stated = {int(number) for number in _HOOK_API.findall(keywords)} or {1}
    if not stated & {HOOK_API, max(1, HOOK_API - 1)}:
        spoken = ", ".join(map(str, sorted(stated)))
        older = CORE if min(stated) > HOOK_API else name
        return f"{name} is written for hook API {spoken}, this {CORE} speaks {HOOK_API}: upgrade {older}."
    wanted = [want for want in map(_requirement, distribution.requires or ()) if want is not None]
    if not wanted:
        return f"{name} does not say which {CORE} it needs: it lacks a dependency on {CORE}."
    for want in wanted:
        if not want.specifier.contains(core, prereleases=True):
            return f"{name} needs {CORE} {want.specifier}, this is {core}: install versions that fit."
    return ""


def canonical(distribution: str) -> str:
    """A distribution's name in its one spelling (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _requirement(text: str) -> Requirement | None:
    """A requirement on core that counts here; None for all others."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        want = Requirement(text)
    except InvalidRequirement:
        if canonical(re.split(r"[^\w.-]", text.strip(), maxsplit=1)[0]) == CORE:
            raise
        return None
    if canonical(want.name) != CORE or (want.marker and not want.marker.evaluate({"extra": ""})):
        return None
    return want


def _one_of(claims: Sequence[Found]) -> Found:
    """The driver that a name stands for. The same thing twice on the path (editable installs) is one."""
    distinct = list(dict.fromkeys(claims))
    if len(distinct) == 1:
        return distinct[0]
    first, owners = distinct[0], sorted({found.distribution for found in distinct})
    if len(owners) > 1:
        reason = f"Distributions {' and '.join(owners)} both claim driver {first.name}: uninstall all but one."
        return attrs.evolve(
            first, title=first.name, version="", distribution=", ".join(owners), module="", reason=reason
        )
    versions = sorted({found.version for found in distinct})
    if len(versions) > 1:
        reason = f"{first.distribution} is on the path in versions {' and '.join(versions)}: uninstall all but one."
    else:
        reason = f"{first.distribution} names driver {first.name} twice: upgrade it."
    return attrs.evolve(first, module="", reason=reason)
