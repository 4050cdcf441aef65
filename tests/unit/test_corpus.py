"""The collected real bugs, which are seen, and correct programs, left alone."""

import asyncio
import importlib.util
import inspect
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from coroguard import CoroguardError, guard, mode, watch
from coroguard._runtime.collector import collect
from coroguard.bindings.audit import audit
from coroguard.bindings.lock.drift import drift_of
from coroguard.bindings.lock.record import Lock
from coroguard.bindings.modules import load_package

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .*was never awaited:RuntimeWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]

HERE = Path(__file__).resolve().parents[1] / "corpus"
BUGS = sorted((HERE / "bugs").glob("[0-9]*.py"))
CORRECT = sorted((HERE / "correct").glob("[0-9]*.py"))

#: The async function behind each bug; `None` where there is no such function.
BEHIND = {
    "002": "get_websocket_manager",
    "004": None,
    "006": "readiness",
    "013": "LayerApi.allowed",
    "016": "check_permissions",
    "022": "async_index",
    "024": "MusicView.list",
    "033": "fn",
    "035": "git_root",
    "037": "Router._initialize_quality_handlers",
    "039": "check_data",
    "042": "async_hook",
    "044": "Crawl.find",
    "047": "Twitch.get_users",
    "048": "AsyncPoe.get_chat_history",
    "056": "AsyncMockMixin._execute_mock_call",
    "060": "dispatch_transaction",
    "062": "Base.foo",
    "063": "only_admins",
    "066": "AccessControl.access_control_status",
    "069": "AsyncConnection.commit",
    "072": "relogin",
    "075": "AsyncMockMixin._execute_mock_call",
    "077": "FlowMeter.is_connected",
    "080": "Server.watch_children",
    "085": "LoginRequiredMixin.dispatch",
    "088": "WebSocket.close",
    "093": "name_is_free",
    "094": "Client._perform_ping_timeout",
}

#: What no guard of the enclosing function can see, and why.
UNSEEN = {
    "028": "the coroutine is awaited: only the retry decorator never sees it fail",
    "052": "a Task is scheduled, so nothing is dropped; a bool is what was promised",
    "078": "a task is destroyed, and the program has silenced asyncio's complaint",
}

#: What the audit sees in the source, and the lock by the colour that a name had,
#: before anything is run.
AHEAD = {
    "002": {"wrong call", "lock"},
    "004": {"wrong call", "lock"},
    "006": {"lock"},
    "013": {"wrong call"},
    "016": {"lock"},
    "022": {"lock"},
    "024": {"override"},
    "028": {"lock"},
    "033": {"lock"},
    "035": {"async method"},
    "037": {"defined twice", "lock"},
    "042": {"lock"},
    "044": {"mixed return"},
    "047": {"lock"},
    "048": {"wrong call"},
    "060": {"lock"},
    "063": {"lock"},
    "066": {"wrong call"},
    "069": {"override", "lock"},
    "072": {"lock"},
    "077": {"wrong call", "lock"},
    "078": {"lost task"},
    "088": {"wrong call"},
    "093": {"lock"},
    "094": {"async callback", "lock"},
}


def load(path):
    spec = importlib.util.spec_from_file_location(f"corpus_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def protect(module, names):
    """Guard functions and methods by dotted name, whatever kind of method."""
    for name in names:
        *owners, last = name.split(".")
        owner = module
        for part in owners:
            owner = getattr(owner, part)
        found = inspect.getattr_static(owner, last)
        if isinstance(found, (staticmethod, classmethod)):
            guarded = type(found)(guard(returns=Any)(found.__func__))
        else:
            guarded = guard(returns=Any)(found)
        setattr(owner, last, guarded)


def run(module):
    """Run the program; its crash is part of the picture, not of the test."""
    try:
        if inspect.iscoroutinefunction(module.run):
            asyncio.run(module.run())
        else:
            module.run()
    except (CoroguardError, TypeError, AttributeError):
        pass
    collect()


@pytest.fixture(autouse=True)
def _quiet(capsys):
    """Swallow what the programs print, and undo how one of them silences asyncio."""
    logger = logging.getLogger("asyncio")
    before = logger.level
    yield
    logger.setLevel(before)


def ids(path):
    return path.stem


def leaks_of(path, events):
    module = load(path)
    protect(module, module.META["enclosing"])
    with mode("strict"), watch(mode="observe") as leaks:
        run(module)
    return module.META, [*leaks, *(event.leak for event in events if event.leak)]


def test_the_corpus_is_whole():
    """All bugs and correct programs are there, and each bug has a verdict."""
    assert len(BUGS) == 32
    assert len(CORRECT) == 15
    assert {path.name[:3] for path in BUGS} == set(BEHIND) | set(UNSEEN)


@pytest.mark.parametrize("path", [p for p in BUGS if p.name[:3] in BEHIND], ids=ids)
def test_the_bug_is_seen(path, events):
    """The leak is seen, and names the async function behind it and its guard."""
    meta, leaks = leaks_of(path, events)

    behind = BEHIND[meta["id"]]
    found = [leak for leak in leaks if behind is None or leak.name == behind]
    assert found, leaks
    assert all(isinstance(leak.advice, str) for leak in found)
    if behind is not None:
        assert any(path.name in leak.defined for leak in found) or "Mock" in behind
    else:
        assert found[0].guarded in meta["enclosing"]


@pytest.mark.parametrize("path", [p for p in BUGS if p.name[:3] in UNSEEN], ids=ids)
def test_the_bug_is_beyond_a_guard(path, events):
    """What the table calls unseen is unseen: a bug that is seen leaves the table."""
    _, leaks = leaks_of(path, events)

    assert leaks == []


@pytest.mark.parametrize("path", BUGS, ids=ids)
def test_a_guard_in_observe_changes_nothing(path, capsys):
    """The program prints with guards what it prints without."""
    run(load(path))
    bare = capsys.readouterr().out
    module = load(path)
    protect(module, module.META["enclosing"])
    with mode("observe"), watch():
        run(module)
    guarded = capsys.readouterr().out

    assert guarded.split(" object ")[0] == bare.split(" object ")[0]


@pytest.mark.parametrize("path", CORRECT, ids=ids)
@pytest.mark.filterwarnings("error")
def test_correct_programs_are_left_alone(path, events):
    """Nothing is reported on a correct program inside a strict watch."""
    with mode("strict"), watch() as leaks:
        run(load(path))

    assert leaks == []
    assert events == []


@pytest.mark.parametrize(
    "path", [it for it in CORRECT if it.name[:3] != "905"], ids=ids
)
def test_guarded_correct_programs_are_left_alone(path, events):
    """Nothing is reported when their functions are guarded for leaks alone.

    905 is left out: it returns coroutines in a dict, so it needs an annotation.
    """
    module = load(path)
    protect(module, guardable(module))
    with mode("strict"), watch() as leaks:
        run(module)

    assert leaks == []
    assert events == []


def guardable(module):
    """Return the functions that META names and that a guard can be put on."""
    names = [*module.META["called"], *module.META["enclosing"]]
    return [it for it in names if not is_async_generator(module, it)]


def is_async_generator(module, name):
    found = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    return inspect.isasyncgenfunction(getattr(found, "__func__", found))


def drift_since_yesterday(path):
    """Return the findings of a lock with the colours that the names had before."""
    colours = {
        f"{path.stem}:{it}": was for it, was in load(path).META["colors"].items()
    }
    locked = Lock((path.stem,), colours, contracts={}, schemas={})
    return drift_of(locked, [load_package(path.stem)]).changes


@pytest.mark.parametrize("path", [*BUGS, *CORRECT], ids=ids)
def test_what_is_seen_before_anything_is_run(path, monkeypatch):
    """The audit and the lock see what the table lists; right programs are silent."""
    monkeypatch.syspath_prepend(path.parent)
    try:
        found = {str(finding.kind) for finding in audit(path.stem).findings}
        if path in BUGS and drift_since_yesterday(path):
            found.add("lock")
    finally:
        sys.modules.pop(path.stem, None)

    assert found == AHEAD.get(path.name[:3], set())


def test_together_they_see_nearly_all():
    """Guard, watch, lock and audit see as many of the bugs as the page states."""
    page = HERE.parents[1] / "docs/explanation/collisions.md"
    together = set(BEHIND) | set(AHEAD)
    assert (
        f"guard and watch see {len(BEHIND)} when the code runs, audit and lock see "
        f"{len(AHEAD)} before anything runs, and together they see {len(together)}."
    ) in page.read_text()
    assert len(together) >= 31
