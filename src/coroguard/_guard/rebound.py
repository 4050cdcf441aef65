"""Has the name of a guarded function come to lead to something else?"""

# A guard stays with its function and not with the name. So a guard that is put on
# while a class or a module is made learns when that is done, and looks at the name
# again; and each class that inherits guarded methods is looked at when it is made.

from __future__ import annotations

import sys
import weakref
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .._inspect.colours import Colour, clash, colour_of, plain_function
from .._inspect.guarded import is_guarded, reaches_guard
from .._leaks.errors import GuardUsageError, labelled_lines
from .._leaks.leak import place
from .._runtime.modes import Mode, current
from .judge import act

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["NAMES", "describe", "note", "watch_subclasses"]

_MARK = "__coroguard__"
_HOOK = "__init_subclass__"
_MODULE = "<module>"
# Typed Any, because of what they are made for: to hold anything.
_classmethod: Any = classmethod
_super: Any = super
_METHODS: tuple[Any, ...] = (FunctionType, staticmethod, classmethod)


#: The guarded names of modules and classes, by module and qualified name, and what
#: they led to. Text only, so that nothing is kept alive.
NAMES: dict[tuple[str, str], str] = {}


def note(guarded: Any, frame: FrameType | None) -> None:
    """Remember the name of a guard that a decorator puts on a definition.

    At the end of the class's or the module's body the name is looked at again.

    Args:
        guarded: The guard.
        frame: Whose code put it on.

    Raises:
        GuardUsageError: In strict mode, where the name has led to a function of
            another colour there.
    """
    guarded = getattr(guarded, "__func__", guarded)
    original = getattr(guarded, "__wrapped__", None)
    if type(guarded) is not FunctionType or frame is None:
        return
    module, name = guarded.__module__, guarded.__qualname__
    body: dict[str, Any] = frame.f_locals
    older = body.get(guarded.__name__)
    # A function that has its name already is not being defined.
    if frame.f_globals.get("__name__") != module or older is original:
        return
    in_module = frame.f_code.co_name == _MODULE
    in_class = body.get("__qualname__") == name.rpartition(".")[0]
    if not in_module and not (in_class and type(body) is dict):
        return
    NAMES[module, name] = describe(guarded)
    if clash(older, guarded):
        fix = "give one of the two another name, or remove it"
        headline = f"{name} is defined twice, in two colours"
        _tell(headline, name, describe(older), describe(guarded), fix)
    if in_module:
        weakref.finalize(frame.f_code, _look_at_module, module, name)
    else:
        mark: _Mark = body.setdefault(_MARK, _Mark())
        mark.methods.append(guarded.__name__)


def watch_subclasses(owner: type) -> None:
    """Look, at each new subclass, whether it overrides a guard with none.

    ``__init_subclass__`` is where the interpreter tells a class of its
    subclasses; the class's own, or the next one, is called on first.
    """
    own: Any = vars(owner).get(_HOOK)
    if own is not None and hasattr(own.__func__, _MARK):
        return

    def __init_subclass__(cls: Any, **named: Any) -> None:  # noqa: N807
        if own is not None:
            own.__func__(cls, **named)
        else:
            # Not ``owner``: a copy of it, as dataclass(slots=True) makes, has this
            # function too, and is another class.
            mro: tuple[type, ...] = cls.__mro__[1:]
            holder = next(it for it in mro if vars(it).get(_HOOK) is hook)
            _super(holder, cls).__init_subclass__(**named)
        _look_at_overrides(cls)

    setattr(__init_subclass__, _MARK, True)
    hook = _classmethod(__init_subclass__)
    setattr(owner, _HOOK, hook)


def describe(target: Any) -> str:
    """Return what stands behind a name: its place, name and colour in one line."""
    function = plain_function(target)
    if function is None:
        return f"{type(target).__name__} object"
    code = function.__code__
    start = "async def" if colour_of(target) is Colour.ASYNC else "def"
    return f"{place(code.co_filename, code.co_firstlineno)}: {start} {code.co_name}"


class _Mark:
    """Stands in the body of a class until the class is made."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    def __set_name__(self, owner: type, name: str) -> None:
        delattr(owner, name)
        watch_subclasses(owner)
        for method in self.methods:
            path = f"{owner.__qualname__}.{method}"
            _look_again(vars(owner).get(method), owner.__module__, path)


def _look_at_module(module: str, name: str) -> None:
    """Look at a guarded name when its module's code has run to the end."""
    found = getattr(sys.modules.get(module), "__dict__", {}).get(name)
    # Nothing that is raised in a finalizer reaches anybody.
    _look_again(found, module, name, raises=False)


def _look_again(found: Any, module: str, name: str, *, raises: bool = True) -> None:
    """Tell of a guarded name that now has a namesake without the guard."""
    before = NAMES.get((module, name))
    if type(found) not in _METHODS or before is None or reaches_guard(found):
        return
    if plain_function(found).__qualname__ == name:
        fix = f"give one of the two another name, or remove it and put @guard on {name}"
        headline = f"{name} is guarded, and then defined again without the guard"
        _tell(headline, name, before, describe(found), fix, raises=raises)


def _look_at_overrides(cls: type) -> None:
    """Tell of guarded methods that a new class overrides unguarded or recoloured."""
    mro = cls.__mro__
    names = dict.fromkeys(
        name for base in mro[1:] for name, it in vars(base).items() if is_guarded(it)
    )
    for name in names:
        holder, *others = (base for base in mro if name in vars(base))
        # What a base of this class has met in the same order was told of before.
        if others and not any(
            holder in base.__mro__ and others[0] in base.__mro__
            for base in cls.__bases__
        ):
            _compare(name, holder, others[0])


def _compare(name: str, holder: type, base: type) -> None:
    """Tell if a method has no guard, or another colour, where its base's has one."""
    found, inherited = vars(holder)[name], vars(base)[name]
    mine, theirs = f"{holder.__qualname__}.{name}", f"{base.__qualname__}.{name}"
    if not is_guarded(inherited) or type(found) not in _METHODS:
        return
    recoloured = clash(inherited, found)
    if not reaches_guard(found):
        headline = f"{mine} overrides the guarded {theirs} and is not guarded"
        fix = f"put @guard on {mine}"
    elif recoloured:
        headline = f"{mine} overrides {theirs} in another colour"
        fix = f"give {mine} another name"
    else:
        return
    if recoloured:
        fix += f", and make it {colour_of(inherited)} as {theirs} is"
    _tell(headline, mine, describe(inherited), describe(found), fix)


def _tell(
    headline: str, name: str, first: str, second: str, fix: str, *, raises: bool = True
) -> None:
    """Report it; in strict mode raise it."""
    mode = current()
    if mode is Mode.OFF:
        return
    text = labelled_lines(headline, first=first, second=second, fix=fix)
    error = act(mode, name, [GuardUsageError(text)], raises=raises)
    if error is not None:
        raise error
