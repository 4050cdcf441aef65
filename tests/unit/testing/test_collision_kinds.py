"""Each kind of collision, and the state that it leaves as it was."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
import types
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from more_kinds import KINDS, collide

from coroguard import GuardUsageError
from coroguard.testing import async_twin
from coroguard.testing import collide as public_collide
from coroguard.testing.collisions import KINDS as PUBLIC
from coroguard.testing.collisions import swaps

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.allow_leaks("*", reason="a collision leaks, which is what it is for"),
]

OF_FUNCTIONS = [kind for kind in KINDS if kind not in ("override", "injection")]
OF_MODULES = ["star import", "handler import", "conditional import", "module getattr"]
OF_METHODS = [kind for kind in KINDS if kind not in (*OF_MODULES, "injection")]
METHODS = ["check", "acheck", "static", "astatic", "named", "anamed"]
NEW_IMPORTS = ["path shadowing", "handler import"]
OUTAGE = "'coroutine' object has no attribute 'get'"
MIRROR = r"'await' expression|can't be awaited"  # up to 3.13, and since 3.14


def planted(service: Any, kind: str, *, is_async: bool = False) -> Any:
    """Return a collision of this kind on the target that it is for."""
    a = "a" if is_async else ""
    if kind == "injection":
        return collide(service.health.REGISTRY, f"{a}redis", kind=kind)
    target = f"{service.package}.health:{a}check"
    if kind == "override":
        target = f"{service.package}.health:Manager.{a}check"
    return collide(target, kind=kind)


def result_of(call: Any) -> Any:
    """Call, and await what comes where it is a coroutine."""
    found = call()
    return asyncio.run(found) if inspect.iscoroutine(found) else found


# --- they happen


def test_the_kinds() -> None:
    """``collide`` has the kinds that a project can apply to code of its own."""
    assert (
        *("rebinding", "override", "path shadowing", "handler import"),
        *("injection", "mock"),
    ) == PUBLIC
    assert {*PUBLIC} <= {*KINDS}


@pytest.mark.parametrize("kind", OF_FUNCTIONS)
def test_a_sync_function_collides(service, kind):
    """The import in the handler gets a coroutine; what was imported before is right."""
    with planted(service, kind):
        with pytest.raises(AttributeError, match=OUTAGE):
            service.handlers.late()
        assert service.handlers.early() == ["restart redis"]
    assert service.handlers.late() == ["restart redis"]


@pytest.mark.parametrize("kind", OF_FUNCTIONS)
def test_a_coroutine_function_collides(service, kind):
    """The import in the handler gets a value that cannot be awaited."""
    with planted(service, kind, is_async=True):
        with pytest.raises(TypeError, match=MIRROR):
            asyncio.run(service.handlers.alate())
        assert asyncio.run(service.handlers.aearly()) == ["restart redis"]
    assert asyncio.run(service.handlers.alate()) == ["restart redis"]


@pytest.mark.parametrize("kind", OF_FUNCTIONS)
def test_who_has_the_module_collides_with_it(service, kind):
    """Who asks the module sees the twin, but where the module itself is another."""
    with planted(service, kind), planted(service, kind, is_async=True):
        if kind in NEW_IMPORTS:
            assert service.handlers.by_module() == ["restart redis"]
            assert asyncio.run(service.handlers.aby_module()) == ["restart redis"]
            return
        with pytest.raises(AttributeError, match=OUTAGE):
            service.handlers.by_module()
        with pytest.raises(TypeError, match=MIRROR):
            asyncio.run(service.handlers.aby_module())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", OF_METHODS)
def test_a_method_collides(service, kind, method):
    """A method, static or class method gives the same result in the other colour."""
    name = f"{service.package}.health"
    expected = result_of(getattr(service.health.Manager(), method))
    with collide(f"{name}:Manager.{method}", kind=kind):
        manager = sys.modules[name].Manager()
        found = getattr(manager, method)()
        assert inspect.iscoroutine(found) == (not method.startswith("a"))
        assert (asyncio.run(found) if inspect.iscoroutine(found) else found) == expected
    found = getattr(service.health.Manager(), method)()
    assert inspect.iscoroutine(found) == method.startswith("a")
    assert result_of(lambda: found) == expected


@pytest.mark.parametrize("kind", [kind for kind in OF_METHODS if kind != "override"])
def test_arguments_reach_the_original(service, kind):
    """What the twin is called with is what the original gets."""
    name = f"{service.package}.health"
    with collide(f"{name}:Manager.static", kind=kind):
        found = sys.modules[name].Manager.static(number=5)
        assert asyncio.run(found) == {"number": 5}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_container_collides(service, is_async):
    """A registry has the twin at its key, a list by its index."""
    key, index = ("aredis", -1) if is_async else ("redis", 0)
    registry, checks = service.health.REGISTRY, service.health.CHECKS
    path = f"{service.package}.health:REGISTRY"
    for collision, held in (
        (collide(registry, key, kind="injection"), lambda: registry[key]),
        (collide(path, key, kind="injection"), lambda: registry[key]),
        (collide(checks, index, kind="injection"), lambda: checks[index]),
    ):
        original = held()
        with collision:
            assert inspect.iscoroutinefunction(held()) is not is_async
            assert result_of(held())["healthy"] is True
        assert held() is original


def test_an_object_with_methods_is_injected(service):
    """An object gives way to one of its class whose methods have turned."""
    holder = types.SimpleNamespace(manager=service.health.REGISTRY["manager"])
    original = holder.manager
    with collide(holder, "manager", kind="injection"):
        assert isinstance(holder.manager, service.health.Manager)
        with pytest.raises(AttributeError, match=OUTAGE):
            holder.manager.check().get("healthy")
        assert holder.manager.acheck()["healthy"] is True
    assert holder.manager is original


def test_an_attribute_by_its_path(service):
    """The path of an object's attribute is a place for an injection too."""
    service.health.state = types.SimpleNamespace(check=service.health.check)
    path = f"{service.package}.health:state.check"
    with collide(path, kind="injection"):
        assert inspect.iscoroutinefunction(service.health.state.check)
    assert service.health.state.check is service.health.check


def test_a_slot_is_put_back():
    """What a slot held is put back, though no dictionary has it."""

    class Slotted:
        __slots__ = ("check",)

    slotted = Slotted()
    slotted.check = check = lambda: 1
    with collide(slotted, "check", kind="injection"):
        assert inspect.iscoroutinefunction(slotted.check)
    assert slotted.check is check


@pytest.mark.parametrize(
    "kind", ["rebinding", "path shadowing", "double import", "partial", "mock"]
)
def test_a_method_of_an_object_collides(service, kind):
    """By the path of an object its bound method collides, and gives its result."""
    service.health.manager = service.health.Manager()
    with (service.folder / "health.py").open("a") as file:
        file.write("\n\nmanager = Manager()\n")
    name = f"{service.package}.health"
    with collide(f"{name}:manager.check", kind=kind):
        found = sys.modules[name].manager.check()
        assert asyncio.run(found)["error_suggestions"] == ["Manager"]
    assert vars(service.health.manager) == {}


# --- how they happen


@pytest.mark.parametrize("kind", ["star import", "conditional import"])
def test_the_twin_comes_from_a_module_of_its_own(service, kind):
    """The name is imported from a real file on the path."""
    with planted(service, kind):
        check = service.health.check
        twins = sys.modules[check.__module__]
        assert check is twins.check
        assert twins.__all__ == ["check"]
        assert Path(inspect.getsourcefile(check)).parent == Path(sys.path[-1])
    assert not Path(twins.__file__).parent.exists()


def test_a_later_definition_stands_at_the_end_of_the_file(service):
    """The second ``def`` has the module's file, a later line and its globals."""
    with planted(service, "later definition"):
        check = service.health.check
        assert check.__code__.co_filename == service.health.__file__
        lines = (service.folder / "health.py").read_text().count("\n")
        assert check.__code__.co_firstlineno == lines + 1
        assert check.__globals__ is vars(service.health)
        assert check.__qualname__ == "check"
        assert inspect.signature(check) == inspect.signature(service.handlers.check)


def test_an_override_is_a_subclass(service):
    """New instances are of the subclass, those made before are not."""
    base = service.health.Manager
    with planted(service, "override"):
        found = service.health.Manager
        assert found.__mro__[1] is base
        assert (found.__qualname__, found.__module__) == ("Manager", base.__module__)
        assert type(service.health.REGISTRY["manager"]) is base
    assert service.health.Manager is base


def test_a_shadowing_file_is_imported_instead(service):
    """The module is another one from another file, and all in it works."""
    name = f"{service.package}.health"
    with planted(service, "path shadowing"):
        shadow = importlib.import_module(name)
        assert shadow is not service.health
        assert getattr(sys.modules[service.package], "health") is shadow  # noqa: B009
        assert shadow.__file__ != service.health.__file__
        assert shadow.HERE == "health.py"
        assert shadow.Manager().check()["healthy"] is True
        with pytest.raises(AttributeError, match=OUTAGE):
            shadow.from_inside()
    assert importlib.import_module(name) is service.health


def test_a_double_import_has_two_names(service):
    """The module's own file is there under its last name alone."""
    assert "health" not in sys.modules
    with planted(service, "double import"):
        assert sys.modules["health"].__file__ == service.health.__file__
        assert service.health.check is sys.modules["health"].check
        assert service.health.Manager is not sys.modules["health"].Manager
    assert "health" not in sys.modules


def test_a_taken_name_gets_a_suffix(service, monkeypatch):
    """Where the last name is taken, the second one is longer."""
    monkeypatch.setitem(sys.modules, "health", types.ModuleType("health"))
    with planted(service, "double import"):
        second = sys.modules[f"{service.package}.health_again"]
        assert service.health.check is second.check


def test_relative_imports_work_in_the_second_copy(service):
    """A file that imports relatively keeps its package."""
    with collide(f"{service.package}.handlers:early", kind="double import"):
        assert inspect.iscoroutinefunction(service.handlers.early)
        assert f"{service.package}.handlers_again" in sys.modules


def test_a_name_of_the_standard_library_is_taken(service):
    """A module whose last name leads elsewhere is not imported by it."""
    (service.folder / "colorsys.py").write_text("def check():\n    return {}\n")
    importlib.invalidate_caches()
    sys.modules.pop("colorsys", None)
    with collide(f"{service.package}.colorsys:check", kind="double import"):
        assert "colorsys" not in sys.modules
        assert f"{service.package}.colorsys_again" in sys.modules


@pytest.mark.parametrize("kind", ["path shadowing", "double import", "handler import"])
def test_a_package_collides(service, kind, interpreter):
    """A package's own name collides too, and its modules stay importable."""
    (service.folder / "part.py").write_text("x = 1\n")
    (service.folder / "__init__.py").write_text(
        "from . import part\n\n\ndef ready():\n    return {}\n"
    )
    (service.folder / "late_module.py").write_text("x = 1\n")
    package = importlib.reload(sys.modules[service.package])
    before = interpreter()
    with collide(f"{service.package}:ready", kind=kind):
        assert inspect.iscoroutinefunction(sys.modules[service.package].ready)
        assert service.handlers.late() == ["restart redis"]
    assert interpreter() == before
    with collide(f"{service.package}:ready", kind=kind):
        importlib.import_module(f"{service.package}.late_module")
    assert sys.modules[service.package] is package
    assert package.late_module.x == 1


@pytest.mark.parametrize("kind", ["path shadowing", "double import"])
def test_a_module_without_a_package_collides(tmp_path, monkeypatch, kind):
    """A single file on the path is shadowed, and imported twice."""
    (tmp_path / "lonely_module.py").write_text("def check():\n    return {}\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("lonely_module")
    path = list(sys.path)
    with collide("lonely_module:check", kind=kind):
        found = sys.modules["lonely_module"]
        assert inspect.iscoroutinefunction(found.check)
        assert (found is module) == (kind == "double import")
    assert sys.modules.pop("lonely_module") is module
    assert sys.path == path


def test_a_namespace_package_is_shadowed(tmp_path, monkeypatch):
    """A package without an ``__init__`` has its modules shadowed too."""
    (tmp_path / "lonely_space").mkdir()
    (tmp_path / "lonely_space" / "part.py").write_text("def check():\n    return {}\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("lonely_space.part")
    path = sys.modules["lonely_space"].__path__
    with collide("lonely_space.part:check", kind="path shadowing"):
        assert inspect.iscoroutinefunction(sys.modules["lonely_space.part"].check)
    assert sys.modules["lonely_space"].__path__ is path
    assert sys.modules.pop("lonely_space.part") is module
    del sys.modules["lonely_space"]


def test_a_stand_in_has_all_of_the_module(service):
    """Imports from the stand-in get whatever else the module has, also later."""
    with planted(service, "handler import"):
        stand_in = sys.modules[f"{service.package}.health"]
        service.health.added = 5
        assert stand_in is not service.health
        assert (stand_in.Manager, stand_in.added) == (service.health.Manager, 5)


def test_a_getattr_calls_the_one_before(service):
    """The module's own ``__getattr__`` is still asked for other names."""
    service.health.__getattr__ = {"lazy": 1}.__getitem__
    with planted(service, "module getattr"):
        assert "check" not in vars(service.health)
        assert inspect.iscoroutinefunction(service.health.check)
        assert service.health.lazy == 1
    del service.health.__getattr__
    with planted(service, "module getattr"), pytest.raises(AttributeError, match="ab"):
        _ = service.health.ab


def test_a_getattr_that_was_undone_gives_nothing(service):
    """One that is undone first gives its name no more, though it is still called."""
    service.health.__getattr__ = {"lazy": len, "lazier": len}.__getitem__
    first = collide(service.health, "lazy", kind="module getattr").start()
    with collide(service.health, "lazier", kind="module getattr"):
        first.undo()
        assert service.health.lazy is len
        assert inspect.iscoroutinefunction(service.health.lazier)


def test_each_star_import_has_its_module(service):
    """A second star import comes from a module of another name."""
    with planted(service, "star import"):
        first = service.health.check.__module__
        with planted(service, "star import"):
            assert service.health.check.__module__ != first


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_shapes(service, is_async):
    """A partial, a lambda, a wrapper and a mock are what their kinds name."""
    name, found = "acheck" if is_async else "check", {}
    for kind in ("partial", "lambda", "lossy decorator", "mock"):
        with planted(service, kind, is_async=is_async):
            found[kind] = getattr(service.health, name)
    assert type(found["partial"]).__name__ == "partial"
    assert found["lambda"].__name__ == "<lambda>"
    assert found["lossy decorator"].__name__ == name
    assert not inspect.iscoroutinefunction(found["lossy decorator"])
    mock = "MagicMock" if is_async else "AsyncMock"
    assert type(found["mock"]).__name__ == mock


# --- they are undone


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left(service, interpreter, kind, is_async):
    """Afterwards the interpreter is as it was, also when the block raises."""
    before = interpreter()
    with planted(service, kind, is_async=is_async):
        assert interpreter() != before
    assert interpreter() == before
    with pytest.raises(KeyError), planted(service, kind, is_async=is_async):
        raise KeyError("x")
    assert interpreter() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)], ids=str)
def test_any_order(service, interpreter, kind, order):
    """Collisions of one name are undone in whatever order, and more than once."""
    before = interpreter()
    collisions = [planted(service, kind) for _ in range(3)]
    for collision in collisions:
        collision.start()
    for number in order:
        collisions[number].undo()
        collisions[number].undo()
    assert interpreter() == before


@pytest.mark.parametrize("outer", OF_FUNCTIONS)
@pytest.mark.parametrize("inner", OF_FUNCTIONS)
def test_kinds_lie_on_each_other(service, interpreter, outer, inner):
    """Two kinds on one name are undone from the inside and from the outside."""
    before = interpreter()
    with planted(service, outer), planted(service, inner):
        pass
    assert interpreter() == before
    first, second = planted(service, outer), planted(service, inner)
    first.start()
    second.start()
    first.undo()
    second.undo()
    assert interpreter() == before


@pytest.mark.parametrize("kind", KINDS)
def test_it_happens_again(service, kind):
    """One collision can be started again after it was undone."""
    collision = planted(service, kind)
    for _ in range(2):
        with collision:
            assert collision.is_active
        assert not collision.is_active


@pytest.mark.parametrize("kind", ["path shadowing", "double import"])
def test_a_module_that_does_not_run_twice(service, interpreter, kind):
    """Where the file fails the second time, nothing of the attempt stays."""
    with (service.folder / "health.py").open("a") as file:
        file.write(
            "\nfrom . import handlers\n" * (kind == "path shadowing") + "1 / 0\n"
        )
    before = interpreter()
    words = "cannot be run a second time: ZeroDivisionError: division by zero; use"
    with pytest.raises(GuardUsageError, match=words):
        planted(service, kind).start()
    assert interpreter() == before
    assert service.handlers.late() == ["restart redis"]


@pytest.mark.parametrize("kind", ["star import", "path shadowing", "double import"])
def test_no_bytecode_is_left(service, tmp_path, monkeypatch, kind):
    """No compiled file is written, wherever those are kept, and later ones are."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "compiled"))
    with planted(service, kind):
        assert sys.dont_write_bytecode is False
    assert not (tmp_path / "compiled").exists()


def test_a_write_that_fails_is_undone(service, interpreter, monkeypatch):
    """Where the disk is full, nothing of the attempt stays."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    before = interpreter()
    monkeypatch.setattr(Path, "write_text", full)
    for kind in ("star import", "conditional import", "path shadowing"):
        with pytest.raises(OSError, match="No space"):
            planted(service, kind).start()
        assert interpreter() == before


def test_a_path_that_was_set_anew(service, monkeypatch):
    """A program that sets ``sys.path`` anew meanwhile keeps its own."""
    anew = ["somewhere"]
    with planted(service, "star import"):
        monkeypatch.setattr(sys, "path", anew)
    assert sys.path is anew
    assert anew == ["somewhere"]


def test_a_namespace_without_builtins():
    """A module made by hand gets no ``__builtins__`` from what ran in it."""
    module = types.ModuleType("made_by_hand")
    module.check = async_twin(sys.getrecursionlimit)
    before = dict(vars(module))
    for kind in ("star import", "later definition", "conditional import"):
        with collide(module, "check", kind=kind):
            assert module.check() == sys.getrecursionlimit()
        assert vars(module) == before


# --- they are refused


@pytest.mark.parametrize(
    ("target", "kind", "words"),
    [
        (
            "health:check",
            "override",
            "no override of .*: it is not a m",
        ),
        *(("health:Manager.check", kind, "not a name of a mod") for kind in OF_MODULES),
        ("health:check", "injection", r'write collide\("package.module:REGISTRY", "re'),
        ("handlers:Manager.check", "path shadowing", "only imports Manager; use coll"),
        ("health:manager.check", "later definition", "no module or class defines it"),
        ("handlers:Manager.check", "double import", r"health:Manager.check\"\)"),
    ],
)
def test_a_kind_is_not_for_every_target(service, target, kind, words):
    """A kind that cannot happen there is refused, with what to type."""
    service.handlers.Manager = service.health.Manager
    service.health.manager = service.health.Manager()
    with pytest.raises(GuardUsageError, match=words):
        collide(f"{service.package}.{target}", kind=kind)


def test_a_kind_that_does_not_exist_is_refused(service):
    """The nearest kind is named."""
    with pytest.raises(GuardUsageError, match=r"Did you mean 'rebinding'\?"):
        public_collide(f"{service.package}.health:check", kind="rebindin")


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (({"redis": len}, "redi"), "injection", r"no item 'redi'\. Did you mean"),
        (([len], 3), "injection", "no item 3"),
        (([len], "x"), "injection", "no item 'x'"),
        (({"redis": 5}, "redis"), "injection", "not callable"),
        (({"redis": len},), "injection", "owner of the callable, and the key"),
        ((types, "new_class"), "injection", "needs the owner of the callable"),
        ((types.SimpleNamespace(f=len), "f"), "star import", 'use kind="injection"'),
        ((types.SimpleNamespace(f=len), "f"), "later definition", "no module or class"),
        ((types.ModuleType("unfiled"), "f"), "path shadowing", "unfiled has no source"),
        ((types.ModuleType("unfiled"), "f"), "double import", "unfiled has no source"),
        ((types.ModuleType("unfiled"), "f"), "handler import", "another module; use"),
        ((type("Local", (), {"f": lambda it: 1}), "f"), "override", "has no name"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_object_does_not_suit_every_kind(arguments, kind, words):
    """An object or container where the kind cannot happen is refused."""
    if isinstance(arguments[0], types.ModuleType) and arguments[0] is not types:
        arguments[0].f = async_twin(len)
    with pytest.raises(GuardUsageError, match=words):
        collide(*arguments, kind=kind)


def test_a_module_that_main_is(monkeypatch):
    """The program's own file is never imported, so nothing can shadow it."""
    main = types.ModuleType("__main__")
    main.check, main.__file__ = len, __file__
    monkeypatch.setitem(sys.modules, "__main__", main)
    with pytest.raises(GuardUsageError, match="its module is never imported"):
        collide("__main__:check", kind="path shadowing")


def test_it_decorates_with_a_kind(service):
    """As a decorator a kind holds during each call, of both colours."""
    late, alate = service.handlers.late, service.handlers.alate
    collision = planted(service, "handler import")
    with pytest.raises(AttributeError, match=OUTAGE):
        collision(late)()
    assert asyncio.run(collision(alate)()) == ["restart redis"]
    assert late() == ["restart redis"]


def test_a_stack_of_all_kinds(service, interpreter):
    """All kinds at once are undone together."""
    before = interpreter()
    with ExitStack() as stack:
        for kind in KINDS:
            stack.enter_context(planted(service, kind))
    assert interpreter() == before
    assert swaps._LAYERS == {}
