"""What happened in this run of pytest? Loaded by `coroguard gate` into its runs."""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import signal
import sys
from contextlib import ExitStack
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from .._leaks.errors import CoroutineLeakError
from .._runtime.unawaited import note_unawaited
from . import plugin
from .evidence import printable
from .job import NONCE_FD, Job
from .record import GateRecord, MissingService
from .sealed import write_sealed

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["pytest_configure"]

_SAID = pytest.StashKey[dict[str, Any]]()
_SENT = "coroguard_gate"
_LONGEST_TEXT = 400
# What a test raises because it saw something, not because it broke.
_ASSERTIONS = (AssertionError, pytest.fail.Exception, CoroutineLeakError)
# Names that it is registered by: as an entry point, and with `-p` in full.
_PLUGIN = ("coroguard", "coroguard.pytest_plugin")


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load our plugin for users, also where none is loaded automatically.

    pytest calls this as soon as it has imported this module, before any conftest.
    """
    if not any(map(pluginmanager.has_plugin, _PLUGIN)):
        pluginmanager.consider_pluginarg(_PLUGIN[0])


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start to record."""
    manager = config.pluginmanager
    manager.register(_Recorder(config, Job.load(), _take_nonce()), "coroguard-recorder")


def _take_nonce() -> bytes:
    """Read the nonce from the pipe and leave no way to read it again."""
    number = os.environ.pop(NONCE_FD, "")
    if not number:
        return b""
    with open(int(number), "rb") as pipe:
        return pipe.read()


class _Recorder:
    """Keeps all that pytest reports, and writes it when the session is over.

    On a worker of pytest-xdist it only attaches what it knows to the reports that
    the worker sends home.
    """

    def __init__(self, config: pytest.Config, job: Job, nonce: bytes) -> None:
        self._config = config
        self._job = job
        self._nonce = nonce
        self._is_worker = hasattr(config, "workerinput")
        self._running: list[str] | None = None
        self._allowed: list[str] = []
        self._items: list[pytest.Item] = []
        self._tests: dict[str, dict[str, Any]] = {}
        self._deselected: list[str] = []
        self._collect_errors: list[dict[str, str]] = []
        self._collect_skips: list[dict[str, str]] = []
        self._ended: list[str] = []
        self._leaks: list[str] = []
        self._open = ExitStack()
        self._open.enter_context(note_unawaited(self._note_leak))
        self._listen_for_stacks()
        if getattr(config.option, "hypothesis_seed", "") is None:
            config.option.hypothesis_seed = job.seed
        # pytest-xdist would end with "interrupted", which says less than "failed".
        alone = not self._is_worker and getattr(config.option, "dist", "no") == "no"
        if job.stop_early and alone:
            config.option.maxfail = 1

    def _listen_for_stacks(self) -> None:
        file = Path(self._job.folder, f"stacks-{os.getpid()}.txt")
        stacks = self._open.enter_context(file.open("w"))
        faulthandler.register(signal.SIGUSR1, file=stacks, all_threads=True)
        self._open.callback(faulthandler.unregister, signal.SIGUSR1)

    def _note_leak(self, name: str, place: str) -> None:
        if any(fnmatchcase(name, pattern) for pattern in self._allowed):
            return
        leaks = self._leaks if self._running is None else self._running
        leaks.append(f"coroutine {name!r} ({place})")

    # Collecting

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Keep every test, before anything can deselect it."""
        self._items.append(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what could not be collected."""
        kept = {"failed": self._collect_errors, "skipped": self._collect_skips}
        if report.outcome in kept:
            kept[report.outcome].append({"id": report.nodeid, "text": _text(report)})

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Keep what others take out of the run."""
        self._deselected += [item.nodeid for item in items]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Keep only what this run is for, after everybody else."""
        yield
        if self._job.select is not None:
            wanted = set(self._job.select)
            items[:] = [item for item in items if item.nodeid in wanted]

    # Running

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item
    ) -> Generator[None, object, object]:
        """Know which test a coroutine dies in."""
        said = item.stash.setdefault(_SAID, {"attempts": [], "leaks": []})
        allowances = item.iter_markers("allow_leaks")
        self._allowed = [str(name) for mark in allowances for name in mark.args[:1]]
        self._running = said["leaks"]
        try:
            return (yield)
        finally:
            self._running, self._allowed = None, []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach to the report what only the process of the test knows."""
        report = yield
        said = item.stash.setdefault(_SAID, {"attempts": [], "leaks": []})
        said["attempts"].append(report.outcome)
        raised = call.excinfo.value if call.excinfo else None
        # In the dictionary of the report: pytest-xdist sends that home from a worker.
        report.__dict__[_SENT] = {
            "attempts": list(said["attempts"]),
            "leaks": list(said["leaks"]),
            "missing": raised is not None and _is_missing(raised),
            "assertion": isinstance(raised, _ASSERTIONS),
            "record": item.stash.get(plugin.RECORD, GateRecord()).to_json(),
        }
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what is reported, also by workers."""
        said: dict[str, Any] = report.__dict__.get(_SENT, {})
        test = self._tests.setdefault(report.nodeid, _unseen(report.nodeid))
        test["phases"].append(
            {
                "when": report.when or "",
                "outcome": report.outcome,
                "xfail": hasattr(report, "wasxfail"),
                "missing": bool(said.get("missing")),
                "assertion": bool(said.get("assertion")),
                "text": _text(report),
                "duration_s": report.duration,
            }
        )
        test |= {key: said[key] for key in ("attempts", "leaks", "record") if said}
        if report.when not in ("setup", "call", "teardown"):
            self._ended.append(_text(report))

    # Ending

    def pytest_keyboard_interrupt(
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> None:
        """Keep that something ended the run from inside, such as `pytest.exit`."""
        self._ended.append(f"{excinfo.typename} ended the run: {excinfo.value}")

    def pytest_internalerror(
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> None:
        """Keep that pytest or a plugin broke."""
        self._ended.append(f"pytest broke: {excinfo.exconly()}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Keep that a worker of pytest-xdist died, and what a sound one saw last."""
        if error:
            self._ended.append(f"worker {node.gateway.id} died: {error}")
        self._leaks += getattr(node, "workeroutput", {}).get("coroguard_leaks", [])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Write the report at once and whole, after everybody else had a say."""
        # What sits in a reference cycle has to die while somebody looks.
        gc.collect()
        if self._is_worker:
            # Sent home by pytest-xdist before the code below the yield runs.
            self._config.workeroutput["coroguard_leaks"] = self._leaks  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        result = yield
        if self._is_worker:
            return result
        body = json.dumps(self._report(session))
        try:
            write_sealed(self._job.report, body, self._nonce)
        except OSError as error:
            sys.stderr.write(f"coroguard: the report was not written: {error}\n")
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        return result

    def pytest_unconfigure(self) -> None:
        """Leave the process as it was found."""
        self._open.close()

    def _report(self, session: pytest.Session) -> dict[str, Any]:
        collecting = self._job.select is None
        return {
            "exit": int(session.exitstatus),
            "ended": self._ended,
            "tests": list(self._tests.values()),
            "collected": [_marks(item) for item in self._items if collecting],
            "deselected": self._deselected,
            "collect_errors": self._collect_errors,
            "collect_skips": self._collect_skips,
            "leaks": self._leaks,
            "versions": _versions(self._config),
            "faults": _faults(self._job.self_test),
            "ini": str(self._config.inipath or ""),
        }


def _unseen(node_id: str) -> dict[str, Any]:
    return {"id": node_id, "phases": [], "attempts": [], "leaks": [], "record": {}}


def _is_missing(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(_is_missing(each) for each in group.exceptions)
    return isinstance(error, MissingService)


def _text(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the reason of a report in one line."""
    told = report.longrepr
    if isinstance(told, tuple):
        text = told[2].removeprefix("Skipped: ")
    else:
        crash = getattr(told, "reprcrash", None)
        text = crash.message if crash else str(told or "")
    text = getattr(report, "wasxfail", "") or text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # What pytest tells of a file that it could not import: the error stands last.
    errors = [line[1:].strip() for line in lines if line.startswith("E  ")]
    return printable(" | ".join((errors or lines)[:3]))[:_LONGEST_TEXT]


def _marks(item: pytest.Item) -> dict[str, Any]:
    marks = [
        {
            "names": [str(name) for name in mark.args],
            "blocks": bool(mark.kwargs.get("blocks_deployment", True)),
            "wrong": sorted(set(mark.kwargs) - {"blocks_deployment"}),
        }
        for mark in item.iter_markers("gate")
    ]
    return {"id": item.nodeid, "marks": marks}


def _versions(config: pytest.Config) -> dict[str, str]:
    plugins = [dist for _, dist in config.pluginmanager.list_plugin_distinfo()]
    names = ["pytest", "pydantic", "typeguard", "wrapt"]
    return {name: metadata.version(name) for name in names} | {
        dist.project_name: dist.version for dist in plugins
    }


def _faults(path: str) -> dict[str, list[str]]:
    """Read the table of faults: the gates that each fault has to turn red."""
    if not path:
        return {}
    module, _, name = path.partition(":")
    table = getattr(importlib.import_module(module), name)
    return {str(fault): list(gates) for fault, gates in table.items()}
