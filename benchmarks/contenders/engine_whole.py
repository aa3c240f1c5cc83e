"""The whole house, its records keeping every fact they have room for (twice the bytes the contest asks for)."""

from __future__ import annotations

import asyncio
import sys

from benchmarks.contenders import engine

if __name__ == "__main__":
    asyncio.run(engine.main(sys.argv[1], whole=True))
