"""Calls that contradict what their name resolves to."""

from __future__ import annotations

import sys
import textwrap

import pytest

from coroguard.bindings.findings import FindingKind

HEALTH = """
from contextlib import asynccontextmanager, contextmanager
from collections.abc import Awaitable, Iterator

async def check(): return {"healthy": True}
def sync_check(): return {"healthy": True}
def annotated() -> dict: return MADE
def built():
    report = dict(healthy=True)
    return report
def passed_on(): return built()
def unsure(): return MADE
class Awaiting:
    def __await__(self): yield
def awaiting(): return Awaiting()
def facade() -> Awaitable[dict]: return check()
async def rows(): yield 1
@asynccontextmanager
async def session(): yield 1
MADE = None

class Base:
    def ping(self) -> bool: return True
    async def acheck(self): return {}

class Manager(Base):
    def __init__(self): self.handler = None
    async def check(self): return {}
    def sync_check(self) -> dict: return {}
    @staticmethod
    async def fetch(): return {}
    @classmethod
    async def load(cls): return {}
    def handler(self) -> int: return 1

manager = Manager()
"""
USED = """
from . import health
from .health import *
from .health import Manager, manager

async def handle(given=None):
"""
SYNC = "def handle(given=None):\n"


def module(body: str) -> str:
    return USED + textwrap.indent(textwrap.dedent(body).strip() + "\n", "    ")


WRONG = {
    "attribute": 'check().get("a")',
    "subscript": 'check()["healthy"]',
    "truth test": "if check(): pass",
    "negation": "if not check(): pass",
    "and": "given and check() and given",
    "or": "return check() or {}",
    "comparison": "return check() == {}",
    "identity": "return check() is None",
    "arithmetic": "return check() + 1",
    "text": 'return f"{check()}"',
    "iteration": "for row in check(): pass",
    "comprehension": "return [row for row in check()]",
    "unpacking": "first, second = check()",
    "star": "return [*check()]",
    "len": "return len(check())",
    "dict": "return dict(check())",
    "with": "with check(): pass",
    "conditional test": "return 1 if check() else 2",
    "assert": "assert check()",
    "while": "while check(): pass",
    "dropped": "check()",
    "variable": 'report = check()\nreturn report.get("a", [])',
    "variable in a comprehension": "report = check()\nreturn [row for row in report]",
    "variable, tested": "found = check()\nif not found:\n    return 1\nreturn found.a",
    "variable with a fallback": "try:\n    report = check()\nexcept Exception:\n"
    "    report = {}\nreturn report.get(1)",
    "named expression": "if not (found := check()):\n    return found.text",
    "through the module": 'health.check()["healthy"]',
    "imported inside": "from .health import check as inner\nreturn inner().get(1)",
    "imported in a handler": "try:\n    given.run()\nexcept Exception:\n"
    "    from audited_app.health import check as run\n    return run().get(1)",
    "imported as a module": "import audited_app.health\n"
    "return audited_app.health.check().get(1)",
    "made here": "made = Manager()\nreturn made.check().get(1)",
    "made at once": "return Manager().check().get(1)",
    "instance of the module": "return manager.check().get(1)",
    "inherited": "return manager.acheck().get(1)",
    "static method": "return Manager.fetch().get(1)",
    "class method": "return Manager.load().get(1)",
    "awaited though sync": "await sync_check()",
    "awaited though annotated as plain": "await annotated()",
    "awaited though built": "await built()",
    "awaited though plain elsewhere": "await passed_on()",
    "awaited variable": "found = sync_check()\nreturn await found",
    "awaited method": "await manager.sync_check()",
    "async for over a coroutine": "async for row in check(): pass",
    "async for over a sync one": "async for row in built(): pass",
    "async with a sync one": "async with annotated(): pass",
    "await of an async generator": "await rows()",
    "for over an async generator": "for row in rows(): pass",
    "with an async context": "with session(): pass",
    "both ways, one after the other": "first = await check()\n"
    "return check().get(first)",
    "in a condition that names it": "from .health import check as async_check\n"
    "if not async_check(): pass",
    "under a condition on something else": "if isinstance(given, dict):\n"
    "    check().get(1)",
    "under a test of its own name": "if check is not None:\n    check().get(1)",
    "in a lambda": "return lambda: check().get(1)",
    "in an inner function": "def inner():\n    return check().get(1)\nreturn inner",
}


@pytest.mark.parametrize("form", WRONG)
def test_a_wrong_call_is_found(audit_of, form):
    """A call whose use cannot go well is found, with both places."""
    text = module(WRONG[form])
    if "await" not in text.partition("handle")[2] and "async " not in WRONG[form]:
        text = text.replace("async def handle", "def handle")
    audited = audit_of(health=HEALTH, used=text)
    assert audited.failed == ()
    (found,) = audited.findings
    assert found.kind is FindingKind.WRONG_CALL
    assert "used.py:" in found.first
    assert "health.py:" in found.second


RIGHT = {
    "awaited": "await check()",
    "gathered": "import asyncio\nreturn await asyncio.gather(check(), check())",
    "task": "import asyncio\ntask = asyncio.create_task(check())\nreturn await task",
    "returned": "return check()",
    "in a list": "return [check(), check()]",
    "variable, awaited": "found = check()\nreturn await found",
    "variable, passed on": "found = check()\nif found is not None:\n    given(found)",
    "variable, asked": "import inspect\nfound = check()\n"
    "if inspect.isawaitable(found):\n    found = await found\nreturn found['a']",
    "variable, awaited in a branch": "found = check()\nif given:\n"
    "    return await found\nfound.close()",
    "variable, closed over": "found = check()\ndef later():\n    return found\n"
    "found.text\nreturn later",
    "variable, bound by an inner function": "found = sync_check()\n"
    "def later():\n    nonlocal found\n    found = check()\nlater()\n"
    "return await found",
    "variable, bound otherwise": "found = check()\nfor found in given: pass\n"
    "return found.text",
    "closed": "check().close()",
    "its frame": "return check().cr_frame",
    "chosen by if": "if given:\n    return await check()\nreturn check()['a']",
    "chosen by a conditional": "return (await check()) if given else check()['a']",
    "chosen by else": "if given:\n    await check()\nelse:\n    check()",
    "chosen by except": "try:\n    return await sync_check()\nexcept TypeError:\n"
    "    return sync_check()['a']",
    "asked by name": "import inspect\nif inspect.iscoroutinefunction(check):\n"
    "    return await check()\nreturn given",
    "asked before": "import inspect\nkind = inspect.iscoroutinefunction(sync_check)\n"
    "if kind:\n    await sync_check()",
    "an awaitable object": "await awaiting()",
    "asked by its class": "if isinstance(manager, given):\n"
    "    await manager.sync_check()",
    "asked by a flag": "if given.is_async:\n    return await sync_check()",
    "another version": "import sys\nif sys.version_info >= (3, 99):\n"
    "    return await sync_check()",
    "expected to fail": "with given.raises(TypeError):\n    check()['a']",
    "a parameter": "async def inner(check):\n    return check()['a']\nreturn inner",
    "bound in two ways": "if given:\n    from .health import check\nelse:\n"
    "    check = given\nreturn check()['a']",
    "a loop variable": "for check in given:\n    check()['a']",
    "not loaded": "from no_such_module import check\nreturn check()['a']",
    "a facade": "await facade()",
    "a facade, kept": "found = facade()\nreturn found.text",
    "unsure": "await unsure()",
    "unsure, as a value": "return unsure()['a']",
    "async for": "async for row in rows(): pass",
    "async comprehension": "return [row async for row in rows()]",
    "async with": "async with session(): pass",
    "an iterator": "return rows().__aiter__()",
    "sync": "return sync_check()['a']",
    "a method that is replaced": "await manager.handler()",
    "an unknown object": "await given.sync_check()",
    "made from each other": "one = two.check()\ntwo = one.check()\nreturn one.a",
    "made from itself": "one = given\none = one.check().check()\nreturn one.a",
    "a subclass perhaps": "for made in [Manager()]:\n    await made.sync_check()",
    "meant": "check()['a']  # coroguard: ok, shown in the tutorial",
}


@pytest.mark.parametrize("form", RIGHT)
def test_a_right_call_is_not_reported(audit_of, form):
    """What is awaited, passed on, chosen or unknown is fine."""
    audited = audit_of(health=HEALTH, used=module(RIGHT[form]))
    assert (audited.findings, audited.failed) == ((), ())


METHODS = {
    "self": ("return self.acheck().get(1)", 1),
    "cls": ("return cls.load().get(1)", 1),
    "super": ("return super().acheck().get(1)", 1),
    "awaited self": ("await self.ping()", 1),
    "self of an inner function": ("return [self.acheck().a for _ in 'a']", 1),
    "rebound self": ("self = given()\n        return self.acheck().get(1)", 0),
    "overridden in a subclass": ("await self.flips()", 0),
    "set on objects": ("await self.hook()", 0),
    "annotated": ("await self.field()", 0),
    "unknown": ("await self.nothing()", 0),
}


@pytest.mark.parametrize("form", METHODS)
def test_methods_are_looked_up_on_the_class(audit_of, form):
    """``self``, ``cls`` and ``super()`` resolve to one method, or to none."""
    call, expected = METHODS[form]
    first = "cls" if "cls." in call else "self"
    decorator = "@classmethod\n    " if first == "cls" else ""
    text = f"""
from typing import Any, Callable
from .health import Manager

class Child(Manager):
    field: Any = Manager.ping
    def __init__(self): self.hook = given
    def hook(self) -> bool: return True
    def flips(self) -> bool: return True
    {decorator}async def handle({first}, given=None):
        {call}

class AsyncChild(Child):
    async def flips(self): return True

def given(): return 1
"""
    if "await" not in call:
        text = text.replace("async def handle", "def handle")
    audited = audit_of(health=HEALTH, used=text)
    assert (len(audited.findings), audited.failed) == (expected, ())


DEAD = {
    "a definition that another replaced": "def handle(): return check()['a']\n"
    "def handle(): return 1\n",
    "a branch that was not taken": "if not __debug__:\n"
    "    def handle(): return check()['a']\nelse:\n    def handle(): return 1\n",
    "a class that was not taken": "if not __debug__:\n    class Handler:\n"
    "        def handle(self): return check()['a']\nelse:\n    class Handler:\n"
    "        def other(self): return 1\n",
    "for the type checker": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
    "    REPORT = check()['a']\n",
    "rebound by a function": "def setup():\n    global check\n    check = len\n"
    "def handle(): return check()['a']\n",
    "replaced while it is imported": "check = dict\nREPORT = check().get('a')\n"
    "from .health import check\n",
}


@pytest.mark.parametrize("form", DEAD)
def test_code_that_does_not_run_so_is_not_reported(audit_of, form):
    """What this process never reaches contradicts nothing here and now."""
    text = "from .health import check\n" + DEAD[form]
    audited = audit_of(health=HEALTH, used=text)
    kinds = {found.kind for found in audited.findings}
    assert (kinds - {FindingKind.IMPORTED_TWICE}, audited.failed) == (set(), ())


def test_a_static_method_has_no_self(audit_of):
    """What a static method calls ``self`` may be anything."""
    text = """
class Health:
    async def check(self): return 1
    @staticmethod
    def handle(self): return self.check().a
    def later(other, self): return self.check().a
"""
    assert audit_of(used=text).findings == ()


ODD_CLASSES = {
    "a descriptor": """
class Task:
    def __get__(self, owner, kind): return dict
    async def __call__(self): return 1
class Health:
    check = Task()
health = Health()
def handle(): return health.check().a
""",
    "lookups of its own": """
class Health:
    def __getattribute__(self, name): return dict
    async def check(self): return 1
health = Health()
def handle(): return health.check().a
""",
    "computed names": """
class Health:
    def __init__(self, **given):
        for name, value in given.items(): setattr(self, name, value)
    async def check(self): return 1
def handle():
    made = Health(check=dict)
    return made.check().a
""",
    "functions that call each other": """
def one(): return two()
def two(): return one()
async def handle(): return await one()
""",
}


@pytest.mark.parametrize("form", ODD_CLASSES)
def test_what_only_running_it_can_show_is_not_reported(audit_of, form):
    """Descriptors, own lookups and computed names lead nowhere for certain."""
    audited = audit_of(used=ODD_CLASSES[form])
    assert (audited.findings, audited.failed) == ((), ())


def test_a_metaclass_counts(audit_of):
    """What a metaclass defines by the same name is not the class's."""
    text = """
class Meta(type):
    check = property(lambda cls: print)
    def load(cls) -> int: return 1
    async def run(cls): return await cls.load()
class Health(metaclass=Meta):
    async def check(self): return 1
def handle(): return Health.check(1).a
"""
    assert audit_of(used=text).findings == ()


def test_a_decorator_of_unknown_kind_decides_nothing(audit_of):
    """The annotation that a decorator copied is not what the wrapper gives."""
    text = """
import functools
def in_thread(function):
    @functools.wraps(function)
    def wrapper(*args): return pool.submit(function, *args)
    return wrapper
pool = None
@in_thread
def load() -> int: return 1
async def handle(): return await load()
"""
    assert audit_of(used=text).findings == ()


def test_type_variables_and_foreign_classes_decide_nothing(audit_of):
    """Only an annotation that can be read for certain makes a function plain."""
    text = """
from __future__ import annotations
import asyncio
from concurrent.futures import Future
from typing import TypeVar
T = TypeVar("T")
def same(value: T) -> T: return value
def ready() -> asyncio.Future: return asyncio.get_running_loop().create_future()
def lock() -> asyncio.Lock: return made()
def made(): return 1
async def handle():
    await same(made())
    await ready()
    async with lock(): pass
"""
    assert audit_of(used=text).findings == ()


def test_a_name_that_was_rebound_at_run_time_is_seen(audit_of, write):
    """What counts is the object that the name resolves to now, not its source."""
    write(
        health=HEALTH,
        used="from . import health\ndef handle(): return health.sync_check()['a']\n",
        wiring="from . import health\nhealth.sync_check = health.check\n",
    )
    (found,) = audit_of(
        health=HEALTH,
        used="from . import health\ndef handle(): return health.sync_check()['a']\n",
        wiring="from . import health\nhealth.sync_check = health.check\n",
    ).findings
    assert found.name == "audited_app.used:health.sync_check"


def test_the_finding_of_a_handler_is_described_as_such(audit_of):
    """A name that was imported in an ``except`` block is described as such."""
    text = module(WRONG["imported in a handler"]).replace("async def", "def")
    (found,) = audit_of(health=HEALTH, used=text).findings
    assert found.headline == (
        "handle() uses the result of run() without await, and it is async here; "
        "it was imported in an except block"
    )
    assert found.advice == (
        "write await run(...) there and make handle async, or call a synchronous twin"
    )


def test_the_finding_of_a_choice_does_not_name_the_handler(audit_of):
    """A name that the handler would only have imported came from elsewhere."""
    text = "try:\n    from .health import check\nexcept ImportError:\n"
    text += "    from .health import sync_check as check\n"
    found = audit_of(
        health=HEALTH, used=f"{text}def handle(): return check().a"
    ).findings
    annotated = [it.headline for it in found if it.kind is FindingKind.WRONG_CALL]
    assert [it for it in annotated if "except" in it] == []
    assert len(annotated) == 1


def test_nothing_outside_is_imported(audit_of):
    """A module that the package names inside a function stays unloaded."""
    sys.modules.pop("this", None)
    audit_of(used="def handle():\n    from this import s\n    return s().get(1)\n")
    assert "this" not in sys.modules


PROMISES = """
import functools
from typing import Any, Optional, Protocol, Self

class Manager:
    async def check(self): return {}
    def sync_check(self) -> dict: return {}
    def child(self) -> "Manager": return self
    def itself(self) -> Self: return self
class Sub(Manager):
    async def sync_check(self): return {}
class Shape(Protocol):
    async def check(self): ...

def manager() -> Manager: return Manager()
def maybe() -> Manager | None: return None
def text() -> "Optional[Manager]": return Manager()
async def amanager() -> Manager: return Manager()
def shape() -> Shape: return Manager()
class Other:
    def check(self): return UNKNOWN
def either() -> Manager | Other: return Manager()
def either_way() -> Other | Manager: return Manager()
def anything() -> Any: return Manager()
def silent(): return Manager()
def given(function):
    @functools.wraps(function)
    def call(): return 1
    return call
@given
def wrapped() -> Manager: return Manager()
"""
PROMISED_WRONG = [
    "manager().check().get(1)",
    "return bool(manager().child().check())",
    "found = manager()\n    if not found.check(): return 1",
    "found = maybe()\n    return found.check() is None",
    "found = text()\n    return found.check().a",
    "found = await amanager()\n    return found.check().a",
    "return (await amanager()).check().a",
    "return shape().check().a",
]
PROMISED_RIGHT = [
    "await manager().check()",
    "return manager().check()",
    "await manager().sync_check()",
    "return either().check().a",
    "return either_way().check().a",
    "return anything().check().a",
    "return silent().check().a",
    "return wrapped().check().a",
    "return manager().itself().check().a",
    "return manager().unknown().a",
]


def wrong_calls(audit):
    return [it for it in audit.findings if it.kind is FindingKind.WRONG_CALL]


@pytest.mark.parametrize("body", PROMISED_WRONG)
def test_what_an_annotation_promises_is_looked_up(audit_of, body):
    """A method of a result is found on the class that the annotation names."""
    handler = f"from .promises import *\nasync def handle():\n    {body}\n"
    (finding,) = wrong_calls(audit_of(promises=PROMISES, handler=handler))
    assert ".check" in finding.second


@pytest.mark.parametrize("body", PROMISED_RIGHT)
def test_what_no_annotation_promises_for_sure_is_not_reported(audit_of, body):
    """A choice, a wrapper, and a subclass of another colour are unsure."""
    handler = f"from .promises import *\nasync def handle():\n    {body}\n"
    assert wrong_calls(audit_of(promises=PROMISES, handler=handler)) == []


@pytest.mark.parametrize(
    ("body", "who"),
    [
        ("amanager().check().a", "amanager()"),
        ("(await manager()).check().a", "manager()"),
    ],
)
def test_a_call_in_the_wrong_colour_gives_nothing_to_look_up(audit_of, body, who):
    """A call that is wrong itself causes no second finding about its result."""
    handler = f"from .promises import *\nasync def handle():\n    return {body}\n"
    (finding,) = wrong_calls(audit_of(promises=PROMISES, handler=handler))
    assert f" {who}" in finding.headline


HEADER = """
from typing import Any
from collections.abc import AsyncIterator, Awaitable

async def check() -> dict: return {}
async def rows(): yield 1
def registered(function): return function
def guard(function): return function

"""
RETURNED_WRONG = {
    "a dict": "def handle() -> dict: return check()",
    "text": "def handle() -> 'dict[str, int] | None': return check()",
    "nothing": "def handle() -> None: return check()",
    "from a coroutine function": "async def handle() -> dict: return check()",
    "in a branch": "def handle(x) -> dict: return {} if x else check()",
    "a guarded one": "@guard\ndef handle() -> dict: return check()",
    "a static method": "class A:\n    @staticmethod\n"
    "    def handle() -> dict: return check()",
}
RETURNED_RIGHT = {
    "no annotation": "def handle(): return check()",
    "anything": "def handle() -> Any: return check()",
    "an awaitable": "def handle() -> Awaitable[dict]: return check()",
    "either": "def handle() -> 'Awaitable[dict] | dict': return check()",
    "an unknown name": "def handle() -> 'Unknown': return check()",
    "rows": "def handle() -> AsyncIterator[int]: return rows()",
    "a decorator that may await": "@registered\ndef handle() -> dict: return check()",
    "a lambda": "def handle() -> dict: return {'f': lambda: check()}",
    "awaited": "async def handle() -> dict: return await check()",
}


@pytest.mark.parametrize("form", RETURNED_WRONG)
def test_a_coroutine_handed_out_as_a_plain_value_is_found(audit_of, form):
    """A return that the function's own annotation rules out is a wrong call."""
    (finding,) = wrong_calls(audit_of(handler=HEADER + RETURNED_WRONG[form]))
    assert "uses the result of check() without await" in finding.headline


@pytest.mark.parametrize("form", RETURNED_RIGHT)
def test_a_coroutine_that_may_be_handed_out_is_not_reported(audit_of, form):
    """A return that no annotation rules out, or that a decorator gets, is silent."""
    assert wrong_calls(audit_of(handler=HEADER + RETURNED_RIGHT[form])) == []


HELD = """
class Redis:
    async def ping(self): return True
    def url(self) -> str: return ""
class Health:
    def __init__(self, given=None):
        self.redis = Redis()
        self.given = given
    def check(self):
        return bool(self.redis.ping())
"""
HELD_RIGHT = {
    "stored again": ("self.given = given", "self.given = given; self.redis = given"),
    "a default": ("self.redis = Redis()", "self.redis = given or Redis()"),
    "given": ("self.redis = Redis()", "self.redis = given"),
    "stored from outside": (
        "class Health",
        "def swap(it): it.redis = 1\n\nclass Health",
    ),
    "stored by a subclass": (
        "return bool(self.redis.ping())",
        "return bool(self.redis.ping())\n"
        "class Sub(Health):\n    def __init__(self): self.redis = 1",
    ),
    "a class attribute": ("    def __init__", "    redis = None\n    def __init__"),
    "stored on another object": ("self.redis = Redis()", "given.redis = Redis()"),
    "unpacked": ("self.redis = Redis()", "self.redis, _ = Redis(), 1"),
    "by a computed name": (
        "self.given = given",
        "self.given = given; setattr(self, str(given), 1)",
    ),
    "made from itself": ("self.redis = Redis()", "self.redis = self.redis.ping()"),
    "awaited": (
        "def check(self):\n        return bool(self.redis.ping())",
        "async def check(self):\n        return await self.redis.ping()",
    ),
}


def test_what_an_object_holds_is_looked_up(audit_of):
    """A method of what a class makes and keeps, and nobody replaces, is found."""
    (finding,) = wrong_calls(audit_of(handler=HELD))
    assert finding.second.endswith("async def Redis.ping")
    assert "Health.check() uses the result of self.redis.ping()" in finding.headline


def test_what_another_class_holds_does_not_matter(audit_of):
    """A namesake in an unrelated class changes nothing."""
    other = "class Other:\n    def __init__(self): self.redis = 1\n"
    assert len(wrong_calls(audit_of(handler=f"{HELD}\n{other}"))) == 1


def test_what_an_inherited_class_holds_is_looked_up(audit_of):
    """So is a method of what a base class of the same module keeps."""
    sub = "class Sub(Health):\n    def ready(self): return not self.redis.ping()\n"
    assert len(wrong_calls(audit_of(handler=f"{HELD}\n{sub}"))) == 2


@pytest.mark.parametrize("form", HELD_RIGHT)
def test_what_an_object_may_hold_is_not_reported(audit_of, form):
    """What is given, replaced, or stored in another way is not known."""
    before, after = HELD_RIGHT[form]
    assert before in HELD
    found = wrong_calls(audit_of(handler=HELD.replace(before, after)))
    assert [it for it in found if "self.redis.ping() gives" in it.headline] == []
