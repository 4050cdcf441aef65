"""Kinds of un-awaited objects, known by type without running user code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from inspect import (
    CO_ITERABLE_COROUTINE,
    GEN_CREATED,
    getgeneratorstate,
)
from types import (
    AsyncGeneratorType,
    CoroutineType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    ModuleType,
)
from typing import Any, TypeVar
from weakref import ref

_T = TypeVar("_T")


def ids(*kinds: type) -> frozenset[int]:
    """Return the identities of types that never die, by which others are looked up.

    A class that may be the user's is neither hashed nor compared, because its
    metaclass may define ``__hash__`` and ``__eq__``.
    """
    return frozenset(map(id, kinds))


#: Types whose instances can neither be awaited nor hold anything that can.
ATOMS = frozenset({type(None), bool, int, float, bytes, complex})
ATOM_IDS = ids(*ATOMS)

_MISSING = object()
_FORGETS_AT_ONCE = sys.implementation.name == "cpython"
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement
#: The methods of a coroutine; a class with others does more than be awaited.
_PROTOCOL = frozenset({"send", "throw", "close", "cr_await", "cr_running"})
_DESCRIPTORS = ids(GetSetDescriptorType, MemberDescriptorType)
#: Kinds that are lost unless their next owner awaits them.
COROUTINES = frozenset({"coroutine", "generator-based coroutine"})
#: An object whose class defines one of these may be a proxy of another one.
_STAND_IN = ("__getattr__", "__getattribute__", "__class__")


def class_of(value: object) -> type[Any]:
    """Return the class of an object, typed so that its attributes can be read."""
    return type(value)


#: Return a class and its bases without asking its metaclass.
mro: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
#: Return what a class itself defines, without asking its metaclass.
own_dict: Callable[[type], dict[str, Any]] = type.__dict__["__dict__"].__get__
#: Return the name of a class without asking its metaclass.
class_name: Callable[[type], str] = type.__dict__["__name__"].__get__


def namespace(module: object) -> dict[str, Any]:
    """Return the names of a module; none for other objects in its place."""
    if not issubclass(type(module), ModuleType):
        return {}
    found: dict[str, Any] = vars(ModuleType)["__dict__"].__get__(module)
    return found


def module_name(cls: type) -> str:
    """Return the module of a class without asking its metaclass."""
    found: object = type.__dict__["__module__"].__get__(cls)
    return found if isinstance(found, str) else ""


def per_class(
    ask: Callable[[type], _T], *, true: set[int] | None = None
) -> Callable[[type], _T]:
    """Cache the result of a function of a class for as long as the class lives.

    Classes are known by their identity, since a metaclass may define ``__hash__``.
    What is remembered must not refer to the class.

    Args:
        ask: What is asked about a class.
        true: Kept filled with the identities of the living classes for which the
            answer was true.
    """
    known: dict[int, tuple[ref[type], _T]] = {}
    # Elsewhere a class may be gone for some time before its identity is forgotten.
    living = true if true is not None and _FORGETS_AT_ONCE else set[int]()

    def asked(kind: type) -> _T:
        number = id(kind)
        entry = known.get(number)
        if entry is not None and entry[0]() is kind:
            return entry[1]
        found = ask(kind)

        def forget(_: object) -> None:
            living.discard(number)
            known.pop(number, None)

        known[number] = (ref(kind, forget), found)
        if found:
            living.add(number)
        return found

    return asked


@per_class
def _described_at(kind: type) -> int:
    """Return the position of the base that describes the ``__dict__`` of instances."""
    for at, base in enumerate(mro(kind)):
        if id(type(own_dict(base).get("__dict__"))) in _DESCRIPTORS:
            return at
    return len(mro(kind))


def own_state(value: object) -> dict[str, Any]:
    """Return an object's own attributes without running a property of it."""
    kind = type(value)
    for base in mro(kind)[_described_at(kind) :]:
        descriptor: Any = own_dict(base).get("__dict__")
        if id(type(descriptor)) in _DESCRIPTORS:
            found: Any = descriptor.__get__(value)
            state: dict[str, Any] = found if class_of(found) is dict else {}
            return state
    return {}


def is_kind(value: object, *kinds: type) -> bool:
    """Return what ``isinstance`` would, by the type alone."""
    for base in mro(type(value)):
        for kind in kinds:
            if base is kind:
                return True
    return False


def are_only(kinds: frozenset[type], items: Iterable[object]) -> bool:
    """Return whether all items are exactly of these built-in types."""
    known: type | None = None
    for item in items:
        if type(item) is not known:
            known = type(item)
            # Only a metaclass that is ``type`` itself hashes a class by identity.
            if type(known) is not type or known not in kinds:
                return False
    return True


def static_type_attribute(kind: type, name: str) -> Any:
    """Look an attribute up on a type without running a metaclass's code."""
    for base in mro(kind):
        found = own_dict(base).get(name, _MISSING)
        if found is not _MISSING:
            return found
    return None


def kind_of(value: object) -> str | None:
    """Return what kind of awaitable ``value`` is, or ``None``.

    Returns:
        ``coroutine``, ``generator-based coroutine``, ``async generator``,
        ``task``, ``future``, ``async context manager`` (of
        ``contextlib.asynccontextmanager``), ``awaitable`` for any other object
        that can do nothing but be awaited, and ``None`` for all else. Classes
        and async functions that were not called are values like any other, and
        so are clients and lazy queries that can also be awaited, and proxies.
    """
    kind = type(value)
    if kind is str or kind is dict or kind is list or kind is tuple:
        return None
    if kind is GeneratorType:
        flags = value.gi_code.co_flags  # type: ignore[attr-defined]
        return "generator-based coroutine" if flags & CO_ITERABLE_COROUTINE else None
    return kind_of_instances(kind)


@per_class
def kind_of_instances(kind: type) -> str | None:
    """Return what kind of awaitable the instances of a class are, or ``None``."""
    if kind is CoroutineType:
        return "coroutine"
    if kind is AsyncGeneratorType:
        return "async generator"
    if static_type_attribute(kind, "__await__") is not None:
        return _named(kind)
    name = class_name(kind)
    if name == "_AsyncGeneratorContextManager":
        return "async context manager"
    # Cython's coroutines are not types.CoroutineType and are known by their shape.
    if name == "async_generator" and static_type_attribute(kind, "__anext__"):
        return "async generator"
    return None


def what_is(value: object) -> str | None:
    """Return the kind of an awaitable that is not begun and not done.

    Returns:
        As ``kind_of``; ``None`` also for a coroutine that has started, which
        belongs to other code, and for a task or future that is done: a value.
    """
    kind = kind_of(value)
    if kind is None:
        return None
    return kind if _is_open(kind, value) else None


def is_coroutine(what: str) -> bool:
    """Return whether a kind of object is lost unless its caller awaits it."""
    return what in COROUTINES


def is_builtin(value: object) -> bool:
    """Return whether an awaitable is the interpreter's or asyncio's own kind."""
    return kind_of(value) not in (None, "awaitable", "async context manager")


def is_stand_in(value: object) -> bool:
    """Return whether an object claims the class of another, as proxies do.

    Reading any attribute of such an object may load its target.
    """
    return any("__class__" in own_dict(base) for base in mro(type(value))[:-1])


def _is_open(kind: str, value: Any) -> bool:
    """Return whether an awaitable can still be awaited by its next owner."""
    if type(value) is CoroutineType:
        is_started = value.cr_running or value.cr_suspended
        return not is_started and value.cr_frame is not None
    if kind == "generator-based coroutine":
        return getgeneratorstate(value) == GEN_CREATED
    if kind in ("task", "future"):
        is_done: bool = getattr(sys.modules["asyncio"], kind.title()).done(value)
        return not is_done
    return True


def _named(kind: type) -> str | None:
    """Return what kind of object has this class, which has an ``__await__``."""
    asyncio = sys.modules.get("asyncio")
    for name in ("Task", "Future"):
        cls = getattr(asyncio, name, None)
        if any(base is cls for base in mro(kind)):
            return name.lower()
    if class_name(kind) == "coroutine":  # Cython's
        return "coroutine"
    return "awaitable" if _only_awaits(kind) else None


def _only_awaits(kind: type) -> bool:
    """Return whether a class offers nothing public but to be awaited."""
    return not any(
        name in _STAND_IN
        or (not name.startswith("_") and name not in _PROTOCOL and callable(member))
        for base in mro(kind)
        if base.__flags__ & _HEAP_TYPE
        for name, member in own_dict(base).items()
    )
