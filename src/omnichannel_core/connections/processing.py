"""Processes as users see them."""

from __future__ import annotations

from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.runner import Runner


class ProcessDoor:
    """`house.processes`."""

    def __init__(self, queue: Queue, runner: Runner) -> None:
        self.get, self.list, self.cancel, self.wait = queue.get, queue.list, queue.cancel, queue.wait
        self.run_to_end = runner.run_to_end
