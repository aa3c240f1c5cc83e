"""Amazon: the driver."""
