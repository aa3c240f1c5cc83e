"""What the driver says to people is there in German, too."""

from __future__ import annotations

from omnichannel_core.testing.sentences import untranslated


def test_german() -> None:
    """Every label, help and sentence of the driver is in its German catalog, with the same places, and no others."""
    assert untranslated("omnichannel_bigcommerce", "de") == []
