"""The parts of the recorder's report that pytest's own objects hold."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from .._runtime.modes import current
from .evidence import short

if TYPE_CHECKING:
    import pytest


def phase_of(report: pytest.TestReport) -> dict[str, Any]:
    """Return the record of one phase of a test."""
    return {
        "when": report.when or "",
        "outcome": report.outcome,
        "xfail": hasattr(report, "wasxfail"),
        "text": text_of(report),
        "duration_s": report.duration,
    }


def text_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the reason of a report in one line."""
    shown = report.longrepr
    if isinstance(shown, tuple):
        text = shown[2].removeprefix("Skipped: ")
    else:
        crash = getattr(shown, "reprcrash", None)
        text = crash.message if crash else str(shown or "")
    text = getattr(report, "wasxfail", "") or text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # In the report of a file that could not be imported, the error is at the end.
    errors = [line[1:].strip() for line in lines if line.startswith("E  ")]
    return short(" | ".join((errors or lines)[:3]))


def marks_of(item: pytest.Item) -> dict[str, Any]:
    """Return the markers `gate` of a test, and those that are not registered."""
    registered = {
        line.partition(":")[0].partition("(")[0].strip()
        for line in item.config.getini("markers")
    }
    return {
        "id": item.nodeid,
        "marks": [
            {
                "names": [str(name) for name in mark.args],
                "blocks": bool(mark.kwargs.get("blocks_deployment", True)),
                "wrong": sorted(set(mark.kwargs) - {"blocks_deployment"}),
            }
            for mark in item.iter_markers("gate")
        ],
        "unknown": [
            {"mark": mark.name, "names": [it for it in mark.args if type(it) is str]}
            for mark in item.iter_markers()
            if mark.name not in registered
        ],
    }


def versions(config: pytest.Config) -> dict[str, str]:
    """Return the versions of pytest, its plugins and our dependencies."""
    plugins = [dist for _, dist in config.pluginmanager.list_plugin_distinfo()]
    names = ["pytest", "pydantic", "typeguard", "wrapt"]
    return {name: metadata.version(name) for name in names} | {
        dist.project_name: dist.version for dist in plugins
    }


def facts() -> dict[str, Any]:
    """Return under which conditions this process runs, as far as a matrix sets them."""
    import asyncio
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = asyncio.get_event_loop_policy()  # pyright: ignore[reportDeprecated]
        policy = type(found).__module__
    return {
        "mode": str(current()),
        "loop": "uvloop" if policy.partition(".")[0] == "uvloop" else "asyncio",
        "optimize": sys.flags.optimize,
        "dev_mode": sys.flags.dev_mode,
        "asyncio_debug": asyncio.coroutines._is_debug_mode(),  # type: ignore[attr-defined]
    }


def faults(path: str) -> dict[str, list[str]]:
    """Read the table of faults: the gates that each fault has to turn red."""
    if not path:
        return {}
    module, _, name = path.partition(":")
    table = getattr(importlib.import_module(module), name)
    return {str(fault): list(gates) for fault, gates in table.items()}
