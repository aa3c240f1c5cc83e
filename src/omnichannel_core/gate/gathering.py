"""A driver's module, asked once: its answers gathered into a frozen Driver.

One small pluggy manager per driver: only that driver is imported, only it can answer, and pluggy finds misspelt hooks
and wrong arguments (guide style-anchors 3, way E).
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, NoReturn, TypeVar

import attrs
import pluggy

from omnichannel_core import errors
from omnichannel_core.driver.declaration import Driver
from omnichannel_core.driver.forms import Application, Credentials
from omnichannel_core.driver.hookspecs import PROJECT, DriverHooks, MoreHooks
from omnichannel_core.gate import declarations
from omnichannel_core.gate.catalog import Found

T = TypeVar("T")


def gather(found: Found) -> Driver:
    """Import it and ask every hook.

    Raises:
        DriverBroken: it cannot be imported, or does not declare what a driver declares.
    """
    module = _guarded(found, f"its module {found.module} cannot be imported", importlib.import_module, found.module)
    manager = _guarded(found, "its hooks cannot be read", _register, found, module)
    driver = _guarded(found, "its declarations cannot be read", _gather, found, manager.hook)
    return attrs.evolve(driver, locale=_locale(module))


def _locale(module: ModuleType) -> str:
    """The folder of the driver's catalogs, beside its module."""
    folder = Path(module.__file__).parent / "locale" if module.__file__ else None
    return str(folder) if folder is not None and folder.is_dir() else ""


def _guarded(found: Found, trouble: str, work: Callable[..., T], *arguments: Any) -> T:
    """Run a driver's code: whatever it raises, even SystemExit, is its own trouble. Ctrl-C stays the user's."""
    try:
        return work(*arguments)
    except KeyboardInterrupt:
        raise
    except declarations.Wrong as cause:
        _broken(found, str(cause), cause.__cause__)
    except BaseException as cause:  # noqa: BLE001 - see above
        kind = type(cause).__name__
        missing = f", no module {cause.name!r}" if isinstance(cause, ModuleNotFoundError) and cause.name else ""
        _broken(found, f"{trouble} ({kind}{missing})", cause)


def _broken(found: Found, what: str, cause: BaseException | None) -> NoReturn:
    raise errors.DriverBroken(
        f"Driver {found.name} ({found.distribution} {found.version}) is broken: {what}. "
        "Upgrade it, or report this to its author."
    ) from cause


def _register(found: Found, module: ModuleType) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(DriverHooks)
    manager.add_hookspecs(MoreHooks)
    known = {name for name in vars(manager.hook) if not name.startswith("_")}
    manager.register(module, name=found.name)
    for name in sorted(set(vars(manager.hook)) - known):
        if not name.startswith("_"):
            near = difflib.get_close_matches(name, known, 1)
            meant = f"; is {near[0]} meant" if near else ""
            raise declarations.Wrong(f"it implements hook {name}, which does not exist{meant}")
    manager.check_pending()
    for name in (name for name in vars(DriverHooks) if name in known):
        if not getattr(manager.hook, name).get_hookimpls():
            raise declarations.Wrong(f"it does not implement hook {name}, which every driver has")
    return manager


def _gather(found: Found, hook: Any) -> Driver:
    """Each hook is asked once."""

    def ask(name: str) -> object:
        answer = getattr(hook, name)()
        if inspect.iscoroutine(answer):
            answer.close()
            raise declarations.Wrong(f"hook {name} is async; hooks declare, so make it a plain function")
        return answer

    flow = declarations.flow_of(ask("authorization_flow"))
    pulls, pushes = declarations.streams_of(ask("sync_streams"))
    application = ask("application_schema")
    return Driver(
        name=found.name,
        title=found.title,
        version=found.version,
        distribution=found.distribution,
        credentials=declarations.form_of(ask("credential_schema"), Credentials, "credential_schema"),
        flow=flow,
        pages=MappingProxyType(declarations.pages_of(ask("settings_pages"))),
        pulls=MappingProxyType(pulls),
        pushes=MappingProxyType(pushes),
        application=None
        if application is None
        else declarations.form_of(application, Application, "application_schema"),
        api=declarations.api_of(ask("remote_api"), flow),
        callbacks=declarations.callbacks_of(ask("callbacks")),
        not_supported=MappingProxyType(declarations.not_supported_of(ask("not_supported"), [*pulls, *pushes])),
    )
