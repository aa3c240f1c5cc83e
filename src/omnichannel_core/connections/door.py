"""All moves of connections under one roof, as hosts, web and command line see them."""

from __future__ import annotations

from omnichannel_core.connections.authorizing import Authorizing
from omnichannel_core.connections.calling import Calling
from omnichannel_core.connections.checking import Checking
from omnichannel_core.connections.deleting import Deleting
from omnichannel_core.connections.listing import Listing
from omnichannel_core.connections.managing import Managing
from omnichannel_core.connections.scheduling import Scheduling
from omnichannel_core.connections.settings import SettingsService
from omnichannel_core.connections.switching import Switching
from omnichannel_core.connections.synchronizing import Synchronizing


class ConnectionsDoor:
    """`house.connections`. The first argument of every move is the account's id."""

    def __init__(
        self, managing: Managing, authorizing: Authorizing, checking: Checking, synchronizing: Synchronizing,
        deleting: Deleting, listing: Listing, settings: SettingsService, scheduling: Scheduling, calling: Calling,
        switching: Switching,
    ) -> None:  # fmt: skip
        self.get, self.list, self.credentials = managing.get, managing.list, managing.credentials
        self.create, self.edit, self.rename = managing.create, managing.edit, managing.rename
        self.disable, self.enable = switching.disable, switching.enable
        self.authorize, self.returned = authorizing.begin, authorizing.finish
        self.draft, self.unfinished = authorizing.show, authorizing.unfinished
        self.confirm, self.discard = authorizing.confirm, authorizing.discard
        self.check = checking.check
        self.synchronize = synchronizing.synchronize
        self.delete, self.what_goes = deleting.delete, deleting.what_goes
        self.page, self.ids, self.count = listing.page, listing.ids, listing.count
        self.schedules, self.schedule = scheduling.list, scheduling.set
        self.receive = calling.receive
        self.settings, self.set_defaults = settings, managing.set_defaults
