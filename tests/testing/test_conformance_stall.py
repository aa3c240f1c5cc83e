"""The good driver of a small REST marketplace runs the conformance kit."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.conftest import DRIVERS

sys.path.insert(0, str(DRIVERS / "stall"))
from omnichannel_stall.facts import StallFacts


@pytest.fixture(autouse=True)
def _plugged(plug: Any) -> None:
    plug.ready("stall")


class TestStall(StallFacts):
    """Platinum."""
