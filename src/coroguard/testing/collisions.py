"""How is a name made to collide with its twin of the other colour, and put back?"""

from __future__ import annotations

import functools
import importlib
import inspect
from contextlib import ContextDecorator
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Self

from ..errors import GuardUsageError, nearest
from ..targets import is_async, refuse
from .twins import async_twin, sync_twin

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["KINDS", "Collision", "collide"]

_ABSENT: Any = object()
_HOLDERS_OF_METHODS: tuple[Any, ...] = (staticmethod, classmethod)
_BOUND_BY_A_CLASS = (FunctionType, staticmethod, classmethod)
KINDS = ("rebinding",)


def collide(
    target: object, name: str | None = None, *, kind: str = "rebinding"
) -> Collision:
    """Make a name lead to its twin of the other colour, and undo it afterwards.

    A context manager and a decorator, for functions of both colours. A sync
    function is replaced by its ``async_twin``, a coroutine function by its
    ``sync_twin``; static and class methods stay what they are.

    Args:
        target: ``"package.module:function"`` or ``"package.module:Class.method"``,
            or the module, class or object that has ``name``.
        name: The attribute, where ``target`` is no text.
        kind: How it happens; ``rebinding`` assigns the twin to the name.

    Raises:
        GuardUsageError: The target leads nowhere or cannot be called, or there
            is no such kind; the text says what to type.
    """
    if kind not in KINDS:
        raise GuardUsageError(
            f"there is no collision kind {kind!r}; use one of: {', '.join(KINDS)}."
            f"{nearest(kind, KINDS)}"
        )
    if isinstance(target, str) and name is None:
        owner, attribute = _resolve(target)
    elif name is not None and not isinstance(target, str):
        owner, attribute = target, name
    else:
        raise GuardUsageError(
            "collide() takes one text or an object and a name; type "
            'collide("package.module:function") or collide(module, "function").'
        )
    return Collision(owner, attribute)


class Collision(ContextDecorator):
    """A name and the twin that stands behind it between ``start`` and ``undo``."""

    def __init__(self, owner: Any, name: str) -> None:
        self._owner = owner
        self._name = name
        self._label = f"{_label(owner)}.{name}"
        found = inspect.getattr_static(owner, name, _ABSENT)
        # An instance needs the bound method; a module may have a __getattr__.
        is_bare = found is _ABSENT or isinstance(found, _BOUND_BY_A_CLASS)
        if is_bare and not isinstance(owner, type):
            found = getattr(owner, name, _ABSENT)
        if found is _ABSENT:
            raise GuardUsageError(
                f"{_label(owner)} has no attribute {name!r}.{nearest(name, dir(owner))}"
            )
        self._twin = _twin_of(found)
        self._before: Any = _ABSENT
        self.is_active = False

    def start(self) -> Self:
        """Put the twin in place.

        Raises:
            GuardUsageError: It is there already, or the owner takes no
                attributes.
        """
        if self.is_active:
            raise GuardUsageError(f"{self._label} collides already; undo it first")
        before = getattr(self._owner, "__dict__", {}).get(self._name, _ABSENT)
        try:
            setattr(self._owner, self._name, self._twin)
        except (AttributeError, TypeError) as error:
            raise GuardUsageError(f"{self._label} cannot be set: {error}") from None
        self._before, self.is_active = before, True
        return self

    def undo(self) -> None:
        """Put back what was there; calling it again does nothing."""
        if not self.is_active:
            return
        self.is_active = False
        if self._before is not _ABSENT:
            setattr(self._owner, self._name, self._before)
        elif self._name in getattr(self._owner, "__dict__", {}):
            delattr(self._owner, self._name)
        self._before = _ABSENT

    def __call__(self, function: Any) -> Any:
        """Let the names collide during each call of a function, sync or async."""
        if not is_async(function):
            return super().__call__(function)

        @functools.wraps(function)
        async def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return call

    def __enter__(self) -> Self:
        return self if self.is_active else self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.undo()


def _twin_of(found: Any) -> Any:
    """Return the twin of a function, or of what a static or class method holds."""
    for kind in _HOLDERS_OF_METHODS:
        if isinstance(found, kind):
            return kind(_twin_of(found.__func__))
    refuse(found, "collide")
    return sync_twin(found) if is_async(found) else async_twin(found)


def _resolve(target: str) -> tuple[Any, str]:
    """Return the object that holds the attribute which a path names, and its name."""
    path, colon, inner = target.partition(":")
    if not colon:
        path, _, inner = target.rpartition(".")
    *outer, name = inner.split(".")
    if not path or not name:
        raise GuardUsageError(
            f"{target!r} is not the path of a function; "
            'type collide("package.module:function").'
        )
    owner: Any = _imported(path, target)
    for part in outer:
        found = getattr(owner, part, _ABSENT)
        if found is _ABSENT:
            hint = nearest(part, dir(owner))
            raise GuardUsageError(f"{_label(owner)} has no attribute {part!r}.{hint}")
        owner = found
    return owner, name


def _imported(path: str, target: str) -> Any:
    """Import a module; without a colon, the end of the path may be a class."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if not error.name or not f"{path}.".startswith(f"{error.name}."):
            raise GuardUsageError(
                f"{path} cannot be imported: {error}; install what it needs first."
            ) from error
        outer, _, last = path.rpartition(".")
        if ":" not in target and outer:
            owner = _imported(outer, target)
            if isinstance(getattr(owner, last, None), type):
                return getattr(owner, last)
        raise GuardUsageError(
            f"there is no module {error.name!r}; type "
            'collide("package.module:function") with a path that imports.'
        ) from None
    except Exception as error:
        raise GuardUsageError(
            f"{path} cannot be imported: {type(error).__name__}: {error}; "
            f'see it with python -c "import {path}".'
        ) from error


def _label(owner: Any) -> str:
    if isinstance(owner, ModuleType):
        return owner.__name__
    kind = owner if isinstance(owner, type) else type(owner)
    return f"{kind.__module__}.{kind.__qualname__}"
