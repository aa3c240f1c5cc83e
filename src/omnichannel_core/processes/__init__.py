"""Long work: the queue, the embedded runner, the schedule."""
