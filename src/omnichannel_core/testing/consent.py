"""A merchant at a simulator's consent page: opens it as a browser would, agrees, and is sent back to the host.

For hosts' tests and the demo; a browser of flesh and blood shows the same pages.
"""

from __future__ import annotations

import http.client
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

import attrs

from omnichannel_core import errors

STEPS = 8
"""Pages and redirects that one consent may take."""

AGREEING = ("confirm", "install app", "allow", "authorize")
Attributes = list[tuple[str, str | None]]


@attrs.define
class Way:
    """A link or a form's button: where it goes, what it is called, and what it sends."""

    target: str
    method: str = "get"
    fields: dict[str, str] = attrs.field(factory=dict)
    called: str = ""


class _Ways(HTMLParser):
    """Every link and every button of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Way] = []
        self._form: Way | None = None
        self._open: Way | None = None

    def handle_starttag(self, tag: str, attrs_: Attributes) -> None:
        said = {name: value or "" for name, value in attrs_}
        if tag == "form":
            self._form = Way(said.get("action", ""), said.get("method", "get").lower())
        elif tag == "input" and self._form is not None and "name" in said:
            self._form.fields[said["name"]] = said.get("value", "")
        elif tag == "a" and "href" in said:
            self._open = Way(said["href"])
        elif tag == "button" and self._form is not None:
            mine = {said["name"]: said.get("value", "")} if "name" in said else {}
            self._open = attrs.evolve(self._form, fields={**self._form.fields, **mine})

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.called += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("a", "button") and self._open is not None:
            self.found.append(self._open)
            self._open = None
        elif tag == "form":
            self._form = None


def agree(url: str) -> str:
    """Blocking: opens the consent page at `url`, agrees, and answers where the browser is sent back to.

    Args:
        url: of a simulator on this machine, as AUTHORIZE tells it: http://<real host>.localhost:<port>/...

    Raises:
        UsageError: the page cannot be agreed to, or leads nowhere.
    """
    here, way = urlsplit(url).netloc, Way(url)
    for _ in range(STEPS):
        status, location, page = _opened(way)
        if location:
            way = Way(urljoin(way.target, location))
            if urlsplit(way.target).netloc != here:
                return way.target
            continue
        offered = _Ways()
        offered.feed(page)
        way_on = next((one for one in offered.found if one.called.strip().lower() in AGREEING), None)
        if status != 200 or way_on is None:
            raise errors.UsageError(f"The consent page answers {status} and offers nothing to agree to.")
        way = attrs.evolve(way_on, target=urljoin(way.target, way_on.target))
    raise errors.UsageError(f"The consent page did not come to an end within {STEPS} steps.")


def _opened(way: Way) -> tuple[int, str, str]:
    """Status, where to go on, and the page. Names below .localhost are this machine's (RFC 6761 6.3)."""
    where, words = urlsplit(way.target), urlencode(way.fields)
    if where.scheme != "http" or not (where.hostname or "").endswith((".localhost", "127.0.0.1")):
        raise errors.UsageError(f"{where.hostname} is no simulator on this machine.")
    sent = words.encode() if way.method == "post" else None
    query = where.query if sent is not None or not words else words
    connection = http.client.HTTPConnection("127.0.0.1", where.port or 80, timeout=30)
    try:
        headers = {"Host": where.netloc, "Accept": "text/html"}
        if sent is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if sent is None else "POST", f"{where.path}?{query}", sent, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location", ""), answer.read().decode()
    finally:
        connection.close()
