"""Processes as users see them."""

from __future__ import annotations

from omnichannel_core.model.process import Process
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.runner import Runner


class ProcessDoor:
    """`house.processes`."""

    def __init__(self, queue: Queue, runner: Runner) -> None:
        self._queue, self._finished = queue, runner.on_finished
        self.get, self.list, self.wait = queue.get, queue.list, queue.wait
        self.run_to_end = runner.run_to_end

    async def cancel(self, account: str, process_id: int) -> Process:
        """One that waits ends at once; one that runs ends within seconds; one that has ended stays as it is.

        Raises:
            NotFound: not in this account.
        """
        before = await self._queue.get(account, process_id)
        ended = await self._queue.cancel(account, process_id)
        if before.open and not ended.open and self._finished is not None:
            await self._finished(ended)  # no runner saw it end
        return ended
