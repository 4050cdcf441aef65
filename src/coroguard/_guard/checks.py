"""Checks of values against types, by pydantic and by typeguard."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

from .._inspect.awaitables import are_only, ids, static_type_attribute
from .._inspect.contents import PLAIN, PLAIN_IDS
from .._leaks.scan import ERROR_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Returns what is wrong, and why it could not be checked, both usually empty.
    Check = Callable[[object], tuple[list[str], str]]

_CONTAINERS = ids(dict, list, tuple, set, frozenset)
_MOST_CONTAINERS = 10_000
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


def is_plain_data(value: object) -> bool:
    """Return whether a value provably is data without awaitables and error fields.

    True only for built-in values and containers, exactly of these types.
    """
    waiting = [value]
    try:
        if type(value) is dict and _is_flat(value):
            return True
        for container in waiting:  # grows while it is read
            items: Any = container
            if type(container) is dict:
                if not are_only(PLAIN, container):
                    return False
                if not ERROR_NAMES.isdisjoint(container):
                    return False
                items = container.values()
            elif id(type(container)) not in _CONTAINERS:
                return id(type(container)) in PLAIN_IDS
            if not are_only(PLAIN, items):
                waiting += [it for it in items if id(type(it)) not in PLAIN_IDS]
                if len(waiting) > _MOST_CONTAINERS:
                    return False
    except RuntimeError:  # changed by another thread
        return False
    return True


def _is_flat(value: dict[Any, Any]) -> bool:
    """Return whether a dict has the commonest keys and values only.

    Comparing types one by one is the quickest for a few, and runs no metaclass.
    """
    for item in value.values():
        kind = type(item)
        if (
            kind is not str
            and kind is not int
            and kind is not bool
            and kind is not float
            and item is not None
        ):
            return False
    for key in value:
        if type(key) is not str:
            return False
    return ERROR_NAMES.isdisjoint(value)


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
            TypeCheckError,
            check_type,
        )

        try:
            check_type(
                value,
                returns,
                forward_ref_policy=ForwardRefPolicy.IGNORE,
                collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS,
            )
        except TypeCheckError as error:
            return [f"$: {error}"]
        return []

    return check


def _is_protocol(returns: Any) -> bool:
    origin = typing.get_origin(returns) or returns
    return issubclass(type(origin), type) and bool(
        static_type_attribute(origin, "_is_protocol")
    )
