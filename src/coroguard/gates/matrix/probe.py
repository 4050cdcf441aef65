"""Versions of the packages that the arguments name, as JSON; empty if missing."""

# Run as a script by any interpreter, and imports nothing of coroguard.

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


_found = {"python": platform.python_version()}
_found |= {name: _version(name) for name in sys.argv[1:]}
sys.stdout.write(json.dumps(_found))
