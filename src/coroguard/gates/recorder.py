"""The pytest plugin that records a run of a gate."""

from __future__ import annotations

import atexit
import faulthandler
import json
import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from . import children, plugin, reporting
from .background import Background
from .inventory import uncollected
from .job import LOOP, NONCE_FD, Job
from .leaks import Ledger
from .record import GateRecord
from .sealed import take_nonce, write_sealed
from .witness import Witness

_SENT = "coroguard_gate"
# Names that our plugin for users is registered by: as an entry point, and with `-p`.
_PLUGIN = ("coroguard", "coroguard.pytest_plugin")
_recorder: _Recorder | None = None


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Begin to record, and load our plugin even if pytest loads none by itself.

    pytest calls this as soon as it has imported this module, before any conftest.
    """
    global _recorder
    if not any(map(pluginmanager.has_plugin, _PLUGIN)):
        pluginmanager.consider_pluginarg(_PLUGIN[0])
    if _recorder is None:
        _recorder = _Recorder(Job.load(), take_nonce(NONCE_FD))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Record this session."""
    if _recorder is not None and config.pluginmanager.get_plugin(_SENT) is None:
        _recorder.configure(config)
        config.pluginmanager.register(_recorder, _SENT)


class _Recorder:
    """The recorder of a session, which writes its report when the process ends.

    A worker of pytest-xdist sends home what it has seen of its tests.
    """

    def __init__(self, job: Job, nonce: bytes) -> None:
        self._job = job
        self._nonce = nonce
        self._is_worker = False
        self._current = ""
        self._lenient = ""
        self._items: list[pytest.Item] = []
        self._seen: dict[str, dict[str, Any]] = {}
        self._body: dict[str, Any] = {}
        self._deselected: list[str] = []
        self._collect_errors: list[dict[str, str]] = []
        self._collect_skips: list[dict[str, str]] = []
        self._ended: list[str] = []
        self._open = ExitStack()
        folder = Path(job.folder, f"children-{os.getpid()}")
        self._ledger = Ledger(folder, children.follow(folder))
        self._witness = Witness(self._note_attempt)
        self._background = Background(self._note_failure)
        self._background.start()
        # Registered before any test can register one, so that it is the last.
        atexit.register(self._finish)

    def configure(self, config: pytest.Config) -> None:
        """Prepare for the session of this configuration."""
        self._config = config
        self._is_worker = hasattr(config, "workerinput")
        self._listen_for_stacks()
        if getattr(config.option, "hypothesis_seed", "") is None:
            config.option.hypothesis_seed = self._job.seed
        # pytest-xdist would end with "interrupted", which hides "failed".
        alone = not self._is_worker and getattr(config.option, "dist", "no") == "no"
        if self._job.stop_early and alone:
            config.option.maxfail = 1

    def _listen_for_stacks(self) -> None:
        file = Path(self._job.folder, f"stacks-{os.getpid()}.txt")
        stacks = self._open.enter_context(file.open("w"))
        faulthandler.register(signal.SIGUSR1, file=stacks, all_threads=True)
        self._open.callback(faulthandler.unregister, signal.SIGUSR1)

    def _of(self, node_id: str) -> dict[str, Any]:
        empty: dict[str, Any] = {
            "id": node_id,
            "phases": [],
            "attempts": [],
            "failures": [],
            "record": {},
        }
        return self._seen.setdefault(node_id, empty)

    def _note_attempt(self, node_id: str, attempt: dict[str, Any]) -> None:
        self._of(node_id)["attempts"].append(attempt)

    def _note_failure(self, line: str, warning: str) -> None:
        if not (warning and warning in self._lenient):
            self._of(self._current)["failures"].append(line)

    # Collecting

    @pytest.hookimpl(tryfirst=True)
    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Keep every test, before anything can deselect it."""
        self._items.append(item)
        self._witness.watch_item(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record the files that could not be collected."""
        kept = {"failed": self._collect_errors, "skipped": self._collect_skips}
        if report.outcome in kept:
            text = reporting.text_of(report)
            kept[report.outcome].append({"id": report.nodeid, "text": text})

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Record the tests that other plugins take out of the run."""
        self._deselected += [item.nodeid for item in items]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Keep only the tests of this run, after all other plugins."""
        yield
        if self._job.select is not None:
            wanted = set(self._job.select)
            items[:] = [item for item in items if item.nodeid in wanted]

    # Running

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Watch setup and teardown, and put our hooks around those of pytest."""
        self._witness.watch_session(session)
        self._background.start()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item
    ) -> Generator[None, object, object]:
        """Attribute leaks to the test until its fixtures are freed."""
        self._ledger.enter(item.nodeid, item.iter_markers("allow_leaks"))
        self._current = item.nodeid
        marks = item.iter_markers("filterwarnings")
        ignored = [str(it) for mark in marks for it in mark.args]
        self._lenient = " ".join(it for it in ignored if it.startswith("ignore"))
        try:
            return (yield)
        finally:
            self._ledger.enter("")
            self._current = self._lenient = ""
            record = item.stash.get(plugin.RECORD, GateRecord())
            self._of(item.nodeid)["record"] = record.to_json()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Watch the function of the test from inside every other hook."""
        with self._witness.watch_body(item):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record each report, also those of workers."""
        if self._is_worker:
            return
        self._of(report.nodeid)["phases"].append(reporting.phase_of(report))
        if report.when not in ("setup", "call", "teardown"):
            self._ended.append(reporting.text_of(report))

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
        """Record that a worker of pytest-xdist died, or else its observations."""
        if error:
            self._ended.append(f"worker {node.gateway.id} died: {error}")
        sent = getattr(node, "workeroutput", {}).get(_SENT)
        for node_id, seen in (json.loads(sent)["tests"] if sent else {}).items():
            known = self._of(node_id)
            known["attempts"] += seen["attempts"]
            known["failures"] += seen["failures"]
            known["record"] = seen["record"] or known["record"]
        for owner, lines in (json.loads(sent)["leaks"] if sent else {}).items():
            self._ledger.leaks.setdefault(owner, []).extend(lines)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session
    ) -> Generator[None, object, object]:
        """Write the report, complete up to the end of the session."""
        self._ledger.settle()
        self._ledger.enter("")
        if self._is_worker:
            # Sent home by pytest-xdist before the code below the yield runs.
            sent = {"tests": self._seen, "leaks": self._ledger.leaks}
            self._config.workeroutput[_SENT] = json.dumps(sent)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        result = yield
        if not self._is_worker:
            self._body = self._report(session)
            if not self._write():
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        return result

    def pytest_unconfigure(self) -> None:
        """Leave the signals as they were found."""
        self._open.close()

    def _finish(self) -> None:
        """Add the leaks since the end of the session, after all exit handlers."""
        self._ledger.end()
        if self._body:
            self._body |= self._found() | {"complete": True}
            self._write()

    def _write(self) -> bool:
        try:
            write_sealed(self._job.report, json.dumps(self._body), self._nonce)
        except OSError as error:
            sys.stderr.write(f"coroguard: the report was not written: {error}\n")
            return False
        return True

    def _found(self) -> dict[str, Any]:
        tests = [it for node_id, it in self._seen.items() if node_id]
        leaks = self._ledger.leaks
        known = {it["id"] for it in tests}
        outside = [it for owner in leaks if owner not in known for it in leaks[owner]]
        return {
            "tests": [{**it, "leaks": leaks.get(it["id"], [])} for it in tests],
            "leaks": outside,
            "failures": self._of("")["failures"],
        }

    def _report(self, session: pytest.Session) -> dict[str, Any]:
        collecting = self._job.select is None
        items = self._items if collecting else []
        return {
            "exit": int(session.exitstatus),
            "ended": self._ended,
            "collected": [reporting.marks_of(item) for item in items],
            "uncollected": uncollected(session, items) if collecting else [],
            "deselected": self._deselected,
            "collect_errors": self._collect_errors,
            "collect_skips": self._collect_skips,
            "versions": reporting.versions(self._config),
            "facts": reporting.facts() if LOOP in os.environ else {},
            "faults": reporting.faults(self._job.self_test),
            "ini": str(self._config.inipath or ""),
            "complete": False,
            **self._found(),
        }
