"""index.xml of an export: which tables it says are there. No entity is expanded and nothing outside is opened."""

from __future__ import annotations

from xml.parsers import expat

from omnichannel_pos.refusals import FileRefused
from omnichannel_pos.tables import TABLES

INDEX, SIZE_MAX, DEPTH_MAX = "index.xml", 2_000_000, 20
_OFFICIAL = {name.casefold(): file for file, name in TABLES.items()}


def listed(raw: bytes) -> dict[str, str]:
    """File name in the export (lower case) -> the official file name, of each table listed.

    Raises:
        FileRefused: not XML, too large, or with entities.
    """
    if len(raw) > SIZE_MAX:
        raise FileRefused(f"{INDEX} has {len(raw)} bytes, more than {SIZE_MAX}.", "bad_index")
    reader = _Reader()
    try:
        reader.parser.Parse(raw, True)
    except expat.ExpatError as wrong:
        raise FileRefused(f"{INDEX} is not XML: {wrong}.", "bad_index") from wrong
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self._url = self._name = ""
        self.parser = parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def _start(self, name: str, _: object) -> None:
        self._path.append(name)
        if len(self._path) > DEPTH_MAX:
            raise FileRefused(f"{INDEX} is nested deeper than {DEPTH_MAX} elements.", "bad_index")
        if name == "Table":
            self._url = self._name = ""

    def _text(self, text: str) -> None:
        if self._path[-2:] == ["Table", "URL"]:
            self._url += text
        elif self._path[-2:] == ["Table", "Name"]:
            self._name += text

    def _end(self, name: str) -> None:
        self._path.pop()
        if name == "Table" and self._url.strip():
            file = self._url.strip().replace("\\", "/").rpartition("/")[2].casefold()
            self.found[file] = file if file in TABLES else _OFFICIAL.get(self._name.strip().casefold(), file)

    def _entity(self, name: str, *_: object) -> None:
        raise FileRefused(f"{INDEX} declares the entity {name[:40]!r}; exports have none.", "bad_index")
