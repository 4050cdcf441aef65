"""Options, markers and fixtures for pytest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .._leaks.leak import Leak
    from ..gates.record import GateRecord
    from ..testing import Collision
    from .watcher import Watcher

MODES = ("off", "observe", "strict")
DEFAULT = "observe"
WATCHER = "coroguard-watcher"
SCHEDULES = "coroguard-schedules"
MARKERS = (
    "allow_leaks(pattern, *, reason): allow leaks from functions whose name matches "
    "the pattern (as for a file name: *, ?, [...]), for a reason that is reported.",
    "schedules(runs=200, *, policy='jitter', seed=0, faults=(), clock='real', "
    "max_steps=None, timeout_s=30): run this test by many schedules, in which a seed "
    "chooses which ready task steps next.",
    "gate(name, *, blocks_deployment=True): make this test part of a deployment gate.",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and its ini key."""
    words = "off, observe (report leaks), strict (a leak fails its test)"
    group = parser.getgroup("coroguard")
    group.addoption(
        "--coroguard",
        metavar="MODE",
        help=f"watch every test for un-awaited coroutines: {words}",
    )
    parser.addini("coroguard_mode", f"mode of --coroguard: {words}; default: {DEFAULT}")
    group.addoption(
        "--coroguard-audit",
        metavar="PACKAGE",
        action="append",
        default=[],
        help="fail where names of this package collide; may be given again",
    )
    parser.addini("coroguard_audit", "packages of --coroguard-audit", "args")
    group.addoption(
        "--coroguard-schedules",
        metavar="N",
        help="run every async test by N schedules; takes precedence over the runs of "
        "the marker schedules",
    )
    parser.addini("coroguard_schedules", "N of --coroguard-schedules")
    group.addoption(
        "--coroguard-replay",
        metavar="TOKEN",
        help="run one test by the schedule that a failure printed",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and, unless it is off, the watcher of every test."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    chosen, _ = effective_mode(config)
    if chosen != "off":
        from .._runtime.modes import configure, current
        from ..testing import survivors
        from .guards import Guards

        if chosen == "strict":
            config.add_cleanup(partial(configure, mode=current()))
            configure(mode="strict")
        if survivors.ARE_KNOWN:
            from .watcher import Watcher

            watcher = Watcher(strict=chosen == "strict")
            config.pluginmanager.register(watcher, WATCHER)
            config.add_cleanup(watcher.close)
        guards = Guards(config, strict=chosen == "strict")
        config.pluginmanager.register(guards, "coroguard-guards")
    if _schedules_are_asked_for(config):
        _register_schedules(config)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the audits, whichever tests were selected: they were named explicitly."""
    if any(item.get_closest_marker("schedules") for item in items):
        _register_schedules(config)
    named = config.getoption("--coroguard-audit")
    packages: list[str] = named or config.getini("coroguard_audit")
    for package in dict.fromkeys(packages):
        from .guards import AuditItem

        item = AuditItem.of(session, package)
        item.ihook.pytest_itemcollected(item=item)
        items.append(item)


def _schedules_are_asked_for(config: pytest.Config) -> bool:
    options = ("--coroguard-schedules", "--coroguard-replay")
    by_option = any(config.getoption(name) is not None for name in options)
    return by_option or bool(config.getini("coroguard_schedules"))


def _register_schedules(config: pytest.Config) -> None:
    """Register the hooks that run tests by schedules, which most runs do not need."""
    if config.pluginmanager.get_plugin(SCHEDULES) is None:
        from .schedules import Schedules

        config.pluginmanager.register(Schedules(config), SCHEDULES)


def pytest_report_header(config: pytest.Config) -> str:
    """Return the mode that holds, and where it was set."""
    chosen, source = effective_mode(config)
    header = f"coroguard: mode={chosen} ({source})"
    if chosen != "off" and config.pluginmanager.get_plugin(WATCHER) is None:
        name = sys.implementation.name
        header += f"; tests are not watched, as {name} frees coroutines late"
    return header


def effective_mode(config: pytest.Config) -> tuple[str, str]:
    """Return the mode that holds for this run, and where it was set.

    Raises:
        pytest.UsageError: It is not a mode of the plugin.
    """
    for word, source in (
        (config.getoption("--coroguard"), "--coroguard"),
        (config.getini("coroguard_mode"), "coroguard_mode"),
    ):
        if word:
            return _known(word, source), source
    return DEFAULT, "default"


def _known(word: str, source: str) -> str:
    if word in MODES:
        return word
    from .._inspect.texts import nearest

    raise pytest.UsageError(
        f"{source}={word} is not a mode of the plugin; "
        f"use one of: {', '.join(MODES)}.{nearest(word, MODES)}"
    )


@pytest.fixture
def coroguard_leaks(request: pytest.FixtureRequest) -> list[Leak]:
    """List the leaks seen so far in this test, by guards and watches too.

    The list grows while the test runs, and stays empty in mode ``off``.
    """
    watcher: Watcher | None = request.config.pluginmanager.get_plugin(WATCHER)
    return [] if watcher is None else watcher.leaks


@pytest.fixture
def collide() -> Iterator[Callable[..., Collision]]:
    """Swap a name for its twin of the other colour until the test ends.

    Call it like ``coroguard.testing.collide``: ``collide("app.health:check")``, or
    with the way it happens: ``kind="handler import"``. The result is also a
    context manager, to put the name back sooner.
    """
    from contextlib import ExitStack

    from ..testing.collisions import collide as collision

    with ExitStack() as undone:

        def start(
            target: object, name: object = None, *, kind: str = "rebinding"
        ) -> Collision:
            started = collision(target, name, kind=kind).start()
            undone.callback(started.undo)
            return started

        yield start


@pytest.fixture
def health_report() -> Callable[..., Any]:
    """Make valid health reports: ``coroguard.testing.health_report``."""
    from ..testing.reports import health_report as make

    return make


@pytest.fixture
def gate_record(request: pytest.FixtureRequest) -> GateRecord:
    """Record the work of this test for its gate; only ``coroguard gate`` reads it."""
    from ..gates.plugin import new_record

    return new_record(request.node)
