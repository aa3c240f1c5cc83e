"""Tools for tests, and for driver authors: the conformance kit, simulators, faults, a clock. Opened on first use."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omnichannel_core.testing.canaries import listening, secrets_in, tasks, told
    from omnichannel_core.testing.clock import FakeClock
    from omnichannel_core.testing.conformance import Capability, DriverConformance, Level, Remote, certify
    from omnichannel_core.testing.faults import Exchange, Fault, FaultProxy, proxied
    from omnichannel_core.testing.serving import Reply, Request, SimulatorBase, served
    from omnichannel_core.testing.session import LoneSession
    from omnichannel_core.testing.strategies import records_of

_WHERE = {
    "conformance": ("Capability", "DriverConformance", "Level", "Remote", "certify"),
    "clock": ("FakeClock",), "faults": ("Exchange", "Fault", "FaultProxy", "proxied"),
    "serving": ("Reply", "Request", "SimulatorBase", "served"), "session": ("LoneSession",),
    "strategies": ("records_of",), "canaries": ("listening", "secrets_in", "tasks", "told"),
}  # fmt: skip
_NAMES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "Capability", "DriverConformance", "Level", "Remote", "certify", "FakeClock", "Exchange", "Fault", "FaultProxy",
    "proxied", "Reply", "Request", "SimulatorBase", "served", "LoneSession", "listening", "secrets_in", "tasks", "told",
    "records_of",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    globals()[name] = found
    return found
