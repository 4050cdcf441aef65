"""Facts that a mock needs about its original and its members."""

from __future__ import annotations

import inspect
import sys
import typing
from dataclasses import dataclass, replace
from functools import cached_property, partial, partialmethod, singledispatchmethod
from types import FunctionType, ModuleType, NoneType
from typing import Any, Self

from ..._inspect.annotations import annotations_of, return_annotation
from ..._inspect.awaitables import class_of, mro, static_type_attribute
from ..._inspect.callables import WRAPPERS, is_async, name_of, unwrap
from ..._inspect.colours import Colour, colour_of, plain_function
from ..._inspect.promises import awaited_type, named_classes
from ..._leaks.leak import short

#: The class of what is not known.
ABSENT: Any = object()

_SELF_IS_IDIOM = ("__enter__", "__aenter__")
_PROPERTIES = (property, cached_property)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An original, or one of its members.

    Args:
        found: The object, as its owner holds it, or its class.
        label: Its qualified name.
        is_callable: Whether it can be called.
        colour: The colour of its calls, where it is known.
        signature: The signature of its calls, without bound arguments.
        gives: The class of the result of a call; ``Self``, ``None`` or ``ABSENT``.
        stands_for: The ``__class__`` of a mock of it.
    """

    found: Any
    label: str
    is_callable: bool = False
    colour: Colour | None = None
    signature: inspect.Signature | None = None
    gives: Any = ABSENT
    stands_for: Any = None


_UNKNOWN = Member(found=ABSENT, label="")


def whole(original: Any, *, is_instance: bool = False) -> Member:
    """Describe a function, a module or an object, a class or an object of it."""
    if isinstance(original, type):
        return _class(original) if not is_instance else _instance_of(original)
    if isinstance(original, ModuleType):
        label = original.__name__.rpartition(".")[2]
        return Member(found=original, label=label, stands_for=ModuleType)
    if callable(original) and (
        isinstance(original, partial) or hasattr(original, "__qualname__")
    ):
        return _callable(original, short(name_of(original)), bound=0)
    kind = class_of(original)
    call = static_type_attribute(kind, "__call__")
    described = _instance_of(kind) if call is None else _called(original, kind)
    return replace(described, found=original, stands_for=kind)


def member_of(owner: Member, name: str) -> Member:
    """Describe an attribute of an original, without running its code."""
    raw: Any = inspect.getattr_static(owner.found, name, ABSENT)
    label = f"{owner.label}.{name}"
    if isinstance(raw, singledispatchmethod):
        raw = raw.func  # pyright: ignore[reportUnknownMemberType]
    if isinstance(raw, partialmethod):
        return _callable(raw.func, label, bound=None)  # pyright: ignore[reportUnknownMemberType]
    if isinstance(raw, _PROPERTIES):
        getter = raw.fget if isinstance(raw, property) else raw.func
        return _of_class(_given_by(getter, Colour.SYNC))
    if raw is ABSENT or inspect.isdatadescriptor(raw) or raw is None:
        return _of_class(_annotated(owner.found, name))
    if isinstance(raw, type):
        return whole(raw)
    if _is_function(raw):
        return _method(owner, name, raw, label)
    if hasattr(class_of(raw), "__get__"):
        return _UNKNOWN
    annotated = _annotated(owner.found, name)
    return _of_class(annotated) if isinstance(annotated, type) else whole(raw)


def names_of(original: Any) -> list[str]:
    """Return the names that an original has, those it only annotates too."""
    kind: Any = original if isinstance(original, type) else type(original)
    annotated = [name for base in mro(kind) for name in annotations_of(base)]
    return sorted({*dir(original), *annotated})


def _class(kind: type) -> Member:
    return Member(
        found=kind,
        label=kind.__qualname__,
        is_callable=True,
        colour=Colour.SYNC,
        signature=_signature(kind, 0),
        gives=kind,
        stands_for=kind,
    )


def _instance_of(kind: type) -> Member:
    call = static_type_attribute(kind, "__call__")
    if call is not None:
        return _called(call, kind)
    return Member(found=kind, label=kind.__qualname__, stands_for=kind)


def _called(target: Any, kind: type) -> Member:
    """Describe an object that can be called."""
    call = static_type_attribute(kind, "__call__")
    colour = colour_of(target)
    return Member(
        found=kind,
        label=kind.__qualname__,
        is_callable=True,
        colour=colour,
        signature=_signature(call, 1),
        gives=_given_by(target, colour),
        stands_for=kind,
    )


def _given_by(target: Any, colour: Colour | None) -> Any:
    """Return the class of a call's result, awaited or entered.

    Returns:
        A class, ``None`` for a function that gives ``None``, ``Self``, and
        ``ABSENT`` where it is not known or there are several.
    """
    function = plain_function(target)
    if function is None or colour is Colour.EITHER:
        return ABSENT
    # Wrappers carry the annotations of what they wrap, which its own names explain.
    original = unwrap(function, through=WRAPPERS)
    annotation = return_annotation(original)
    inner = typing.get_args(annotation)
    if colour is Colour.ASYNC_CONTEXT:
        annotation = inner[0] if inner else Any
    elif colour is Colour.ASYNC and not is_async(function):
        annotation = awaited_type(annotation)
    return _only_class(annotation, original.__globals__)


def _annotated(owner: Any, name: str) -> Any:
    """Return the class that a class annotates its attribute with, else ``ABSENT``."""
    kind: Any = owner if isinstance(owner, type) else type(owner)
    for base in mro(kind):
        annotations = annotations_of(base, only=name)
        if name in annotations:
            names = vars(sys.modules.get(base.__module__, ModuleType("")))
            return _only_class(annotations[name], names)
    return ABSENT


def _only_class(annotation: object, names: dict[str, Any]) -> Any:
    """Return the one class that an annotation names beside ``None``."""
    if annotation is Self or annotation == "Self":
        return Self
    classes = named_classes(annotation, names)
    found = [cls for cls in classes or [] if cls is not NoneType]
    if classes and not found:
        return None
    return found[0] if len(found) == 1 else ABSENT


def _of_class(kind: Any) -> Member:
    return _instance_of(kind) if isinstance(kind, type) else _UNKNOWN


def _method(owner: Member, name: str, raw: Any, label: str) -> Member:
    """Describe a function that a class, an object or a module holds."""
    if isinstance(raw, staticmethod):
        bound = 0
    elif isinstance(raw, classmethod):
        bound = 1
    else:
        is_own = not isinstance(owner.found, type) and name in getattr(
            owner.found, "__dict__", {}
        )
        is_descriptor = hasattr(class_of(raw), "__get__") and not inspect.ismethod(raw)
        bound = 1 if is_descriptor and not is_own else 0
    found = _callable(raw, label, bound=bound)
    if name in _SELF_IS_IDIOM and found.gives is ABSENT:
        return replace(found, gives=Self)
    return found


def _callable(target: Any, label: str, *, bound: int | None) -> Member:
    colour = colour_of(target)
    if colour is None and plain_function(target) is not None:
        colour = Colour.EITHER  # a sync wrapper around what is async
    inner = getattr(target, "__func__", target) if bound else target
    return Member(
        found=target,
        label=label,
        is_callable=True,
        colour=colour,
        signature=None if bound is None else _signature(inner, bound),
        gives=_given_by(target, colour),
    )


def _is_function(raw: Any) -> bool:
    if isinstance(raw, (FunctionType, staticmethod, classmethod)):
        return True
    return callable(raw) and (inspect.isroutine(raw) or isinstance(raw, partial))


def _signature(target: Any, bound: int) -> inspect.Signature | None:
    """Return a signature without the parameters that are bound."""
    try:
        found = inspect.signature(target)
    except (TypeError, ValueError):  # built-in functions may have none
        return None
    parameters = list(found.parameters.values())
    taken = [it for it in parameters[:bound] if it.kind is not it.VAR_POSITIONAL]
    return found.replace(parameters=parameters[len(taken) :])
