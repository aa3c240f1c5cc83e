"""What is wrong with a file that came in."""

from __future__ import annotations

from omnichannel_core import errors


class FileRefused(errors.RemoteRejected):
    """This file is not booked; it goes to `error/` with the reason beside it, and the next one is processed.

    `code` is a stable word: unreadable, too_large, zip_bomb, path_traversal, bad_index, incomplete, bad_table,
    unbalanced, bad_receipt, bad_acknowledgement.
    """


class Unbalanced(FileRefused):
    """A closing whose receipts do not sum up to what it says; `closing` is its id."""

    def __init__(self, message: str, closing: str) -> None:
        super().__init__(message, "unbalanced")
        self.closing = closing

    def __reduce__(self) -> tuple[type[Unbalanced], tuple[str, str]]:
        return type(self), (str(self), self.closing)
