"""What the driver says about itself."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pluggy
import pytest
from omnichannel_bigcommerce import driver
from omnichannel_bigcommerce.credentials import BigCommerceApplication, BigCommerceCredentials
from omnichannel_bigcommerce.settings import OrderFilters, Variants
from pydantic import SecretStr, ValidationError

from omnichannel_core.driver import DriverHooks, MoreHooks, PullStream, PushStream


def hooks() -> pluggy.HookRelay:
    manager = pluggy.PluginManager("omnichannel_core")
    manager.add_hookspecs(DriverHooks)
    manager.add_hookspecs(MoreHooks)
    manager.register(driver)
    manager.check_pending()
    return manager.hook


def test_entry_point():
    """The distribution's entry point leads to the module with the hooks."""
    (found,) = importlib.metadata.entry_points(group="omnichannel_core.drivers", name="bigcommerce")
    assert found.load() is driver


def test_streams():
    """The data model comes first, each stream of an outgoing record exists, and invoices are declared impossible."""
    streams = hooks().sync_streams()
    pulls = [one.name for one in streams if isinstance(one, PullStream)]
    pushes = [one.name for one in streams if isinstance(one, PushStream)]
    assert pulls == ["data-model", "orders", "returns"]
    assert pushes == ["offers", "prices", "stock", "shipments", "cancellations"]
    assert "invoice" in hooks().not_supported()["invoices"]


def test_cursors_begin_by_themselves():
    """Every pull's cursor has a beginning that needs no argument."""
    for stream in hooks().sync_streams():
        if isinstance(stream, PullStream):
            assert isinstance(stream.cursor(), stream.cursor)


def test_settings_pages():
    """There are three pages, none of them inherits, and their defaults are those of the manual."""
    pages = hooks().settings_pages()
    assert [(page.title, page.inherits) for page in pages] == [
        ("Variant option type", False),
        ("Order filters", False),
        ("Offers", False),
    ]
    assert OrderFilters().statuses == {3, 8, 9, 10, 11, 14}
    assert OrderFilters() == OrderFilters(id_greater_than=None, created_after=None, archived=False)
    assert Variants().option_type == "rectangles"


def test_order_filters_say_what_they_mean():
    """The schema carries the store's list for the toggles and the strict meaning of the two bounds."""
    schema = OrderFilters.model_json_schema()["properties"]
    assert schema["statuses"]["x-ui"] == {"options": "order_statuses"}
    assert "last order that stays in BigCommerce" in schema["id_greater_than"]["description"]
    assert "next midnight in the store's time zone" in schema["created_after"]["description"]
    assert schema["created_after"]["anyOf"][0] == {"format": "date", "type": "string"}


@pytest.mark.parametrize(
    "bad", [{"statuses": [15]}, {"statuses": [-1]}, {"id_greater_than": -1}, {"created_after": "x"}]
)
def test_order_filters_refuse(bad: dict[str, object]):
    """What is no status, id or day is refused."""
    with pytest.raises(ValidationError):
        OrderFilters.model_validate(bad)


@pytest.mark.parametrize(
    "typed",
    ["g5cd38", " g5cd38 ", "stores/g5cd38", "https://api.bigcommerce.com/stores/g5cd38/v3/", "/stores/g5cd38?x=1"],
)
def test_pasted_store_hash(typed: str):
    """A bare hash, a path and the whole API path are all the same store."""
    form = BigCommerceCredentials(store_hash=typed, access_token=SecretStr(" token "))
    assert (form.store_hash, form.remote_account()) == ("g5cd38", "g5cd38")
    assert form.access_token.get_secret_value() == "token"


@pytest.mark.parametrize("typed", ["", "g5", "G5CD38", "a b c d", "../../x", "ünïcode"])
def test_wrong_store_hash(typed: str):
    """What cannot be a store hash is refused before anything is asked."""
    with pytest.raises(ValidationError):
        BigCommerceCredentials(store_hash=typed, access_token=SecretStr("t"))


def test_secrets_hide():
    """Neither token nor client secret shows in a form's text."""
    forms = [
        BigCommerceCredentials(store_hash="g5cd38", access_token=SecretStr("canary-1")),
        BigCommerceApplication(client_id="c", client_secrets=(SecretStr("canary-2"),)),
    ]
    assert "canary" not in "".join(f"{form!r}{form!s}{form.model_dump_json()}" for form in forms)


def test_importing_opens_nothing():
    """Importing the driver loads no HTTP library and opens no socket."""
    script = (
        "import sys, socket\n"
        "def no(*a, **k): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = no\n"
        "import omnichannel_bigcommerce.driver\n"
        "bad = {'httpx2', 'httpx', 'requests', 'anyio'} & set(sys.modules)\n"
        "raise SystemExit(f'imported {bad}' if bad else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
