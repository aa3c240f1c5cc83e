"""What a driver declared, gathered once by the gate's loader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from omnichannel_core.driver.authorization import AuthorizationFlow
from omnichannel_core.driver.callbacks import Callbacks
from omnichannel_core.driver.remote import RemoteApi
from omnichannel_core.driver.streams import PullStream, PushStream

if TYPE_CHECKING:
    from omnichannel_core.driver.forms import Application, Credentials, SettingsPage

DATA_MODEL = "data-model"


@attrs.frozen(kw_only=True)
class Driver:
    """Frozen and typed: reaching it costs an attribute read.

    Attributes:
        locale: folder with gettext catalogs of what the driver says: `<language>/LC_MESSAGES/omnichannel.mo`; '' is
            none. The house finds `locale` beside the driver's module.
    """

    name: str
    title: str
    version: str
    distribution: str
    credentials: type[Credentials]
    flow: AuthorizationFlow
    pages: Mapping[str, SettingsPage]
    pulls: Mapping[str, PullStream[Any]]
    pushes: Mapping[str, PushStream[Any]]
    application: type[Application] | None = None
    api: RemoteApi | None = None
    callbacks: Callbacks | None = None
    not_supported: Mapping[str, str] = attrs.field(factory=dict)
    locale: str = ""

    @property
    def has_credentials(self) -> bool:
        """Whether there is anything to fill in."""
        return bool(self.credentials.model_fields)

    def model_streams(self) -> Sequence[PullStream[Any]]:
        """Streams of the data model: the initial sync runs them to completion before anything else."""
        return [stream for stream in self.pulls.values() if stream.name == DATA_MODEL]

    def record_streams(self) -> Sequence[PullStream[Any]]:
        """All other pulls, in the order declared."""
        return [stream for stream in self.pulls.values() if stream.name != DATA_MODEL]
