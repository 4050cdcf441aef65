"""The machine and the versions that were measured with."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["facts"]

_LIBRARIES = (
    "coroguard",
    "pydantic",
    "pydantic-core",
    "typeguard",
    "wrapt",
    "beartype",
    "starlette",
    "uvicorn",
    "websockets",
)


def facts() -> list[tuple[str, str]]:
    """Return what a reader needs to judge the numbers, as names and values."""
    libraries = ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES)
    system = f"{platform.system()} {platform.release()} ({platform.machine()})"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return [
        ("date", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("CPU", f"{_cpu()}, {os.cpu_count()} cores"),
        ("system", system),
        ("Python", f"{python} ({platform.python_compiler()})"),
        ("libraries", libraries),
        ("load when it began", _load()),
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _cpu() -> str:
    """Return the processor's name; Linux has it, elsewhere Python may."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"


def _load() -> str:
    """Return the load of the last minute: other work makes numbers worse."""
    try:
        return f"{os.getloadavg()[0]:.2f}"
    except (AttributeError, OSError):
        return "unknown"
