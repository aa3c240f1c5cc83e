"""`python -m reference docs`: pages in docs/reference, docs/drivers. `python -m reference api`: the signatures."""

from __future__ import annotations

import sys

from reference import pages, signatures


def main() -> None:
    """What is named."""
    match sys.argv[1:]:
        case ["docs"]:
            pages.write()
        case ["api"]:
            signatures.FILE.write_text(signatures.text())
        case _:
            sys.exit(__doc__)


main()
