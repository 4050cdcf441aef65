"""Does a value have the shape that a guard was told to expect?"""

from __future__ import annotations

import typing
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .._inspect.annotations import return_annotation
from .._inspect.awaitables import ATOMS, static_type_attribute
from .._leaks.errors import GuardUsageError
from .._leaks.symptoms import may_tell

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Contract", "contract_for", "report_contract", "scalar_of"]


class Contract(Protocol):
    """What a guard checks a value against.

    Args:
        expected: The contract's name, for messages.
        type: The annotation itself.
        is_report: Whether the value's texts are a report's.
        is_open: Whether every value is right, so that only leaks count.
    """

    expected: str
    type: Any
    is_report: bool
    is_open: bool

    def is_plainly_right(self, value: object) -> bool:
        """Say of the usual right value, quickly, that nothing is wrong with it."""
        ...

    def violations(self, value: object) -> list[str]:
        """Return what is wrong with ``value``, a line each, the path first."""
        ...


class _Contract:
    """A contract whose check is made when it is first needed."""

    __slots__ = ("_check", "_make", "expected", "is_open", "is_report", "type")

    def __init__(
        self,
        type_: Any,
        make: Callable[[], Callable[[object], list[str]]],
        *,
        expected: str,
        is_report: bool = False,
        is_open: bool = False,
    ) -> None:
        self.type = type_
        self.expected = expected
        self.is_report = is_report
        self.is_open = is_open
        self._make = make
        self._check: Callable[[object], list[str]] | None = None

    def is_plainly_right(self, value: object) -> bool:  # noqa: ARG002 - the protocol's
        return False

    def violations(self, value: object) -> list[str]:
        if self._check is None:
            self._check = self._make()
        return self._check(value)


class _ReportContract(_Contract):
    """The contract of a report, which knows the usual one at a glance."""

    __slots__ = ("_glance",)

    def __init__(self) -> None:
        super().__init__(None, _by_report, expected="HealthReport", is_report=True)
        self._glance: Callable[[object], bool] | None = None

    def is_plainly_right(self, value: Any) -> bool:
        if self._glance is None:
            from ..report.fast_path import is_plain_report

            self._glance = is_plain_report
        return self._glance(value) and not may_tell(
            # not the timestamp, which marshal may not know
            [held for name, held in value.items() if name != "timestamp"]
        )


class _OpenContract(_Contract):
    """The contract of anything, so that only leaks count."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(Any, lambda: lambda value: [], expected="", is_open=True)  # noqa: ARG005

    def is_plainly_right(self, value: Any) -> bool:
        return type(value) is str and not may_tell(value)


def report_contract() -> Contract:
    """Return the contract of a ``HealthReport``: the model or its mapping."""
    return _REPORT


def contract_for(returns: Any) -> Contract:
    """Return the contract that a type stands for.

    pydantic judges in strict mode where it can (the guard hands the object
    out as it is, so what would need coercion is wrong); typeguard judges the
    rest: protocols, arbitrary classes, callables.

    Raises:
        GuardUsageError: ``returns`` is not a type that either can check.
    """
    if returns is Any or returns is object:
        return _OPEN
    if isinstance(returns, str):
        raise GuardUsageError(
            f"returns={returns!r} is text; give the type itself: returns={returns}"
        )
    from ..report.models import HealthReport

    if returns is HealthReport:
        return _REPORT
    if not _is_type(returns):
        raise GuardUsageError(
            f"returns={returns!r} is not a type; give a class or an annotation, "
            "such as returns=dict[str, int], or returns=Any for leaks only"
        )
    check = _check_of(returns)
    name = getattr(returns, "__name__", None) if isinstance(returns, type) else None
    if typing.get_args(returns):
        name = None
    expected = name or str(returns).replace("typing.", "")
    return _Contract(returns, lambda: check, expected=expected)


def scalar_of(contract: Contract, function: Any) -> type | None:
    """Return the scalar type whose instances need no further look.

    ``object`` stands for every scalar; ``None`` says that all values need the
    full look. A leak is neither, so this saves time and decides nothing.
    """
    wanted = return_annotation(function) if contract.is_open else contract.type
    wanted = type(None) if wanted is None and not contract.is_report else wanted
    if isinstance(wanted, type) and wanted in ATOMS:
        return wanted
    return object if contract.is_open else None


def _by_report() -> Callable[[object], list[str]]:
    from ..report.models import check_report

    return check_report


def _is_type(returns: Any) -> bool:
    if returns is None or isinstance(returns, (type, typing.TypeVar)):
        return True
    return typing.get_origin(returns) is not None or type(returns).__module__ in (
        "typing",
        "types",
        "typing_extensions",
    )


def _check_of(returns: Any) -> Callable[[object], list[str]]:
    """Return the check of a type.

    pydantic's strict mode also refuses what keeps to its type: ``True`` as an
    ``int``, a ``deque`` as a ``Sequence``. So typeguard has the last word, but
    not on models, whose rules only pydantic knows.
    """
    by_pydantic, by_typeguard = _by_pydantic(returns), _by_typeguard(returns)
    if by_pydantic is None:
        return by_typeguard
    if _has_rules(returns):
        return by_pydantic

    def check(value: object) -> list[str]:
        wrong = by_pydantic(value)
        return wrong if wrong and by_typeguard(value) else []

    return check


def _has_rules(returns: Any) -> bool:
    """Say whether a type has rules beyond its types: models, metadata."""
    if typing.get_origin(returns) is typing.Annotated or typing.is_typeddict(returns):
        return True
    if isinstance(returns, type) and (
        hasattr(returns, "__pydantic_fields__") or is_dataclass(returns)
    ):
        return True
    return any(map(_has_rules, typing.get_args(returns)))


def _by_pydantic(returns: Any) -> Callable[[object], list[str]] | None:
    """Return pydantic's check, or ``None`` where the type is not its kind."""
    if _is_protocol(returns):
        return None
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUserError

    try:
        adapter = TypeAdapter(returns)
    except (PydanticUserError, TypeError, NameError):
        return None

    def check(value: object) -> list[str]:
        from ..report.models import violations

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
    return isinstance(origin, type) and bool(
        static_type_attribute(origin, "_is_protocol")
    )


_REPORT: Contract = _ReportContract()
_OPEN: Contract = _OpenContract()
