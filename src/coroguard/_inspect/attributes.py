"""Attributes looked up without running a descriptor or a ``__getattr__``."""

from __future__ import annotations

import builtins
import dis
import inspect
import sys
import typing
from collections.abc import Iterator
from contextlib import suppress
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .annotations import annotations_of
from .awaitables import class_of, static_type_attribute
from .awaitables import mro as mro
from .awaitables import namespace as namespace
from .awaitables import own_dict as own_dict
from .awaitables import own_state as own_state
from .callables import BINDINGS, is_guarded, unwrap
from .colours import Colour, colour_of, plain_function


class _Missing:
    def __repr__(self) -> str:  # as signatures show it
        return "<missing>"


MISSING: Any = _Missing()
_COMPILED = "cython_function_or_method"
_STORE = dis.opmap["STORE_ATTR"]
_EXTENDED = dis.opmap["EXTENDED_ARG"]


def member(cls: type, name: str, after: type | None = None) -> Any:
    """Return an attribute of a class unbound, or ``MISSING``.

    Args:
        cls: The class.
        name: The attribute.
        after: Search only the bases after this one, as ``super()`` does.
    """
    bases = mro(cls)
    if after is not None:
        bases = bases[[base is after for base in bases].index(True) + 1 :]
    for base in bases:
        found = own_dict(base).get(name, MISSING)
        if found is not MISSING:
            return found
    return MISSING


def unbound(found: object) -> Any:
    """Return the callable behind an attribute of a class, or ``MISSING``.

    The value of a property or another descriptor is unknown until it runs.
    """
    found = unwrap(found, through=BINDINGS)
    kind = class_of(found)
    if kind is FunctionType or issubclass(kind, type):
        return found
    if is_guarded(found):
        return found
    is_descriptor = static_type_attribute(kind, "__get__") is not None
    return MISSING if is_descriptor or plain_function(found) is None else found


def imported(module: str, name: str) -> Any:
    """Return what ``from module import name`` would give, without importing."""
    value = namespace(loaded(module)).get(name, MISSING)
    return loaded(f"{module}.{name}") if value is MISSING else value


def loaded(name: str) -> Any:
    """Return a module that is imported already, or ``MISSING``."""
    found = sys.modules.get(name, MISSING)
    return MISSING if found is None else found


def file_of(module: object) -> str:
    """Return the file that a module was loaded from; empty if it has none."""
    file = namespace(module).get("__file__")
    return file if isinstance(file, str) else ""


def module_name(module: ModuleType, name: str | None, level: int) -> str:
    """Return the absolute name of the module in an import statement."""
    if not level:
        return name or ""
    names = vars(module)
    package = names.get("__package__")
    if not isinstance(package, str):
        package = str(names.get("__name__", ""))
        if "__path__" not in names:
            package = package.rpartition(".")[0]
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{name}" if name else base


def is_plainly_made(cls: type) -> bool:
    """Return whether calling a class makes an instance of exactly this class."""
    makes = static_type_attribute(type(cls), "__call__")
    maker = next(base for base in mro(cls) if "__new__" in own_dict(base))
    is_builtin = any(maker is found for found in vars(builtins).values())
    return makes is type.__dict__["__call__"] and is_builtin


def subclasses_agree(cls: type, name: str, after: type | None = None) -> bool:
    """Return whether a name has the same colour in all subclasses."""
    mine = member(cls, name, after)
    colour = colour_of(unbound(mine))
    for subclass in subclasses(cls):
        other = member(subclass, name, after)
        if other is not mine and _colour(other) is not colour:
            return False
    return True


def _colour(found: Any) -> Colour | None:
    """Return the colour of a method, also of one that Cython compiled."""
    function: Any = unwrap(found, through=BINDINGS)
    if type.__dict__["__name__"].__get__(class_of(function)) != _COMPILED:
        return colour_of(unbound(found))
    flags = function.__code__.co_flags
    if flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        return None
    return Colour.ASYNC if flags & inspect.CO_COROUTINE else Colour.SYNC


def subclasses_store(cls: type, name: str) -> bool:
    """Return whether code of a subclass may store something else under a name."""
    for subclass in subclasses(cls):
        stored = _stored_by(subclass)
        if stored is None or name in stored or name in own_dict(subclass):
            return True
    return False


def subclasses(cls: type) -> Iterator[type]:
    """Yield the subclasses of a class, and theirs, each once."""
    seen: set[int] = set()
    waiting = [cls]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if found is not cls:
            yield found
        with suppress(TypeError):  # of ``type`` itself
            waiting += type.__subclasses__(found)


def instances_own(cls: type) -> set[str] | None:
    """Return the names that a class's own code stores on objects.

    Returns:
        The names; ``None`` where they are unknown, because the code uses
        computed names or defines ``__getattribute__``.
    """
    if member(cls, "__getattribute__") is not object.__dict__["__getattribute__"]:
        return None
    found: set[str] = set()
    for base in mro(cls)[:-1]:
        stored = _stored_by(base)
        if stored is None:
            return None
        found |= stored
    return found


def _stored_by(cls: type) -> set[str] | None:
    """Return what the code in one class's body stores, ``None`` if unknown."""
    found: set[str] = set(annotations_of(cls))
    for value in list(own_dict(cls).values()):
        for code in _codes(value):
            if "setattr" in code.co_names or "__dict__" in code.co_names:
                return None
            found.update(_stored(code))
    return found


def _codes(value: Any) -> Iterator[CodeType]:
    """Yield the code of a class's member and of all functions made in it."""
    function = value.fget if type(value) is property else plain_function(value)
    waiting = [getattr(function, "__code__", None)]
    while waiting:
        code = waiting.pop()
        # Attributes that ``Protocol`` adds store nothing of the class's own.
        if isinstance(code, CodeType) and code.co_filename != typing.__file__:
            yield code
            waiting += [it for it in code.co_consts if isinstance(it, CodeType)]


def _stored(code: CodeType) -> Iterator[str]:
    """Yield the attributes that code assigns; its bytes are read, for speed."""
    operations = code.co_code[::2]
    position = operations.find(_STORE)
    while position >= 0:
        index = code.co_code[2 * position + 1]
        if position and operations[position - 1] == _EXTENDED:
            index |= code.co_code[2 * position - 1] << 8
        yield code.co_names[index]
        position = operations.find(_STORE, position + 1)
