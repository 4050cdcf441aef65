"""Parameters that take a plain function, or a coroutine, and nothing of the other."""

from __future__ import annotations

import ast
import enum
import functools
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType, NoneType
from typing import TYPE_CHECKING, Any

from ..._inspect.annotations import annotations_of
from ..._inspect.attributes import MISSING, member, namespace, unbound
from ..._inspect.awaitables import mro, static_type_attribute
from ..._inspect.colours import plain_function
from .calls import tree_of
from .declared_types import callable_result

if TYPE_CHECKING:
    from .calls import Call


class Wants(enum.StrEnum):
    """The kind of callable that a parameter takes."""

    FUNCTION = "a plain function"
    #: Called in a task: a coroutine function is right, a coroutine is not.
    CALLABLE = "a function"
    COROUTINE = "a coroutine"


@dataclass(frozen=True, slots=True)
class Slot:
    """An argument of a call, and the kind of callable that its parameter takes.

    Args:
        value: The argument.
        wants: What the parameter takes.
    """

    value: ast.expr
    wants: Wants


# By module and qualified name: the parameter, by position and by keyword.
_PLAIN: dict[str, tuple[int, str]] = {
    "asyncio.events:AbstractEventLoop.call_soon": (0, "callback"),
    "asyncio.events:AbstractEventLoop.call_soon_threadsafe": (0, "callback"),
    "asyncio.events:AbstractEventLoop.call_later": (1, "callback"),
    "asyncio.events:AbstractEventLoop.call_at": (1, "callback"),
    "asyncio.events:AbstractEventLoop.run_in_executor": (1, "func"),
    "asyncio.events:AbstractEventLoop.add_signal_handler": (1, "callback"),
    "asyncio.events:AbstractEventLoop.add_reader": (1, "callback"),
    "asyncio.events:AbstractEventLoop.add_writer": (1, "callback"),
    "asyncio.threads:to_thread": (0, "func"),
    "asyncio:Future.add_done_callback": (0, "fn"),
    "asyncio:Task.add_done_callback": (0, "fn"),
    "concurrent.futures._base:Future.add_done_callback": (0, "fn"),
    "concurrent.futures._base:Executor.submit": (0, "fn"),
    "concurrent.futures._base:Executor.map": (0, "fn"),
    "concurrent.futures.thread:ThreadPoolExecutor": (-1, "initializer"),
    "threading:Thread": (1, "target"),
    "threading:Timer": (1, "function"),
    "multiprocessing.context:Process": (1, "target"),
    "multiprocessing.process:BaseProcess": (1, "target"),
    "atexit:register": (0, "func"),
    "signal:signal": (1, "handler"),
    "builtins:filter": (0, ""),
    "builtins:sorted": (-1, "key"),
    "builtins:min": (-1, "key"),
    "builtins:max": (-1, "key"),
    "builtins:list.sort": (-1, "key"),
    "functools:reduce": (0, "function"),
    "functools:cmp_to_key": (0, "mycmp"),
    "itertools:filterfalse": (0, ""),
    "itertools:takewhile": (0, ""),
    "itertools:dropwhile": (0, ""),
    "itertools:groupby": (1, "key"),
    "re:sub": (1, "repl"),
    "sched:scheduler.enter": (2, "action"),
    "sched:scheduler.enterabs": (2, "action"),
    "weakref:finalize": (1, "func"),
    "weakref:ref": (1, ""),
    "contextlib:_BaseExitStack.callback": (0, "callback"),
}
_COROUTINES: dict[str, tuple[int, str]] = {
    "asyncio.tasks:create_task": (0, "coro"),
    "asyncio.tasks:ensure_future": (0, "coro_or_future"),
    "asyncio.tasks:wait_for": (0, "fut"),
    "asyncio.tasks:shield": (0, "arg"),
    "asyncio.tasks:run_coroutine_threadsafe": (0, "coro"),
    "asyncio.runners:run": (0, "main"),
    "asyncio.runners:Runner.run": (0, "coro"),
    "asyncio.events:AbstractEventLoop.create_task": (0, "coro"),
    "asyncio.events:AbstractEventLoop.run_until_complete": (0, "future"),
    "asyncio.taskgroups:TaskGroup.create_task": (0, "coro"),
}
_ASKERS = re.compile(r"iscoroutine|isawaitable|is_async|maybe_await")
_START_SOON = frozenset(("start_soon",))
_STARTERS = ("anyio", "trio")
# Builtins that read each element of what ``map`` gives as a value.
_READ_ALL = frozenset(("all", "any", "sum", "max", "min", "sorted", "dict"))


def slots_of(
    call: Call, parents: dict[ast.AST, ast.AST], known: dict[int, str]
) -> Iterator[Slot]:
    """Yield the arguments of a call whose parameter takes one colour only.

    Args:
        call: The call.
        parents: The node around each node of its module.
        known: The functions of the tables, as ``known_functions`` gives them.
    """
    for name in _names(call.target, known):
        for table, wants in ((_PLAIN, Wants.FUNCTION), (_COROUTINES, Wants.COROUTINE)):
            if name in table:
                value = _argument(call.node, *table[name])
                if value is not None:
                    yield Slot(value, wants)
                return
    if call.target is map and call.node.args and _is_read(call.node, parents):
        yield Slot(call.node.args[0], Wants.FUNCTION)
        return
    yield from _declared(call)


def start_soon(node: ast.Call, names: dict[str, Any]) -> ast.expr | None:
    """Return the argument of a call to ``start_soon`` of anyio or trio."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _START_SOON:
        return None
    roots = {
        str(namespace(it).get("__name__", "")).partition(".")[0]
        for it in names.values()
        if type(it) is type(sys)
    }
    known = roots & {*_STARTERS} and node.args
    return node.args[0] if known else None


def known_functions() -> dict[int, str]:
    """Return the names of the tables' functions that are imported, by identity."""
    found: dict[int, str] = {}
    for name in (*_PLAIN, *_COROUTINES):
        module, _, path = name.partition(":")
        target: Any = sys.modules.get(module, MISSING)
        for step in path.split("."):
            if issubclass(type(target), type):
                target = _method(target, step)
            else:
                target = namespace(target).get(step, MISSING)
        if target is not MISSING:
            found.setdefault(id(target), name)
    return found


def _method(cls: type, name: str) -> Any:
    """Return a class's method, also one that is written in C."""
    found = member(cls, name)
    plain = unbound(found)
    return found if plain is MISSING else plain


def _names(target: Any, known: dict[int, str]) -> Iterator[str]:
    """Yield the table's names for a target, and for what its class overrides."""
    if id(target) in known:
        yield known[id(target)]
    function = plain_function(target)
    if type(function) is not FunctionType:
        return
    module = sys.modules.get(function.__module__)
    owner, _, name = function.__qualname__.rpartition(".")
    cls = namespace(module).get(owner) if "." not in owner else None
    if isinstance(cls, type):
        for base in mro(cls):
            inherited = base.__dict__.get(name)
            if id(inherited) in known:
                yield known[id(inherited)]


def _argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    for given in call.keywords:
        if given.arg == keyword and keyword:
            return given.value
    before = call.args[: position + 1]
    if position < 0 or len(before) <= position:
        return None
    has_star = any(isinstance(it, ast.Starred) for it in before)
    return None if has_star else before[position]


def _is_read(node: ast.Call, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether a builtin reads the result of ``map``, element by element."""
    parent = parents.get(node)
    if not isinstance(parent, ast.Call) or node not in parent.args:
        return False
    match parent.func:
        case ast.Name(id=name):
            return name in _READ_ALL
        case ast.Attribute(value=ast.Constant(value=str()), attr="join"):
            return True
        case _:
            return False


def _declared(call: Call) -> Iterator[Slot]:
    """Yield the arguments whose parameter is annotated to return a plain value."""
    target = call.target
    if issubclass(type(target), type):
        target = unbound(member(target, "__init__"))
    function = plain_function(target)
    if type(function) is not FunctionType or _asks(function):
        return
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    skip = 1 if _takes_self(call, names) else 0
    by_name = dict(zip(names[skip:], call.node.args, strict=False))
    if any(isinstance(it, ast.Starred) for it in call.node.args):
        by_name = {}
    by_name |= {it.arg: it.value for it in call.node.keywords if it.arg}
    annotations = annotations_of(function)
    for name, value in by_name.items():
        if name not in annotations:
            continue
        classes = callable_result(annotations[name], function.__globals__)
        if classes and all(_is_plain(cls) for cls in classes):
            yield Slot(value, Wants.FUNCTION)


def _is_plain(cls: type) -> bool:
    """Return whether a declared result rules out an awaitable.

    ``None`` does not: what gives nothing is often asked for its colour.
    """
    marks = ("__await__", "__aiter__", "__aenter__")
    if cls is NoneType or cls is object:
        return False
    return all(static_type_attribute(cls, it) is None for it in marks)


def _takes_self(call: Call, names: tuple[str, ...]) -> bool:
    is_class = issubclass(type(call.target), type)
    is_method = isinstance(call.node.func, ast.Attribute) and names[:1] in (
        ("self",),
        ("cls",),
    )
    return is_class or is_method


def _asks(function: FunctionType) -> bool:
    """Return whether the module of a function asks callables for their colour."""
    return _file_asks(function.__code__.co_filename, function.__module__)


@functools.lru_cache(maxsize=1_024)
def _file_asks(file: str, name: str) -> bool:  # noqa: ARG001 - a key of the cache
    module = sys.modules.get(name)
    tree = None if module is None else tree_of(module)
    return tree is None or any(
        isinstance(node, ast.Call) and _ASKERS.search(ast.unparse(node.func))
        for node in ast.walk(tree)
    )


def is_coroutine_function(value: Any) -> bool:
    """Return whether a call of a function makes a coroutine."""
    function = plain_function(value)
    return function is not None and inspect.iscoroutinefunction(function)
