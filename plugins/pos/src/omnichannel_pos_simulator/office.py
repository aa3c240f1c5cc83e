"""The tills' back office: takes outgoing files in their order, verifies them, holds what they say, and acknowledges."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Office:
    """Reads `out/`, writes `ack/`.

    Attributes:
        refuse: SKU -> why: rows it does not take.
        held: kind -> key of a row -> the row, as the files said so far.
        seen: numbers taken, in order.
    """

    def __init__(self, exchange: Path, refuse: Mapping[str, str] | None = None) -> None:
        self.exchange, self.refuse = exchange, dict(refuse or {})
        self.held: dict[str, dict[str, dict[str, Any]]] = {}
        self.seen: list[int] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._begun: dict[str, dict[str, dict[str, Any]]] = {}

    def work(self) -> int:
        """Take what is there; a number that is missing is asked for. How many files were taken."""
        there = sorted((self.exchange / "out").glob("*.json"))
        taken = 0
        for file in there:
            try:
                body = file.read_bytes()
            except FileNotFoundError:
                continue  # archived meanwhile: it was acknowledged before
            said = json.loads(body)
            seq = said["header"]["seq"]
            if not verified(body, said):
                self._say({"missing": [seq]}, f"broken-{seq}")
                continue
            if seq in self._answers:
                self._say(self._answers[seq], str(seq))
                continue
            missing = sorted(set(range(1, seq)) - set(self.seen))
            if missing:
                self._say({"missing": missing}, f"gap-{seq}")
                break
            self._take(said)
            self.seen.append(seq)
            taken += 1
        return taken

    def ask_for(self, *kinds: str) -> None:
        """A new till wants everything."""
        self._say({"snapshot": list(kinds)}, "new-till")

    def _take(self, said: dict[str, Any]) -> None:
        header, refused = said["header"], list[dict[str, str]]()
        kind = header["kind"]
        target = self.held.setdefault(kind, {})
        if header["snapshot"] and header["part"] == 1:
            target = self._begun[kind] = {}
        elif header["snapshot"]:
            target = self._begun[kind]
        for row in said["rows"]:
            if row["sku"] in self.refuse:
                refused.append({"sku": row["sku"], "reason": self.refuse[row["sku"]]})
            else:
                target["/".join((row["sku"], row.get("location", ""), row.get("price_group", "")))] = row
        if header["snapshot"] and header["part"] == header["parts"]:
            self.held[kind] = self._begun.pop(kind)
        answer = {"seq": header["seq"], "rejected": refused, "till": "back office"}
        self._answers[header["seq"]] = answer
        self._say(answer, str(header["seq"]))

    def _say(self, answer: dict[str, Any], name: str) -> None:
        part = self.exchange / "ack" / f"{name}.json.tmp"
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(answer))
        part.replace(self.exchange / "ack" / f"{name}.json")


def verified(body: bytes, said: dict[str, Any]) -> bool:
    """The checksum is of the bytes with itself replaced by zeros."""
    digest = str(said["header"]["sha256"]).encode()
    return hashlib.sha256(body.replace(digest, b"0" * 64, 1)).hexdigest().encode() == digest
