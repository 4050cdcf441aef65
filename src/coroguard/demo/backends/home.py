"""The temporary folder of a demonstration, and those of killed ones."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]

_PREFIX = "coroguard-demo-"


def temporary_home() -> Path:
    """Return a new folder that the account of PostgreSQL can enter.

    Folders of demonstrations that were killed are removed first.
    """
    folder = Path(tempfile.gettempdir())
    as_root = os.geteuid() == 0
    if as_root and not all(it.stat().st_mode & 0o1 for it in (folder, *folder.parents)):
        folder = Path("/tmp")
    _remove_abandoned(folder)
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=folder))
    if as_root:
        home.chmod(0o711)
    return home


def _remove_abandoned(folder: Path) -> None:
    """Remove the folders of our own whose process is gone."""
    for home in folder.glob(f"{_PREFIX}*-*"):
        pid = home.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            is_ours = home.lstat().st_uid == os.geteuid() and not home.is_symlink()
            if is_ours and pid.isdecimal() and not psutil.pid_exists(int(pid)):
                shutil.rmtree(home, ignore_errors=True)
