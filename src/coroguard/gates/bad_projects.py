"""Built-in projects that try the engine itself: all of them but one must be red."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from .config import Config, GateConfig
from .readiness import Plant
from .selection import pin
from .verdict import Verdict, judge

if TYPE_CHECKING:
    from .runs import Runs

BUILT_IN = "built-in"
_SOUND = "a sound test"
_PASSES = "def test_passes():\n    pass\n"
_FAILS = "def test_fails():\n    assert 1 == 2\n"
# By what is done, the files of a folder; each folder is a gate of its own.
_PROJECTS: dict[str, dict[str, str]] = {
    _SOUND: {"test_it.py": _PASSES},
    "a test that fails": {"test_it.py": _PASSES + _FAILS},
    "a test that is skipped": {
        "test_it.py": """
            import pytest

            def test_skips():
                pytest.skip("no time")
            """
    },
    "a test that is expected to fail": {
        "test_it.py": """
            import pytest

            @pytest.mark.xfail
            def test_fails():
                assert 1 == 2
            """
    },
    "a coroutine that is dropped": {
        "test_it.py": """
            async def ping():
                pass

            def test_drops():
                ping()
            """
    },
    "a process that leaves with 0": {
        "test_it.py": """
            import os

            def test_leaves():
                os._exit(0)
            """
    },
    "a hook that takes a test out": {
        "test_it.py": _PASSES + _FAILS,
        "conftest.py": """
            def pytest_collection_modifyitems(config, items):
                if not config.option.collectonly:
                    items[:] = [item for item in items if "passes" in item.name]
            """,
    },
    "a hook that resets the exit code": {
        "test_it.py": _FAILS,
        "conftest.py": """
            def pytest_sessionfinish(session):
                session.exitstatus = 0
            """,
    },
}


def try_engine(runs: Runs, progress: Callable[[str], None]) -> tuple[Plant, ...]:
    """Run each built-in project and return which of them the engine got right."""
    root = runs.folder / "built-in"
    folders = {name: f"case_{number}" for number, name in enumerate(_PROJECTS)}
    for name, files in _PROJECTS.items():
        _write(root / folders[name], files)
    gates = {name: GateConfig(tests=[folder]) for name, folder in folders.items()}
    config = Config(gates=gates).based_on(root)
    own = replace(runs, root=root, config=config, fail_fast=False, ini="")
    pinned = pin(config, own.collect()["collected"])
    results: list[Plant] = []
    for gate in pinned:
        progress(f"self-test: the engine, {gate.name}")
        found = judge(gate, own.run(gate, {}))
        green = found.verdict is Verdict.PASSED
        results.append(
            Plant(
                fault=gate.name,
                gate=BUILT_IN,
                caught=green is (gate.name == _SOUND),
                verdict=found.verdict,
                reason=found.reasons[0] if found.reasons else "",
            )
        )
    return tuple(results)


def _write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        # Files of one name in several folders have to be in packages.
        (folder / "__init__.py").touch()
        (folder / name).write_text(dedent(text), encoding="utf-8")
    (folder.parent / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
