"""The lock of the development tools: every package that `make` installs, pinned.

Run by `make lock` on the oldest Python that is supported, because a release that
runs there runs on the newer ones too, and not the other way round.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

from packaging.specifiers import SpecifierSet

HEADER = """\
# Pins of the development tools, for pip's --constraint; `make lock` writes this file.
"""


#: The first release of the oldest Python, which some machines have to this day.
OLDEST = "3.11.0"


def resolved() -> dict[str, str]:
    """Return the newest release of each package that every supported Python takes."""
    limits: list[str] = []
    while True:
        packages = newest(limits)
        found = {one["name"].lower().replace("_", "-"): one for one in packages}
        too_new = [
            f"{name}<{one['version']}\n"
            for name, one in found.items()
            if OLDEST not in SpecifierSet(one.get("requires_python", ""))
        ]
        if not too_new:
            return {name: one["version"] for name, one in found.items()}
        limits += too_new


def newest(limits: list[str]) -> list[dict[str, str]]:
    """Return the metadata of what pip would install here within these limits."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
    command += ["--ignore-installed", "--report", "-", "--group", "dev"]
    with NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(limits))
        file.flush()
        command += ["--constraint", file.name]
        finished = subprocess.run(
            [*command, "--editable", ".[demo,gate,load,otel,prometheus,sentry]"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return [one["metadata"] for one in json.loads(finished.stdout)["install"]]


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
