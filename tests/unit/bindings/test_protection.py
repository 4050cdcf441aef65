"""Guards by path, before and after the import, and what becomes of them."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import os
import subprocess
import sys
import textwrap
from types import ModuleType
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from coroguard import (
    CoroutineLeakError,
    GuardUsageError,
    HealthReportError,
    mode,
    status,
)
from coroguard._inspect.callables import guard_of, is_guarded
from coroguard.bindings import bare, protect, unprotect, verify

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .*was never awaited"),
    pytest.mark.allow_leaks("is_connected", reason="these tests leak on purpose"),
]


def load(name="guarded_app.health"):
    return importlib.import_module(name)


def call(function, *args):
    result = function(*args)
    return asyncio.run(result) if inspect.iscoroutine(result) else result


FUNCTIONS = {
    "check_redis": lambda health: health.check_redis,
    "check_database": lambda health: health.check_database,
    "Manager.check": lambda health: health.Manager().check,
    "Manager.acheck": lambda health: health.Manager().acheck,
    "Manager.check_port": lambda health: health.Manager.check_port,
    "Manager.check_name": lambda health: health.Manager().check_name,
    "Child.check": lambda health: health.Child().check,
    "manager.check": lambda health: health.manager.check,
    "checker": lambda health: health.checker,
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("name", "get"), FUNCTIONS.items(), ids=FUNCTIONS)
def test_a_path_gets_its_guard(app, name, get, when):
    """A function is guarded by path before and after its import, and bare again."""
    if when == "after":
        load()
    protect(f"guarded_app.health:{name}", returns=Any)
    health = load()
    with pytest.raises(CoroutineLeakError) as raised:
        call(get(health))
    assert raised.value.leak.name == "is_connected"
    assert verify() == ()

    unprotect(f"guarded_app.health:{name}")
    found = call(get(health))
    found = found["redis"] if isinstance(found, dict) else found
    assert (asyncio.run(found) if inspect.iscoroutine(found) else found) is True
    assert "check" not in vars(health.Child)
    assert "check" not in vars(health.manager)


def test_a_submodule_that_its_package_imports_is_guarded(app):
    """A module is guarded, whatever imports it."""
    (app / "__init__.py").write_text("from guarded_app.health import check_redis\n")
    protect("guarded_app.health:check_redis")
    package = importlib.import_module("guarded_app")
    assert is_guarded(package.check_redis)


def test_an_exact_path_has_the_contract_of_guard(app):
    """A plain path promises a report, as @guard does; a pattern promises nothing."""
    protect("guarded_app.health:check_redis", "guarded_app.h*:helper")
    health = load()
    assert guard_of(health.check_redis).contract.expected == "HealthReport"
    assert guard_of(health.helper).contract.is_open


def test_terms_are_those_of_guard(app):
    """The options of a guard by path are those of the decorator."""
    protect("guarded_app.health:Manager.check", returns=int, mode="strict")
    health = load()
    terms = guard_of(health.Manager.check)
    assert (terms.contract.expected, terms.pinned, terms.dropped) == (
        "int",
        "strict",
        True,
    )
    health.Manager.check.__wrapped__.__globals__["is_connected"] = lambda: "yes"
    with pytest.raises(HealthReportError, match="expected: int"):
        health.Manager().check()


PATTERNS = {
    "guarded_app.health:check_*": ["check_redis", "check_database"],
    "guarded_app.health:Manager.*": [
        "Manager.check",
        "Manager.acheck",
        "Manager.check_port",
        "Manager.check_name",
    ],
    "guarded_app.health:*.acheck": ["Manager.acheck"],
    "guarded_app.health:check_[dr]e*": ["check_redis"],
    "guarded_app.*:check_d*": ["check_database"],
}
ALL = [
    "check_redis",
    "check_database",
    "check_rows",
    "helper",
    "is_connected",
    "Manager.check",
    "Manager.acheck",
    "Manager.check_port",
    "Manager.check_name",
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("pattern", "expected"), PATTERNS.items(), ids=PATTERNS)
def test_a_pattern_means_what_it_fits(app, pattern, expected, when):
    """A pattern guards functions and methods, and no property or generator."""
    if when == "after":
        load()
    protect(pattern)
    health = load()
    found = []
    for name in ALL:
        owner, _, attribute = name.rpartition(".")
        holder = getattr(health, owner) if owner else health
        if is_guarded(inspect.getattr_static(holder, attribute)):
            found.append(name)
    assert found == expected
    if pattern.startswith("guarded_app.*"):
        other = load("guarded_app.routes.websocket")
        assert is_guarded(other.check_database)


def test_a_pattern_leaves_what_is_only_imported(app):
    """A name that was imported from elsewhere is that module's to protect."""
    (app / "routes/websocket.py").write_text(
        "from guarded_app.health import check_redis\ndef check_socket(): ...\n"
    )
    protect("guarded_app.routes.*:check_*")
    websocket = load("guarded_app.routes.websocket")
    assert is_guarded(websocket.check_socket)
    assert not is_guarded(websocket.check_redis)


def test_looking_for_a_module_is_not_importing_it(app):
    """find_spec without an import changes nothing for the import that follows."""
    protect("guarded_app.health:check_redis")
    for _ in range(3):
        importlib.util.find_spec("guarded_app.health")
    for module in [it for it in sys.modules if it.startswith("guarded_app")]:
        del sys.modules[module]
    assert verify()[0].kind == "unresolved"
    assert "guarded_app" not in sys.modules
    assert is_guarded(load().check_redis)
    assert verify() == ()


def test_what_is_guarded_already_is_watched_only(app):
    """A guard by decorator is not doubled, and stays when the path is unprotected."""
    (app / "health.py").write_text(
        "from coroguard import guard\n@guard\ndef check(): return 1\n"
    )
    protect("guarded_app.health:check")
    health = load()
    assert not is_guarded(health.check.__wrapped__)
    unprotect()
    assert is_guarded(health.check)


def test_protecting_again_gives_new_terms(app):
    """The later terms of a path hold, and one unprotect takes the guard off."""
    health = load()
    protect("guarded_app.health:check_redis")
    protect("guarded_app.health:check_redis", returns=Any, mode="observe")
    assert guard_of(health.check_redis).contract.is_open
    unprotect("guarded_app.health:check_redis")
    assert not is_guarded(health.check_redis)


def test_a_refused_call_leaves_earlier_terms(app):
    """A path that was protected before keeps its guard when a later call is refused."""
    health = load()
    protect("guarded_app.health:check_redis", mode="strict")
    with pytest.raises(GuardUsageError):
        protect("guarded_app.health:check_redis", "guarded_app.health:typo")
    assert guard_of(health.check_redis).pinned == "strict"


def test_unprotect_leaves_what_others_have_put_there(app):
    """A name that was rebound since is not touched."""
    health = load()
    protect("guarded_app.health:check_redis")
    health.check_redis = health.helper
    unprotect()
    assert health.check_redis is health.helper


BAD = {
    "guarded_app.health.check_redis": "did you mean guarded_app.health:check_redis",
    "check_redis": "is not the path of a function; write protect",
    "guarded_app.health:": "is not the path of a function; write protect",
    "guarded_app.health:check redis": "is not the path of a function; write protect",
    5: "5 is not the path of a function",
    "guarded_app.health:check_reddis": "Did you mean 'check_redis'?",
    "guarded_app.health:Managr.check": "Did you mean 'Manager'?",
    "guarded_app.health:Manager": "a class; put @guard on its methods",
    "guarded_app.health:check_rows": "a generator function",
    "guarded_app.health:Manager.check_url": "a property",
    "guarded_app.health:checker.__class__.__name__": "not callable",
}


@pytest.mark.parametrize(("path", "words"), BAD.items(), ids=map(str, BAD))
def test_a_bad_path_is_refused_and_nothing_is_lost(app, path, words):
    """A wrong path is refused, and the others of the call stay bare too."""
    health = load()
    with pytest.raises(GuardUsageError) as raised:
        protect("guarded_app.health:check_redis", path)
    assert words in str(raised.value)
    assert not is_guarded(health.check_redis)


def test_bad_calls_are_refused(app):
    """No path, a wrong option and an unknown path are refused with the fix."""
    with pytest.raises(GuardUsageError, match=r'write protect\("module:function"\)'):
        protect()
    with pytest.raises(GuardUsageError, match="strict"):
        protect("guarded_app.health:check_redis", mode="strikt")  # type: ignore[arg-type]
    protect("guarded_app.health:check_redis")
    with pytest.raises(
        GuardUsageError, match=r"Did you mean .guarded_app.health:check_redis"
    ):
        unprotect("guarded_app.health:check_redi")
    assert is_guarded(load().check_redis)


def test_what_takes_no_attribute_is_refused(app):
    """A built-in class takes no guard, and the others of the call stay bare too."""
    health = load()
    with pytest.raises(GuardUsageError, match=r"builtins:str.upper takes no guard"):
        protect("guarded_app.health:check_redis", "builtins:str.upper")
    assert not is_guarded(health.check_redis)
    assert kinds() == []


# --- what becomes of the guards


def kinds(*, ended=False):
    return [str(finding.kind) for finding in verify(ended=ended)]


def test_a_rebound_name_is_found_and_reported_once(app, reported):
    """A guarded name with an unguarded value is found, and reported once."""
    health = load()
    protect("guarded_app.health:check_redis")
    health.check_redis = health.is_connected
    [finding] = verify()
    text = str(finding)
    assert finding.name == "guarded_app.health:check_redis"
    assert "was rebound, and has lost its guard" in text
    assert "health.py:4: def check_redis (guarded)" in text
    assert "health.py:2: async def is_connected" in text
    assert verify() == (finding,)
    assert [(e.action, e.guarded, str(e.error)) for e in reported] == [
        ("reported", finding.name, f"{text} [CG216]")
    ]


def test_a_twin_of_another_colour_is_found(app):
    """A wrapper that still calls the guard, but is async, has another colour."""
    from coroguard.testing import collide

    protect("guarded_app.health:Manager.check", returns=bool)
    (app / "health.py").write_text("class Manager:\n def check(self): return True\n")
    load()
    with collide("guarded_app.health:Manager.check"):
        assert kinds() == ["unguarded"]
    assert kinds() == []


def test_a_name_that_was_taken_away_is_found(app):
    """A protected name that is gone, for a module's __getattr__ to give, is found."""
    health = load()
    protect("guarded_app.health:check_redis")
    del health.check_redis
    [finding] = verify()
    assert "was taken away, and has lost its guard" in finding.headline


def test_a_wrapper_around_the_guard_is_fine(app):
    """A decorator that is put on top later does not take the guard away."""
    health = load()
    protect("guarded_app.health:check_redis")
    guarded = health.check_redis
    health.check_redis = lambda: guarded()
    assert kinds() == []


def test_a_reloaded_module_is_guarded_again(app):
    """A reload keeps the guards, and is not a finding."""
    protect("guarded_app.health:check_redis")
    health = load()
    old = health.check_redis
    importlib.reload(health)
    assert health.check_redis is not old
    assert is_guarded(health.check_redis)
    assert kinds() == []


def test_a_module_that_was_run_again_is_found(app):
    """What runs a module's code past the import system takes the guards away."""
    protect("guarded_app.health:check_redis")
    health = load()
    exec(
        compile((app / "health.py").read_text(), health.__file__, "exec"), vars(health)
    )
    [finding] = verify()
    assert "was loaded again, and has lost its guard" in str(finding)


def test_a_shadowed_module_is_found(app, tmp_path, monkeypatch):
    """A module that comes from another file now is found, guarded though it is."""
    protect("guarded_app.health:check_redis")
    package = importlib.import_module("guarded_app")
    load()
    other = tmp_path / "shadow"
    other.mkdir()
    (other / "health.py").write_text("def check_redis(): ...\n")
    monkeypatch.setattr(package, "__path__", [str(other), *package.__path__])
    del sys.modules["guarded_app.health"]
    health = load()
    assert is_guarded(health.check_redis)
    [finding] = [it for it in verify() if it.kind == "shadowed"]
    assert (finding.first, finding.second) == (
        str(app / "health.py"),
        str(other / "health.py"),
    )


def test_a_module_imported_under_two_names_is_found(app, monkeypatch):
    """The copy that has no guard is named, with the name to import it by."""
    protect("guarded_app.health:check_redis")
    load()
    monkeypatch.syspath_prepend(app)
    health = load("health")
    try:
        assert not is_guarded(health.check_redis)
        [finding] = verify()
        assert (finding.kind, finding.name) == ("two names", "health:check_redis")
        assert finding.advice == "import it as guarded_app.health everywhere"
    finally:
        del sys.modules["health"]


def test_a_second_name_with_a_guard_is_fine(app, monkeypatch):
    """A guarded copy, and another file of the same name, are not findings."""
    (app / "routes/health.py").write_text("def check_redis(): ...\n")
    load("guarded_app.routes.health")
    protect("guarded_app.health:check_redis", "health:check_redis")
    load()
    monkeypatch.syspath_prepend(app)
    try:
        assert is_guarded(load("health").check_redis)
        assert kinds() == []
    finally:
        del sys.modules["health"]


def test_each_fault_is_one_finding(app):
    """A name that has the bare function again, or two guards, is found once."""
    (app / "health.py").write_text(
        "from coroguard import guard\ndef bare(): ...\n@guard\ndef check(): ...\n"
    )
    health = load()
    protect("guarded_app.health:bare", "guarded_app.health:check")
    health.bare = health.bare.__wrapped__
    assert kinds() == ["unguarded"]
    health.bare, health.check = None, lambda: 1
    assert kinds() == ["unguarded", "unguarded"]


def test_other_values_of_a_guarded_name_are_fine(app):
    """A mock, a class or nothing at the name of a decorated check is fine."""
    (app / "health.py").write_text(
        "from coroguard import guard\n@guard\ndef check(): ...\n"
    )
    health = load()
    (app / "routes/websocket.py").write_text("from guarded_app.health import check\n")
    websocket = load("guarded_app.routes.websocket")
    for value in (MagicMock(), AsyncMock(), dict, None):
        health.check = value
        assert kinds() == []
    del health.check
    assert kinds() == []
    health.check = websocket.check
    protect("guarded_app.health:check")
    assert kinds() == []


def test_an_import_from_before_is_found(app):
    """A module that took the function before its guard came is named."""
    (app / "routes/websocket.py").write_text(
        "from guarded_app.health import check_redis as check\n"
    )
    load("guarded_app.routes.websocket")
    protect("guarded_app.health:check_redis")
    [finding] = verify()
    assert finding.name == "guarded_app.routes.websocket:check"
    assert "was imported before" in finding.headline


def test_a_decorated_name_that_was_rebound_is_found(app):
    """A guard by decorator is missed too, when its name leads elsewhere."""
    (app / "health.py").write_text(
        "from coroguard import guard\n@guard\ndef check(): return 1\ndef bare(): ...\n"
    )
    health = load()
    assert kinds() == []
    health.check = health.bare
    [finding] = verify()
    assert finding.name == "guarded_app.health:check"


@pytest.mark.parametrize(
    ("path", "why", "at_the_end"),
    [
        ("guarded_ap.health:check", "there is no module guarded_ap.health", True),
        ("guarded_app.helth:check", "there is no module guarded_app.helth", True),
        ("guarded_app.health:typo", "guarded_app.health has no 'typo'", True),
        ("guarded_app.health:typo_*", "no function of guarded_app.health fits", True),
        ("guarded_app.routes:f", "no module guarded_app.routes has been imp", False),
        ("guarded_app.x*:check", "no module guarded_app.x* has been imported", False),
    ],
)
def test_a_path_that_never_resolved_is_found(app, path, why, at_the_end):
    """A path that leads nowhere is found; one that was not needed only if asked."""
    protect(path)
    load()
    [finding] = verify()
    assert finding.kind == "unresolved"
    assert why in finding.first
    assert kinds(ended=True) == ["unresolved"] * at_the_end


def test_off_finds_nothing(app):
    """In mode off nothing is reported."""
    protect("guarded_app.health:typo")
    load()
    with mode("off"):
        assert verify() == ()


# --- packages as they are written


PACKAGE = {
    "refusing/__init__.py": "",
    "refusing/kinds.py": """
class Frozen(type):
    def __setattr__(cls, name, value):
        raise TypeError("immutable")

class Kind(metaclass=Frozen):
    def label(self): return "x"

class Slotted:
    __slots__ = ("size",)
    def measure(self): return 1

class Store:
    def load(self): return 1
    retrieve = load
""",
    "refusing/proxies.py": """
import sys
class Proxy:
    def __getattr__(self, name): raise RuntimeError("nothing is bound here")
    @property
    def __class__(self): raise RuntimeError("nothing is bound here")
request = Proxy()
def check(): return True
alias = check
for leftover in (check,): pass
def caller(): return sys._getframe(1).f_globals["__name__"]
""",
    "refusing/_impl.py": """
def publish(): return 1
publish.__module__ = "refusing.public"
""",
    "refusing/public.py": "from refusing._impl import publish\n",
    "refusing/helpers.py": """
def ok(): return 1
from refusing.table import TABLE
""",
    "refusing/table.py": """
from refusing.helpers import ok
TABLE = {"OK": ok}
""",
}


@pytest.fixture
def refusing(app):
    """A package with all that a wide pattern meets."""
    for file, text in PACKAGE.items():
        path = app.parent / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    protect("refusing.*:*", "refusing.*:*.*")
    yield lambda name: load(f"refusing.{name}")
    unprotect()
    for name in [it for it in sys.modules if it.partition(".")[0] == "refusing"]:
        del sys.modules[name]


def test_one_refusal_leaves_the_others_their_guards(refusing):
    """A pattern goes on after a class that takes no guard, and names it."""
    kinds_ = refusing("kinds")
    assert is_guarded(vars(kinds_.Store)["load"])
    assert is_guarded(vars(kinds_.Slotted)["measure"])
    assert kinds_.Store.retrieve is kinds_.Store.load
    [finding] = verify()
    assert finding.name == "refusing.kinds:Kind.label"
    assert "could not guard refusing.kinds:Kind.label" in finding.headline
    assert "refusing.kinds:Kind.label" in bare()
    assert "refusing.kinds:Kind.label" in str(status())


def test_a_proxy_is_not_asked_for_anything(refusing):
    """A pattern passes over proxies, and all names of a function get one guard."""
    proxies = refusing("proxies")
    assert is_guarded(proxies.check)
    assert proxies.alias is proxies.check
    assert proxies.leftover is proxies.check
    assert verify() == ()


def test_a_function_that_reads_the_frame_of_its_caller_stays_bare(refusing):
    """A guard would be the caller there; status knows, and nothing is reported."""
    proxies = refusing("proxies")
    assert proxies.caller() == __name__
    assert "refusing.proxies:caller" in bare()
    assert verify() == ()


def test_a_function_that_was_moved_by_its_module_name_is_guarded(refusing):
    """A public ``__module__`` keeps no function from its guard."""
    public = refusing("public")
    assert is_guarded(public.publish)
    assert is_guarded(load("refusing._impl").publish)
    assert verify() == ()


def test_a_circular_import_gets_the_guard_too(refusing):
    """A module that is imported by the one it imports from has the guard."""
    helpers = refusing("helpers")
    assert load("refusing.table").ok is helpers.ok
    assert is_guarded(helpers.ok)
    assert verify() == ()
    unprotect()
    assert not is_guarded(load("refusing.table").ok)


def test_a_tracer_around_the_guard_is_fine(app):
    """A proxy that another library puts around a guard has not taken it away."""
    wrapt = importlib.import_module("wrapt")
    protect("guarded_app.health:Manager.check")
    health = load()
    traced = wrapt.decorator(lambda wrapped, instance, args, named: wrapped(*args))
    health.Manager.check = traced(vars(health.Manager)["check"])
    assert kinds() == []


@pytest.mark.parametrize("path", ["lazy_checks:check", "lazy_*:*"])
def test_a_lazy_module_is_guarded_when_it_is_loaded(app, path):
    """Neither protect nor verify loads a module that waits for its first use."""
    (app.parent / "lazy_checks.py").write_text("def check(): return {}\n")
    spec = importlib.util.find_spec("lazy_checks")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules["lazy_checks"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        protect(path)
        verify()
        assert "check" not in object.__getattribute__(module, "__dict__")
        assert is_guarded(module.check)
        assert kinds() == []
    finally:
        del sys.modules["lazy_checks"]


def test_a_stub_of_a_missing_extra_disturbs_nobody(app, monkeypatch):
    """A module whose every attribute raises neither stops protect nor verify."""

    class Stub(ModuleType):
        def __getattr__(self, name):
            raise ImportError("the extra is missing")

    monkeypatch.setitem(sys.modules, "stub_of_extra", Stub("stub_of_extra"))
    protect("guarded_app.health:check_redis", "stub_of_*:*", "stub_of_*:*.*")
    load()
    assert kinds(ended=True) == []
    with pytest.raises(GuardUsageError, match="the extra is missing"):
        protect("stub_of_extra:check")


# --- in a process of its own


@pytest.fixture
def run(app):
    """Run a program beside the package; what it prints on both streams."""

    def run(program, **env):
        kept = {k: v for k, v in os.environ.items() if "COROGUARD" not in k}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            cwd=app.parent,
            env={**kept, **env},
            capture_output=True,
            text=True,
            timeout=250,
            check=True,
        )
        return done.stdout + done.stderr

    return run


def test_a_lost_guard_is_logged_at_the_end_of_the_program(run):
    """A program that configured nothing sees its lost guards when it ends."""
    text = run("""
        import warnings
        warnings.simplefilter("error")
        from coroguard import protect
        protect("guarded_app.health:chek_redis", "guarded_app.routes:f")
        import guarded_app.health
    """)
    assert "protect('guarded_app.health:chek_redis') guards nothing" in text
    assert "Did you mean 'check_redis'?" in text
    assert "routes" not in text
    assert "Traceback" not in text


def test_a_program_that_starts_off_is_left_alone(run):
    """Started in mode off, protect puts no guard, and verify finds none missing."""
    text = run(
        """
        from coroguard import configure, protect
        from coroguard.bindings import verify
        protect("guarded_app.health:check_redis", "guarded_app.health:Manager.check")
        import guarded_app.health as health
        print(hasattr(health.check_redis, "__wrapped__"))
        print("__init_subclass__" in vars(health.Manager))
        configure(mode="enforce")
        print(verify())
        """,
        COROGUARD_MODE="off",
    )
    assert text.startswith("False\nFalse\n()\n2 functions were guarded in mode off")


def test_guards_stand_with_other_finders(run):
    """A finder that was put first later does not keep the guards away."""
    text = run("""
        from coroguard import protect
        from coroguard._inspect.callables import is_guarded
        protect("guarded_app.health:check_redis")
        from typeguard import install_import_hook
        install_import_hook("guarded_app")
        protect("guarded_app.routes.*:check_*")
        import guarded_app.health, guarded_app.routes.websocket as websocket
        print(is_guarded(guarded_app.health.check_redis))
        print(is_guarded(websocket.check_redis))
    """)
    assert text == "True\nTrue\n"


# --- what pyproject.toml asks for


@pytest.fixture
def configured(app):
    """Write the project's table, and protect what it asks for."""
    from coroguard.bindings import protect_configured

    def configured(text):
        (app.parent / "pyproject.toml").write_text(f"[tool.coroguard]\n{text}\n")
        return protect_configured(app)

    return configured


def test_the_project_file_protects(configured):
    """Paths and tables of pyproject.toml are protected, with their terms."""
    paths = configured("""
protect = [
  "guarded_app.health:check_redis",
  { path = "guarded_app.health:helper", returns = "any", mode = "strict" },
  { path = "guarded_app.health:Manager.a*", returns = "report" },
]""")
    health = load()
    assert paths == (
        "guarded_app.health:check_redis",
        "guarded_app.health:helper",
        "guarded_app.health:Manager.a*",
    )
    assert guard_of(health.check_redis).contract.is_report
    assert guard_of(health.helper).contract.is_open
    assert guard_of(health.helper).pinned == "strict"
    assert guard_of(health.Manager.acheck).contract.is_report


def test_asking_twice_is_as_good_as_once(configured):
    """A second request, such as a plugin's inside `coroguard run`, changes nothing."""
    load()
    for _ in range(2):
        configured('protect = ["guarded_app.health:check_redis"]')
    assert is_guarded(load().check_redis)
    assert verify() == ()


@pytest.mark.parametrize("text", ["", "guarded = []", "protect = []"])
def test_a_project_without_wishes_protects_nothing(configured, text):
    """A table without the key is not an error."""
    assert configured(text) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("protect = 'a:b'", "'a:b' is not a list; write protect = ["),
        ("protect = ['a.b']", "did you mean a:b?"),
        ("protect = [{ returns = 'any' }]", "names no path; write { path ="),
        ("protect = [{ path = 'a:b', retuns = 'any' }]", "Did you mean 'returns'?"),
        ("protect = [{ path = 'a:b', returns = 'int' }]", "neither 'report' nor 'any'"),
        ("protect = [{ path = 'a:b', mode = 'strikt' }]", "Did you mean 'strict'?"),
        ("protect = [", "cannot be read"),
    ],
)
def test_a_wrong_entry_is_refused(configured, text, words):
    """What is written wrongly is refused with what to type."""
    with pytest.raises(GuardUsageError) as raised:
        configured(text)
    assert words in str(raised.value)
