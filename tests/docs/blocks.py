"""How a block of a page is run: a shell that remembers, Python, and Python that goes into a file."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

from sybil import Example
from sybil.evaluators.python import PythonEvaluator

PLACE = re.compile(r"# (?P<file>[\w/.-]+\.py)(?:, in (?P<within>\w+))?(?::.*)?\n")
_python = PythonEvaluator()


def run_python(example: Example) -> None:
    """A block whose first line names a file is put there, the rest runs."""
    text = str(example.parsed)
    place = PLACE.match(text)
    if place is None:
        _python(example)
    else:
        put(Path(place["file"]), textwrap.dedent(text[place.end() :]), place["within"] or "")


def put(file: Path, text: str, within: str = "") -> None:
    """A new file; or each thing instead of the one of its name, within a class or the module.

    What is new there stands before the next one of the block that is not, else at the end; imports stand together.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.strip() + "\n")
        return
    nodes = ast.parse(text).body
    for at, node in enumerate(nodes):
        code = "\n".join(text.splitlines()[_start(node) - 1 : node.end_lineno])
        _put(
            file, node, textwrap.indent(code, "    " if within else ""), within, {_name(one) for one in nodes[at + 1 :]}
        )


def _put(file: Path, node: ast.stmt, code: str, within: str, later: set[str]) -> None:
    tree = ast.parse(file.read_text())
    body = (
        next(one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == within).body
        if within
        else tree.body
    )
    there = next((one for one in body if _name(one) and _name(one) == _name(node)), None)
    after = next((one for one in body if _name(one) in later - {""}), None)
    imports = [one for one in body if isinstance(one, ast.ImportFrom)]
    lines, new = file.read_text().splitlines(), code.splitlines()
    if there is not None:
        lines[_start(there) - 1 : there.end_lineno] = new
    elif isinstance(node, ast.ImportFrom):
        lines[imports[-1].end_lineno : imports[-1].end_lineno] = new
    elif after is not None:
        lines[_start(after) - 1 : _start(after) - 1] = [*new, ""]
    else:
        lines[body[-1].end_lineno : body[-1].end_lineno] = ["", *new]
    file.write_text("\n".join(lines) + "\n")


def _start(node: ast.stmt) -> int:
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0])
    return str(getattr(node, "name", ""))


def run_console(example: Example) -> None:
    """Lines after `$` run in a shell; each other line is in what the one before says.

    `cd` and `export` last; `pip install -e` makes this environment see the folder. A line of output that says
    `fails:` means that the command ends badly; every other one ends well.
    """
    environment = example.namespace.setdefault("_environment", dict[str, str]())
    for command, wanted in _commands(str(example.parsed)):
        words = shlex.split(command)
        if words[0] == "cd":
            os.chdir(words[1])
        elif words[0] == "export":
            environment.update([words[1].split("=", 1)])
        elif words[:3] == ["pip", "install", "-e"]:
            environment["PYTHONPATH"] = str(_installed(Path.cwd()))
        else:
            done = _run(["sh", "-ec", command], environment)
            said = done.stdout + done.stderr
            assert bool(done.returncode) == any("fails:" in one for one in wanted), f"{command}: {said}"
            assert not [one for one in wanted if one.strip() not in said], f"{command}: {said}"


def _commands(text: str) -> list[tuple[str, list[str]]]:
    found = list[tuple[str, list[str]]]()
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def _run(command: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    clean |= {"PATH": f"{Path(sys.executable).parent}:{clean['PATH']}", "LC_ALL": "C.UTF-8"} | more
    return subprocess.run(command, env=clean, capture_output=True, text=True, timeout=300, check=False)


def _installed(folder: Path) -> Path:
    """The distribution's metadata beside its packages, as an editable install has it, without an environment."""
    own = Path(__file__).parent.parent.parent / ".uv/bin/uv"
    built = _run(
        [shutil.which("uv") or str(own), "build", "--quiet", "--offline", "--wheel", "--out-dir", "built", "."], {}
    )
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next((folder / "built").glob("*.whl"))) as wheel:
        wheel.extractall(folder / "src", [name for name in wheel.namelist() if ".dist-info/" in name])
    return folder / "src"
