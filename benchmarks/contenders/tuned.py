"""The hand-written loop by somebody who profiled it: pydantic's own JSON parser reads the whole page at once."""

from __future__ import annotations

import asyncio
import sys

from benchmarks.contenders.handwritten import Page, main

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], lambda answer: Page.model_validate_json(answer.content)))
