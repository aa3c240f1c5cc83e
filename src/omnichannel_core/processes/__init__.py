"""Long work: queue, embedded runner, schedule."""
