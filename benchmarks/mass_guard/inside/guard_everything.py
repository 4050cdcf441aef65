"""A pytest plugin that guards every function of a package as it is imported.

It runs inside the environment of the package under test, where only pytest, wrapt
and coroguard are sure to be. Its orders come by the environment:
``GUARD_EVERYTHING=HOW:PACKAGE[,PACKAGE...]:FILE``, where HOW is ``bare``, ``wrapt`` or
``coroguard`` and FILE receives the outcomes and the costs as JSON.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import resource
import sys
import time
from importlib.machinery import PathFinder
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

_how, _packages, _file = os.environ["GUARD_EVERYTHING"].split(":", 2)
_PACKAGES = tuple(_packages.split(","))

_counts = {"guarded": 0, "passed over": 0}
_outcomes: dict[str, str] = {}
_reasons: dict[str, str] = {}
_costs: dict[str, float] = {}


def _cpu_s() -> float:
    """Return the processor time of this process and its ended children, in s."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def _decorator() -> Callable[[Any], Any]:
    if _how == "wrapt":
        import wrapt

        @wrapt.decorator
        def empty(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG001
            return wrapped(*args, **kwargs)

        return empty  # type: ignore[no-any-return]
    from coroguard import guard

    return guard(returns=Any)


class _Finder:
    """Finds the modules of the packages, and guards each after it was executed."""

    def __init__(self) -> None:
        self._decorate = _decorator()
        self._guarded: dict[int, tuple[Any, Any]] = {}  # holds what the ids name

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Find a module where Python finds it, and add a step to its execution."""
        if fullname.partition(".")[0] not in _PACKAGES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not hasattr(spec.loader, "__dict__"):
            return spec
        execute: Any = spec.loader.exec_module  # type: ignore[union-attr]

        @functools.wraps(execute)
        def exec_module(module: Any) -> None:
            execute(module)
            self.guard_module(module)

        spec.loader.exec_module = exec_module  # type: ignore[union-attr, method-assign]
        return spec

    def guard_module(self, module: Any) -> None:
        """Guard the functions of a module and the methods of its classes."""
        for name, value in list(vars(module).items()):
            if type(value) is FunctionType and _is_of(value, module.__name__):
                self._put(module, name, value)
            elif isinstance(value, type) and (
                (value.__module__, value.__qualname__) == (module.__name__, name)
            ):
                self._guard_class(value)

    def _guard_class(self, owner: Any) -> None:
        for name, value in list(vars(owner).items()):
            kind = type(value)  # of no other object an attribute is asked for
            function = value.__func__ if kind in (staticmethod, classmethod) else value
            if type(function) is FunctionType and _is_of(function, owner.__module__):
                self._put(owner, name, value)
            elif issubclass(kind, type) and (
                value.__qualname__ == f"{owner.__qualname__}.{name}"
            ):
                self._guard_class(value)

    def _put(self, owner: Any, name: str, value: Any) -> None:
        """Guard what can be guarded; what refuses stays as it is, and is counted."""
        if id(value) not in self._guarded:
            try:
                guarded = self._decorate(value)
            except Exception as error:
                _counts["passed over"] += 1
                _refused(f"{owner.__name__}.{name}", error)
                guarded = value
            self._guarded[id(value)] = (value, guarded)
        guarded = self._guarded[id(value)][1]
        if guarded is not value:
            with contextlib.suppress(AttributeError, TypeError):
                setattr(owner, name, guarded)
                _counts["guarded"] += 1


def _is_of(function: FunctionType, module: str) -> bool:
    """Return whether a function was defined in a module, not put in by a metaclass."""
    return function.__globals__.get("__name__") == module


_refusals: dict[str, str] = {}


def _refused(place: str, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    _refusals[place] = text


if _how != "bare":
    _finder = _Finder()
    sys.meta_path.insert(0, _finder)
    for _name, _module in list(sys.modules.items()):
        if _name.partition(".")[0] in _PACKAGES:
            _finder.guard_module(_module)


def pytest_runtestloop(session: pytest.Session) -> None:  # noqa: ARG001
    """Start the clock: what was needed until here is imports and collection."""
    _costs["start_cpu_s"] = _cpu_s()
    _costs["start_s"] = time.monotonic()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the gravest outcome of a test's three phases."""
    if report.when != "call" and report.outcome == "passed":
        return
    outcome = report.outcome
    if hasattr(report, "wasxfail"):
        outcome = f"x{outcome}"
    elif report.failed and report.when != "call":
        outcome = f"{report.when} failed"
    if _outcomes.get(report.nodeid) in (None, "passed"):
        _outcomes[report.nodeid] = outcome
        if report.failed:
            _reasons[report.nodeid] = str(report.longrepr)[-4000:]


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A module that cannot be imported is an outcome too."""
    if report.failed:
        _outcomes[f"collect {report.nodeid}"] = "failed"
        _reasons[f"collect {report.nodeid}"] = str(report.longrepr)[-4000:]


def pytest_sessionfinish() -> None:
    """Write down what came out."""
    now_cpu_s, now_s = _cpu_s(), time.monotonic()
    result = {
        "outcomes": _outcomes,
        "reasons": _reasons,
        "refusals": _refusals,
        "counts": _counts,
        "start_cpu_s": _costs.get("start_cpu_s", now_cpu_s),
        "cpu_s": now_cpu_s - _costs.get("start_cpu_s", now_cpu_s),
        "took_s": now_s - _costs.get("start_s", now_s),
    }
    Path(_file).write_text(json.dumps(result, indent=1), encoding="utf-8")
