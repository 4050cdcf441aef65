"""The options of a guard, and what they promise of its function's values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._inspect.annotations import return_annotation
from .._inspect.promises import awaited_type, promises
from .._runtime.modes import Mode, current

if TYPE_CHECKING:
    from .contracts import Contract


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Terms:
    """The options of one guard.

    Args:
        name: Qualified name of the guarded function.
        function: The function itself.
        contract: What its result must be.
        pinned: The mode of this guard alone; ``None`` follows the context.
        dropped: Whether coroutines left behind count.
        is_async: Whether the function is a coroutine function.
        awaited: Whether the value is the result of a promised awaitable.
    """

    name: str
    function: Any
    contract: Contract
    pinned: Mode | None
    dropped: bool
    is_async: bool
    awaited: bool = False
    _promised: tuple[object, ...] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    @property
    def mode(self) -> Mode:
        """The mode that applies to this guard, here and now."""
        return self.pinned or current()

    def announce(self, value: object) -> bool:
        """Return whether the contract or the annotation promises this awaitable."""
        return any(promises(type_, value) for type_ in self.settle())

    def settle(self) -> tuple[object, ...]:
        """Settle the contract; return the types that may promise an awaitable."""
        if self._promised is not None:
            return self._promised
        annotation = return_annotation(self.function)
        if self.awaited:
            annotation = awaited_type(annotation)
        types = self.contract.settle().type, annotation
        promised = tuple(it for it in types if it is not Any and it is not None)
        if not any(type(it) is str for it in promised):  # which may be known later
            object.__setattr__(self, "_promised", promised)
        return promised
