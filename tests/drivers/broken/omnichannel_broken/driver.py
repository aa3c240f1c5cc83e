"""Ends the program on import; the house must go on."""

import sys

sys.exit("a driver must not do this")
