"""The work of `coroguard alerts`."""

from __future__ import annotations

import sys
from pathlib import Path

FILES = Path(__file__).with_name("files")


def alerts(*, folder: Path) -> int:
    """Write the files for Prometheus, Alertmanager and Grafana into a folder.

    A file of the same name is replaced.

    Returns:
        0 where they were written, 2 where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(FILES.iterdir()):
            target = folder / file.name
            target.write_bytes(file.read_bytes())
            sys.stdout.write(f"{target}\n")
    except OSError as error:
        sys.stderr.write(f"coroguard: {error}\n")
        return 2
    return 0
