"""Names of guarded definitions, kept so that `verify()` can find lost guards."""

# A guard stays with its function and not with the name. Nothing is looked at while
# classes and modules are made: a definition only leaves its name and place here.

from __future__ import annotations

import sys
import weakref
from dataclasses import dataclass, replace
from inspect import CO_COROUTINE
from types import FunctionType
from typing import Any

from .._inspect.callables import BINDINGS, original_of, unwrap
from .._leaks.origins import place

_FIRST_PRUNING = 1_024


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Definition:
    """A guarded function or method; nothing of it is kept alive.

    Args:
        file: The file of its code.
        line: The first line of its code.
        what: Its first words, such as ``async def check``.
        wrapper: The guard, as long as anything else refers to it.
        before: The definition of another colour that had the name before it.
    """

    file: str
    line: int
    what: str
    wrapper: weakref.ref[Any]
    before: Definition | None = None

    def __str__(self) -> str:
        return f"{place(self.file, self.line)}: {self.what}"


#: By module and qualified name.
DEFINITIONS: dict[tuple[str, str], Definition] = {}
_pruning = _FIRST_PRUNING


def remember(guarded: Any) -> None:
    """Keep the name of a guarded definition of a module or a class.

    Functions inside functions have no name that a program could look up, and a
    function with copied names, as ``functools.wraps`` gives them, is not a
    definition.
    """
    global _pruning
    key = key_of(guarded)
    if key is None:
        return
    wrapper = unwrap(guarded, through=BINDINGS)
    code = original_of(wrapper).__code__
    what = f"{'async ' * bool(code.co_flags & CO_COROUTINE)}def {code.co_name}"
    made = Definition(code.co_filename, code.co_firstlineno, what, weakref.ref(wrapper))
    before = DEFINITIONS.get(key)
    if before and before.file == made.file and before.what != made.what:
        made = replace(made, before=replace(before, before=None))
    DEFINITIONS[key] = made
    if len(DEFINITIONS) > _pruning:
        for old in list(DEFINITIONS):
            if old[0] not in sys.modules:
                DEFINITIONS.pop(old, None)
        _pruning = max(_FIRST_PRUNING, 2 * len(DEFINITIONS))


def key_of(guarded: Any) -> tuple[str, str] | None:
    """Return the module and the qualified name of a guarded definition."""
    wrapper = unwrap(guarded, through=BINDINGS)
    original = original_of(wrapper) if type(wrapper) is FunctionType else None
    if type(original) is not FunctionType:
        return None
    name, module = original.__qualname__, original.__globals__.get("__name__")
    if original.__module__ != module or original.__code__.co_qualname != name:
        return None
    return None if "<locals>" in name else (str(module), name)
