"""The loader: one driver imported, asked once, every declaration looked at."""

from __future__ import annotations

import gc
import sys
from typing import Any

import attrs
import pytest

from omnichannel_core import errors
from omnichannel_core.driver import Driver, SettingsPage
from omnichannel_core.gate.loader import load

pytestmark = pytest.mark.anyio

WHOLE = """
import datetime, msgspec, sys
from pydantic import SecretStr, field_validator
from omnichannel_core.driver import *
from omnichannel_core.records import Order, StockLevel, Record

ASKED = []
class Typed(Credentials):
    shop: str
class Page1(Settings):
    above: int = 0
class Cursor(msgspec.Struct, frozen=True):
    seen: int = 0
async def do(*_): ...
def flow(): return AuthorizationFlow(check=do)
def pages(): return [SettingsPage("import", "Import", Page1)]
def pull(**more): return PullStream(**{"name": "orders", "yields": (Order,), "cursor": Cursor, "pull": do} | more)
def push(**more): return PushStream(**{"name": "stock", "takes": StockLevel, "push": do} | more)
def streams(): return [pull(), push()]
def schema(): return Typed
def api(): return RemoteApi(sign=do, judge=do, origins=do)
def limited(**more): return RemoteApi(sign=do, judge=do, origins=do, limits=[Limit(**{"name": "all"} | more)])
def extra(): return None
%s
@hookimpl
def credential_schema(): ASKED.append(1); return schema()
@hookimpl
def authorization_flow(): return flow()
@hookimpl
def settings_pages(): return pages()
@hookimpl
def sync_streams(): return streams()
@hookimpl
def remote_api(): return api()
%s
"""


async def admitted(house: Any, plug: Any, changed: str = "", more: str = "", name: str = "made") -> Any:
    code = {f"made_{name}/__init__.py": "", f"made_{name}/driver.py": WHOLE % (changed, more)}
    plug.distribution(f"omnichannel-{name}", {name: f"made_{name}.driver"}, summary="Made", code=code)
    await house.buy(name)
    return await house.admit(name)


async def test_the_perfect_driver_is_gathered(house: Any, plug: Any) -> None:
    """What echo declares stands in one frozen value, in its order."""
    plug.ready("echo")
    await house.buy()
    driver = load(await house.admit())
    assert isinstance(driver, Driver)
    assert (driver.name, driver.title, driver.version, driver.distribution) == (
        "echo",
        "Echo",
        "1.0",
        "omnichannel-echo",
    )
    assert driver.has_credentials
    assert list(driver.pulls) == ["data-model", "orders"]
    assert list(driver.pushes) == ["stock", "shipments"]
    assert [stream.name for stream in driver.model_streams()] == ["data-model"]
    assert isinstance(driver.pages["import"], SettingsPage)
    assert (driver.application, driver.api, driver.callbacks) == (None, None, None)
    assert driver.not_supported == {"invoices": "Echo shops keep no invoices."}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        driver.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        driver.pulls["more"] = driver.pulls["orders"]  # type: ignore[index]


async def test_a_driver_is_asked_once(house: Any, plug: Any) -> None:
    """The second load, with another admission, is the same value."""
    first = load(await admitted(house, plug))
    await house.installations.install("acme-test", "made")
    assert load(await house.admit("made", "acme-test")) is first
    assert sys.modules["made_made.driver"].ASKED == [1]


async def test_two_drivers_do_not_answer_for_each_other(house: Any, plug: Any) -> None:
    """Each has hooks of its own: what one declares besides, the other has not."""
    more = "@hookimpl\ndef not_supported(): return {'invoices': 'no way'}\n"
    one = load(await admitted(house, plug, name="one", more=more))
    two = load(await admitted(house, plug, name="two"))
    assert (dict(one.not_supported), dict(two.not_supported)) == ({"invoices": "no way"}, {})


@pytest.mark.parametrize(
    "raised", ["SystemExit(3)", "BaseException()", "GeneratorExit()", "RuntimeError()", "MemoryError()"]
)
async def test_whatever_an_import_raises_is_the_drivers_trouble(house: Any, plug: Any, raised: str) -> None:
    """Even leaving the program on import ends in DriverBroken, with driver, version and what now."""
    admission = await admitted(house, plug, f"raise {raised}")
    with pytest.raises(
        errors.DriverBroken, match=r"Driver made \(omnichannel-made 1.0\) is broken: .*cannot be imported"
    ):
        load(admission)


async def test_ctrl_c_during_an_import_stays_the_users(house: Any, plug: Any) -> None:
    """KeyboardInterrupt is not swallowed."""
    admission = await admitted(house, plug, "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load(admission)


async def test_a_missing_module_is_named(house: Any, plug: Any) -> None:
    """A dependency that is not installed stands in the message."""
    admission = await admitted(house, plug, "import not_there_at_all")
    with pytest.raises(errors.DriverBroken, match="no module 'not_there_at_all'"):
        load(admission)


async def test_what_a_driver_says_when_it_breaks_is_not_repeated(house: Any, plug: Any) -> None:
    """Its own words may hold secrets: the message has the kind of its exception only."""
    admission = await admitted(house, plug, "raise RuntimeError('canary-0815')")
    with pytest.raises(errors.DriverBroken, match="RuntimeError") as caught:
        load(admission)
    assert "canary-0815" not in str(caught.value)


@pytest.mark.parametrize("name", ["misspelt", "broken"])
async def test_broken_drivers_harm_nobody_else(house: Any, plug: Any, name: str) -> None:
    """A misspelt hook and a program that exits on import are refused; the good driver beside them loads."""
    for one in (name, "echo"):
        plug.ready(one)
        await house.buy(one)
    with pytest.raises(errors.DriverBroken) as caught:
        load(await house.admit(name))
    if name == "misspelt":
        assert "credential_shema, which does not exist; is credential_schema meant" in str(caught.value)
    assert load(await house.admit()).name == "echo"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        # hooks
        ("def schema(): raise SystemExit", "its declarations cannot be read (SystemExit)"),
        ("async def schema(): return Typed", "credential_schema is async"),
        ("def schema(): return Typed(shop='x')", "credential_schema answers a Typed"),
        ("def schema(): return Form", "not a subclass of Credentials"),
        ("def schema(): return None", "credential_schema answers a NoneType"),
        ("class Typed(Credentials, extra='allow'): shop: str", "changes model_config"),
        ("class Typed(Credentials):\n    api_token: str | None = None", "takes the secret api_token as plain text"),
        (
            "class Deep(Form):\n    password: str\nclass Typed(Credentials):\n    login: Deep | None = None",
            "takes the secret login.password as plain text",
        ),
        ("class Odd: ...\nclass Typed(Credentials, arbitrary_types_allowed=True):\n    odd: Odd", "JSON Schema"),
        # flow
        ("def flow(): return None", "authorization_flow answers a NoneType, not an AuthorizationFlow"),
        ("def flow(): return AuthorizationFlow(check='no')", "AuthorizationFlow.check is a str"),
        ("def flow(): return AuthorizationFlow(check=do, begin=do)", "begin without finish"),
        ("def flow(): return AuthorizationFlow(check=do, made_for=int)", "made_for has class int"),
        ("def api(): return None\ndef flow(): return AuthorizationFlow(check=do, renew=do)", "there is no remote_api"),
        # pages
        ("def pages(): return {}", "settings_pages answers a dict"),
        ("def pages(): return [SettingsPage('Import!', 'Import', Page1)]", "called 'Import!'"),
        ("def pages(): return [SettingsPage('a', '', Page1)]", "title of settings page a is empty"),
        ("def pages(): return [SettingsPage('a', 'A', Typed)]", "not a subclass of Settings"),
        ("class Page1(Settings):\n    above: int", "Page1() fails; give every field a default"),
        (
            "class Two(Settings): ...\ndef pages(): return [SettingsPage('a', 'A', form) for form in (Page1, Two)]",
            "two settings pages are called a",
        ),
        ("def pages(): return [SettingsPage(n, 'A', Page1) for n in 'ab']", "has the form of another page"),
        # streams
        ("def streams(): return 7", "sync_streams answers an int"),
        ("def streams(): return [pull]", "sync_streams has a function"),
        ("def streams(): return [pull(), pull()]", "two pull streams are called orders"),
        ("def streams(): return [push(), push()]", "two push streams are called stock"),
        ("def streams(): return [pull(name='My Orders')]", "called 'My Orders'"),
        ("def streams(): return [pull(name=7)]", "called an int"),
        ("def streams(): return [pull(pull=None)]", "has no pull"),
        ("def streams(): return [pull(pull_together=do)]", "give either pull or pull_together"),
        ("def streams(): return [pull(yields=())]", "yields nothing"),
        ("def streams(): return [pull(yields=(Record,))]", "has class Record"),
        ("def streams(): return [pull(every=datetime.timedelta(0))]", "every of pull stream orders"),
        ("def streams(): return [pull(cursor=dict)]", "make it a msgspec.Struct"),
        ("class Cursor(msgspec.Struct):\n    seen: int", "give every field a default JSON can hold"),
        (
            "class Cursor(msgspec.Struct):\n    seen: object = msgspec.field(default_factory=object)",
            "default JSON can hold",
        ),
        (
            "class Cursor(msgspec.Struct):\n    seen: object = msgspec.field(default_factory=lambda: b'x')",
            "does not survive JSON",
        ),
        (
            "def streams(): return [pull(), pull(name='archive', snapshot=True)]",
            "snapshot stream archive would retire the Order records of stream orders",
        ),
        ("def streams(): return [pull(fetch=3)]", "fetch of pull stream orders is an int"),
        ("def streams(): return [push(takes=dict)]", "takes of push stream stock has class dict"),
        ("def streams(): return [push(batch=0)]", "batch of push stream stock"),
        ("def streams(): return [push(state='yes')]", "state of push stream stock is a str"),
        # remote
        ("def api(): return {}", "remote_api answers a dict"),
        ("def api(): return limited(rate=-1)", "rate of limit all"),
        ("def api(): return limited(burst=float('nan'))", "burst of limit all"),
        ("def api(): return limited(window=0)", "window of limit all"),
        ("def api(): return limited(concurrent=0)", "concurrent of limit all"),
        ("def api(): return limited(per='planet')", "per of limit all"),
        ("def api(): return limited(operations='all')", "operations of limit all"),
        ("def api(): return limited(name='')", "a limit is called ''"),
    ],
)
async def test_a_wrong_declaration_is_named(house: Any, plug: Any, changed: str, what: str) -> None:
    """Each is refused with what is wrong and where, and no coroutine is left behind."""
    admission = await admitted(house, plug, changed)
    with pytest.raises(errors.DriverBroken) as caught:
        load(admission)
    assert what in str(caught.value)
    assert "Upgrade it, or report this to its author." in str(caught.value)
    gc.collect()


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("del credential_schema", "does not implement hook credential_schema"),
        ("@hookimpl\ndef on_everything(): ...", "implements hook on_everything, which does not exist"),
        ("@hookimpl\ndef callbacks(session): ...", "its hooks cannot be read (PluginValidationError)"),
        ("@hookimpl\ndef callbacks(): return 1", "callbacks answers an int, not a Callbacks"),
        ("@hookimpl\ndef callbacks(): return Callbacks(receive=None)", "Callbacks.receive is a NoneType"),
        ("@hookimpl\ndef application_schema(): return Typed", "not a subclass of Application"),
        (
            "class A(Application):\n    client_secret: str\n@hookimpl\ndef application_schema(): return A",
            "client_secret as plain",
        ),
        ("@hookimpl\ndef not_supported(): return ['x']", "not_supported answers a list"),
        ("@hookimpl\ndef not_supported(): return {'orders': 'no'}", "declared as a stream and as not supported"),
        ("@hookimpl\ndef not_supported(): return {'invoices': ' '}", "reason of not supported invoices"),
    ],
)
async def test_a_wrong_hook_is_named(house: Any, plug: Any, more: str, what: str) -> None:
    """Missing, unknown and misshapen hooks are refused with their name."""
    admission = await admitted(house, plug, "", more)
    with pytest.raises(errors.DriverBroken) as caught:
        load(admission)
    assert what in str(caught.value)


async def test_a_declaration_never_shows_its_values(house: Any, plug: Any) -> None:
    """A wrong value may be a secret, and its repr a trap: only its type is named."""
    trap = "class Trap:\n    def __repr__(self): raise SystemExit('canary')\ndef schema(): return Trap()"
    with pytest.raises(errors.DriverBroken, match="credential_schema answers a Trap"):
        load(await admitted(house, plug, trap))
