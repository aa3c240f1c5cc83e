"""Amazon: the simulator."""
