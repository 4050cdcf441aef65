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


if __name__ == "__main__":
    found = {"python": platform.python_version()}
    found |= {name: _version(name) for name in sys.argv[1:]}
    sys.stdout.write(json.dumps(found))
