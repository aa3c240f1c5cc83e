"""Applications: what a vendor registered with a marketplace. A license's text is readable by anyone, so they are apart.

The license names the document (`application`); the document is JSON, versioned and replaceable:
`{"name": "acme-shopify", "driver": "shopify", "version": 1, "values": {"client_id": "...", "client_secret": "..."}}`.
Which of the values are secret is known to the driver's `application_schema` alone, and a driver that nobody admitted
must not be imported to ask it: all values are sealed, as one text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import pydantic

from omnichannel_core import errors
from omnichannel_core.storage import audits
from omnichannel_core.storage.licenses import Applications, KeptApplication
from omnichannel_core.storage.store import Tx

if TYPE_CHECKING:
    from omnichannel_core.driver.forms import Application

A = TypeVar("A", bound="Application")
_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the vendor hands over. `version` rises with every replacement."""

    name: _Word
    driver: _Word
    version: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    values: dict[str, Any]

    def __repr__(self) -> str:
        return f"Document(name={self.name!r}, driver={self.driver!r}, version={self.version})"


def parse(document: str | bytes | Mapping[str, Any]) -> Document:
    """A document's text, or the same already read.

    Raises:
        UsageError: not of that form; the message has none of its values.
    """
    try:
        text = json.dumps(dict(document)) if isinstance(document, Mapping) else document
        return msgspec.json.decode(text, type=Document)
    except (msgspec.DecodeError, UnicodeError, TypeError, ValueError) as cause:
        trouble = str(cause) if isinstance(cause, msgspec.ValidationError) else "not JSON"
    raise errors.UsageError(
        f"The application document is not usable ({trouble}): it has name, driver, version (from 1) and values."
    )


def add(
    tx: Tx, kept: Applications, buyer: str, document: Document, named: set[tuple[str, str]], now: datetime
) -> KeptApplication:
    """Seal it; the very same document again is once.

    Raises:
        UsageError: no license names it for that driver.
        Conflict: that version, or a newer one, is there already.
    """
    name = document.name
    if (name, document.driver) not in named:
        raise errors.UsageError(
            f"No license of account {buyer!r} names application {name!r} for driver {document.driver!r}: "
            "add the license first."
        )
    old = kept.get(name)
    if old is not None and old.driver != document.driver:
        raise errors.Conflict(
            f"Application {name!r} belongs to driver {old.driver!r}; give the other one another name."
        )
    if old is not None and document.version == old.version and kept.values(name) == document.values:
        return old
    if old is not None and document.version <= old.version:
        raise errors.Conflict(
            f"Application {name!r} is there in version {old.version}; version {document.version} does not replace it."
        )
    kept.put(name, document.driver, document.version, document.values, now)
    audits.note(tx, buyer, now, "application added", name, detail={"version": document.version})
    return KeptApplication(account=buyer, name=name, driver=document.driver, version=document.version, added_at=now)


def fill(form: type[A], values: dict[str, Any], name: str, driver: str) -> A:
    """The driver's own form, from the unsealed values.

    Raises:
        ApplicationMissing: the values do not fit the form; names the fields, never a value.
        ContractBroken: the form itself raises.
    """
    # What a driver or pydantic raises may hold values: it is not chained.
    try:
        return form.model_validate(form.upgrade(values))
    except pydantic.ValidationError as cause:
        wrong = sorted({".".join(map(str, one["loc"])) + f" ({one['type']})" for one in cause.errors()})
    except Exception as cause:  # noqa: BLE001 - a driver's code
        raised, wrong = type(cause).__name__, None
    if wrong is None:
        raise errors.ContractBroken(f"Driver {driver} cannot read its application: {raised} in {form.__name__}.")
    raise errors.ApplicationMissing(
        f"Application {name!r} does not fit driver {driver}: {', '.join(wrong)}. Add a newer version of the document."
    )
