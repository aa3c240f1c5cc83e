"""A new driver's distribution, made from the template in this folder: every `*.tmpl` is one file of it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from packaging.version import Version

from omnichannel_core import errors
from omnichannel_core.driver.hookspecs import HOOK_API
from omnichannel_core.gate.catalog import GROUP, KEBAB

LONGEST = 40
SUFFIX = ".tmpl"


def write(name: str, folder: Path, title: str = "") -> Path:
    """Make the distribution `omnichannel-<name>` in a new folder; all of it, or nothing.

    Args:
        name: the driver's name, as its entry point will say it: lower case, digits, single hyphens.
        folder: what to make; its parent exists.
        title: the marketplace as people write it.

    Raises:
        UsageError: a name or title that cannot be one, a folder that exists or cannot be made.
    """
    words = _words(_checked(name), title)
    if folder.exists() or folder.is_symlink():
        raise errors.UsageError(f"{folder} exists already; nothing was written. Name another folder with --folder.")
    try:
        with tempfile.TemporaryDirectory(prefix=".new-driver-", dir=folder.parent) as rough:
            made = Path(rough) / "made"
            for path, text in _rendered(words):
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8")
            made.rename(folder)
    except OSError as cause:
        raise errors.UsageError(f"{folder} cannot be made: {cause.strerror}; nothing was written.") from None
    return folder


def _checked(name: str) -> str:
    if not KEBAB.fullmatch(name) or len(name) > LONGEST:
        raise errors.UsageError(
            f"{name!r} cannot be a driver's name: lower case letters and digits, words joined by single hyphens, "
            f"at most {LONGEST} characters, such as `corner-shop`."
        )
    if name == "core" or name.endswith("-simulator") or name.startswith("omnichannel"):
        raise errors.UsageError(
            f"{name!r} cannot be a driver's name: its package would be taken for another. Name the marketplace alone."
        )
    taken = metadata.entry_points(group=GROUP, name=name)
    if taken:
        there = ", ".join(sorted(point.dist.name for point in taken if point.dist))
        raise errors.UsageError(f"A driver {name!r} is here already, from {there}. Choose another name.")
    return name


def _words(name: str, title: str) -> Mapping[str, str]:
    title = title or name.replace("-", " ").title()
    if not re.fullmatch(r"\w[\w .&+-]{0,58}\w|\w", title):
        raise errors.UsageError(f"{title!r} cannot be a title: letters, digits, spaces and . & + - alone.")
    core = Version(metadata.version("omnichannel-core"))
    return {
        "name": name, "module": _module(name), "camel": name.title().replace("-", ""), "title": title,
        "core": f"{core.major}.{core.minor}", "core_next": f"{core.major}.{core.minor + 1}", "hook_api": str(HOOK_API),
    }  # fmt: skip


def _module(name: str) -> str:
    return name.replace("-", "_")


def _rendered(words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    package = f"src/omnichannel_{words['module']}"
    packages = {"src/driver/": f"{package}/", "src/simulator/": f"{package}_simulator/"}
    for path, text in _templates(files(__name__)):
        kind = next((start for start in packages if path.startswith(start)), "")
        yield packages.get(kind, "") + path.removeprefix(kind), Template(text).substitute(words)


def _templates(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    for one in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if one.is_dir():
            yield from _templates(one, f"{above}{one.name}/")
        elif one.name.endswith(SUFFIX):
            yield above + one.name.removesuffix(SUFFIX), one.read_text(encoding="utf-8")
