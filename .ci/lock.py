"""The lock of the development tools: every package that `make` installs, pinned.

Run by `make lock` on the oldest Python that is supported, because a release that
runs there runs on the newer ones too, and not the other way round.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HEADER = """\
# Pins of the development tools, for pip's --constraint; `make lock` writes this file.
"""


def resolved() -> dict[str, str]:
    """Return the newest release of each package that pip would install here."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
    command += ["--ignore-installed", "--report", "-", "--group", "dev"]
    finished = subprocess.run(
        [*command, "--editable", ".[demo,gate,load,otel,prometheus,sentry]"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    packages = [one["metadata"] for one in json.loads(finished.stdout)["install"]]
    return {one["name"].lower().replace("_", "-"): one["version"] for one in packages}


def main(argv: list[str]) -> int:
    """Write the pins into the file that is named."""
    pins = resolved()
    del pins["coroguard"]
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items())]
    file = Path(argv[0])
    file.parent.mkdir(exist_ok=True)
    file.write_text(HEADER + "".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
