"""Contracts: what a guarded function must return, and the check of it."""

from __future__ import annotations

import collections.abc
import typing
from types import UnionType
from typing import Any, cast

from .._inspect.annotations import has_texts, return_annotation
from .._inspect.awaitables import ATOM_IDS, class_name, ids, is_stand_in, module_name
from .._inspect.contents import CLOSED, PLAIN_IDS
from .._inspect.promises import LOOSE, awaited_type, named_classes, parts, promises
from .._leaks.scan import is_quiet
from .._leaks.symptoms import is_suspect_bytes
from .checks import check_of, check_report, glance_at_reports
from .supported import usage_error

_UNIONS = {id(typing.Union), id(UnionType)}
_TYPING = ("typing", "types", "typing_extensions")
#: Annotations of a report's mapping; ``frozendict`` is new in 3.15.
_MAPPINGS = ("dict", "Mapping", "MutableMapping", "frozendict")
#: Names that are often imported for type checkers only.
_WELL_KNOWN = {
    name: getattr(typing, name)
    for name in ("Any", "Awaitable", "Coroutine", "Literal", "Optional", "Union")
} | {name: getattr(collections.abc, name) for name in _MAPPINGS[1:3]}


class Contract:
    """The expected result of a guarded function.

    The contract of an annotation that is only text is settled when it is first
    needed: a class may not be defined before.

    Args:
        type_: A type, an annotation, or ``None`` where it is a report.
        function: The function whose annotation it is, ``None`` where it was
            given.
        is_report: Whether it is a ``HealthReport`` or a mapping of its shape.
        is_optional: Whether ``None`` will do in its place.

    Attributes:
        expected: Name of the contract, for messages; empty where it is open.
        is_late: Whether the annotation names what may be defined later.
        is_open: Whether every value is right, so that only leaks count.
    """

    __slots__ = (
        *("_check", "_function", "_glance", "_has_told", "_problem", "expected"),
        *("is_late", "is_open", "is_optional", "is_report", "type"),
    )

    def __init__(
        self,
        type_: Any,
        function: Any = None,
        *,
        is_report: bool = False,
        is_optional: bool = False,
    ) -> None:
        self.type = type_
        self.is_report = is_report
        self.is_optional = is_optional
        self.is_late = function is not None and has_texts(type_)
        self.is_open = type_ is Any or type_ is object
        self.expected = "" if self.is_open else _name_of(type_, is_report)
        if is_optional:
            self.expected += " | None"
        self._check: Any = None
        self._glance: Any = None
        self._function = function
        self._problem = ""
        self._has_told = False

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.type, self._function, self.is_report, self.is_optional)

    def is_plainly_right(self, value: Any) -> bool:
        """Return whether a value is right at a quick glance, leaks included."""
        if self.is_open:
            return id(type(value)) in CLOSED or is_quiet(value)
        if self.is_report:
            if self._glance is None:
                self._glance = glance_at_reports()
            texts = self._glance(value)
            return texts is not None and not is_suspect_bytes(texts)
        kind = type(value)
        return kind is self.type and id(kind) in PLAIN_IDS

    def violations(self, value: object) -> list[str]:
        """Return what is wrong with ``value``, a line each, the path first.

        Empty where the contract cannot be checked; ``take_problem`` then has
        the reason.
        """
        self.settle()
        if self.is_open or (self.is_optional and value is None):
            return []
        try:
            if is_stand_in(value):
                kind = class_name(type(value))
                self._problem = f"a {kind} stands for another object"
                return []
            if self._check is None:
                if type(self.type) is str:
                    raise NameError(f"{self.type!r} is not known")
                self._check = check_report if self.is_report else check_of(self.type)
            found, self._problem = self._check(value)
        except Exception as error:
            self._problem = f"{type(error).__name__}: {error}"
            return []
        return list(found)

    def take_problem(self) -> str:
        """Return why a value could not be checked, once; ``""`` where it could."""
        problem, self._problem = self._problem, ""
        if self._has_told or not problem:
            return ""
        self._has_told = True
        return f"{self.expected} cannot be checked: {problem}"

    def promises(self, value: object) -> bool:
        """Return whether the contract itself is this awaitable."""
        self.settle()
        return promises(self.type, value)

    def of_awaited(self) -> Contract:
        """Return the contract of what awaiting a promised awaitable gives."""
        inner = awaited_type(self.type)
        if self._function is not None:
            return _of_annotation(inner, self._function)
        return contract_for(object if type(inner) is str else inner)

    def settle(self) -> Contract:
        """Evaluate an annotation that was text when the guard was put on."""
        if self._function is None or not self.is_late:
            return self
        function, self._function = self._function, None
        found = _of_annotation(return_annotation(function, _known()), function)
        self.type, self._function = found.type, found._function
        self.is_report, self.is_optional = found.is_report, found.is_optional
        self.expected = found.expected
        self.is_open = found.is_open
        if found.is_late:  # and so it will stay
            self._function = None
        return self


def contract_for(returns: Any) -> Contract:
    """Return the contract of a type.

    pydantic checks in strict mode where it can (the guard returns the object
    unchanged, so what would need coercion is wrong); typeguard checks the rest:
    protocols, arbitrary classes, callables.

    Raises:
        GuardUsageError: ``returns`` is not a type.
    """
    if type(returns) is str:
        raise usage_error(
            f"returns={returns!r} is text; give the type itself: returns={returns}"
        )
    inner, is_optional = _without_none(returns)
    if _is_health_report(inner):
        return Contract(None, is_report=True, is_optional=is_optional)
    if not _is_type(returns):
        raise usage_error(
            f"returns={returns!r} is not a type; give a class or an annotation, "
            "such as returns=dict[str, int], or returns=Any for leaks only"
        )
    return Contract(returns)


def contract_of(function: Any) -> Contract:
    """Return the contract that a function's return annotation makes.

    It is a report where the annotation is missing, ``Any``, a ``HealthReport``,
    or a mapping that can have the shape of one.
    """
    return _of_annotation(return_annotation(function), function)


def scalar_of(contract: Contract, function: Any) -> type | None:
    """Return the scalar type whose instances need no further look.

    ``object`` stands for every scalar; ``None`` means that all values need the
    full look. A leak is neither, so this saves time and decides nothing.
    """
    wanted = return_annotation(function) if contract.is_open else contract.type
    wanted = type(None) if wanted is None and not contract.is_report else wanted
    if id(wanted) in ATOM_IDS:
        return cast("type", wanted)
    return object if contract.is_open else None


def _of_annotation(annotation: object, function: Any) -> Contract:
    inner, is_optional = _without_none(annotation)
    if inner is Any or _is_health_report(inner) or _is_open_mapping(inner):
        return Contract(None, function, is_report=True, is_optional=is_optional)
    if type(annotation) is str or _is_type(annotation):
        return Contract(annotation, function)
    return Contract(Any, function)  # an annotation of another kind, such as 3


def _restored(type_: Any, function: Any, is_report: bool, is_optional: bool) -> Any:
    return Contract(type_, function, is_report=is_report, is_optional=is_optional)


def _known() -> dict[str, Any]:
    from ..report.models import HealthReport

    return {"HealthReport": HealthReport, **_WELL_KNOWN}


def _is_class(annotation: Any) -> bool:
    """Return whether an annotation is a class, without asking its metaclass."""
    return issubclass(type(annotation), type)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    """Return what an optional annotation is beside ``None``, and whether it is one."""
    if not _is_class(annotation) and id(typing.get_origin(annotation)) in _UNIONS:
        left = [it for it in typing.get_args(annotation) if it is not type(None)]
        if len(left) == 1:
            return left[0], True
    return annotation, False


def _is_health_report(annotation: Any) -> bool:
    # Its name is asked first, because pydantic is imported late.
    if not _is_class(annotation) or class_name(annotation) != "HealthReport":
        return False
    from ..report.models import HealthReport

    return annotation is HealthReport


def _is_open_mapping(annotation: Any) -> bool:
    """Return whether a mapping's annotation leaves room for a report."""
    origin = annotation
    if not _is_class(annotation):
        origin = typing.get_origin(annotation)
    if not _is_class(origin) or class_name(origin) not in _MAPPINGS:
        return False
    if origin is not dict and origin.__module__ not in ("collections.abc", "builtins"):
        return False
    arguments = typing.get_args(annotation)
    if len(arguments) != 2:
        return True
    return _has_room(arguments[0], str) and _has_room(arguments[1], bool, str)


def _has_room(annotation: Any, *kinds: type) -> bool:
    """Return whether values of all these classes may be meant."""
    for part in parts(annotation):
        # A class of its own, one that is not known, or one that the caller puts in.
        if type(part) is typing.TypeVar or (type(part) is str and part not in LOOSE):
            return False
    classes = named_classes(annotation, {})
    return classes is None or ids(*kinds) <= ids(*classes)


def _is_type(returns: Any) -> bool:
    if returns is None or _is_class(returns) or type(returns) is typing.TypeVar:
        return True
    kinds = {module_name(type(returns)), module_name(type(typing.get_origin(returns)))}
    return not kinds.isdisjoint(_TYPING) or typing.get_origin(returns) is not None


def _name_of(type_: Any, is_report: bool) -> str:
    if is_report:
        return "HealthReport"
    if _is_class(type_):
        return class_name(type_)
    return str(type_).replace("typing.", "")
