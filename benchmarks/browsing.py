"""The pages as a browser gets them: server time of the list with 10,000 connections, and what a page weighs."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx2

from benchmarks import listing
from benchmarks.figures import Figure
from omnichannel_core.app import Omnichannel
from omnichannel_core.web import Actor, create_web
from omnichannel_core.web.actors import EVERYTHING

ROWS, LOOKS = 10_000, 15
TIME_MS, WEIGHT_KB = 200.0, 80.0
PAGES = ("/", "/new", "/processes", "/drivers", "/stores", "/errors")


async def resolve(_: object) -> Actor:
    """Whoever asks."""
    return Actor(id="ann", account=listing.ACCOUNT, permissions=EVERYTHING)


def figures() -> Iterator[Figure]:
    """Median milliseconds of three ways to look at the list, and the weight of the heaviest page with all it loads."""
    yield from anyio.run(_measured)


async def _measured() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with Omnichannel(Path(folder) / "list.db", work=False) as house:
            await house._store.write(lambda tx: listing.fill(tx, ROWS))
            transport = httpx2.ASGITransport(create_web(house, resolve=resolve))
            here = {"sec-fetch-site": "same-origin", "accept-encoding": "gzip"}
            async with httpx2.AsyncClient(transport=transport, base_url="https://host.example", headers=here) as web:
                return [await _spent(web), *await _weights(web)]


async def _spent(web: httpx2.AsyncClient) -> Figure:
    changes = (
        {},
        {"view": "", "what": "sort", "column": "name"},
        {"view": "", "what": "filter", "column": "name", "operator": "like", "value": "Shop c"},
    )
    spent = list[float]()
    for change in changes:
        if change:
            await web.post("/look", data=change)
        for _ in range(LOOKS):
            begun = time.perf_counter()
            answer = await web.get("/")
            spent.append((time.perf_counter() - begun) * 1000)
            if answer.status_code != 200 or answer.text.count("<tr") < 20:
                return Figure("list_of_10000_ms", None, "ms", note=f"the list answers {answer.status_code}")
    return Figure("list_of_10000_ms", statistics.median(spent), "ms", limit=TIME_MS, side="most",
                  note=f"slowest of {len(spent)}: {max(spent):.0f} ms")  # fmt: skip


async def _weights(web: httpx2.AsyncClient) -> list[Figure]:
    """Compressed, as it comes over the wire, and as it is."""
    sent, plain = dict[str, float](), dict[str, float]()
    for path in PAGES:
        answer = await web.get(path)
        loaded = [answer, *[await web.get(one) for one in re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text)]]
        if len(loaded) < 3 or any(one.status_code != 200 for one in loaded):
            return [Figure("page_weight_kb", None, "KB", note=f"{path} or what it loads does not answer")]
        sent[path] = sum(one.num_bytes_downloaded for one in loaded) / 1000
        plain[path] = sum(len(one.content) for one in loaded) / 1000
    heaviest = max(sent, key=lambda path: sent[path])
    note = f"{heaviest}, with style and script; uncompressed {plain[heaviest]:.0f} KB"
    return [Figure("page_weight_kb", sent[heaviest], "KB", limit=WEIGHT_KB, side="most", note=note)]
