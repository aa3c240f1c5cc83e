"""`python -m omnichannel_core.cli`."""

from omnichannel_core.cli import main

main()
