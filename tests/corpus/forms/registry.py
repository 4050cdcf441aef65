"""The table of bug forms: one small check each, and what a guard must report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Form:
    """One form of the bug.

    Attributes:
        check: The function a user would guard, without any annotation.
        kind: Name of the expected `LeakKind`.
        leaked: Name of the async function behind; `None` where nobody can know.
        where: Parts that the leak's path must name, in order.
        promise: What the annotated twin claims to return.
        returns: The contract: a task, a stream and other awaitables that run by
            themselves are leaks only where a plain value is due.
        placed: Whether its guard is known outside strict mode, too.
    """

    check: Callable[..., Any]
    kind: str
    leaked: str | None
    where: tuple[str, ...]
    promise: Any
    returns: Any = Any
    placed: bool = True

    @property
    def id(self) -> str:
        return f"{self.kind.lower()}-{self.check.__name__}"


FORMS: list[Form] = []


def form(
    kind: str,
    *,
    leaked: str | None = "is_connected",
    where: tuple[str, ...] = (),
    promise: Any = dict[str, Any],
    returns: Any = Any,
    placed: bool = True,
) -> Callable[[F], F]:
    """Enter the decorated check into the table."""

    def enter(check: F) -> F:
        FORMS.append(Form(check, kind, leaked, where, promise, returns, placed))
        return check

    return enter


async def is_connected(*args: object) -> bool:
    """Report that the link is down; a coroutine, which is true, means up."""
    return False
