"""A pytest plugin that guards every function of a package where it is defined.

The decorator is put on in the syntax tree, as the first of each function of a module
and of a class. Put on after the import it would miss every reference that the module
has kept by then, and a function that is also the key of a dict would become another.

It runs inside the environment of the package under test, where only pytest, wrapt
and coroguard are sure to be. Its orders come by the environment:
``GUARD_EVERYTHING=HOW:PACKAGE[,PACKAGE...]:FILE``, where HOW is ``bare``, ``wrapt``,
``closure`` or ``coroguard`` and FILE receives the outcomes and the costs as JSON. Of
all tests, only those in the JSON file that ``GUARD_EVERYTHING_ONLY`` names are run, if
any.

It has to be imported before pytest, which imports packages for its settings:
PYTEST_DONT_REWRITE, as it cannot be any more.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import json
import os
import resource
import sys
import time
from importlib.machinery import PathFinder, SourceFileLoader
from inspect import CO_VARARGS, CO_VARKEYWORDS
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

_how, _packages, _file = os.environ["GUARD_EVERYTHING"].split(":", 2)
_ONLY = os.environ.get("GUARD_EVERYTHING_ONLY")
_PACKAGES = tuple(_packages.split(","))
_NAME = "__guard_everything__"
#: What a class takes only as a plain function, which wrapt's wrappers are not.
_IMPLICIT = ("__new__", "__init_subclass__", "__class_getitem__")

_counts = {"guarded": 0, "passed over": 0}
_outcomes: dict[str, str] = {}
_reasons: dict[str, str] = {}
_refusals: dict[str, str] = {}
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
    if _how == "closure":
        return _closure
    from coroguard import guard

    return guard(returns=Any)


def _closure(function: Any) -> Any:
    """Return what a wrapper written by hand is at least: the signature, no check."""
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_closure(function.__func__))
    code, is_async = function.__code__, inspect.iscoroutinefunction(function)
    count = code.co_argcount + code.co_kwonlyargcount
    more = count + bool(code.co_flags & CO_VARARGS)
    rest = more + bool(code.co_flags & CO_VARKEYWORDS)
    names = code.co_varnames
    positional, keyword = names[: code.co_argcount], names[code.co_argcount : count]
    star = [f"*{it}" for it in names[count:more]]
    last = [f"**{it}" for it in names[more:rest]]
    parameters = [*positional, *(star or ["*"] * bool(keyword)), *keyword, *last]
    arguments = [*positional, *star, *(f"{it}={it}" for it in keyword), *last]
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    made = _compiled(", ".join(parameters), ", ".join(arguments), is_async)(function)
    made.__defaults__ = function.__defaults__
    made.__kwdefaults__ = function.__kwdefaults__
    return functools.update_wrapper(made, function)


@functools.cache
def _compiled(parameters: str, arguments: str, is_async: bool) -> Any:
    a, awaits = ("async ", "await ") if is_async else ("", "")
    source = f"""
def make(__wrapped):
    {a}def wrapper({parameters}):
        return {awaits}__wrapped({arguments})
    return wrapper
"""
    made: dict[str, Any] = {}
    exec(source, made)
    return made["make"]


class _Finder:
    """Finds the modules of the packages, and executes them with the decorator on."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Find a module where Python finds it, and replace its execution."""
        if fullname.partition(".")[0] not in _PACKAGES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        loader: Any = spec and spec.loader
        if type(loader) is SourceFileLoader:

            def exec_module(module: Any) -> None:
                tree = ast.parse(loader.get_data(loader.path), loader.path)
                _decorate_all(tree)
                code = compile(tree, loader.path, "exec", dont_inherit=True)
                exec(code, vars(module))

            loader.exec_module = exec_module
        return spec


_finder = _Finder()


def _decorate_all(body: ast.Module | ast.ClassDef) -> None:
    """Put the decorator on what is defined here, not on what functions define."""
    waiting: list[ast.AST] = [*body.body]
    for node in waiting:
        if isinstance(node, ast.ClassDef):
            _decorate_all(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.decorator_list[0] if node.decorator_list else node
            name = ast.Name(_NAME, ast.Load())
            node.decorator_list.insert(0, ast.copy_location(name, first))
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            waiting += ast.iter_child_nodes(node)
        elif isinstance(node, ast.ExceptHandler):
            waiting += node.body


def _decorated(decorate: Callable[[Any], Any], value: Any) -> Any:
    """Decorate what can be; what refuses stays as it is, and is counted."""
    kind = type(value)
    function = value.__func__ if kind in (staticmethod, classmethod) else value
    if type(function) is not FunctionType:
        return value
    if _how == "wrapt" and function.__name__ in _IMPLICIT:
        return value
    try:
        if "_getframe" in function.__code__.co_names:  # every wrapper is in its way
            raise ValueError("it reads the frame of its caller")
        guarded = decorate(value)
    except Exception as error:
        _counts["passed over"] += 1
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        _refusals[f"{function.__module__}.{function.__qualname__}"] = text
        return value
    _counts["guarded"] += 1
    return guarded


if _how != "bare":
    if _early := [it for it in sys.modules if it.partition(".")[0] in _PACKAGES]:
        raise RuntimeError(f"imported before they could be guarded: {_early}")
    setattr(builtins, _NAME, functools.partial(_decorated, _decorator()))
    sys.meta_path.insert(0, _finder)


def pytest_plugin_registered() -> None:
    """Come before pytest's own finder, which takes the packages that are plugins."""
    if _finder in sys.meta_path[1:]:
        sys.meta_path.remove(_finder)
        sys.meta_path.insert(0, _finder)


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Leave out the tests that are not wanted again."""
    if not _ONLY:
        return
    wanted = set(json.loads(Path(_ONLY).read_text(encoding="utf-8")))
    config.hook.pytest_deselected(items=[it for it in items if it.nodeid not in wanted])
    items[:] = [it for it in items if it.nodeid in wanted]


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
