"""The JSON schemas of what tills exchange with a store, made from the very shapes that are read and written.

Shipped as files beside this module, in the folder `json`: receipt.json, outgoing.json, acknowledgement.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import msgspec

from omnichannel_pos.answers import Acknowledgement
from omnichannel_pos.ledger import Header
from omnichannel_pos.live import Live
from omnichannel_pos.sync.outgoing import CatalogRow, PriceRow, StockRow

_TITLES: Mapping[str, str] = {
    "receipt": "A receipt pushed before its closing",
    "outgoing": "A file that goes out to the tills",
    "acknowledgement": "A till's answer to a file, or its request for files",
}


def made() -> dict[str, dict[str, Any]]:
    """Schemas by name."""
    return {
        "receipt": _schema("receipt", Live),
        "outgoing": _outgoing(),
        "acknowledgement": _schema("acknowledgement", Acknowledgement),
    }


def shipped(name: str) -> dict[str, Any]:
    """A schema as it lies in the distribution.

    Raises:
        FileNotFoundError: there is none of that name.
    """
    found: dict[str, Any] = json.loads((resources.files("omnichannel_pos") / "json" / f"{name}.json").read_bytes())
    return found


def _schema(name: str, shape: Any) -> dict[str, Any]:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": _TITLES[name]}
    return {**head, **_numbers_too(msgspec.json.schema(shape))}


def _numbers_too(schema: Any) -> Any:
    """Amounts are read as text and as numbers."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {**schema, "type": ["string", "number"]}
        return {name: _numbers_too(one) for name, one in schema.items()}
    return [_numbers_too(one) for one in schema] if isinstance(schema, list) else schema


def _outgoing() -> dict[str, Any]:
    """msgspec knows no union of lists: the alternatives are put together here."""
    (header, *rows), components = msgspec.json.schema_components(
        [Header, CatalogRow, PriceRow, StockRow], ref_template="#/$defs/{name}"
    )
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": _TITLES["outgoing"]}
    return {
        **head, "type": "object", "required": ["header", "rows"],
        "properties": {"header": header, "rows": {"anyOf": [{"type": "array", "items": row} for row in rows]}},
        "$defs": components,
    }  # fmt: skip
