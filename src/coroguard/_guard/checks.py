"""Checks of values against types, by pydantic and by typeguard."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import static_type_attribute

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Returns what is wrong, and why it could not be checked, both usually empty.
    Check = Callable[[object], tuple[list[str], str]]

_MARKS_OF_RULES = ("__pydantic_fields__", "__dataclass_fields__")


def check_of(returns: Any) -> Check:
    """Return the check of a type.

    pydantic's strict mode also refuses what keeps to its type: ``True`` as an
    ``int``, a ``deque`` as a ``Sequence``. So typeguard has the last word, but
    not on models, whose rules only pydantic knows.
    """
    by_typeguard = _by_typeguard(returns)
    if _is_protocol(returns):
        return lambda value: (by_typeguard(value), "")
    has_rules = _has_rules(returns)
    try:
        by_pydantic = _by_pydantic(returns)
    except Exception as error:  # not one of its types, or one that is not finished
        is_lost = has_rules and not typing.is_typeddict(returns)  # typeguard knows it
        problem = f"{type(error).__name__}: {error}" if is_lost else ""
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
    if typing.get_origin(returns) is typing.Annotated or typing.is_typeddict(returns):
        return True
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
    def check(value: object) -> list[str]:
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
            check_type_internal(value, returns, memo)
        except TypeCheckError as error:
            return [f"$: {error}"]
        return []

    return check


def _is_protocol(returns: Any) -> bool:
    origin = typing.get_origin(returns) or returns
    return issubclass(type(origin), type) and bool(
        static_type_attribute(origin, "_is_protocol")
    )
