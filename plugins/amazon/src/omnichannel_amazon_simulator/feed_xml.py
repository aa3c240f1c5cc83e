"""The processing report of the older feeds."""

from __future__ import annotations

from xml.sax.saxutils import escape


def processing_report(feed: str, code: str, problems: list[tuple[str, str]], count: int) -> bytes:
    """(message id, text) of what went wrong among `count` messages."""
    results = "".join(
        f"<Result><MessageID>{escape(number)}</MessageID><ResultCode>Error</ResultCode>"
        f"<ResultMessageCode>{escape(code)}</ResultMessageCode>"
        f"<ResultDescription>{escape(why)}</ResultDescription></Result>"
        for number, why in problems
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<AmazonEnvelope><Header><DocumentVersion>1.02</DocumentVersion></Header>"
        "<MessageType>ProcessingReport</MessageType><Message><MessageID>1</MessageID><ProcessingReport>"
        f"<DocumentTransactionID>{feed}</DocumentTransactionID><StatusCode>Complete</StatusCode><ProcessingSummary>"
        f"<MessagesProcessed>{count}</MessagesProcessed>"
        f"<MessagesSuccessful>{count - len(problems)}</MessagesSuccessful>"
        f"<MessagesWithError>{len(problems)}</MessagesWithError><MessagesWithWarning>0</MessagesWithWarning>"
        f"</ProcessingSummary>{results}</ProcessingReport></Message></AmazonEnvelope>\n"
    ).encode()
