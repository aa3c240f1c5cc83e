"""Settings pages as they are told, and as they are to be changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from omnichannel_core.driver import Settings


Origin = Literal["own", "default", "driver"]
Moved: TypeAlias = "Mapping[str, tuple[Settings, Settings]]"  # page -> its form before and after


@attrs.frozen(kw_only=True)
class Effective:
    """A page in force. `origin` says of each field whose value it is; `version` counts savings, 0 is never."""

    form: Settings
    origin: Mapping[str, Origin]
    inherits: bool
    version: int


@attrs.frozen(kw_only=True)
class Change:
    """What is to become of a page.

    Attributes:
        typed: fields over what is set already; with them, the page has its own values.
        unset: fields that go back to the driver's default.
        inherits: *Apply from default* on (own values go) or off; None leaves it as `typed` wants it.
        version: as it was when the page was opened; None is not compared.
    """

    typed: Mapping[str, Any] | None = None
    unset: Collection[str] = ()
    inherits: bool | None = None
    version: int | None = None


@attrs.frozen
class Plan:
    """Changes by page, understood but not stored."""

    pages: Mapping[str, Change]


@attrs.frozen(kw_only=True)
class PageTitle:
    """A menu entry; `can_inherit`: has *Apply from default*, which is on when `inherits`."""

    name: str
    title: str
    can_inherit: bool
    inherits: bool


@attrs.frozen(kw_only=True)
class PagesAnswer:
    """The menu; `notice` stands where it would be empty."""

    pages: tuple[PageTitle, ...]
    notice: str


@attrs.frozen(kw_only=True)
class PageAnswer:
    """A page for eyes: JSON Schema, values without secrets, and where each comes from.

    Attributes:
        options: by dotted place (see `choices.option_places`): value, label, and `missing` when it is stored only.
        trouble: fields stored by an older version of the driver that this one does not take; their defaults are shown.
    """

    name: str
    title: str
    schema: Mapping[str, Any]
    values: Mapping[str, Any]
    origin: Mapping[str, Origin]
    can_inherit: bool
    inherits: bool
    version: int
    options: Mapping[str, Any]
    trouble: Mapping[str, str]


@attrs.frozen
class DefaultsSaved:
    """What changed in the account's defaults, and the connections that apply them."""

    pages: Moved
    heirs: Mapping[str, tuple[int, ...]]
