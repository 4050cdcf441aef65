"""What does an attribute lead to, without running a descriptor or a __getattr__?"""

from __future__ import annotations

import builtins
import dis
import sys
from types import CodeType, FunctionType, GetSetDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any

from .awaitables import static_type_attribute
from .colours import colour_of, plain_function

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MISSING", "imported", "instances_own", "is_plainly_made", "loaded"]
__all__ += ["member", "module_name", "mro", "namespace", "own_dict", "own_state"]
__all__ += ["subclasses_agree", "subclasses_store", "unbound"]

MISSING: Any = object()
# Typed Any, because their generic types say nothing about the function inside.
_UNBOUND: Any = (staticmethod, classmethod)
_type: Any = type
_Dict: Any = dict
_NAMES: Any = vars(ModuleType)["__dict__"]
_STORE = dis.opmap["STORE_ATTR"]
_EXTENDED = dis.opmap["EXTENDED_ARG"]


def mro(cls: type) -> tuple[type, ...]:
    """Return a class's bases without asking its metaclass."""
    found: tuple[type, ...] = type.__dict__["__mro__"].__get__(cls)
    return found


def own_dict(cls: type) -> dict[str, Any]:
    """Return what a class itself defines."""
    found: dict[str, Any] = type.__dict__["__dict__"].__get__(cls)
    return found


def member(cls: type, name: str, after: type | None = None) -> Any:
    """Return a class's attribute as it stands there, or ``MISSING``.

    Args:
        cls: The class that is asked.
        name: The attribute.
        after: Only the bases behind this one, as ``super()`` asks them.
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
    """Return the callable behind a class's attribute; ``MISSING`` if it is none.

    Properties and other descriptors give what only running them can tell.
    """
    kind = _type(found)
    for binding in _UNBOUND:
        if issubclass(kind, binding):
            return unbound(binding.__dict__["__func__"].__get__(found))
    if kind is FunctionType or issubclass(kind, type):
        return found
    if static_type_attribute(kind, "__coroguard__") is not None:
        return found
    is_descriptor = static_type_attribute(kind, "__get__") is not None
    return MISSING if is_descriptor or plain_function(found) is None else found


def imported(module: str, name: str) -> Any:
    """Return what ``from module import name`` gives now, without importing."""
    value = namespace(loaded(module)).get(name, MISSING)
    return loaded(f"{module}.{name}") if value is MISSING else value


def loaded(name: str) -> Any:
    """Return a module that is imported already, or ``MISSING``."""
    found = sys.modules.get(name, MISSING)
    return MISSING if found is None else found


def namespace(module: object) -> dict[str, Any]:
    """Return a module's names; of what only poses as a module, nothing."""
    if not issubclass(_type(module), ModuleType):
        return {}
    found: dict[str, Any] = _NAMES.__get__(module)
    return found


def module_name(module: ModuleType, name: str | None, level: int) -> str:
    """Return the absolute name of the module that an import statement means."""
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


def own_state(value: Any) -> dict[str, Any]:
    """Return an object's own attributes without running a property of it."""
    for base in mro(_type(value)):
        descriptor = own_dict(base).get("__dict__")
        if type(descriptor) is GetSetDescriptorType:
            found: Any = descriptor.__get__(value)
            state: dict[str, Any] = found if type(found) is _Dict else {}
            return state
    return {}


def is_plainly_made(cls: type) -> bool:
    """Say whether calling a class makes an instance of just this class."""
    makes = static_type_attribute(_type(cls), "__call__")
    maker = next(base for base in mro(cls) if "__new__" in own_dict(base))
    is_builtin = any(maker is found for found in vars(builtins).values())
    return makes is _type.__dict__["__call__"] and is_builtin


def subclasses_agree(cls: type, name: str, after: type | None = None) -> bool:
    """Say whether a name has the colour that it has here in all subclasses."""
    mine = member(cls, name, after)
    colour = colour_of(unbound(mine))
    seen = {id(cls)}
    waiting = [*_subclasses(cls)]
    while waiting:
        subclass = waiting.pop()
        if id(subclass) in seen:
            continue
        seen.add(id(subclass))
        other = member(subclass, name, after)
        if other is not mine and colour_of(unbound(other)) is not colour:
            return False
        waiting += _subclasses(subclass)
    return True


def subclasses_store(cls: type, name: str) -> bool:
    """Say whether code of a subclass may store something else under a name."""
    seen: set[int] = set()
    waiting = _subclasses(cls)
    while waiting:
        subclass = waiting.pop()
        if id(subclass) in seen:
            continue
        seen.add(id(subclass))
        stored = _stored_by(subclass)
        if stored is None or name in stored or name in own_dict(subclass):
            return True
        waiting += _subclasses(subclass)
    return False


def _subclasses(cls: type) -> list[type]:
    try:
        found: list[type] = type.__subclasses__(cls)
    except TypeError:  # of ``type`` itself
        return []
    return found


def instances_own(cls: type) -> set[str] | None:
    """Return the names that a class's own code stores on objects.

    Returns:
        The names; ``None`` where they cannot be known, because the code stores
        by computed names or answers each lookup itself.
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
    found: set[str] = set(own_dict(cls).get("__annotations__", ()))
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
        if isinstance(code, CodeType):
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
