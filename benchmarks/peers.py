"""The peers' own environment, `.venv-peers`, from `requirements/peers.txt`; never mixed with the project's."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv-peers"
LOCK = ROOT / "requirements" / "peers.txt"


def python() -> str:
    """The interpreter of the peers; installs them when the lock has changed since (about 470 MB)."""
    interpreter = FOLDER / "bin" / "python"
    stamp = FOLDER / ".ok"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
        print("installing the peers into .venv-peers", file=sys.stderr)
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(interpreter), "--require-hashes", "-r", str(LOCK)]
        subprocess.run(install, check=True)
        stamp.write_text(digest)
    return str(interpreter)
