"""Objects of which only the class is known."""

from __future__ import annotations

from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from ..._inspect import attributes as statics
from ..._inspect.annotations import return_annotation
from ..._inspect.attributes import MISSING
from ..._inspect.callables import original_of
from ..._inspect.colours import Colour, colour_of, plain_function
from .declared_types import declared_class, result_class


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of which only the class is known.

    Args:
        cls: Its class.
        exact: Whether it cannot be of a subclass.
        after: For ``super()``: only the bases behind this class.
        own: What the object itself holds, where it exists already.
    """

    cls: type
    exact: bool
    after: type | None = None
    own: Any = None


def is_same(one: Any, other: Any) -> bool:
    """Return whether two expressions are known to have the same value."""
    if type(one) is Instance and type(other) is Instance:
        return one.cls is other.cls and one.own is other.own
    return one is other


def known_object(value: Any) -> Any:
    """Return callables and modules as they are; represent other objects by class."""
    kind = type(value)
    if value is MISSING or issubclass(kind, (type, ModuleType, FunctionType)):
        return value
    if issubclass(kind, BuiltinFunctionType) or plain_function(value) is not None:
        return value
    return Instance(kind, exact=True, own=value)


def made_by(found: Any, colour: Colour) -> Any:
    """Return the class of a call's result: a class, or the one in an annotation.

    Args:
        found: What is called.
        colour: ``async`` where the call is awaited.
    """
    if issubclass(type(found), type):
        is_made = statics.is_plainly_made(found)
        return Instance(found, exact=True) if is_made else MISSING
    if type(found) is Instance:
        return MISSING
    if colour is Colour.SYNC and (known := result_class(found)) is not None:
        return declared_object(known)
    function = plain_function(found)
    if function is None or original_of(function):
        return MISSING
    annotation = return_annotation(function)
    cls = declared_class(annotation, function.__globals__)
    return declared_object(cls) if colour_of(found) is colour else MISSING


def declared_object(cls: type | None) -> Any:
    """Return an object of a class that the source writes down."""
    return MISSING if cls is None else Instance(cls, exact=False)
