"""The only import of plugins: an admitted driver's module, imported and asked once per process."""

from __future__ import annotations

import threading

from omnichannel_core import errors
from omnichannel_core.driver.declaration import Driver
from omnichannel_core.gate.admission import Admission
from omnichannel_core.gate.catalog import Found

_LOCK = threading.RLock()
_LOADED: dict[tuple[str, str, str], Driver] = {}


def load(admission: Admission) -> Driver:
    """The admitted driver. Imported once per process, asked for with an Admission each time. Blocking, safe in threads.

    Raises:
        UsageError: not an Admission.
        DriverBroken: it cannot be imported, or does not declare what a driver declares.
    """
    if type(admission) is not Admission:
        raise errors.UsageError("A driver is loaded with the Admission of `await gate.admit(account, driver)` only.")
    found = admission.found
    key = (found.name, found.version, found.distribution)
    driver = _LOADED.get(key)
    if driver is None:
        with _LOCK:
            driver = _LOADED.get(key) or _load(found)
            _LOADED[key] = driver
    return driver


def _load(found: Found) -> Driver:
    from omnichannel_core.gate.gathering import gather  # forms cost a tenth of a second: opened with the first driver

    return gather(found)


def loaded() -> list[Driver]:
    """Every driver that this process has loaded, for whichever account."""
    return list(_LOADED.values())
