"""The shipped JSON schemas are the shapes that are read and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from omnichannel_pos import ledger, schemas
from omnichannel_pos.schemas import made, shipped
from omnichannel_pos_simulator.live import pushed
from omnichannel_pos_simulator.till import Till


@pytest.mark.parametrize("name", ["receipt", "outgoing", "acknowledgement"])
def test_shipped(name: str) -> None:
    """What is shipped is what the code would make now, and is a schema."""
    assert shipped(name) == made()[name]
    jsonschema.Draft202012Validator.check_schema(shipped(name))
    assert (Path(schemas.__file__).parent / "json" / f"{name}.json").exists()


def test_receipts_fit() -> None:
    """What a simulated till pushes fits the schema; without its head it does not."""
    till, check = Till(seed=1), jsonschema.Draft202012Validator(shipped("receipt"))
    till.work(30)
    for receipt in till.receipts:
        check.validate(json.loads(pushed(till, receipt)))
    said = json.loads(pushed(till, till.receipts[0]))
    del said["head"]
    assert not check.is_valid(said)


def test_outgoing_files_fit(tmp_path: Path) -> None:
    """What goes out fits the schema, and its rows do not fit when they are of no kind."""
    rows: dict[str, bytes] = {"a": b'{"sku":"a","quantity":"1"}'}
    with ledger.opened(tmp_path) as book:
        sent = book.put("stock", "key", rows, (0.0, "2031-01-01T00:00:00+00:00"))
    assert sent.body is not None
    said: dict[str, Any] = json.loads(sent.body)
    check = jsonschema.Draft202012Validator(shipped("outgoing"))
    check.validate(said)
    assert not check.is_valid({**said, "rows": [{"quantity": 1}]})
