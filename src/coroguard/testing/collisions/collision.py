"""A name that is replaced by its twin of the other colour, and put back."""

from __future__ import annotations

import functools
from contextlib import ContextDecorator, ExitStack
from typing import TYPE_CHECKING, Any, Self

from ..._inspect.callables import is_async
from ..._inspect.texts import nearest
from ..errors import usage_error
from .copies import forget_finders
from .kinds import KINDS as _KINDS

if TYPE_CHECKING:
    from .kinds import Kind
    from .places import Place

#: The names of the kinds of collision.
KINDS = tuple(_KINDS)


def collide(
    target: object, name: object = None, *, kind: str = "rebinding"
) -> Collision:
    """Replace a name by its twin of the other colour, and undo it afterwards.

    A context manager and a decorator, for functions of both colours. A sync
    function gives way to its ``async_twin``, a coroutine function to its
    ``sync_twin``; static and class methods stay what they are.

    Args:
        target: ``"package.module:function"`` or ``"package.module:Class.method"``,
            or the module, class or object that has ``name``. For ``injection``
            what holds the callable: a mapping, a list, an object, or the text
            that names one, such as ``"package.module:REGISTRY"``.
        name: The attribute, where ``target`` is not text; for ``injection`` the
            key, index or attribute.
        kind: How it happens; ``rebinding`` assigns the twin to the name.
            ``handler import`` is for names of modules and is seen by imports
            that run from now on, ``override`` is for methods, ``path shadowing``
            runs the module's file a second time, ``injection`` replaces what an
            object or a container holds, and ``mock`` sets a mock of the wrong
            kind.

    Raises:
        GuardUsageError: The target does not exist or cannot be called, there is
            no such kind, or it is not for this target.
    """
    if kind not in _KINDS:
        raise usage_error(
            f"there is no collision kind {kind!r}; use one of: {', '.join(KINDS)}."
            f"{nearest(kind, KINDS)}"
        )
    chosen = _KINDS[kind]
    return Collision(chosen.place_of(target, name, kind), chosen)


class Collision(ContextDecorator):
    """A name that has its twin between ``start`` and ``undo``."""

    def __init__(self, place: Place, kind: Kind) -> None:
        self._place = place
        self._kind = kind
        self._undo = ExitStack()
        self.is_active = False

    def start(self) -> Self:
        """Replace the name; where that fails half-way, nothing of it stays.

        Raises:
            GuardUsageError: It is replaced already, the owner takes no
                attributes, or the module cannot be run a second time.
        """
        if self.is_active:
            raise usage_error(f"{self._place.label} collides already; undo it first")
        with ExitStack() as undo:
            forget_finders(undo)
            self._kind.plant(self._place, undo)
            self._undo = undo.pop_all()
        self.is_active = True
        return self

    def undo(self) -> None:
        """Restore the original; repeated calls change nothing."""
        self.is_active = False
        self._undo.close()

    def __call__(self, function: Any) -> Any:
        """Replace the name during each call of a function, sync or async."""
        if not is_async(function):
            return super().__call__(function)

        @functools.wraps(function)
        async def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return call

    def __enter__(self) -> Self:
        return self if self.is_active else self.start()

    def __exit__(self, *_error: object) -> None:
        self.undo()
