"""Where a form takes its options from, and the options themselves: pulled lists, lists the host keeps."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

import anyio
import anyio.to_thread
import attrs
import pydantic

from omnichannel_core import driver
from omnichannel_core.connections.parts import HostList
from omnichannel_core.connections.typed import element_of, kinds, ui_of
from omnichannel_core.records import Choice

HOST = "host."
_log = logging.getLogger(__name__)


def option_places(form: type[pydantic.BaseModel], path: str = "") -> dict[str, str]:
    """Dotted place -> its list: `field` for a value, a set's values or a mapping's keys, `field.*` for elements."""
    found: dict[str, str] = {}
    for name, field in form.model_fields.items():
        place = f"{path}{name}"
        if ui_of(field).options:
            found[place] = ui_of(field).options
        found |= _inside(field.annotation, place)
    return found


def _inside(annotation: Any, place: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind in kinds(annotation):
        if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
            found |= option_places(kind, f"{place}.")
    for container in (Mapping, Sequence):
        inner = element_of(annotation, container)
        if inner is Any or inner is str:
            continue
        if get_origin(inner) is Annotated:
            uis = [one for one in get_args(inner)[1:] if isinstance(one, driver.Ui) and one.options]
            found |= {f"{place}.*": one.options for one in uis}
        found |= _inside(inner, f"{place}.*")
    return found


def held(value: Any, place: str) -> Iterator[str]:
    """The values that a form holds at a place."""
    here, _, rest = place.partition(".")
    if here == "*":
        for one in value.values() if isinstance(value, Mapping) else value or ():
            yield from held(one, rest) if rest else _each(one)
    elif isinstance(value, pydantic.BaseModel) and here in type(value).model_fields:
        inner = getattr(value, here)
        yield from held(inner, rest) if rest else _each(inner)


def _each(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping | set | frozenset | list | tuple):
        for one in value:
            yield str(one)
    elif value not in (None, ""):
        yield str(value)


def options(form: pydantic.BaseModel, lists: Mapping[str, Mapping[str, Choice]]) -> dict[str, list[dict[str, Any]]]:
    """Options by place. A stored value that is not in its list stays, and is marked `missing`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for place, name in option_places(type(form)).items():
        known = lists.get(name, {})
        gone = dict.fromkeys(one for one in held(form, place) if one not in known)
        found[place] = [_option(value, choice) for value, choice in known.items()]
        found[place] += [{"value": one, "label": one, "missing": True} for one in sorted(gone, key=_place)]
    return found


def _place(value: str) -> tuple[bool, int, str]:
    """Numbers as numbers and before words."""
    number = value.isascii() and value.isdecimal()
    return not number, int(value) if number else 0, value


def _option(value: str, choice: Choice) -> dict[str, Any]:
    told: dict[str, Any] = {"value": value, "label": choice.label or value}
    if choice.parent:
        told["parent"] = choice.parent
    return told | ({"extra": dict(choice.extra)} if choice.extra else {})


@attrs.define
class HostLists:
    """The host's own lists; where one cannot be had now, what it last said is used."""

    lists: Mapping[str, HostList]
    _last: dict[tuple[str, str], dict[str, Choice]] = attrs.field(factory=dict)
    _limiter: anyio.CapacityLimiter | None = None

    async def get(self, account: str, names: Collection[str]) -> dict[str, dict[str, Choice]]:
        """Those of these names ("host.warehouses") that the host keeps, asked off the loop."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(2)
        found = {}
        for name in names:
            keeper = self.lists.get(name.removeprefix(HOST))
            if keeper is not None:
                found[name] = await anyio.to_thread.run_sync(self._ask, account, name, keeper, limiter=self._limiter)
        return found

    def _ask(self, account: str, name: str, keeper: HostList) -> dict[str, Choice]:
        try:
            said = {str(value): Choice(value=str(value), label=str(label)) for value, label in keeper(account).items()}
        except Exception:  # noqa: BLE001 - a host's fault must not close the page
            _log.exception("the host's list %s failed; its last answer is used", name)
            return self._last.get((account, name), {})
        self._last[account, name] = said
        return said
