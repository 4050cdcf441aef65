"""The temporary folder of a demonstration."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from coroguard._files import temporary_folder


def temporary_home() -> Path:
    """Return a new folder that the account of PostgreSQL can enter."""
    folder = Path(tempfile.gettempdir())
    as_root = os.geteuid() == 0
    if as_root and not all(it.stat().st_mode & 0o1 for it in (folder, *folder.parents)):
        folder = Path("/tmp")
    home = temporary_folder("coroguard-demo-", folder)
    if as_root:
        home.chmod(0o711)
    return home
