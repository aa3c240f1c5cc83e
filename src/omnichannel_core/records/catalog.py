"""The data model of a remote: attributes, attribute sets, and the lists it keeps."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from omnichannel_core.records.record import Record


class Choice(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One entry of a list; `parent` is another entry's value where the list is a tree."""

    value: str
    label: str
    parent: str = ""
    extra: Mapping[str, str] = {}


class Choices(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A list the remote keeps (statuses, sites, locations...): feeds settings pages and the driver itself."""

    label: str = ""
    items: Mapping[str, Choice] = {}


class Attribute(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A field of an offer. `type`: text, html, integer, decimal, money, boolean, date, enum, image, file, object.

    Attributes:
        level: product or variant, '' where the remote makes no difference.
        unit: as the remote says it ("kg", "Ounces"), '' for none.
        choices: allowed values of an enum; `choices_from` names a pulled list instead.
        open: values outside `choices` are accepted and created.
        max_length: in characters, None where the remote sets none.
    """

    label: str = ""
    type: str = "text"
    level: str = ""
    unit: str = ""
    required: bool = False
    writable: bool = True
    multiple: bool = False
    localized: bool = False
    max_length: int | None = None
    choices: Mapping[str, Choice] = {}
    choices_from: str = ""
    open: bool = False


class AttributeSet(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A kind of offer with its attributes, by their ids."""

    label: str = ""
    attributes: tuple[str, ...] = ()
