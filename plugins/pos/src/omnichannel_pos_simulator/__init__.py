"""POS: the simulator."""
