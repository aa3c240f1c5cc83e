"""Applications: the vendor's own client id and secret, sealed on adding."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr, field_validator

from omnichannel_core import errors
from omnichannel_core.driver import Application
from omnichannel_core.storage.schema import metadata, secret
from omnichannel_core.storage.store import Store

pytestmark = pytest.mark.anyio
CANARY = "canary-4711-client-secret"


class EchoApplication(Application):
    """What the vendor registered."""

    client_id: str
    client_secrets: tuple[SecretStr, ...]

    @classmethod
    def upgrade(cls, stored: dict[str, Any]) -> dict[str, Any]:
        """Version 1 had one secret."""
        if "client_secret" in stored:
            stored = {**stored, "client_secrets": [stored["client_secret"]]}
            del stored["client_secret"]
        return stored


class Hostile(Application):
    """Tells secrets in its exceptions."""

    client_id: str
    client_secret: str

    @field_validator("client_secret")
    @classmethod
    def leak(cls, value: str) -> str:
        """Raises what it was given."""
        raise RuntimeError(value)


def dumped(store: Store) -> str:
    """All there is, as text."""
    return store.read_now(lambda tx: repr([tx.execute(table.select()).all() for table in metadata.sorted_tables]))


def document(version: int = 1, **values: Any) -> dict[str, Any]:
    told = values or {"client_id": "id-1", "client_secret": CANARY}
    return {"name": "app", "driver": "echo", "version": version, "values": told}


@pytest.fixture
async def sold(house: Any, plug: Any) -> Any:
    """Echo bought with an application, and installed."""
    plug.ready("echo")
    await house.buy(id="L1", application="app")
    return house


async def test_an_application_is_read_with_the_drivers_form(sold: Any) -> None:
    """The stored values go through the form's own upgrade, in the main account and its sandbox alike."""
    assert await sold.gate.application(await sold.admit(), EchoApplication) is None
    kept = await sold.licenses.add_application("acme", json.dumps(document()))
    assert (kept.name, kept.driver, kept.version) == ("app", "echo", 1)
    await sold.installations.install("acme-test", "echo")
    for account in ("acme", "acme-test"):
        form = await sold.gate.application(await sold.admit(account=account), EchoApplication)
        assert form.client_id == "id-1"
        assert [one.get_secret_value() for one in form.client_secrets] == [CANARY]
    assert await sold.licenses.applications("acme-test") == [kept]


async def test_a_newer_version_replaces_and_an_older_one_does_not(sold: Any) -> None:
    """Versions rise; the very same document again is fine, other values of the same version are a Conflict."""
    await sold.licenses.add_application("acme", document(2))
    await sold.licenses.add_application("acme", document(2))
    for other in (document(1), document(2, client_id="id-2", client_secret="x")):
        with pytest.raises(errors.Conflict, match="version 2"):
            await sold.licenses.add_application("acme", other)
    await sold.licenses.add_application("acme", document(3, client_id="id-3", client_secrets=["new", "old"]))
    form = await sold.gate.application(await sold.admit(), EchoApplication)
    assert form.client_id == "id-3"


async def test_an_application_needs_a_license_that_names_it(sold: Any) -> None:
    """Another name, driver or account, and a sandbox, are refused before anything is sealed."""
    for wrong in ({"name": "other"}, {"driver": "other"}):
        with pytest.raises(errors.UsageError, match="add the license first"):
            await sold.licenses.add_application("acme", document() | wrong)
    with pytest.raises(errors.UsageError, match="add the license first"):
        await sold.licenses.add_application("other", document())
    with pytest.raises(errors.UsageError, match="is a sandbox"):
        await sold.licenses.add_application("acme-test", document())


@pytest.mark.parametrize(
    "bad",
    ["{", "[]", b"\xff", {}, document(0), document() | {"values": CANARY}, document() | {"more": 1}, {"a": object()}],
)
async def test_an_unusable_document_is_refused_without_its_values(sold: Any, bad: Any) -> None:
    """The message says what a document has, and never what this one holds."""
    with pytest.raises(errors.UsageError) as caught:
        await sold.licenses.add_application("acme", bad)
    assert CANARY not in str(caught.value)
    assert await sold.licenses.applications("acme") == []


async def test_values_stand_nowhere_unsealed(sold: Any, vault: Any) -> None:
    """Neither the database nor a repr or an error holds the secret, also encoded."""
    await sold.licenses.add_application("acme", document())
    dump = dumped(sold.store)
    for spelt in (CANARY, b64encode(CANARY.encode()).decode(), CANARY.encode().hex(), "id-1"):
        assert spelt not in dump
    admission = await sold.admit()
    form = await sold.gate.application(admission, EchoApplication)
    assert CANARY not in repr((form, admission, await sold.licenses.applications("acme")))


@pytest.mark.parametrize("form", [Hostile, type("Foreign", (Application,), {"__annotations__": {"other": str}})])
async def test_values_that_do_not_fit_are_told_by_field(sold: Any, form: Any) -> None:
    """A form that refuses or raises ends in a typed error without a value, also in what it is chained to."""
    await sold.licenses.add_application("acme", document())
    with pytest.raises((errors.ApplicationMissing, errors.ContractBroken)) as caught:
        await sold.gate.application(await sold.admit(), form)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_an_application_goes_with_the_last_license_that_names_it(sold: Any) -> None:
    """It stays while another license names it, and is forgotten with its secrets after that."""
    await sold.licenses.add_application("acme", document())
    await sold.licenses.add("acme", sold.issue(id="L2", application="app"))
    await sold.licenses.remove("acme", "L1")
    assert len(await sold.licenses.applications("acme")) == 1
    await sold.licenses.remove("acme", "L2")
    assert await sold.licenses.applications("acme") == []
    assert sold.store.read_now(lambda tx: tx.execute(sa.select(sa.func.count()).select_from(secret)).scalar()) == 0
