"""The same targets measured on other Pythons of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import page

_VERSIONS = ("3.11", "3.13", "3.14")
_LINES = (
    *("off", "sync", "async", "report", "scan"),
    *("exceptions", "plugin", "imports"),
)
_ROOT = Path(__file__).parents[1]
_FOLDER = Path(tempfile.gettempdir()) / "coroguard-benchmarks"


def measure_others(*, smoke: bool) -> tuple[list[page.Targets], list[str]]:
    """Measure on each other Python that is found.

    Returns:
        What they measured, and a sentence for each that is missing.
    """
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    measured: list[page.Targets] = []
    missing: list[str] = []
    for version in _VERSIONS:
        if version == own:
            continue
        found = shutil.which(f"python{version}")
        if found is None:
            missing.append(
                f"Not measured on Python {version}: python{version} not found."
            )
            continue
        print(f"\nmeasuring on Python {version}", flush=True)
        try:
            measured.append(_measure(found, version, smoke))
        except (subprocess.CalledProcessError, OSError) as problem:
            missing.append(f"Not measured on Python {version}: {problem}.")
    return measured, missing


def _measure(interpreter: str, version: str, smoke: bool) -> page.Targets:
    """Install what is needed into an environment, and measure in there."""
    home = _FOLDER / version
    python = home / "bin" / "python"
    run = [str(python), "-m"]
    if not python.exists():
        subprocess.run([interpreter, "-m", "venv", str(home)], check=True)
        subprocess.run([*run, "pip", "install", "-q", "pip>=25.1"], check=True)
    needs = ("--editable", ".", "--group", "bench", "pytest", "starlette", "uvicorn")
    subprocess.run(
        [*run, "pip", "install", "-q", *needs, "websockets"], check=True, cwd=_ROOT
    )
    kept = home / "measured.json"
    options = ["--smoke"] if smoke else []
    subprocess.run(
        [*run, "benchmarks", *_LINES, "--save", str(kept), *options],
        check=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.DEVNULL,
    )
    return page.load(kept)
