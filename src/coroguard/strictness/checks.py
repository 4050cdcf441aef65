"""The checks that the code of a strict package calls."""

from __future__ import annotations

import sys
import weakref
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from types import CodeType, FunctionType
from typing import (
    Any,
    TypeVar,
    get_args,
    get_origin,
)

from .._inspect.annotations import annotations_of, evaluated, names_in
from .._runtime.modes import Mode, current
from .refusal import Place, judge

_T = TypeVar("_T")
_GENERATORS = (
    *("Generator", "Iterator", "Iterable"),
    *("AsyncGenerator", "AsyncIterator", "AsyncIterable"),
)


class _Known:
    """A function whose code calls the checks, and its annotations."""

    __slots__ = ("annotations", "function", "key")

    def __init__(self, function: FunctionType) -> None:
        self.key = key = id(function.__code__)
        self.annotations: dict[str, Any] | None = None

        def forget(reference: object) -> None:
            found = _known.get(key)
            if found is not None and found.function is reference:
                del _known[key]

        self.function = weakref.ref(function, forget)

    def annotation(self, name: str, text: str | None = None) -> Any:
        """Return an evaluated annotation; ``Any`` for one that cannot be judged.

        Args:
            name: A parameter, ``return``, ``yield``, ``send``, or a variable.
            text: The annotation of a variable.
        """
        function = self.function()
        if function is None:
            return Any
        if self.annotations is None:
            self.annotations = _annotations(function)
        if text is not None and name not in self.annotations:
            found = evaluated(text, names_in(function.__globals__))
            self.annotations[name] = Any if isinstance(found, str) else found
        return self.annotations.get(name, Any)


_known: dict[int, _Known] = {}


class Checks:
    """The functions that the rewritten code calls; each returns its argument."""

    def known(self, function: _T) -> _T:
        """Remember a function, by whose code its annotations are found."""
        made = _Known(function)  # type: ignore[arg-type]
        _known[made.key] = made
        return function

    def given(self, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
        """Check the arguments that a function has got."""
        mode = current()
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        known = _known.get(id(frame.f_code))
        if known is None or mode is Mode.OFF:
            return
        for name, value in zip(names, values, strict=True):
            annotation = known.annotation(name)
            if _is_open(value, annotation):
                place = Place("argument", name.lstrip("*"), annotation, frame)
                judge(value, place, mode, known.function())

    def returned(self, value: _T) -> _T:
        """Check the result of a function."""
        _check(value, "return", "")
        return value

    def yielded(self, value: _T) -> _T:
        """Check a value that a generator yields."""
        _check(value, "yield", "yielded value")
        return value

    def sent(self, value: _T) -> _T:
        """Check a value that is sent into a generator."""
        _check(value, "send", "value sent in")
        return value

    def assigned(self, value: _T, name: str, text: str | None) -> _T:
        """Check the value of an annotated variable."""
        _check(value, name, "variable", text)
        return value

    def __reduce__(self) -> str:
        return "CHECKS"  # code that is pickled by value finds them again


CHECKS = Checks()


def _check(value: object, name: str, role: str, text: str | None = None) -> None:
    mode = current()
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    known = _known.get(id(frame.f_code))
    if known is None or mode is Mode.OFF:
        return
    annotation = known.annotation(name, text)
    if _is_open(value, annotation):
        shown = name if role == "variable" else ""
        judge(value, Place(role, shown, annotation, frame), mode, known.function())


def _is_open(value: object, annotation: object) -> bool:
    """Return whether it takes a closer look to see that a value is right."""
    says_nothing = annotation is Any or annotation is object
    return not says_nothing and type(value) is not annotation


def _annotations(function: FunctionType) -> dict[str, Any]:
    """Return the annotation of each place in a function."""
    code = function.__code__
    found: dict[str, Any] = {
        name: Any if isinstance(annotation, str) else annotation
        for name, annotation in annotations_of(function).items()
    }
    for stars, name in _starred(code):
        if name in found:
            found[stars + name] = _many(stars, found.pop(name))
    if code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR):
        found |= _of_generator(found.pop("return", Any))
    return found


def _starred(code: CodeType) -> list[tuple[str, str]]:
    """Return the names of ``*args`` and ``**kwargs``, with their stars."""
    index = code.co_argcount + code.co_kwonlyargcount
    found: list[tuple[str, str]] = []
    for stars, flag in (("*", 0x04), ("**", 0x08)):
        if code.co_flags & flag:
            found.append((stars, code.co_varnames[index]))
            index += 1
    return found


def _many(stars: str, annotation: Any) -> Any:
    """Return the annotation of all starred arguments together."""
    # Unpack[Ts], *tuple[...], P.args: one annotation for all, which is not enough.
    name = type(annotation).__name__
    is_whole = getattr(annotation, "__unpacked__", False) or name.startswith(
        "ParamSpec"
    )
    if is_whole or "Unpack" in repr(get_origin(annotation)):
        return Any
    return tuple[annotation, ...] if stars == "*" else dict[str, annotation]


def _of_generator(annotation: Any) -> dict[str, Any]:
    """Return the annotations of a generator's yields, sends and returns."""
    origin: Any = get_origin(annotation)
    if getattr(origin, "__name__", "") not in _GENERATORS:
        return {}
    return dict(zip(("yield", "send", "return"), get_args(annotation), strict=False))
