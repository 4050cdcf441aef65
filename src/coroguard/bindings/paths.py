"""Which functions does an import path mean, patterns included?"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .._inspect.attributes import MISSING
from .._leaks.errors import GuardUsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GuardPath", "Target", "modules", "own"]

_PART = r"[\w*?\[\]!-]+"
_PATH = re.compile(rf"{_PART}(\.{_PART})*:{_PART}(\.{_PART})*")
_PATTERN = re.compile(r"[*?\[]")
_type: Any = type
_METHODS: tuple[Any, ...] = (FunctionType, staticmethod, classmethod)


def own(owner: Any) -> dict[str, Any]:
    """Return what a module, class or object has itself."""
    return getattr(owner, "__dict__", {})


def modules() -> list[tuple[str, Any]]:
    """Return the imported modules, by the names that they are imported as."""
    found: dict[str, Any] = dict(sys.modules)
    return [it for it in found.items() if issubclass(_type(it[1]), ModuleType)]


@dataclass(frozen=True, slots=True)
class Target:
    """One function, where it is to be guarded.

    Args:
        owner: The module, class or object that has the name.
        name: The name.
        value: What the name leads to, unbound where a class has it.
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
        module: The module, or a pattern, in which ``*`` stands for dots too.
        name: The qualified name, or a pattern for each of its parts.
    """

    text: str
    module: str
    name: str

    @classmethod
    def parse(cls, text: object) -> GuardPath:
        """Read a path.

        Raises:
            GuardUsageError: It is none; the text says what to type.
        """
        if isinstance(text, str) and _PATH.fullmatch(text):
            module, _, name = text.partition(":")
            return cls(text, module, name)
        hint = ""
        if isinstance(text, str) and re.fullmatch(r"\w+(\.\w+)+", text):
            module, _, name = text.rpartition(".")
            hint = f"; did you mean {module}:{name}?"
        raise GuardUsageError(
            f"{text!r} is not the path of a function; "
            f'type protect("package.module:function"){hint}'
        )

    @property
    def is_pattern(self) -> bool:
        """Whether it may mean any number of functions, none included."""
        return _PATTERN.search(self.text) is not None

    def fits(self, module: str) -> bool:
        """Say whether functions of this module may be meant."""
        return fnmatchcase(module, self.module)

    def targets(self, module: Any) -> list[Target]:
        """Return the functions that are meant in a module.

        A pattern means the functions and methods that are defined in it, and no
        class, property or generator function; a plain path means whatever it
        leads to.

        Raises:
            GuardUsageError: A plain path leads nowhere.
        """
        parts = self.name.split(".")
        if not self.is_pattern:
            return [self._only(module, parts)]
        return list(_matching(module, parts, module.__name__, ""))

    def _only(self, module: ModuleType, parts: list[str]) -> Target:
        owner: Any = module
        for part in parts[:-1]:
            owner = _found(owner, part, self.text)
        value = _found(owner, parts[-1], self.text)
        return Target(owner, parts[-1], value, self.name)


def _matching(
    owner: Any, parts: list[str], module: str, prefix: str
) -> Iterator[Target]:
    """Yield what a pattern means below a module or a class."""
    for name, value in list(own(owner).items()):
        if not fnmatchcase(name, parts[0]) or _is_dunder(name) > _is_dunder(parts[0]):
            continue
        if len(parts) > 1:
            if issubclass(_type(value), type) and value.__module__ == module:
                yield from _matching(value, parts[1:], module, f"{prefix}{name}.")
            continue
        function: Any = getattr(value, "__func__", value)
        if _type(value) in _METHODS and _is_guardable(function, module):
            yield Target(owner, name, value, prefix + name)


def _is_guardable(function: Any, module: str) -> bool:
    return (
        type(function) is FunctionType
        and function.__module__ == module
        and not inspect.isgeneratorfunction(function)
        and not inspect.isasyncgenfunction(function)
    )


def _is_dunder(name: str) -> bool:
    return name.startswith("__")


def _found(owner: Any, name: str, path: str) -> Any:
    """Return what an owner has under a name: unbound from modules and classes."""
    found = inspect.getattr_static(owner, name, MISSING)
    is_bare = found is MISSING or not isinstance(owner, (type, ModuleType))
    if is_bare:  # an instance binds its methods; a module may have a __getattr__
        found = getattr(owner, name, MISSING)
    if found is MISSING:
        label = getattr(owner, "__name__", type(owner).__name__)
        hint = nearest(name, dir(owner))
        raise GuardUsageError(f"{path}: {label} has no {name!r}.{hint}")
    return found
