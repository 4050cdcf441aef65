"""The identity of a run: versions, commit, seeds."""

from __future__ import annotations

import os
import platform
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coroguard._version import __version__

_LARGEST_SEED = 2**32 - 1


def versions() -> dict[str, str]:
    """Return the versions that the command itself runs on."""
    return {
        "coroguard": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
    }


def commit(root: Path) -> dict[str, Any] | None:
    """Return git's commit and whether anything differs from it; `None` without git."""
    head = _git(root, "rev-parse", "HEAD")
    if not head:
        return None
    changed = _git(root, "status", "--porcelain")
    # If git does not answer, the state of the files is unknown.
    return {"id": head, "dirty": changed is None or bool(changed)}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def seeds(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the seeds of random choices: those given, or new ones."""
    given = environment.get("COROGUARD_SEED", "")
    seed = given if given.isdecimal() else str(secrets.randbelow(_LARGEST_SEED))
    hashes = environment.get("PYTHONHASHSEED", "random")
    return {
        "COROGUARD_SEED": seed,
        "PYTHONHASHSEED": seed if hashes in ("", "random") else hashes,
    }
