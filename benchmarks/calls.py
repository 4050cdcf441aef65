"""The cost of a leak check for a call, sync or async."""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any

import wrapt
from beartype import beartype
from pydantic import validate_call
from typeguard import typechecked

import coroguard
from benchmarks.table import Section, Target, per_call
from benchmarks.timing import Call, best_of, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.timing import Effort

__all__ = ["measure_async", "measure_sync"]

_BARE = "bare function"
_HAND = "hand-written, type(r) is CoroutineType"
_HAND_ISINSTANCE = "hand-written, isinstance(r, CoroutineType)"
_GUARD = "guard(returns=Any), -> int"
_GUARD_PLAIN = "guard(returns=Any), not annotated"
_RETURNED = "guard(returns=Any) where {} is returned"
_WHY_SYNC = (
    "a wrapper reads whether strict mode applies before each call, which a "
    "hand-written one does not, and lets go of the arguments after it"
)
_TEXT, _FIVE = _RETURNED.format("a text"), _RETURNED.format("a dict of five")


# Only the result is annotated: nobody is made to check the argument.
def _echo(value) -> int:  # type: ignore[no-untyped-def]
    return value  # type: ignore[no-any-return]


def _echo_plain(value):  # type: ignore[no-untyped-def]
    return value


async def _echo_async(value) -> int:  # type: ignore[no-untyped-def]
    return value  # type: ignore[no-any-return]


@typechecked
def _echo_typeguard(value) -> int:  # type: ignore[no-untyped-def]
    return value  # type: ignore[no-any-return]


def _by_hand(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def wrapper(value: Any) -> Any:
        result = function(value)
        if type(result) is CoroutineType:
            raise TypeError("a coroutine escaped")
        return result

    return wrapper


def _by_hand_isinstance(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def wrapper(value: Any) -> Any:
        result = function(value)
        if isinstance(result, CoroutineType):
            raise TypeError("a coroutine escaped")
        return result

    return wrapper


def _by_closure(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if type(result) is CoroutineType:
            raise TypeError("a coroutine escaped")
        return result

    return wrapper


@wrapt.decorator
def _by_wrapt(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG001
    return wrapped(*args, **kwargs)


def _by_hand_async(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def wrapper(value: Any) -> Any:
        result = await function(value)
        if type(result) is CoroutineType:
            raise TypeError("a coroutine escaped")
        return result

    return wrapper


def measure_sync(effort: Effort) -> Section:
    """Time one call of a sync function that returns a number."""
    leaks = coroguard.guard(returns=Any)
    quiet = coroguard.guard(returns=Any, dropped=False)
    functions = {
        _BARE: _echo,
        _HAND: _by_hand(_echo),
        _HAND_ISINSTANCE: _by_hand_isinstance(_echo),
        _GUARD: leaks(_echo),
        _GUARD_PLAIN: leaks(_echo_plain),
        "the same, dropped=False, -> int": quiet(_echo),
        "*args, **kwargs closure with the check": _by_closure(_echo),
        "wrapt.decorator, empty": _by_wrapt(_echo),
        "beartype, -> int": beartype(_echo),
        "typeguard.typechecked, -> int": _echo_typeguard,
        "pydantic.validate_call, -> int": validate_call(validate_return=True)(_echo),
    }
    calls = {name: Call(function, (1,)) for name, function in functions.items()}
    for name, value in ((_TEXT, "ok"), (_FIVE, dict.fromkeys("abcde", 1))):
        calls[name] = Call(leaks(_echo_plain), (value,))
    best = best_of(calls, effort)
    return Section(
        "Leak check on a sync function",
        ("one call", "time", "x bare", "x by hand"),
        per_call(best, _BARE, _HAND),
        [
            Target(
                "leak check, -> int, beside hand-written",
                ratio(best, _GUARD, _HAND),
                1.25,
                why=_WHY_SYNC,
            ),
            Target(
                "leak check, not annotated, beside hand-written",
                ratio(best, _GUARD_PLAIN, _HAND),
                1.25,
                why=_WHY_SYNC,
            ),
            Target(
                "leak check, -> int, beside hand-written with isinstance",
                ratio(best, _GUARD, _HAND_ISINSTANCE),
                1.25,
            ),
            Target("leak check, a text, beside hand-written", *_of(best, _TEXT, 8)),
            Target(
                "leak check, a dict of five, beside hand-written", *_of(best, _FIVE, 18)
            ),
        ],
        (
            "The hand-written wrapper sees a returned coroutine only; the guard also "
            "counts what was dropped inside the call, and looks into a value that can "
            "hold something (the last row), where the hand-written one does not.",
        ),
    )


def _of(best: dict[str, float], name: str, limit: float) -> tuple[float, float]:
    return ratio(best, name, _HAND), limit


def measure_async(effort: Effort) -> Section:
    """Time one awaited call of an async function that returns a number."""
    leaks = coroguard.guard(returns=Any)
    bare, hand = "bare async function", "hand-written async wrapper"
    enforce, strict = "guard, enforce", "guard, strict"
    calls = {
        bare: Call(_echo_async, (1,), is_async=True),
        hand: Call(_by_hand_async(_echo_async), (1,), is_async=True),
        enforce: Call(leaks(_echo_async), (1,), is_async=True),
        "guard, enforce, dropped=False": Call(
            coroguard.guard(returns=Any, dropped=False)(_echo_async),
            (1,),
            is_async=True,
        ),
    }
    best = best_of(calls, effort)
    # Apart: one strict guard sends every other guard of the process the long way.
    with coroguard.mode("strict"):
        pinned = Call(leaks(_echo_async), (1,), is_async=True)
        best |= best_of({strict: pinned}, effort)
    return Section(
        "Leak check on an async function",
        ("one awaited call", "time", "x bare", "x by hand"),
        per_call(best, bare, hand),
        [
            Target("async guard beside hand-written", ratio(best, enforce, hand), 1.25),
            Target(
                "async guard in strict beside enforce",
                ratio(best, strict, enforce),
                6,
                why="each call opens a scope in the context and has the interpreter "
                "track where coroutines are made, and both are undone after it",
            ),
        ],
        (
            "Awaited without an event loop: the function never suspends, so that the "
            "call itself is timed. Strict mode opens a scope at each call and follows "
            "where coroutines are created; it is meant for staging.",
        ),
    )
