"""Fixtures of every test, and the ground that all tests run on."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from coroguard import Event, configure, subscribe
from coroguard._runtime import collector, modes

#: Folders whose tests need the packages of the demo, which a new Python may lack.
OF_THE_DEMO = (
    "integration/demo",
    "integration/gates_ready",
    "integration/under_load",
    "integration/websocket_coroutine_import_collision",
    "mission_critical",
    "unit/demo",
    "unit/sign_in_schedules",
    "unit/websocket_coroutine_import_collision",
)
#: Files whose tests need one more package than the others.
OF_PACKAGES = {
    "integration/monitoring/test_opentelemetry.py": "opentelemetry.exporter",
    "integration/monitoring/test_prometheus.py": "prometheus_client",
    "integration/monitoring/test_sentry.py": "sentry_sdk",
    "integration/watched/test_asgi_servers.py": "httpx",
    "integration/watched/test_django.py": "django",
    "integration/watched/test_flask.py": "flask",
}


def _is_missing(package: str) -> bool:
    try:
        return find_spec(package) is None
    except ModuleNotFoundError:  # of the package around it
        return True


MISSING = {*filter(_is_missing, ("asyncpg", *OF_PACKAGES.values()))}
collect_ignore = [
    *(OF_THE_DEMO if "asyncpg" in MISSING else ()),
    *(file for file, package in OF_PACKAGES.items() if package in MISSING),
]


def pytest_report_header() -> list[str]:
    """Name what is left out, and why."""
    if not collect_ignore:
        return []
    names = ", ".join(sorted(MISSING))
    return [f"not run, as {names} is not installed: {', '.join(collect_ignore)}"]


def pytest_configure() -> None:
    """Be patient, and let Ctrl-C through to the processes that tests interrupt.

    A run that is started with ``nohup ... &`` ignores SIGINT and SIGHUP, and so would
    they.
    """
    # However busy the machine is, `gc.collect()` returns after the events of what it
    # collected.
    collector._PATIENCE_S = 60.0
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _collect_and_freeze() -> None:
    """Collect all garbage, and spare later collections the walk over what is left.

    Most of the time of the unit tests was that walk.
    """
    collector.collect()
    if hasattr(gc, "freeze"):  # PyPy has none
        gc.freeze()


def pytest_collection_finish() -> None:
    """Freeze what was imported."""
    _collect_and_freeze()


@pytest.fixture(autouse=True, scope="module")
def _freeze_after_each_file() -> Iterator[None]:
    """Freeze what the tests of a file leave behind."""
    yield
    _collect_and_freeze()


@pytest.fixture(autouse=True)
def _collect_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect what a test leaks on purpose while its warnings are still ignored.

    Between two tests they are errors, of the test that comes next.
    """
    yield
    marks = request.node.iter_markers("filterwarnings")
    if any("never awaited" in str(mark.args) for mark in marks):
        _collect_and_freeze()


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """Every event of the test."""
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    yield seen
    unsubscribe()


@pytest.fixture
def process_mode() -> Iterator[None]:
    """Restore the settings of the process after a test that changes them."""
    before = vars(modes.process).copy()
    yield
    configure(mode=before["mode"], scan_limit=before["scan_limit"])
    for name in ("unclaimed", "source"):
        setattr(modes.process, name, before[name])
