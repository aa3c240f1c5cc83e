"""Amazon's official models for tests of the driver, where their folder is present."""

from __future__ import annotations

import pytest

from plugins.amazon.tests.official import Official, there


@pytest.fixture(scope="session")
def official() -> Official | None:
    """The models; None where their folder is not."""
    return there()
