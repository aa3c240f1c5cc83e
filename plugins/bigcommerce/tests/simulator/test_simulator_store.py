"""What a store says about itself, and the clock it lives by."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnichannel_bigcommerce_simulator import create, dates

from omnichannel_core.testing.simulated.clock import Clock

pytestmark = pytest.mark.anyio
NOW = 1_790_000_000


async def test_time_follows_the_clock(api: Any) -> None:
    """/v2/time answers the simulated time as an integer."""
    assert (await api.get("/v2/time")).json() == {"time": NOW}
    await api.control("POST", "/clock", {"advance": 86_400})
    assert (await api.get("/v2/time")).json() == {"time": NOW + 86_400}


async def test_profile_has_the_hash_the_number_and_the_time_zone(client: Any) -> None:
    """The id is the hash, store_id the number of the webhooks; zone, currency, plan are as the store was made."""
    api = await client("b", "berlin1")
    words = {
        "hash": "berlin1",
        "token": "b",
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "tax_inclusive": True,
        "quota": 450,
    }
    await api.control("POST", "/stores", words)
    profile = (await api.get("/v2/store")).json()
    assert profile["id"] == "berlin1"
    assert isinstance(profile["store_id"], int)
    assert (profile["timezone"]["name"], profile["timezone"]["raw_offset"]) == ("Europe/Berlin", 3600)
    assert profile["timezone"]["dst_correction"] is True
    assert (profile["currency"], profile["is_price_entered_with_tax"], profile["plan_level"]) == ("EUR", True, "Pro")
    codes = [(row["currency_code"], row["is_default"]) for row in (await api.get("/v2/currencies")).json()]
    assert codes == [("EUR", True), ("USD", False)]


async def test_stores_do_not_know_each_other(api: Any, client: Any) -> None:
    """Tokens, quota, orders and hooks of one store are nothing to another."""
    other = await client("two", "shop2")
    await other.control("POST", "/stores", {"hash": "shop2", "token": "two", "orders": 5, "first_order_id": 900})
    assert (await (await client("two")).get("/v2/time")).status_code == 401
    assert [row["id"] for row in (await other.get("/v2/orders")).json()] == list(range(900, 905))
    assert (await other.get("/v2/time")).headers["x-rate-limit-requests-left"] == "148"
    assert (await api.get("/v2/time")).headers["x-rate-limit-requests-left"] == "149"


async def test_same_seed_makes_the_same_store(client: Any) -> None:
    """Two stores of one seed have the same orders and products but for their names."""
    one, other = await client("a", "aaaa"), await client("b", "bbbb")
    for each, name in ((one, "a"), (other, "b")):
        await each.control("POST", "/stores", {"hash": name * 4, "token": name, "orders": 30, "seed": 7})
    rows = [(await each.get("/v2/orders?limit=30")).text.replace(each.store, "") for each in (one, other)]
    assert rows[0] == rows[1]
    assert (await one.get("/v3/catalog/products")).json() == (await other.get("/v3/catalog/products")).json()


@pytest.mark.parametrize("words", [{"hash": "x", "color": "red"}, {"token": "t"}])
def test_options_that_do_not_exist(words: dict[str, Any]) -> None:
    """An option that does not exist, or a store without a hash, is refused with the options there are."""
    with pytest.raises(ValueError, match="there are admin_email"):
        create(stores=[words])
    with pytest.raises(ValueError, match="real, manual"):
        create(clock="sundial")


def test_real_clock_runs_from_where_it_is_put() -> None:
    """A real clock goes on from a time it was set to, a manual one stands."""
    clock = Clock("real", 1000.0)
    assert 1000.0 <= clock.now() < 1000.0 + 5
    clock.advance(3600)
    assert 4600.0 <= clock.now() < 4605.0
    assert Clock("real").now() == pytest.approx(time.time(), abs=5)
    assert Clock("manual", 5.0).now() == 5.0


@given(st.integers(0, 4_000_000_000))
def test_dates_are_written_as_the_standard_library_writes_them(at: int) -> None:
    """Both formats read back to the same second, by our reader and by the standard library's."""
    moment = datetime.fromtimestamp(at, UTC)
    assert dates.rfc2822(at) == format_datetime(moment)
    assert parsedate_to_datetime(dates.rfc2822(at)) == datetime.fromisoformat(dates.iso(at)) == moment
    assert dates.parse(dates.rfc2822(at)) == dates.parse(dates.iso(at)) == at


@given(st.text(max_size=40))
def test_other_texts_are_no_dates(text: str) -> None:
    """Any text is either a date or a ValueError."""
    with suppress(ValueError):
        assert isinstance(dates.parse(text), float)
