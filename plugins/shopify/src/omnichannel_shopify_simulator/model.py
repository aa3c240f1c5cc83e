"""What describes data: taxonomy, metafield and metaobject definitions, metaobjects (guide 2.12)."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator.values import gid

Row = dict[str, Any]
COLORS = ("Black", "Blue", "Green", "Sand", "White")


def _choices(n: int, name: str, values: tuple[str, ...]) -> Row:
    rows = [{"id": gid("TaxonomyValue", n * 100 + k), "name": value} for k, value in enumerate(values, 1)]
    return {"id": gid("TaxonomyChoiceListAttribute", n), "name": name, "values": rows}


COLOR = _choices(1, "Color", COLORS)
SIZE = _choices(2, "Size", ("S", "M", "L", "XL"))
MATERIAL = _choices(3, "Material", tuple(f"Material {k}" for k in range(1, 121)))
WATTS: Row = {
    "id": gid("TaxonomyMeasurementAttribute", 4), "name": "Power",
    "options": [{"key": "measurement_unit", "value": "watts"}],
}  # fmt: skip
PLAIN: Row = {"id": gid("TaxonomyAttribute", 5)}


def _category(code: str, name: str, level: int, parent: str | None, attributes: list[Row]) -> Row:
    return {
        "id": gid("TaxonomyCategory", code), "name": name.rpartition(" > ")[2], "fullName": name, "level": level,
        "isLeaf": bool(attributes), "parentId": gid("TaxonomyCategory", parent) if parent else None,
        "attributes": attributes,
    }  # fmt: skip


def taxonomy() -> dict[int, Row]:
    """Categories by the number that products hold."""
    return {
        1: _category("aa", "Apparel & Accessories", 1, None, []),
        2: _category("aa-1", "Apparel & Accessories > Shirts", 2, "aa", [COLOR, SIZE, MATERIAL]),
        3: _category("hg-1", "Home & Garden > Lamps", 2, "hg", [COLOR, WATTS, PLAIN]),
        4: _category("hg-2", "Home & Garden > Mugs", 2, "hg", [COLOR, MATERIAL]),
        5: _category("hg-3", "Home & Garden > Chairs", 2, "hg", [COLOR, MATERIAL]),
        6: _category("hg", "Home & Garden", 1, None, []),
    }


def _definition(n: int, owner: str, space: str, key: str, kind: str, **more: Any) -> Row:
    return {
        "id": gid("MetafieldDefinition", n), "namespace": space, "key": key, "ownerType": owner,
        "name": key.replace("_", " ").capitalize(), "description": more.get("description"),
        "pinnedPosition": more.get("pinned"),
        "type": {"name": kind, "category": kind.split(".")[-1].split("_")[-1].upper()},
        "validations": [{"name": k, "type": "text", "value": v} for k, v in more.get("validations", {}).items()],
        "constraints": {"key": "category", "values": [{"value": v} for v in more["categories"]]}
        if more.get("categories") else None,
    }  # fmt: skip


def definitions() -> dict[int, Row]:
    """Metafield definitions."""
    rows = [
        _definition(1, "PRODUCT", "custom", "care", "multi_line_text_field", pinned=1),
        _definition(2, "PRODUCT", "custom", "warranty", "number_integer", validations={"min": "0", "max": "120"}),
        _definition(3, "PRODUCT", "custom", "fit", "single_line_text_field",
                    validations={"choices": '["slim","regular"]'}, categories=[gid("TaxonomyCategory", "aa-1")]),
        _definition(4, "PRODUCT", "shopify", "color-pattern", "list.metaobject_reference",
                    validations={"metaobject_definition_id": gid("MetaobjectDefinition", 1)}),
        _definition(5, "PRODUCTVARIANT", "custom", "depth", "dimension"),
        _definition(6, "ORDER", "custom", "invoice", "url"),
    ]  # fmt: skip
    return dict(enumerate(rows, 1))


def metaobject_definitions() -> dict[int, Row]:
    text = {"name": "single_line_text_field", "category": "TEXT"}
    color = {"name": "color", "category": "COLOR"}
    fields = [
        {"key": "label", "name": "Label", "required": True, "type": text, "validations": []},
        {"key": "color", "name": "Color", "required": False, "type": color, "validations": []},
    ]
    row = {
        "id": gid("MetaobjectDefinition", 1), "type": "shopify--color-pattern",
        "name": "Color", "displayNameKey": "label",
        "fieldDefinitions": fields,
    }  # fmt: skip
    return {1: row}


def metaobjects() -> dict[int, Row]:
    return {
        n: {
            "id": gid("Metaobject", n), "type": "shopify--color-pattern", "handle": name.lower(), "displayName": name,
            "fields": [{"key": "label", "value": name}, {"key": "color", "value": "#000000"}],
        }
        for n, name in enumerate(COLORS, 1)
    }  # fmt: skip
