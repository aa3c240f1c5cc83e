"""What people type: frozen pydantic forms that refuse strangers and hide secrets."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import attrs
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler


@attrs.frozen(kw_only=True)
class Ui:
    """The one `x-ui` key of a field: `Annotated[str, Ui(fixed=True)]`.

    Attributes:
        fixed: set at create, read-only ever after.
        locked: never typed: shows what the authorization flow brought.
        options: a pulled list (`Choices`) by id, or "host.<list>": for a value, a set's values, a mapping's keys.
        when: shown and used only while this other field is on.
    """

    fixed: bool = False
    locked: bool = False
    options: str = ""
    when: str = ""

    def __get_pydantic_json_schema__(self, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        shown = attrs.asdict(self, filter=lambda _, value: bool(value))
        return {**handler(core), "x-ui": shown, "readOnly": self.locked}


Locked: TypeAlias = Annotated[None, Ui(locked=True)]
"""`access_token: Locked = None` keeps the field's place in the form and takes no value."""


class Form(BaseModel):
    """What a person fills in. A nested model is a section, a tagged union a choice; every SecretStr is sealed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def upgrade(cls, stored: dict[str, Any]) -> dict[str, Any]:
        """Stored by an older version of the driver -> what this one validates. Never sees what is being typed."""
        return stored


class Credentials(Form):
    """What an account types to be recognized; an empty class where there is nothing to type."""

    def remote_account(self) -> str:
        """Whose it is, from the form alone: connections that say the same share tokens, limits and callbacks."""
        return ""

    def channel(self) -> str:
        """Which part of that account this connection is (a marketplace, a site); '' is all of it."""
        return ""


class Application(Form):
    """What a vendor registered with the marketplace. Secrets that rotate are tuples, newest first."""


class Settings(Form):
    """One page of settings; every field has a default."""


@attrs.frozen
class SettingsPage:
    """A menu entry. `inherits`: has *Apply from default*. `needs`: shown only while that pulled list has entries.

    Opening a page costs no remote call.
    """

    name: str
    title: str
    form: type[Settings]
    inherits: bool = False
    needs: str = ""
