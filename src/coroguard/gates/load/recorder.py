"""The listener in Locust's processes that counts requests and writes the report."""

# Imported by the users, so it is in each process that a load file is loaded into: the
# workers send what they count to the master, and that or the only process writes it.

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
import locust
from locust.runners import MasterRunner, WorkerRunner

from coroguard._files import write_whole

from ..sealed import take_nonce, write_sealed
from .job import NONCE_FD, REPORT, LoadJob
from .judge import evidence_lacking
from .report import LoadReport
from .samples import Samples

_KEY = "coroguard"
# Not Locust's own "stop", after which a worker is unknown for a moment and can miss
# the end of the run.
_STOP = "coroguard-stop"
_END = "coroguard-end"
_POLL_S = 0.5
# Only a worker that is gone does not answer; Locust waits as long for its users.
_PATIENCE_S = 60.0
_INCOMPLETE = 4
# Locust's own hooks have no types.
events: Any = locust.events
_log = logging.getLogger("coroguard.load")


class _Recorder:
    """The counts of this process, and on a master those of all."""

    def __init__(self, environment: Any, runner: Any) -> None:
        self._environment = environment
        self._runner = runner
        self._own = Samples()
        self._all = Samples()
        self._started = time.time()
        self._ready = 0.0
        self._stopped = 0.0
        self._most_users = 0
        self._workers: set[str] = set()
        self._ended: set[str] = set()
        self._job = LoadJob.load()
        events.request.add_listener(self._on_request)
        events.test_start.add_listener(self._on_start)
        if isinstance(runner, WorkerRunner):
            events.report_to_master.add_listener(self._on_report)
            events.test_stop.add_listener(self._on_worker_end)
            runner.register_message(_STOP, lambda **_more: runner.stop())
            return
        # By one process only: a pipe gives what is in it once.
        self._nonce = take_nonce(NONCE_FD)
        if isinstance(runner, MasterRunner):
            events.worker_connect.add_listener(self._on_connect)
            events.worker_report.add_listener(self._on_worker_report)
            runner.register_message(_END, self._on_end)
        events.spawning_complete.add_listener(self._on_spawned)
        events.test_stopping.add_listener(self._on_stopping)
        events.quitting.add_listener(self._on_quitting)
        gevent.spawn(self._poll)

    # In every process

    def _on_start(self, **_more: Any) -> None:
        self._started = time.time()

    def _on_request(
        self, name: str, response_time: float, exception: Any = None, **_more: Any
    ) -> None:
        error = ""
        if exception is not None:
            # The name without numbers and ids, so that equal errors count as one.
            error = f"{type(exception).__name__}: {exception}"[:200]
        self._own.note(int(time.time()), name, response_time or 0.0, error)

    # On a worker

    def _on_report(self, data: dict[str, Any], **_more: Any) -> None:
        data[_KEY] = self._own.take()

    def _on_worker_end(self, **_more: Any) -> None:
        """Send the rest, after the last user has stopped."""
        self._runner.send_message(_END, {_KEY: self._own.take()})

    # On the master, or where there is only one process

    def _on_connect(self, client_id: str, **_more: Any) -> None:
        self._workers.add(client_id)

    def _on_spawned(self, user_count: int, **_more: Any) -> None:
        if isinstance(self._runner, MasterRunner):
            self._most_users = max(self._most_users, user_count)
        if not self._ready:
            self._ready = time.time()
            if self._job:
                # Locust's own limit of time begins before the first user.
                gevent.spawn_later(self._job.duration_s, self._runner.quit)

    def _on_worker_report(self, data: dict[str, Any], **_more: Any) -> None:
        self._all.merge(data.get(_KEY, ()))

    def _on_end(self, msg: Any, **_more: Any) -> None:
        self._all.merge(msg.data[_KEY])
        self._ended.add(msg.node_id)

    def _on_stopping(self, **_more: Any) -> None:
        """Stop the workers and wait for the rest: Locust gives them half a second."""
        self._stopped = time.time()
        if not isinstance(self._runner, MasterRunner):
            return
        self._runner.send_message(_STOP)
        until = time.monotonic() + _PATIENCE_S
        while self._waits() and time.monotonic() < until:
            gevent.sleep(0.05)

    def _waits(self) -> bool:
        missing = {client.id for client in self._runner.clients.missing}
        return bool(self._workers - self._ended - missing)

    def _poll(self) -> None:
        while True:
            self._most_users = max(self._most_users, self._runner.user_count)
            if self._job:
                write_whole(self._job.progress, json.dumps(self._progress()))
            gevent.sleep(_POLL_S)

    def _progress(self) -> dict[str, Any]:
        self._all.merge(self._own.take())
        total = self._all.total()
        return {
            "ready": self._ready,
            "users": self._runner.user_count,
            "requests": total.requests,
            "failed": total.failed,
            "p95_ms": total.percentile(95),
        }

    def _on_quitting(self, **_more: Any) -> None:
        report = self._report()
        if self._job:
            write_sealed(self._job.report, json.dumps(report), self._nonce)
            return
        found = LoadReport.from_json(report)
        asked = self._asked
        lacking = [*evidence_lacking(found, users=asked, at_most=asked)]
        for text in lacking:
            _log.error("coroguard: INCOMPLETE: %s", text)
        if lacking:
            # Locust itself leaves with 0 in each of these cases.
            self._environment.process_exit_code = _INCOMPLETE
        if REPORT in os.environ:
            text = json.dumps(found.to_json(), indent=2)
            write_whole(Path(os.environ[REPORT]), f"{text}\n")

    @property
    def _asked(self) -> int:
        return int(getattr(self._environment.parsed_options, "num_users", None) or 1)

    def _report(self) -> dict[str, Any]:
        self._all.merge(self._own.take())
        ended = self._stopped or time.time()
        exceptions: dict[str, int] = {}
        for each in self._runner.exceptions.values():
            text = _last_line(each)
            exceptions[text] = exceptions.get(text, 0) + each["count"]
        return {
            "started": self._started,
            "ready": self._ready,
            "duration_s": ended - self._started,
            "users": self._most_users,
            "workers": len(self._workers),
            "lost_workers": sorted(self._workers - self._ended),
            "exceptions": exceptions,
            "samples": self._all.take(),
        }


def _last_line(exception: dict[str, Any]) -> str:
    """Return the text of an exception with the place where it was raised."""
    lines = [it.strip() for it in exception["traceback"].splitlines() if "File" in it]
    places = [it for it in lines if "site-packages" not in it] or lines
    return f"{exception['msg']} ({places[-1]})" if places else str(exception["msg"])


def _begin(environment: Any, runner: Any, **_more: Any) -> None:
    _Recorder(environment, runner)


events.init.add_listener(_begin)
