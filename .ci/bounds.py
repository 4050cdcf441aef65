"""Print the lowest versions of the dependencies that pyproject.toml allows here."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement


def main() -> None:
    """Print a pin for each dependency whose marker holds on this interpreter."""
    root = Path(__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    for line in project["project"]["dependencies"]:
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate():
            (bound,) = (it.version for it in needed.specifier if it.operator == ">=")
            sys.stdout.write(f"{needed.name}=={bound}\n")


if __name__ == "__main__":
    main()
