"""A driver made from the template, as its author gets it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from click.testing import CliRunner

from omnichannel_core import errors
from omnichannel_core.cli import scaffold
from omnichannel_core.cli.commands import cli

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("driver.py", "credentials.py", "authorization.py", "settings.py", "client.py", "wire.py", "sync/orders.py")
IGNORED = shutil.ignore_patterns(".venv*", ".git", ".uv", "plugins", "__pycache__", ".hypothesis", ".*_cache")


def run(*command: str | Path, cwd: Path) -> str:
    """Its output; fails with all it said when it went wrong."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def uv() -> str:
    """The one that made this environment."""
    found = shutil.which("uv") or str(ROOT / ".uv/bin/uv")
    assert Path(found).exists(), "uv is neither on the path nor in .uv: make .venv/.ok"
    return found


def test_files(tmp_path: Path) -> None:
    """It has the files a driver has, and each of them names one next step."""
    made = scaffold.write("corner-shop", tmp_path / "made")
    package = made / "src/omnichannel_corner_shop"
    assert all((package / room).is_file() for room in ROOMS)
    for file in (path for path in made.rglob("*") if path.is_file() and path.name != "py.typed"):
        assert file.read_text().count("Next: ") == 1, file
    assert not [path for path in made.rglob("*") if path.is_file() and "${" in path.read_text()]


@pytest.mark.parametrize(
    "name",
    ["", "Shop", "corner_shop", "1shop", "shop-", "-shop", "a--b", "x/../y", "core", "my-simulator", "a" * 41,
     "bigcommerce", "omnichannel-x", "sh\nop", "ßhop"],
)  # fmt: skip
def test_bad_names(name: str, tmp_path: Path) -> None:
    """A name that cannot be a driver's, or is one's already, is refused and nothing is written."""
    with pytest.raises(errors.UsageError, match=r"cannot be a driver's name|is here already"):
        scaffold.write(name, tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("title", ['"""', "a\nb", "x" * 61, "$" + "{name}", "\\"])
def test_bad_titles(title: str, tmp_path: Path) -> None:
    """A title that would break a file is refused."""
    with pytest.raises(errors.UsageError, match="title"):
        scaffold.write("corner", tmp_path / "made", title)
    assert list(tmp_path.iterdir()) == []


def test_existing(tmp_path: Path) -> None:
    """An existing folder is refused, also an empty one, and stays as it is."""
    (tmp_path / "made").mkdir()
    with pytest.raises(errors.UsageError, match="exists already; nothing was written"):
        scaffold.write("corner", tmp_path / "made")
    assert [path.name for path in tmp_path.rglob("*")] == ["made"]


def test_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When writing breaks off, nothing is left behind."""
    write, written = Path.write_text, list[Path]()

    def full(path: Path, *given: str, **named: str) -> int:
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        written.append(path)
        return write(path, *given, **named)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(errors.UsageError, match="No space left on device; nothing was written"):
        scaffold.write("corner", tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command makes it in the current folder, says what it made, and refuses with exit code 2."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["--json", "new-driver", "corner-shop", "--title", "Corner & Sons"])
    said = json.loads(done.stdout)
    assert "src/omnichannel_corner_shop/driver.py" in said["files"]
    assert 'description = "Corner & Sons"' in (tmp_path / said["folder"] / "pyproject.toml").read_text()
    again = CliRunner().invoke(cli, ["new-driver", "corner-shop"])
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_style(tmp_path: Path) -> None:
    """It passes the house's own style and strict types."""
    made = scaffold.write("corner-shop", tmp_path / "made")
    tools, config = Path(sys.executable).parent, ROOT / "pyproject.toml"
    run(tools / "ruff", "check", "--no-cache", "--config", config, ".", cwd=made)
    run(tools / "ruff", "format", "--no-cache", "--check", "--config", config, ".", cwd=made)


@pytest.mark.timeout(600)
def test_installs_and_conforms(tmp_path: Path) -> None:
    """Built as a wheel and installed beside core's wheel in a clean environment, untouched, it is platinum."""
    made = scaffold.write("corner-shop", tmp_path / "made")
    core = tmp_path / "core"
    core.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "src"):
        here = ROOT / name
        shutil.copytree(here, core / name, ignore=IGNORED) if here.is_dir() else shutil.copy(here, core / name)
    wheels, clean = tmp_path / "wheels", tmp_path / "clean"
    for project in (core, made):
        run(uv(), "build", "--quiet", "--offline", "--wheel", "--out-dir", wheels, project, cwd=tmp_path)
    run(uv(), "venv", "--quiet", "--offline", "--python", sys.executable, clean, cwd=tmp_path)
    python = clean / "bin/python"
    run(uv(), "pip", "install", "--quiet", "--offline", "--no-index", "--no-deps", "--python", python,
        *sorted(wheels.glob("*.whl")), cwd=tmp_path)  # fmt: skip
    third_parties = sysconfig.get_path("purelib")
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    (site / "third_parties.pth").write_text(third_parties + "\n")
    where = run(python, "-c", "import omnichannel_core as core, omnichannel_corner_shop as driver; "
                "print(core.__file__, driver.__file__)", cwd=tmp_path)  # fmt: skip
    assert where.count(str(clean)) == 2
    shutil.copytree(made / "tests", tmp_path / "tests")
    said = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=tmp_path)
    assert re.search(r"^corner-shop: platinum, 3 rules do not apply \(", said, re.MULTILINE), said
    assert "cannot apply: platinum-agrees-with-the-definition: the invented shop" in said
    assert "cannot apply: gold-cancelled-authorizations-end: its flow has" in said
