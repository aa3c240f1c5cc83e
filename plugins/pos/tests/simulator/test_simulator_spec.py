"""What the simulated tills write, against the official tables and an independent validator and writer."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dsfinvk import models, validate
from dsfinvk.collection import Collection
from omnichannel_pos import importing
from omnichannel_pos.importing import Export
from omnichannel_pos_simulator.columns import COLUMNS, DECIMALS, NAMES
from omnichannel_pos_simulator.till import Till
from omnichannel_pos_simulator.writing import as_zip, files

SPECS = Path(__file__).parents[4].parent / "shared" / "specs" / "pos"


def test_official_tables() -> None:
    """Files, names, columns in their order and decimals are the official ones."""
    spec = SPECS / "dsfinvk-2.4-tables.json"
    if not spec.exists():
        pytest.skip(f"NOT PROVED: the official tables are not there: {spec}")
    official = json.loads(spec.read_text())["tables"]
    assert {one["file"]: tuple(column["name"] for column in one["columns"]) for one in official} == COLUMNS
    assert {one["file"]: one["table"] for one in official} == NAMES
    numeric = {c["name"]: c["decimals"] for one in official for c in one["columns"] if c["type"] == "numeric"}
    assert numeric == DECIMALS


@pytest.mark.parametrize("seed", range(5))
def test_valid_to_an_independent_validator(seed: int, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The validator of PyPI dsfinvk finds no error and says nothing about any value."""
    till = Till(seed=seed)
    till.work(60)
    for name, body in files([till.close()]).items():
        (tmp_path / name).write_bytes(body)
    assert validate.validate_dir(str(tmp_path)) == []
    assert capsys.readouterr().out == ""


def test_the_validator_can_fail(tmp_path: Path) -> None:
    """The same validator refuses an export with a column that its index does not name."""
    till = Till(seed=1)
    till.work(5)
    made = files([till.close()])
    made["lines.csv"] = made["lines.csv"].replace(b"ART_NR", b"ART_NO", 1)
    for name, body in made.items():
        (tmp_path / name).write_bytes(body)
    assert validate.validate_dir(str(tmp_path)) != []


def test_the_same_seed_is_the_same_day() -> None:
    """Two tills with one seed write the same bytes."""
    made = []
    for _ in range(2):
        till = Till(seed=42)
        till.work(50)
        made.append(files([till.close()]))
    assert made[0] == made[1]


AT = datetime.fromisoformat("2031-02-03T18:00:00+01:00")
KEY: dict[str, Any] = {"Z_KASSE_ID": "K/7", "Z_ERSTELLUNG": AT, "Z_NR": 1234}


def independent(total: Decimal = Decimal("1250.50")) -> bytes:
    """A closing written by PyPI dsfinvk: grouped digits, LF inside, columns that nobody filled are empty."""
    made = Collection()

    def add(model: Any, **values: Any) -> None:
        row = model()
        for name, value in {**KEY, **values}.items():
            setattr(row, name, value)
        made.add(row)

    add(models.Stamm_Abschluss, NAME="Müller")
    add(models.Stamm_Kassen, KASSE_BASISWAEH_CODE="CHF")
    add(models.Stamm_USt, UST_SCHLUESSEL=1, UST_SATZ=Decimal("8.10"), UST_BESCHR="Normal")
    add(models.Z_GV_Typ, GV_TYP="Umsatz", UST_SCHLUESSEL=1, Z_UMS_BRUTTO=total, Z_UMS_NETTO=total, Z_UST=Decimal(0))
    add(models.Z_Zahlart, ZAHLART_TYP="Bar", ZAHLART_NAME="Bar", Z_ZAHLART_BETRAG=total)
    for number in range(1100, 1102):
        one = {"BON_ID": f"{number}"}
        add(models.Bonkopf, **one, BON_NR=number, BON_TYP="Beleg", BON_STORNO=False, BON_START=AT, BON_ENDE=AT,
            UMS_BRUTTO=total / 2)  # fmt: skip
        add(models.Bonkopf_USt, **one, UST_SCHLUESSEL=1, BON_BRUTTO=total / 2, BON_NETTO=total / 2, BON_UST=Decimal(0))
        add(models.Bonkopf_Zahlarten, **one, ZAHLART_TYP="Bar", ZAHLART_NAME="Bar", ZAHLWAEH_CODE="CHF",
            BASISWAEH_BETRAG=total / 2)  # fmt: skip
        add(models.Bonpos, **one, POS_ZEILE="1", ARTIKELTEXT="Uhr", GV_TYP="Umsatz", ART_NR="U1", P_STORNO=False,
            MENGE=Decimal(1), STK_BR=total / 2)  # fmt: skip
        add(models.Bonpos_USt, **one, POS_ZEILE="1", UST_SCHLUESSEL=1, POS_BRUTTO=total / 2, POS_NETTO=total / 2,
            POS_UST=Decimal(0))  # fmt: skip
    return _written(made)


def _written(made: Collection) -> bytes:
    """The writer takes an index and a DTD from files; the index names what it writes."""
    with tempfile.TemporaryDirectory() as base:
        index, dtd = Path(base, "index.xml"), Path(base, "x.dtd")
        index.write_bytes(_index({name for name in COLUMNS if name in made.records}))
        dtd.write_bytes(files([])["gdpdu-01-09-2004.dtd"])
        out = io.BytesIO()
        made.write(out, index, dtd)
        return out.getvalue()


def _index(there: set[str]) -> bytes:
    tables = "".join(f"<Table><URL>{name}</URL></Table>" for name in sorted(there))
    return f"<DataSet><Version>1.0</Version><Media>{tables}</Media></DataSet>".encode()


def test_written_by_an_independent_writer(tmp_path: Path) -> None:
    """An export of PyPI dsfinvk is read: grouped digits, a slash in a name, missing tables, another currency."""
    file = tmp_path / "z.zip"
    file.write_bytes(independent())
    export = Export(file, tmp_path / "scratch", "EUR")
    assert export.keys == [("K/7", "1234")]
    records = export.records(0)
    assert [one.id for one in records] == ["K%2F7/1234/1100", "K%2F7/1234/1101", "K%2F7/1234"]
    first: Any = records[0]
    assert (first.gross.amount, first.gross.currency, first.number) == (Decimal("625.25"), "CHF", "1.100")
    assert first.lines["1"].taxes[0].rate == Decimal("8.10")


def test_scratch_that_went_away(tmp_path: Path) -> None:
    """Between two pages the house may have emptied scratch: the export is unpacked again."""
    till, days = Till(seed=2), []
    for _ in range(2):
        till.work(5)
        days.append(till.close())
    file, scratch = tmp_path / "z.zip", tmp_path / "scratch"
    file.write_bytes(as_zip(days))
    first = importing.opened(file, "mark", scratch, "EUR")
    assert first.records(0)
    assert importing.opened(file, "mark", scratch, "EUR") is first
    shutil.rmtree(scratch)
    assert importing.opened(file, "mark", scratch, "EUR").records(1)
    importing.let_go(file, "mark")


def test_several_days_in_one_zip(tmp_path: Path) -> None:
    """Closings of one export come apart as they were, also where their rows stand mixed."""
    till, days = Till(seed=2), []
    for _ in range(3):
        till.work(20)
        days.append(till.close())
    file = tmp_path / "z.zip"
    body = files(days)
    header, *rows = body["lines_vat.csv"].decode().splitlines(keepends=True)
    body["lines_vat.csv"] = (header + "".join(sorted(rows, key=lambda row: row[::-1]))).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, one in body.items():
            archive.writestr(name, one)
    export = Export(file, tmp_path / "scratch", "EUR")
    assert export.keys == [("KASSE-01", str(day.number)) for day in days]
    for at, day in enumerate(days):
        found = {one.id for one in export.records(at) if type(one).__name__ == "Order"}
        assert found == set(day.truth.orders)
    export.forget()
    assert not list((tmp_path / "scratch").iterdir())
    assert as_zip(days)
