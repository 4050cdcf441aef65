"""Checks of values against types, by pydantic and by typeguard."""

from __future__ import annotations

import io
import sys
import typing
from collections.abc import Callable
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from .._inspect.annotations import is_text, replaced
from .._inspect.awaitables import static_type_attribute

if TYPE_CHECKING:
    #: Returns what is wrong, and why it could not be checked, both usually empty.
    Check = Callable[[object], tuple[list[str], str]]

_MARKS_OF_RULES = ("__pydantic_fields__", "__dataclass_fields__")
#: Before 3.12 pydantic does not take the ``TypedDict`` of ``typing``.
_TAKES_TYPED_DICTS = sys.version_info >= (3, 12)
_FILES = (typing.IO, typing.TextIO, typing.BinaryIO)
_EXACT_FILES = (io.TextIOBase, io.BufferedIOBase, io.RawIOBase)
_FILE_ATTRIBUTES = ("read", "write", "__getattr__")


class _OtherFile(type):
    """The class of files of neither kind of ``io``, such as temporary files."""

    def __instancecheck__(cls, value: object) -> bool:
        kind = type(value)
        return not issubclass(kind, _EXACT_FILES) and any(
            static_type_attribute(kind, name) is not None for name in _FILE_ATTRIBUTES
        )


_FILE = _OtherFile("IO", (), {"__module__": "typing"})


def check_of(returns: Any) -> Check:
    """Return the check of a type.

    pydantic's strict mode also refuses what keeps to its type: ``True`` as an
    ``int``, a ``deque`` as a ``Sequence``. So typeguard has the last word, but
    not on models, whose rules only pydantic knows.
    """
    returns = replaced(returns, _of_text)
    by_typeguard = _by_typeguard(returns)
    if _is_protocol(returns):
        return lambda value: (by_typeguard(value), "")
    has_rules = _has_rules(returns)
    try:
        by_pydantic = _by_pydantic(returns)
    except Exception as error:  # not one of its types, or one that is not finished
        problem = f"{type(error).__name__}: {error}" if has_rules else ""
        return lambda value: (by_typeguard(value), problem)
    if has_rules:
        return lambda value: _by_rules(value, by_pydantic, by_typeguard)

    def check(value: object) -> tuple[list[str], str]:
        wrong = by_pydantic(value)
        return wrong if wrong and by_typeguard(value) else [], ""

    return check


def check_report(value: object) -> tuple[list[str], str]:
    """Check a report, an instance or a mapping."""
    from ..report.check import check_report

    return check_report(value), ""


def glance_at_reports() -> Callable[[object], bytes | None]:
    """Return the quick check of a report in plain built-in types."""
    from ..report.fast_path import plain_bytes

    return plain_bytes


def _by_rules(
    value: object,
    by_pydantic: Callable[[object], list[str]],
    by_typeguard: Callable[[object], list[str]],
) -> tuple[list[str], str]:
    try:
        return by_pydantic(value), ""
    except Exception as error:  # a validator broke, or the model is not finished
        return by_typeguard(value), f"{type(error).__name__}: {error}"


def _has_rules(returns: Any) -> bool:
    """Return whether a type has rules beyond its types: models, metadata."""
    if typing.get_origin(returns) is typing.Annotated:
        return True
    if typing.is_typeddict(returns):
        return _TAKES_TYPED_DICTS
    if issubclass(type(returns), type) and any(
        static_type_attribute(returns, mark) is not None for mark in _MARKS_OF_RULES
    ):
        return True
    return any(map(_has_rules, typing.get_args(returns)))


def _by_pydantic(returns: Any) -> Callable[[object], list[str]]:
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(returns)

    def check(value: object) -> list[str]:
        from ..report.violations import violations

        try:
            adapter.validate_python(value, strict=True)
        except ValidationError as error:
            return violations(error)
        return []

    return check


def _by_typeguard(returns: Any) -> Callable[[object], list[str]]:
    loose = replaced(returns, _loose)
    # Each key of a subtype is one too many for typeguard.
    keys: frozenset[str] | None = None
    if typing.is_typeddict(returns):
        keys = returns.__required_keys__ | returns.__optional_keys__

    def check(value: object) -> list[str]:
        if keys is not None and issubclass(type(value), dict):
            items: Any = dict.items(value)  # type: ignore[arg-type]
            value = {key: it for key, it in items if key in keys}
        wrong = check_against(value, returns)
        is_other = wrong and loose is not returns
        return [] if is_other and not check_against(value, loose) else wrong

    def check_against(value: object, type_: Any) -> list[str]:
        from typeguard import (
            CollectionCheckStrategy,
            ForwardRefPolicy,
            TypeCheckConfiguration,
            TypeCheckError,
            TypeCheckMemo,
            check_type_internal,
        )

        config = TypeCheckConfiguration(
            forward_ref_policy=ForwardRefPolicy.IGNORE,
            collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS,
        )
        # ``Self`` may be any class here: only a call of the method has it.
        memo = TypeCheckMemo({}, {}, self_type=object, config=config)
        try:
            check_type_internal(value, type_, memo)
        except TypeCheckError as error:
            return [f"$: {error}"]
        return []

    return check


def _of_text(part: Any) -> Any:
    """Return what stands for a name inside a type that is not known."""
    return Any if is_text(part) else None


def _loose(part: Any) -> Any:
    """Return what stands for a part of a type that typeguard and pydantic misjudge.

    Both count an unpacked part of a tuple as one item, and typeguard takes no file
    that is of neither kind of ``io``.
    """
    origin = typing.get_origin(part) or part
    if any(origin is it for it in _FILES):
        return _FILE
    is_tuple = origin is tuple and any(map(_is_unpacked, typing.get_args(part)))
    return tuple if is_tuple else None


def _is_unpacked(argument: Any) -> bool:
    is_alias = type(argument) is GenericAlias and argument.__unpacked__
    return is_alias or typing.get_origin(argument) is typing.Unpack


def _is_protocol(returns: Any) -> bool:
    origin = typing.get_origin(returns) or returns
    return issubclass(type(origin), type) and bool(
        static_type_attribute(origin, "_is_protocol")
    )
