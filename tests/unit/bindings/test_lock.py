"""The lock holds what callers count on, and names what they cannot any more."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from coroguard.bindings.findings import FindingKind
from coroguard.bindings.lock.drift import Change, Drift, drift_of
from coroguard.bindings.lock.record import Lock, lock_of
from coroguard.bindings.modules import Loaded

Build = Callable[..., Loaded]


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """Make the package ``app`` of sources by module name; ``None`` fails."""
    files: list[str] = []

    def build(**sources: str | None) -> Loaded:
        loaded = Loaded("app")
        for name in [it for it in sys.modules if it.partition(".")[0] == "app"]:
            monkeypatch.delitem(sys.modules, name)
        package = {"__init__": "", **sources}
        # First what others import; the package itself passes on.
        for short in sorted(package, key=lambda it: (it == "__init__", it)):
            source = package[short]
            name = "app" if short == "__init__" else f"app.{short}"
            if source is None:
                loaded.failed[name] = "ImportError: no"
                continue
            module = ModuleType(name)
            module.__file__ = file = f"/nowhere/{len(files)}/app/{short}.py"
            if name == "app":
                module.__path__ = []
            files.append(file)
            linecache.cache[file] = (0, None, source.splitlines(keepends=True), file)
            monkeypatch.setitem(sys.modules, name, module)
            exec(compile(source, file, "exec"), vars(module))
            loaded.modules[name] = module
        return loaded

    yield build
    for file in files:
        linecache.cache.pop(file)


def colours(loaded: Loaded) -> dict[str, str]:
    return lock_of([loaded]).colours


def drift(locked: Lock, *loaded: Loaded) -> Drift:
    return drift_of(locked, loaded)


def only_change(build: Build, before: str, after: str, **others: str) -> Change:
    """Return the one change that a module's change makes."""
    locked = lock_of([build(health=before, **others)])
    found = drift(locked, build(health=after, **others))
    assert len(found.changes) == 1
    return found.changes[0]


MANAGER = """\
class Manager:
    def is_connected(self):
        return True

    async def ping(self):
        return True

    @staticmethod
    async def open(): ...

    @classmethod
    def make(cls): ...

    @property
    async def latency(self): ...

    def _private(self): ...

    def __len__(self): ...

    class Inner:
        def method(self): ...
"""


def test_methods(build: Build) -> None:
    """A class's own public methods are locked, of each kind, inner classes too."""
    assert colours(build(manager=MANAGER)) == {
        "app.manager:Manager.Inner.method": "sync",
        "app.manager:Manager.is_connected": "sync",
        "app.manager:Manager.latency": "async",
        "app.manager:Manager.make": "sync",
        "app.manager:Manager.open": "async",
        "app.manager:Manager.ping": "async",
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def check(): ...", "sync"),
        ("async def check(): ...", "async"),
        ("async def check(): yield 1", "async iterator"),
        (
            "from contextlib import asynccontextmanager\n"
            "@asynccontextmanager\nasync def check(): yield 1",
            "async context manager",
        ),
        ("def check() -> 'Awaitable[int]': ...", "async"),
        ("def check() -> 'int | Awaitable[int]': ...", "either"),
        (
            "import functools\nasync def _inner(): ...\n"
            "@functools.wraps(_inner)\ndef check(): return 1",
            "undecided",
        ),
        ("check = lambda: 1", "sync"),
        (
            "from functools import lru_cache\n@lru_cache\nasync def check(): ...",
            "async",
        ),
        (
            "from functools import partial\n"
            "async def _f(a): ...\n"
            "check = partial(_f, 1)",
            "async",
        ),
        (
            "def _lossy(f):\n    def wrapper(): return f()\n    return wrapper\n"
            "@_lossy\nasync def check(): ...",
            "sync",
        ),
        ("class _C:\n    async def m(self): ...\ncheck = _C().m", "async"),
    ],
    ids=[
        *("sync", "async", "iterator", "context", "promise", "either", "undecided"),
        *("lambda", "cached", "partial", "lossy decorator", "bound method"),
    ],
)
def test_colour(build: Build, source: str, expected: str) -> None:
    """Each kind of function has its colour in the lock."""
    assert colours(build(health=source)) == {"app.health:check": expected}


def test_imported_names_are_not_locked_again(build: Build) -> None:
    """A function is locked where it is defined, not where it is used."""
    loaded = build(
        a="def check(): ...\nclass C:\n    def m(self): ...",
        b="from app.a import check, C\nfrom asyncio import sleep\nimport json",
    )
    assert [*colours(loaded)] == ["app.a:C.m", "app.a:check"]


@pytest.mark.parametrize(
    ("init", "home"),
    [
        ("from app.a import check, C\n__all__ = ['check', 'C']", "a"),
        ("from app._a import check, C", "_a"),
        (
            "__all__ = ['check', 'C']\n"
            "def __getattr__(name):\n    import sys\n"
            "    return getattr(sys.modules['app.a'], name)",
            "a",
        ),
    ],
    ids=["by __all__", "from a private module", "lazily"],
)
def test_names_that_are_passed_on_are_locked(
    build: Build, init: str, home: str
) -> None:
    """A name that a package passes on is locked as callers write it."""
    source = "def check(): ...\nclass C:\n    def m(self): ..."
    found = colours(build(**{home: source, "__init__": init}))
    assert {"app:C.m", "app:check"} <= {*found}
    assert not any(":_" in name or "._" in name for name in found)


def test_function_that_a_decorator_made_elsewhere(build: Build) -> None:
    """A decorator that loses the function's name does not hide it from the lock."""
    lossy = "def lossy(f):\n    def wrapper(): return f()\n    return wrapper"
    source = "from app.base import lossy\n@lossy\ndef check(): ..."
    assert "app.health:check" in colours(build(base=lossy, health=source))


def test_functions_of_strangers_in_a_class(build: Build) -> None:
    """What another package puts into a class changes with it, and is not locked."""
    source = "import json\nclass C:\n    load = json.load\n    def m(self): ..."
    assert [*colours(build(health=source))] == ["app.health:C.m"]


GUARDED = """\
from typing import Any
from coroguard import guard
@guard
def check(): return {}
@guard(returns=dict[str, int])
async def _counts(): return {}
@guard(returns=Any)
def anything(): ...
def bare(): ...
"""


def test_contracts(build: Build) -> None:
    """Each guarded function is locked with its contract, private ones too."""
    lock = lock_of([build(health=GUARDED)])
    assert lock.contracts == {
        "app.health:_counts": "dict[str, int]",
        "app.health:anything": "Any",
        "app.health:check": "HealthReport",
    }
    assert lock.schemas["dict[str, int]"] == {"*": "integer"}
    assert lock.schemas["HealthReport"]["healthy"] == "boolean"
    assert lock.colours["app.health:_counts"] == "async"


def test_contract_below_a_decorator(build: Build) -> None:
    """A guard counts also where a decorator that keeps its name is put on top."""
    source = (
        "import functools\nfrom coroguard import guard\n"
        "def _logged(f):\n"
        "    @functools.wraps(f)\n    def wrapper(): return f()\n"
        "    return wrapper\n"
        "@_logged\n@guard\ndef check(): return {}"
    )
    contracts = lock_of([build(health=source)]).contracts
    assert contracts == {"app.health:check": "HealthReport"}


def test_nothing_has_changed(build: Build) -> None:
    """The code that was locked has no drift, however often it is imported."""
    sources = {"health": GUARDED, "manager": MANAGER}
    locked = lock_of([build(**sources)])
    assert drift(locked, build(**sources)) == Drift()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def check(): ...", "async def check(): ..."),
        ("async def check(): ...", "def check(): return 1"),
        ("async def check(): ...", "async def check(): yield 1"),
        ("def check(): return 1", "def check() -> 'Awaitable[int]': ..."),
        (
            "def check() -> 'int | Awaitable[int]': ...",
            "async def check(): ...",
        ),
        (
            "def check(): ...",
            "def check(): ...\nasync def check(): ...",
        ),
        ("def check(): return 1", "async def _check(): ...\ncheck = _check"),
        (
            "def check(): ...",
            "import functools\n@functools.lru_cache\nasync def check(): ...",
        ),
    ],
    ids=[
        *("sync to async", "async to sync", "to iterator", "to promise", "either"),
        *("defined again", "rebound", "cached"),
    ],
)
def test_function_that_changes_colour(build: Build, before: str, after: str) -> None:
    """A function of another colour than locked is a change with both colours."""
    change = only_change(build, before, after)
    assert change.kind is FindingKind.COLOUR_CHANGED
    assert change.names == ("app.health:check",)
    assert f"was {change.was} and is" in change.headline
    assert "/app/health.py:" in change.now


@pytest.mark.parametrize(
    "decorator", ["", "@staticmethod", "@classmethod", "@property"]
)
def test_method_that_changes_colour(build: Build, decorator: str) -> None:
    """A method of another colour than locked is a change, of each kind."""
    method = f"class C:\n    {decorator}\n    def m(self): ..."
    change = only_change(build, method, method.replace("def m", "async def m"))
    assert change.names == ("app.health:C.m",)


def test_method_that_a_base_answers_in_another_colour(build: Build) -> None:
    """A method that callers now find in a base has the base's colour for them."""
    change = only_change(
        build,
        "class B:\n    async def m(self): ...\nclass C(B):\n    def m(self): ...",
        "class B:\n    async def m(self): ...\nclass C(B): ...",
    )
    assert change.names == ("app.health:C.m",)


def test_name_that_is_passed_on_from_its_async_twin(build: Build) -> None:
    """An import that now takes the twin is a change where callers write the name."""
    twins = {
        "one": "def get(): return 1\nclass M:\n    def ping(self): ...",
        "two": "async def get(): ...\nclass M:\n    async def ping(self): ...",
    }
    init = "from app.one import get, M\n__all__ = ['get', 'M']"
    locked = lock_of([build(__init__=init, **twins)])
    found = drift(locked, build(__init__=init.replace("one", "two"), **twins))
    assert [change.names for change in found.changes] == [("app:M.ping",), ("app:get",)]


def test_names_of_one_function_are_one_change(build: Build) -> None:
    """A function with several names is reported once, with all of them."""
    init = "from app.health import check\n__all__ = ['check']"
    change = only_change(
        build, "def check(): ...", "async def check(): ...", __init__=init
    )
    assert change.names == ("app.health:check", "app:check")
    assert "  also:     app:check" in change.text("coroguard lock")


@pytest.mark.parametrize("before", ["async def check(): ...", "def check(): ..."])
def test_a_wrapper_that_loses_the_colour(build: Build, before: str) -> None:
    """A sync wrapper that is now around a coroutine function is a change."""
    after = "import functools\nasync def _f(): ...\n"
    after += "@functools.wraps(_f)\ndef check(): return _f()"
    text = only_change(build, before, after).text("coroguard lock")
    assert "and is undecided now" in text
    assert "give the wrapper the colour of what it wraps" in text


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ("", "def check(): ...", "new: app.health:check, sync"),
        ("def check(): ...", "", "gone: app.health:check, sync"),
        (
            "from coroguard import guard\n@guard\ndef check(): return {}",
            "",
            "gone: app.health:check, sync, guarded, HealthReport",
        ),
        (
            "def check(): return _f()",
            "def check() -> 'int | Awaitable[int]': return _f()",
            "no longer sure: app.health:check, was sync, either, ",
        ),
        (
            "def check(): ...",
            "class check: ...",
            "no longer sure: app.health:check, was sync, undecided, a type",
        ),
        (
            "def check(): return {}",
            "from coroguard import guard\n@guard\ndef check(): return {}",
            "guarded now: app.health:check, HealthReport",
        ),
    ],
    ids=[
        "new",
        "gone",
        "gone with its guard",
        "promised to both",
        "a class",
        "guarded",
    ],
)
def test_what_breaks_no_caller_for_sure(
    build: Build, before: str, after: str, note: str
) -> None:
    """A difference that may well be right is a note, not a change."""
    locked = lock_of([build(health=before)])
    found = drift(locked, build(health=after))
    assert found.changes == []
    assert [it[: len(note)] for it in found.notes] == [note]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "import functools\nasync def _f(): ...\n"
            "@functools.wraps(_f)\ndef check(): ...",
            "async def check(): ...",
        ),
        ("def check(): ...", "from app.base import check"),
        (
            "class B: ...\nclass C(B):\n    def m(self): ...",
            "class _B:\n    def m(self): ...\nclass C(_B): ...",
        ),
        (
            "def check() -> 'int | Awaitable[int]': return _f()",
            "def check(): return _f()",
        ),
        (
            "from coroguard import guard\n@guard\ndef check(): return {}",
            "from coroguard import guard\nimport functools\n"
            "def _logged(f):\n"
            "    @functools.wraps(f)\n    def wrapper(): return f()\n"
            "    return wrapper\n"
            "@_logged\n@guard\ndef check(): return {}",
        ),
        (
            "from coroguard import guard\n@guard\ndef check(): return {}",
            "from coroguard import guard\n"
            "def _lossy(f):\n    def wrapper(): return f()\n    return wrapper\n"
            "@_lossy\n@guard\ndef check(): return {}",
        ),
    ],
    ids=[
        *("undecided before", "moved", "moved to a base", "promise forgotten"),
        *("guard below a decorator", "guard below a lossy decorator"),
    ],
)
def test_no_alarm(build: Build, before: str, after: str) -> None:
    """A difference that callers cannot notice is not a change."""
    base = {"base": "def check(): ..."}
    locked = lock_of([build(health=before, **base)])
    assert drift(locked, build(health=after, **base)).changes == []


REPORT = """\
from pydantic import BaseModel
from coroguard import guard
class Counts(BaseModel):
    users: int
@guard(returns=Counts)
def counts(): ...
"""


@pytest.mark.parametrize(
    ("before", "after", "headline", "was", "now"),
    [
        (
            REPORT,
            REPORT.replace("users: int", "users: int\n    rooms: int = 0"),
            "the contract app.health.Counts demands something else now",
            "rooms: -",
            "rooms: integer, may be missing",
        ),
        (
            REPORT,
            REPORT.replace("users: int", "users: str"),
            "the contract app.health.Counts demands something else now",
            "users: integer",
            "users: string",
        ),
        (
            REPORT,
            REPORT.replace("returns=Counts", "returns=dict[str, int]"),
            "app.health:counts has another contract now",
            "guarded, app.health.Counts",
            "guarded, dict[str, int], ",
        ),
        (
            REPORT,
            REPORT.replace("@guard(returns=Counts)\n", ""),
            "app.health:counts has no guard now",
            "guarded, app.health.Counts",
            "not guarded, ",
        ),
        (
            REPORT,
            REPORT.replace("returns=Counts", "returns=object"),
            "app.health:counts has another contract now",
            "guarded, app.health.Counts",
            "guarded, Any, ",
        ),
    ],
    ids=["field added", "field changed", "returns changed", "guard gone", "opened"],
)
def test_contract_that_changes(
    build: Build, before: str, after: str, headline: str, was: str, now: str
) -> None:
    """A guard or a contract that is not as locked is a change with both sides."""
    change = only_change(build, before, after)
    assert change.kind is FindingKind.CONTRACT_CHANGED
    assert change.headline == headline
    assert change.was == was
    assert change.now.startswith(now)


def test_description_of_a_model_is_no_contract(build: Build) -> None:
    """A new docstring or title does not change the contract."""
    worded = REPORT.replace("(BaseModel):", '(BaseModel):\n    """Counts, in words."""')
    locked = lock_of([build(health=REPORT)])
    assert drift(locked, build(health=worded)) == Drift()


def test_callers_are_named(build: Build) -> None:
    """The callers of a changed function are reported: place, function and use."""
    service = """\
from app.health import check
async def awaiting():
    await check()
def testing():
    if not check():
        return 1
def dropping():
    check()
"""
    change = only_change(
        build, "def check(): return 1", "async def check(): ...", service=service
    )
    told = [line.partition("service.py")[2] for line in change.callers]
    assert told == [
        ":3, awaiting awaits it",
        ":5, testing uses it as a value",
        ":8, dropping drops it",
    ]


def test_callers_of_a_method_on_an_unknown_object(build: Build) -> None:
    """A method called on a parameter is reported by its name, as a guess."""
    change = only_change(
        build,
        "class C:\n    def ping(self): ...",
        "class C:\n    async def ping(self): ...",
        service="def use(client):\n    return bool(client.ping())",
    )
    (line,) = change.callers
    assert line.endswith(
        "service.py:2, use uses it as a value, if client.ping leads here"
    )


def test_many_callers_are_counted(build: Build) -> None:
    """Ten callers are shown, the others counted; the last line is what to type."""
    service = "from app.health import check\ndef use():\n" + "    check()\n" * 13
    change = only_change(
        build, "def check(): return 1", "async def check(): ...", service=service
    )
    told = change.text("coroguard lock").splitlines()
    assert sum("service.py" in line for line in told) == 10
    assert told[-2].strip() == "and 3 more"
    assert told[-1].endswith("if it is meant, run coroguard lock")


def test_module_that_fails_is_neither_gone_nor_changed(build: Build) -> None:
    """A function whose module could not be imported is not reported."""
    locked = lock_of([build(health=GUARDED, other="def f(): ...")])
    found = drift(locked, build(health=None, other="def f(): ..."))
    assert found == Drift()


def test_change_as_it_is_reported(build: Build) -> None:
    """The golden text of a change."""
    change = Change(
        kind=FindingKind.COLOUR_CHANGED,
        names=("app.redis:Manager.is_connected",),
        headline="app.redis:Manager.is_connected was sync and is async now",
        was="sync",
        now="async, app/redis.py:2",
        mend="await each call of it",
        callers=("app/health.py:8, check uses it as a value",),
    )
    assert (
        change.text("coroguard lock")
        == """\
app.redis:Manager.is_connected was sync and is async now
  was:      sync
  now:      async, app/redis.py:2
  callers:  app/health.py:8, check uses it as a value
  fix:      await each call of it; if it is meant, run coroguard lock"""
    )
