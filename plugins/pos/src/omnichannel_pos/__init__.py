"""POS: the driver."""
