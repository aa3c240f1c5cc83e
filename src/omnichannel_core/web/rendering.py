"""Pages from templates: autoescaped, translated, with the addresses of this application."""

from __future__ import annotations

import gettext
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import jinja2
from starlette.requests import Request

from omnichannel_core.web.actors import Permission
from omnichannel_core.web.problems import TITLES
from omnichannel_core.web.words import WORDS

if TYPE_CHECKING:
    from omnichannel_core.web.visits import Visit

HERE = Path(__file__).parent
LANGUAGES = ("en", "de")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_WANTED = re.compile(r"([a-z0-9-]{1,40}|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?", re.ASCII | re.IGNORECASE)
_COUNT = re.compile(r"\b([a-z][a-z0-9-]{0,60}): (?=\d)", re.ASCII)  # orders: 28
_EXACT = re.compile(r"-?\d{1,30}\.\d{1,20}", re.ASCII)
ASSETS = {"app.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8"}


@lru_cache
def asset(name: str) -> tuple[bytes, str]:
    """(content, version) of one of our files."""
    content = (HERE / "static" / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


@lru_cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalog of a language; English is what the sources say."""
    return gettext.translation("omnichannel", HERE / "locale", [language], fallback=True)


@attrs.define
class Renderer:
    """One environment per language.

    Attributes:
        templates: a host's folder whose templates go before ours.
    """

    templates: Path | None = None
    _environments: dict[str, jinja2.Environment] = attrs.field(factory=dict)

    def render(self, visit: Visit, template: str, said: Mapping[str, Any]) -> str:
        """A page as text."""
        page = self._environment(visit.language).get_template(template)
        return page.render(
            visit=visit, web=visit.web, url=visit.url, root=visit.root, language=visit.language, may=visit.may,
            Permission=Permission, asset=lambda name: visit.url(f"/static/{name}", v=asset(name)[1]), **said,
        )  # fmt: skip

    def known(self, language: str) -> str:
        """The language as we have it; '' when we have not."""
        short = language.lower().partition("-")[0]
        return short if short in LANGUAGES else ""

    def preferred(self, request: Request) -> str:
        """What Accept-Language prefers of what there is (RFC 9110 12.5.4: blanks anywhere, a weight of 0 is *not*)."""
        wanted = []
        for part in request.headers.get("accept-language", "")[:500].split(","):
            found = _WANTED.fullmatch(part.strip())
            if found is not None and float(found[2] or 1) > 0:
                wanted.append((float(found[2] or 1), self.known(found[1])))
        return next((name for _, name in sorted(wanted, key=lambda one: -one[0]) if name), "en")

    def _environment(self, language: str) -> jinja2.Environment:
        if language not in self._environments:
            ours = jinja2.FileSystemLoader(HERE / "templates")
            loaders: Sequence[jinja2.BaseLoader] = (
                [ours] if self.templates is None else [jinja2.FileSystemLoader(self.templates), ours]
            )
            made = jinja2.Environment(
                loader=jinja2.ChoiceLoader(loaders), autoescape=True, undefined=jinja2.StrictUndefined,
                trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
            )  # fmt: skip
            made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
            catalog = translations(language)

            def word(key: str) -> str:
                return catalog.gettext(WORDS[key]) if key in WORDS else worded(str(key))

            made.filters.update(
                said=said, day=day, moment=moment, timed=timed, amount=amount, word=word,
                progress=lambda text: _COUNT.sub(lambda found: f"{word(found[1])}: ", text),
            )  # fmt: skip
            made.globals["titles"] = TITLES
            self._environments[language] = made
        return self._environments[language]


@jinja2.pass_context
def said(context: jinja2.runtime.Context, text: object, driver: str = "") -> str:
    """A sentence of the house or of a driver in the visitor's language."""
    visit: Visit = context["visit"]
    return visit.say(text, driver)


def timed(value: Any) -> Any:
    """A time of day with its zone as pages show it; anything else as it is."""
    return moment(value) if isinstance(value, str) and _TIME.fullmatch(value) else value


def amount(value: Any) -> str:
    """165.2400 is 165.24, 2.000 is 2 and 5.5 is 5.50: no digit that says something is lost."""
    text = str(value)
    if not _EXACT.fullmatch(text):
        return text
    whole, dot, rest = text.partition(".")
    rest = rest.rstrip("0")
    return f"{whole}{dot}{rest:0<2}" if rest else whole


def worded(name: str) -> str:
    """A name of a driver's own as words: `parcel-labels` is Parcel labels."""
    return name.replace("-", " ").replace("_", " ").capitalize() if name.islower() else name


def day(value: datetime | None) -> str:
    """Created 21/11/2026, as the manual writes it."""
    return f"{value:%d/%m/%Y}" if value else ""


def moment(value: datetime | str | None) -> str:
    """21.11.2026 10:30 UTC."""
    found = datetime.fromisoformat(value) if isinstance(value, str) and value else value
    return f"{found.astimezone(UTC):%d.%m.%Y %H:%M} UTC" if isinstance(found, datetime) else ""
