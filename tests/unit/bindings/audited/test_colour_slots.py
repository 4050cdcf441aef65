"""Code that only a written type or a known caller shows to be wrong."""

from __future__ import annotations

import textwrap

import pytest

from coroguard.bindings.findings import FindingKind

LIB = """
import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Protocol

async def ping() -> bool: return True
async def work(x): return x
def plain(x): return x
class Store:
    async def load(self) -> dict: return {}
    def size(self) -> int: return 1
    @property
    async def is_open(self) -> bool: return True
class Loads(Protocol):
    async def load(self) -> dict: ...
@dataclass
class Rule:
    name: str
    allows: Callable[[str], bool]
@dataclass
class Holder:
    store: Store
    spare: Store | None = None
def Depends(function): return function
def schedule(when: int, check: Callable[..., bool]) -> bool: return check()
def schedule_any(when: int, check: Callable[..., object]) -> None: check()
def run_either(check: Callable[..., bool]):
    import inspect
    return check()
"""
USED = """
import asyncio
import atexit
import functools
import inspect
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Optional
from .lib import Depends, Holder, Loads, Rule, Store, ping, plain, work
from .lib import run_either, schedule, schedule_any
"""

WRONG = {
    "annotated parameter": "def f(store: Store): return store.load()['a']",
    "second operand of an awaited condition": (
        "async def f(store: Store):\n    if await ping() and store.load(): return 1"
    ),
    "first operand": "async def f(s: Store):\n    return s.load() and await ping()",
    "while": "def f(store: Store):\n    while store.load(): pass",
    "condition of a comprehension": (
        "def f(s: Store, xs): return [x for x in xs if s.load()]"
    ),
    "conditional expression": "def f(store: Store): return 1 if store.load() else 2",
    "assert": "def f(store: Store):\n    assert store.load()",
    "optional parameter": (
        "def f(store: Optional[Store] = None):\n    return store.load().get('a')"
    ),
    "parameter with metadata": (
        "def f(store: Annotated[Store, Depends(plain)]): return store.load()['a']"
    ),
    "keyword parameter": "def f(*, store: 'Store'): return store.load()['a']",
    "protocol": "def f(store: Loads): return store.load()['a']",
    "annotated variable": (
        "def f(found):\n    store: Store = found.get(1)\n    return store.load()['a']"
    ),
    "field of a dataclass": "def f(held: Holder): return held.store.load()['a']",
    "optional field": "def f(held: Holder): return held.spare.load()['a']",
    "annotated attribute": (
        "class A:\n    def __init__(self, x): self.store: Store = x\n"
        "    def f(self): return self.store.load()['a']"
    ),
    "class annotation": (
        "class A:\n    store: Store\n    def f(self): return self.store.load()['a']"
    ),
    "constructor assignment": (
        "class A:\n    def __init__(self, store: Store): self.store = store\n"
        "    def f(self): return self.store.load()['a']"
    ),
    "set to None first": (
        "class A:\n    def __init__(self): self.store = None\n"
        "    def open(self): self.store = Store()\n"
        "    def f(self): return self.store.load()['a']"
    ),
    "awaited though plain": "async def f(store: Store): return await store.size()",
    "asked by calling": "def f():\n    if inspect.isawaitable(ping()): return 1",
}


@pytest.fixture
def audit_body(audit_of):
    """Audit a module of this body beside the library above."""

    def audit_body(body):
        text = USED + textwrap.dedent(body) + "\n"
        audited = audit_of(lib=LIB, used=text)
        assert audited.failed == ()
        return audited.findings

    return audit_body


@pytest.mark.parametrize("form", WRONG)
def test_a_written_type_shows_the_colour(audit_body, form):
    """A call on an object whose class is written down is judged by that class."""
    (found,) = audit_body(WRONG[form])
    assert found.kind is FindingKind.WRONG_CALL
    assert "used.py:" in found.first
    assert "lib.py:" in found.second


SLOTS = {
    "call_later": "def f(): asyncio.get_running_loop().call_later(1, ping)",
    "call_soon of a variable": (
        "def f():\n    loop = asyncio.get_event_loop()\n    loop.call_soon(ping)"
    ),
    "call_at of a parameter": (
        "def f(loop: asyncio.AbstractEventLoop): loop.call_at(1, ping)"
    ),
    "signal handler of a loop": (
        "def f(): asyncio.get_running_loop().add_signal_handler(2, ping)"
    ),
    "run_in_executor": (
        "async def f(): await asyncio.get_running_loop().run_in_executor(None, ping)"
    ),
    "done callback": (
        "async def f():\n    task = asyncio.create_task(ping())\n"
        "    task.add_done_callback(work)\n    return task"
    ),
    "thread": "def f(): threading.Thread(target=ping).start()",
    "timer": "def f(): threading.Timer(1, ping).start()",
    "to_thread": "async def f(): await asyncio.to_thread(work, 1)",
    "executor": (
        "def f():\n    pool = ThreadPoolExecutor()\n    return pool.submit(ping)"
    ),
    "executor of a parameter": (
        "def f(pool: ThreadPoolExecutor): return pool.submit(work, 1)"
    ),
    "filter": "def f(xs): return list(filter(work, xs))",
    "sorted": "def f(xs): return sorted(xs, key=work)",
    "max": "def f(xs): return max(xs, key=work)",
    "map that is read": "def f(xs): return any(map(work, xs))",
    "map that is joined": "def f(xs): return ','.join(map(work, xs))",
    "atexit": "atexit.register(ping)",
    "signal": "def f(): signal.signal(2, work)",
    "reduce": "def f(xs): return functools.reduce(work, xs)",
    "partial": "def f(): threading.Thread(target=functools.partial(work, 1)).start()",
    "lambda": "def f(): asyncio.get_running_loop().call_soon(lambda: work(1))",
    "declared callback": "def f(): schedule(1, ping)",
    "declared callback by name": "def f(): schedule(1, check=ping)",
    "declared field": "RULE = Rule('a', work)",
    "method": (
        "class A:\n    async def go(self): pass\n"
        "    def f(self): threading.Thread(target=self.go).start()"
    ),
}


@pytest.mark.parametrize("form", SLOTS)
def test_an_async_callback_is_found(audit_body, form):
    """A coroutine function is found where its caller wants a plain value."""
    (found,) = audit_body(SLOTS[form])
    assert found.kind is FindingKind.ASYNC_CALLBACK
    assert "pass a plain function" in found.advice


def test_a_loop_that_is_compiled_is_known(audit_body):
    """The callbacks of a loop are found where uvloop's is imported too."""
    pytest.importorskip("uvloop", reason="uvloop is not installed")
    (found,) = audit_body(SLOTS["call_later"])
    assert found.kind is FindingKind.ASYNC_CALLBACK


CALLED = {
    "thread": "def f(): threading.Thread(target=ping()).start()",
    "call_soon": "def f(): asyncio.get_running_loop().call_soon(ping())",
    "to_thread": "async def f(): await asyncio.to_thread(work(1))",
    "start_soon": (
        "import anyio\nasync def f():\n"
        "    async with anyio.create_task_group() as group:\n"
        "        group.start_soon(work(1))"
    ),
}


@pytest.mark.parametrize("form", CALLED)
def test_a_coroutine_in_the_place_of_a_function_is_found(audit_body, form):
    """A call handed over where the function is meant is found."""
    (found,) = audit_body(CALLED[form])
    assert found.kind is FindingKind.CALLED_CALLBACK


@pytest.mark.parametrize(
    "body",
    ["asyncio.run(ping)", "asyncio.create_task(work)", "asyncio.wait_for(ping, 1)"],
)
def test_a_function_in_the_place_of_a_coroutine_is_found(audit_body, body):
    """A function that was not called is found where a coroutine is expected."""
    (found,) = audit_body(f"def f(): return {body}")
    assert found.kind is FindingKind.NOT_CALLED


METHODS = {
    "truth": "class A:\n    async def __bool__(self): return True",
    "equality": "class A:\n    async def __eq__(self, other): return True",
    "exit": "class A:\n    async def __exit__(self, *error): pass",
    "constructor": "class A:\n    async def __init__(self): pass",
    "cache": "@functools.lru_cache\nasync def f(): return 1",
    "cache with a size": "@functools.lru_cache(maxsize=2)\nasync def f(): return 1",
    "validator": (
        "import pydantic\nclass A(pydantic.BaseModel):\n    name: str\n"
        "    @pydantic.field_validator('name')\n    @classmethod\n"
        "    async def is_free(cls, value): return value"
    ),
}


@pytest.mark.parametrize("form", METHODS)
def test_an_async_method_that_nobody_awaits_is_found(audit_body, form):
    """An ``async def`` is found where Python or a library calls it."""
    (found,) = audit_body(METHODS[form])
    assert found.kind is FindingKind.ASYNC_METHOD


@pytest.mark.parametrize(
    "body",
    [
        "def f(store: Store):\n    if store.is_open: return 1",
        "def f(store: Store): return not store.is_open",
        "async def f(store: Store): return f'{store.is_open}'",
    ],
)
def test_an_async_property_that_is_read_as_a_value_is_found(audit_body, body):
    """A property with an async getter gives a coroutine, which is always true."""
    (found,) = audit_body(body)
    assert found.kind is FindingKind.ASYNC_PROPERTY
    assert "await store.is_open" in found.advice


def test_a_coroutine_on_one_path_of_an_async_function_is_found(audit_body):
    """Awaited once, the function gives a list or a coroutine."""
    (found,) = audit_body(
        """
        async def f(x):
            if x:
                return ["a"]
            return work(x)
        """
    )
    assert found.kind is FindingKind.MIXED_RETURN
    assert found.advice == "return await work(...)"


def test_a_coroutine_on_one_path_of_a_used_function_is_found(audit_body):
    """A sync function that a caller awaits must not give a plain value sometimes."""
    (found,) = audit_body(
        """
        def f(x):
            if x:
                return ["a"]
            return work(x)

        async def g(): return await f(1)
        """
    )
    assert found.kind is FindingKind.MIXED_RETURN


@pytest.mark.parametrize(
    "call",
    ["asyncio.create_task(ping())", "asyncio.ensure_future(ping())",
     "asyncio.get_running_loop().create_task(ping())"],
)  # fmt: skip
def test_a_task_that_nobody_keeps_is_found(audit_body, call):
    """The event loop keeps tasks weakly, so one that nobody keeps may vanish."""
    (found,) = audit_body(f"async def f():\n    {call}")
    assert found.kind is FindingKind.LOST_TASK


RIGHT = {
    "kept task": "async def f():\n    it = asyncio.create_task(ping())\n    await it",
    "task of a group": (
        "async def f():\n    async with asyncio.TaskGroup() as group:\n"
        "        group.create_task(ping())"
    ),
    "map for gather": "async def f(xs): return await asyncio.gather(*map(work, xs))",
    "map that is kept": "async def f(xs):\n    todo = list(map(work, xs))\n"
    "    for it in todo: await it",
    "plain callback": "def f(): asyncio.get_running_loop().call_soon(plain, 1)",
    "task from a callback": (
        "def f():\n    loop = asyncio.get_running_loop()\n"
        "    loop.call_soon(lambda: asyncio.create_task(work(1)))"
    ),
    "callback of any colour": "def f(): schedule_any(1, ping)",
    "a module that asks": "def f(): run_either(plain)",
    "asked first": (
        "def f(check=ping):\n"
        "    if not inspect.iscoroutinefunction(check): schedule(1, check)"
    ),
    "start_soon": (
        "import anyio\nasync def f():\n"
        "    async with anyio.create_task_group() as group:\n"
        "        group.start_soon(work, 1)"
    ),
    "async iterator": (
        "class A:\n    async def __aiter__(self): yield 1\n"
        "    async def __aexit__(self, *error): pass\n"
        "    async def __call__(self): pass"
    ),
    "awaited property": "async def f(store: Store): return await store.is_open",
    "property that is handed on": "def f(store: Store): return store.is_open",
    "narrowed parameter": (
        "class Other(Store):\n    def load(self): return {}\n"
        "def f(store: Store):\n"
        "    if isinstance(store, Other): return store.load()['a']"
    ),
    "narrowed before": (
        "class Other:\n    def load(self): return {}\n"
        "def f(store: Store):\n"
        "    if not isinstance(store, Other): return 1\n"
        "    return store.load()['a']"
    ),
    "generated twin": (
        "_IS_SYNC = False\ndef f(store: Store):\n"
        "    if _IS_SYNC: return store.load()['a']"
    ),
    "bound by an inner function": (
        "def f():\n    found = None\n    def run():\n        nonlocal found\n"
        "        found = ping()\n    run()\n    return found\n"
        "async def g(): return await f()"
    ),
    "unknown class": "def f(store: 'Nowhere'): return store.load()['a']",
    "two classes": "def f(store: Store | Holder): return store.load()['a']",
    "rebound parameter": (
        "def f(store: Store, xs):\n    for store in xs: pass\n"
        "    return store.load()['a']"
    ),
    "overridden in another colour": (
        "class Quick(Store):\n    def load(self): return {}\n"
        "def f(store: Store): return store.load()['a']"
    ),
    "stored otherwise": (
        "class A:\n    def __init__(self): self.store = Store()\n"
        "    def swap(self, other): self.store = other\n"
        "    def f(self): return self.store.load()['a']"
    ),
    "both ways on purpose": (
        "def f(is_async):\n    if is_async: return work(1)\n    return ['a']\n"
        "async def g(): return await f(True)"
    ),
    "mixed, and nobody uses it": (
        "def f(x):\n    if x: return work(1)\n    return ['a']"
    ),
    "nothing or a coroutine": "def f(x):\n    if x: return work(1)\n    return None",
    "factory in async with": (
        "class Lock:\n    async def __aenter__(self): return self\n"
        "    async def __aexit__(self, *error): pass\n"
        "def lock(): return Lock()\n"
        "async def f():\n    async with lock(): pass"
    ),
    "factory in async for": (
        "class Rows:\n    def __aiter__(self): return self\n"
        "    async def __anext__(self): raise StopAsyncIteration\n"
        "def rows(): return Rows()\n"
        "async def f():\n    async for row in rows(): pass"
    ),
}


@pytest.mark.parametrize("form", RIGHT)
def test_what_is_right_is_silent(audit_body, form):
    """Code that only looks like one of these mistakes gives no finding."""
    if form == "overridden in another colour":  # the override itself is one
        kinds = {found.kind for found in audit_body(RIGHT[form])}
        assert kinds == {FindingKind.OVERRIDE}
        return
    findings = audit_body(RIGHT[form])
    kinds = {found.kind for found in findings} - {FindingKind.OVERRIDE}
    assert kinds == set()
