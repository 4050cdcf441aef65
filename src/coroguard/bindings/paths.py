"""Import paths of functions, patterns included, and their results."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from .._inspect.attributes import MISSING, member, namespace, own_dict, own_state
from .._inspect.awaitables import ids
from .._inspect.callables import COPIES, layers
from .._inspect.texts import nearest
from .._leaks.errors import GuardUsageError

usage_error = partial(GuardUsageError, code="CG211")
_PART = r"[\w*?\[\]!-]+"
_PATH = re.compile(rf"{_PART}(\.{_PART})*:{_PART}(\.{_PART})*")
_PATTERN = re.compile(r"[*?\[]")
#: Types under which a class or module has a function.
METHODS = ids(FunctionType, staticmethod, classmethod)
# Functions with these names look at the frame of their caller: the guard's, then.
_FRAME_READERS = frozenset(("_getframe", "currentframe", "f_back", "extract_stack"))


@dataclass(frozen=True, slots=True)
class Target:
    """One function, at the place that is guarded.

    Args:
        owner: The module, class or object that has the name.
        name: The name.
        value: What is there, unbound where a class has it.
        qualified: The qualified name, from the module on.
    """

    owner: Any
    name: str
    value: Any
    qualified: str


@dataclass(frozen=True, slots=True)
class GuardPath:
    """A path, or a pattern of paths, such as ``app.*:check_*``.

    Args:
        text: As it was written.
        module: The module, or a pattern, in which ``*`` also matches dots.
        name: The qualified name, or a pattern for each of its parts.
    """

    text: str
    module: str
    name: str

    @classmethod
    def parse(cls, text: object) -> GuardPath:
        """Read a path.

        Raises:
            GuardUsageError: It is not a path; the text shows one.
        """
        if isinstance(text, str) and _PATH.fullmatch(text):
            module, _, name = text.partition(":")
            return cls(text, module, name)
        hint = ""
        if isinstance(text, str) and re.fullmatch(r"\w+(\.\w+)+", text):
            module, _, name = text.rpartition(".")
            hint = f"; did you mean {module}:{name}?"
        raise usage_error(
            f"{text!r} is not the path of a function; "
            f'write protect("package.module:function"){hint}'
        )

    @property
    def is_pattern(self) -> bool:
        """Whether it may match any number of functions, zero included."""
        return _PATTERN.search(self.text) is not None

    def fits(self, module: str) -> bool:
        """Return whether functions of this module may be meant."""
        return fnmatchcase(module, self.module)

    def targets(self, module: Any) -> list[Target]:
        """Return the functions that are meant in a module.

        A pattern means the functions and methods that are defined in it, and no
        class, property or generator function; a plain path means whatever is at
        its end.

        Raises:
            GuardUsageError: There is nothing at the end of a plain path.
        """
        parts = self.name.split(".")
        if self.is_pattern:
            return list(_matching(module, parts, module, ""))
        owner: Any = module
        for part in parts[:-1]:
            owner = _found(owner, part, self.text)
        value = _found(owner, parts[-1], self.text)
        return [Target(owner, parts[-1], value, self.name)]


@dataclass(frozen=True, slots=True)
class Put:
    """One guard that was put in place.

    Args:
        module: The name of the module.
        name: The qualified name in it.
        owner: The module, class or object that has the attribute.
        attribute: Its name.
        original: What the owner had there itself; ``MISSING`` if nothing.
        function: What was guarded.
        guarded: What is there since.
        file: The module's file.
        late: Whether the module was imported before ``protect`` was called.
    """

    module: str
    name: str
    owner: Any
    attribute: str
    original: Any
    function: Any
    guarded: Any
    file: str
    late: bool


@dataclass(slots=True)
class Protection:
    """A path and its results.

    Args:
        path: The path.
        decorate: Puts the guard on a function.
        put: The guards that are in place, by module and qualified name.
        refused: What a pattern could not guard, with the reason.
        passed: What a pattern leaves bare on purpose, with the reason.
        problem: Why a plain path could not be guarded.
    """

    path: GuardPath
    decorate: Callable[[Any], Any]
    put: dict[tuple[str, str], Put] = field(default_factory=dict[tuple[str, str], Put])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    passed: dict[str, str] = field(default_factory=dict[str, str])
    problem: str = ""


def own(owner: Any) -> dict[str, Any]:
    """Return the own attributes of a module, class or object; none of its code runs."""
    kind: type[Any] = type(owner)
    if issubclass(kind, ModuleType):
        return namespace(owner)
    return own_dict(owner) if issubclass(kind, type) else own_state(owner)


def modules() -> list[tuple[str, Any]]:
    """Return the imported modules, by the names that they are imported as."""
    found: dict[str, Any] = dict(sys.modules)
    return [it for it in found.items() if issubclass(type(it[1]), ModuleType)]


def module_name(module: Any) -> str:
    """Return the name that a module has, without loading it."""
    return str(namespace(module).get("__name__", ""))


def lookup(module: Any, name: str) -> Any:
    """Return what is at a qualified name, or ``MISSING``; no code is run."""
    found = module
    for part in name.split("."):
        kind: type[Any] = type(found)
        if issubclass(kind, type):
            found = member(found, part)
        else:
            value = own(found).get(part, MISSING)
            is_module = issubclass(kind, ModuleType)
            found = member(kind, part) if value is MISSING and not is_module else value
        if found is MISSING:
            return MISSING
    return found


def reads_frames(function: Any) -> bool:
    """Return whether a function looks at the frame that calls it."""
    code = getattr(function, "__code__", None)
    return code is not None and not _FRAME_READERS.isdisjoint(code.co_names)


def _matching(
    owner: Any, parts: list[str], module: Any, prefix: str
) -> Iterator[Target]:
    """Yield what a pattern means below a module or a class."""
    for name, value in list(own(owner).items()):
        if not fnmatchcase(name, parts[0]) or _is_dunder(name) > _is_dunder(parts[0]):
            continue
        kind: type[Any] = type(value)
        if len(parts) > 1:
            if issubclass(kind, type) and _has_home(value, module):
                yield from _matching(value, parts[1:], module, f"{prefix}{name}.")
        elif id(kind) in METHODS:
            function = value if kind is FunctionType else value.__func__
            if _is_guardable(function) and is_defined_in(function, module):
                yield Target(owner, name, value, prefix + name)


def _is_guardable(function: Any) -> bool:
    return (
        type(function) is FunctionType
        and not inspect.isgeneratorfunction(function)
        and not inspect.isasyncgenfunction(function)
    )


def is_defined_in(function: Any, module: Any) -> bool:
    """Return whether a function belongs to a module.

    Libraries set ``__module__`` to the public place of a function, and decorators
    copy it; the globals of the innermost function cannot be changed.
    """
    names = namespace(module)
    if function.__module__ == module_name(module):
        return True
    return any(
        type(it) is FunctionType and it.__globals__ is names
        for it in layers(function, through=COPIES)
    )


def _has_home(cls: Any, module: Any) -> bool:
    """Return whether a class is defined in a module, or moved there."""
    members = own_dict(cls)
    names = namespace(module)
    return members.get("__module__") == module_name(module) or any(
        type(it) is FunctionType
        and it.__globals__ is names
        and it.__qualname__ == f"{cls.__qualname__}.{it.__name__}"
        for it in members.values()
    )


def _is_dunder(name: str) -> bool:
    return name.startswith("__")


def _found(owner: Any, name: str, path: str) -> Any:
    """Return what an owner has under a name: unbound from modules and classes."""
    found = lookup(owner, name)
    is_bare = found is MISSING or not isinstance(owner, (type, ModuleType))
    is_lazy = type(found).__name__ == "LazyImportType"  # since Python 3.15
    if is_bare or is_lazy:  # an instance binds its methods; a module may be lazy
        try:
            found = getattr(owner, name, MISSING)
        except Exception as error:  # the stub of a missing extra, for example
            raise usage_error(
                f"{path}: {name!r} cannot be read: {type(error).__name__}: {error}."
            ) from None
    if found is MISSING:
        label = getattr(owner, "__name__", type(owner).__name__)
        hint = nearest(name, list(own(owner)))
        raise usage_error(f"{path}: {label} has no {name!r}.{hint}")
    return found
