"""Every code block of the documentation runs, page by page, from top to bottom."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, SkipParser

from tests.docs.blocks import run_console, run_python

ROOT = Path(__file__).parent.parent.parent
MADE = {"reference", "drivers", "decisions"}  # from code, tested there; and history
PAGES = sorted(
    path for path in (ROOT / "docs").rglob("*.md") if path.relative_to(ROOT / "docs").parts[0] not in MADE
)  # fmt: skip


def run_file(example: Example) -> None:
    """A block of TOML whose first line is a comment with a path is written there."""
    head, _, _ = str(example.parsed).partition("\n")
    Path(head.removeprefix("# ").strip()).write_text(str(example.parsed))


SYBIL = Sybil(
    [
        CodeBlockParser(language="python", evaluator=run_python),
        CodeBlockParser(language="console", evaluator=run_console),
        CodeBlockParser(language="toml", evaluator=run_file),
        SkipParser(),
    ],
    path=str(ROOT / "docs"),
)


@pytest.mark.timeout(600)  # the driver's tutorial runs the whole kit
@pytest.mark.parametrize("page", PAGES, ids=[str(path.relative_to(ROOT / "docs")) for path in PAGES])
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's blocks do what they say, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in [name for name in os.environ if name.startswith("OMNICHANNEL_")]:
        monkeypatch.delenv(name)
    examples = list(SYBIL.parse(page).examples())
    for example in examples:
        example.evaluate()


def test_blocks_have_a_language() -> None:
    """No block escapes by having a language that nothing runs: `text` is shown, everything else runs."""
    known = {"python", "console", "toml", "text"}
    for page in PAGES:
        inside = False
        for line in page.read_text().splitlines():
            if line.startswith("```"):
                inside = not inside
                assert not inside or line.removeprefix("```") in known, f"{page.name}: {line}"
