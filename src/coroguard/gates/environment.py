"""The environment variables of a gate's runs."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Only those of Python's variables that cannot change what runs or what it asserts.
_KEPT_OF_PYTHON = frozenset(
    {
        "PYTHONASYNCIODEBUG",
        "PYTHONCOERCECLOCALE",
        "PYTHONDEVMODE",
        "PYTHONFAULTHANDLER",
        "PYTHONHASHSEED",
        "PYTHONHOME",
        "PYTHONINTMAXSTRDIGITS",
        "PYTHONIOENCODING",
        "PYTHONMALLOC",
        "PYTHONNOUSERSITE",
        "PYTHONTRACEMALLOC",
        "PYTHONUNBUFFERED",
        "PYTHONUSERBASE",
        "PYTHONUTF8",
        "PYTHON_GIL",
    }
)
_OF_PYTEST = re.compile(
    r"PYTEST_(ADDOPTS|PLUGINS|CURRENT_TEST|DEBUG|VERSION|XDIST_\w+)"
)
# A stricter run than the gate's own is welcome.
_OF_STRICT_MODE = frozenset(
    {"COROGUARD_MODE", "COROGUARD_PACKAGES", "COROGUARD_UNCLAIMED"}
)


def known(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a gate's run starts with.

    Variables that could change which code runs, which plugins load, whether
    assertions hold or whether guards are on are left out. ``COROGUARD_MODE`` is
    kept only where it is ``strict``.
    """
    strict = environment.get("COROGUARD_MODE", "").strip().lower() == "strict"
    return {
        name: value
        for name, value in environment.items()
        if _is_known(name, strict=strict)
    }


def left_out(environment: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that `known` leaves out, sorted."""
    kept = known(environment)
    return sorted(name for name in environment if name not in kept)


def may_be_set(name: str) -> bool:
    """Return whether a variable is the application's, and not about the run itself."""
    return not name.startswith("PYTHON") and _is_known(name, strict=False)


def _is_known(name: str, *, strict: bool) -> bool:
    if name.startswith("COROGUARD_"):
        return strict and name in _OF_STRICT_MODE
    if name.startswith("PYTHON"):
        return name in _KEPT_OF_PYTHON
    return _OF_PYTEST.fullmatch(name) is None
