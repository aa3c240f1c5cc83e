"""Operations on drivers, defaults and licenses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from omnichannel_core.connections.pages import PageAnswer
from omnichannel_core.gate.admission import DriverListing
from omnichannel_core.gate.terms import Held
from omnichannel_core.model.account import Account
from omnichannel_core.storage.licenses import KeptApplication
from omnichannel_core.web.actors import Permission
from omnichannel_core.web.api.operations import Body, Given, Made, Operation

SEE, LICENSE, MANAGE = Permission.SEE, Permission.LICENSE, Permission.MANAGE


class NewLicense(Body):
    """The license's text, and the application document that comes with it."""

    license: str
    application: dict[str, Any] | None = None


class NewApplication(Body):
    """The vendor's document."""

    application: dict[str, Any]


class Revocations(Body):
    """The vendor's signed list."""

    revocations: str


class Defaults(Body):
    """Values of a page; `unset` fields go back to the driver's own default."""

    values: dict[str, Any] = {}
    unset: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class HeldLicense:
    """What a license is worth now."""

    id: str
    driver: str
    state: str
    reason: str
    expires_at: datetime | None
    features: Sequence[str]


@attrs.frozen(kw_only=True)
class Revoked:
    """How many licenses the list names."""

    revoked: int


def held(one: Held) -> HeldLicense:
    """Without its text."""
    said = one.license
    return HeldLicense(
        id=one.id, driver=one.driver, state=one.state.value, reason=one.reason,
        expires_at=said.expires_at if said else None, features=sorted(said.features) if said else [],
    )  # fmt: skip


async def _account(given: Given) -> Account:
    return await given.visit.house.accounts.get(given.visit.account)


async def _list(given: Given) -> Sequence[DriverListing]:
    return await given.visit.house.drivers.list(given.visit.account)


async def _schema(given: Given) -> Mapping[str, Any]:
    return await given.visit.house.drivers.schema(given.visit.account, given.visit.text("driver"))


async def _install(given: Given) -> Sequence[DriverListing]:
    await given.visit.house.drivers.install(given.visit.account, given.visit.text("driver"))
    return await _list(given)


async def _uninstall(given: Given) -> None:
    await given.visit.house.drivers.uninstall(given.visit.account, given.visit.text("driver"))


async def _defaults(given: Given) -> Mapping[str, PageAnswer]:
    visit = given.visit
    driver = await visit.house.drivers.load(visit.account, visit.text("driver"))
    return await visit.house.connections.settings.defaults(visit.account, driver)


async def _set_defaults(given: Given) -> Made:
    visit = given.visit
    await visit.house.connections.set_defaults(
        visit.account, visit.text("driver"), visit.text("page"), given.body.values, unset=given.body.unset,
        version=given.version,
    )  # fmt: skip
    found = (await _defaults(given))[visit.text("page")]
    return Made(value=found, etag=found.version)


async def _licenses(given: Given) -> Sequence[HeldLicense]:
    return [held(one) for one in await given.visit.house.licenses.list(given.visit.account)]


async def _add(given: Given) -> Sequence[HeldLicense]:
    visit = given.visit
    await visit.house.licenses.add(visit.account, given.body.license)
    if given.body.application is not None:
        await visit.house.licenses.add_application(visit.account, given.body.application)
    await visit.house.watch_gate()
    return await _licenses(given)


async def _remove(given: Given) -> None:
    await given.visit.house.licenses.remove(given.visit.account, given.visit.text("license"))
    await given.visit.house.watch_gate()


async def _applications(given: Given) -> Sequence[KeptApplication]:
    return await given.visit.house.licenses.applications(given.visit.account)


async def _add_application(given: Given) -> KeptApplication:
    return await given.visit.house.licenses.add_application(given.visit.account, given.body.application)


async def _revoke(given: Given) -> Revoked:
    count = await given.visit.house.licenses.add_revocations(given.body.revocations)
    await given.visit.house.watch_gate()
    return Revoked(revoked=count)


OPERATIONS = (
    Operation(method="GET", path="/account", name="get_account", summary="The account of this actor", permission=SEE,
              does=_account, answer=Account),
    Operation(method="GET", path="/drivers", name="list_drivers", summary="All that are there, and why one is not "
              "available", permission=SEE, does=_list, answer=Sequence[DriverListing]),
    Operation(method="GET", path="/drivers/{driver}/schema", name="get_schema",
              summary="The driver's forms as JSON Schema with x-ui", permission=SEE, does=_schema,
              answer=Mapping[str, Any]),
    Operation(method="PUT", path="/drivers/{driver}/installation", name="install_driver",
              summary="Switch a licensed driver on", permission=LICENSE, does=_install,
              answer=Sequence[DriverListing]),
    Operation(method="DELETE", path="/drivers/{driver}/installation", name="uninstall_driver",
              summary="Switch it off; refused while connections exist", permission=LICENSE, does=_uninstall,
              status=204),
    Operation(method="GET", path="/drivers/{driver}/defaults", name="get_defaults",
              summary="The account's defaults of its settings pages", permission=SEE, does=_defaults,
              answer=Mapping[str, PageAnswer]),
    Operation(method="PUT", path="/drivers/{driver}/defaults/{page}", name="set_defaults",
              summary="Save the default of a page", permission=MANAGE, does=_set_defaults, body=Defaults,
              answer=PageAnswer, etag=True),
    Operation(method="GET", path="/licenses", name="list_licenses", summary="What they are worth now", permission=SEE,
              does=_licenses, answer=Sequence[HeldLicense]),
    Operation(method="POST", path="/licenses", name="add_license", summary="Add a license to the main account",
              permission=LICENSE, does=_add, body=NewLicense, answer=Sequence[HeldLicense], status=201),
    Operation(method="DELETE", path="/licenses/{license}", name="remove_license", summary="Forget one",
              permission=LICENSE, does=_remove, status=204),
    Operation(method="POST", path="/revocations", name="add_revocations", summary="Take in a revocation list",
              permission=LICENSE, does=_revoke, body=Revocations, answer=Revoked),
    Operation(method="GET", path="/applications", name="list_applications", summary="What may be told of them",
              permission=LICENSE, does=_applications, answer=Sequence[KeptApplication]),
    Operation(method="POST", path="/applications", name="add_application", summary="Add or replace one",
              permission=LICENSE, does=_add_application, body=NewApplication, answer=KeptApplication, status=201),
)  # fmt: skip
