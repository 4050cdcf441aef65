"""Checks never change a program that is right."""

from __future__ import annotations

import gc
import pickle

import pytest

from coroguard import Event
from coroguard.strictness import checks
from coroguard.strictness.rewriting import checked_code

from .conftest import Load

HEAD = """\
from __future__ import annotations
import typing
import typing as t
if typing.TYPE_CHECKING:
    from decimal import Decimal
if t.TYPE_CHECKING:
    from fractions import Fraction
"""
RIGHT = {
    "name for type checkers only": "def f(x: Decimal) -> int: return 1\nf(1)",
    "the same, of another alias": "def f(x: list[Fraction]) -> int: return 1\nf([1])",
    "the same, in a function": (
        "def f():\n"
        "    if typing.TYPE_CHECKING:\n"
        "        from decimal import Decimal as D\n"
        "    v: D = 1\n"
        "f()"
    ),
    "the same, yielded": "def f() -> t.Iterator[Decimal]:\n    yield 1\nlist(f())",
    "name of the class body": (
        "class A:\n"
        "    class Inner: ...\n"
        "    Alias = int\n"
        "    def f(self, x: Inner, n: Alias) -> list[Inner]: return [x]\n"
        "A().f(A.Inner(), 1)"
    ),
    "variable named as a type": (
        "def f(data: bytes) -> str:\n    bytes = data\n    return 'x'\nf(b'')"
    ),
    "class that takes no parameters at run time": (
        "class Box: ...\ndef f(x: Box[int]) -> Box[int]: return x\nf(Box())"
    ),
    "name that comes later": "def f(x: Later) -> Later: return x\n"
    "class Later: ...\nf(Later())",
    "argument named as its type": "class A: ...\ndef f(A: A) -> A: return A\nf(A())",
    "anything, annotated": (
        "def f(x: t.Annotated[t.Any, 'doc'], y: list[t.Annotated[t.Any, 1]]) -> None:"
        " ...\nf(1, [2])"
    ),
    "forward reference": "def f(x: 't.Sequence[\"Fraction\"]') -> None: ...\nf([1])",
}


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT)
def test_right_program_runs(load: Load, types: None, source: str) -> None:
    """An annotation that cannot be evaluated there does no harm."""
    load(HEAD + source)


def test_annotations_stay_as_written(load: Load) -> None:
    """What reads annotations finds the function's own."""
    module = load("from __future__ import annotations\ndef f(x: int) -> Later: ...")
    assert module["f"].__annotations__ == {"x": "int", "return": "Later"}


def test_docstring_and_future_stay_first(load: Load) -> None:
    """The module keeps its docstring, and its future imports hold."""
    module = load('"""Say."""\nfrom __future__ import annotations\ndef f(x: int): ...')
    assert module["__doc__"] == "Say."


def test_wrong_syntax_is_pythons_error() -> None:
    """A source that is not Python is refused as Python does."""
    with pytest.raises(SyntaxError, match=r"users\.py"):
        checked_code(b"def f(:", "users.py")


# --- what a correct program could notice

SAME = {
    "locals": """
def make(host: str, port: int) -> dict:
    ready: bool = bool(host)
    return dict(locals())
result = make("localhost", 80)
""",
    "names of the module": """
def make(host: str) -> list[str]:
    return sorted(globals())
result = make("localhost")
""",
    "names of the code": """
def make(host: str) -> object:
    n: int = len(host)
    return make.__code__.co_varnames, make.__code__.co_cellvars
result = make("localhost")
""",
    "the caller's frame": """
import sys
def caller() -> str:
    frame = sys._getframe(1)
    return frame.f_code.co_name + str(sorted(frame.f_locals))
def make(host: str) -> str:
    found: str = caller()
    return found
result = make("localhost")
""",
    "overloads": """
import typing
@typing.overload
def make(x: int) -> int: ...
@typing.overload
def make(x: str) -> str: ...
def make(x): return x
result = len(typing.get_overloads(make))
""",
    "an unpacked iterator": """
import itertools
def make() -> object:
    a: int
    a, *b = (n for n in range(3))
    try:
        a, c = itertools.repeat(1, 1)
    except ValueError as error:
        return a, b, str(error)
result = make()
""",
    "a class that is made by its own maker": """
class A:
    def __new__(cls, x: int) -> "A":
        self = super(A, cls).__new__(cls)
        A.made = x
        return self
result = A(3).made
""",
    "a variadic tuple": """
import typing
Ts = typing.TypeVarTuple("Ts")
def make(*values: *Ts) -> tuple[*Ts]:
    return values
result = make(1, "a")
""",
    "a parameter specification": """
import typing
P = typing.ParamSpec("P")
def call(f: typing.Callable[P, int], *args: P.args, **named: P.kwargs) -> int:
    return f(*args, **named)
result = call(lambda a, *, b: a + b, 1, b=2)
""",
    "defaults that are no value": """
MISSING = object()
def make(x: int = None, *, y: int = MISSING) -> bool:
    return (x is None) is (y is MISSING)
result = make(), make(1, y=2), make(None, y=MISSING)
""",
    "a module as a protocol": """
import typing, zlib
class Backend(typing.Protocol):
    level: int
    def compress(self, data: bytes, /) -> bytes: ...
def pack(backend: Backend) -> str:
    return backend.__name__
result = pack(zlib)
""",
    "a protocol with a property": """
import typing
@typing.runtime_checkable
class Named(typing.Protocol):
    @property
    def name(self) -> str: ...
class Row:
    @property
    def name(self) -> str: raise RuntimeError("not loaded")
def show(row: Named) -> str: return type(row).__name__
result = show(Row())
""",
    "a lazy proxy": """
loaded = []
class Lazy:
    @property
    def __class__(self): return loaded.append("loaded") or int
def show(row: int) -> str: return type(row).__name__
result = show(Lazy()), loaded
""",
    "a sequence that asks a server": """
import collections.abc
class Rows(collections.abc.Sequence):
    def __len__(self): raise RuntimeError("asked")
    def __getitem__(self, index): raise RuntimeError("asked")
def show(rows: collections.abc.Sequence[int]) -> str: return type(rows).__name__
result = show(Rows())
""",
    "a class that refuses to be asked": """
class Meta(type):
    def __instancecheck__(cls, value): raise RuntimeError("asked")
class Odd(metaclass=Meta): pass
def show(row: Odd) -> str: return type(row).__name__
result = show(1)
""",
    "a class whose name is text": """
class Row: pass
def make(kind: type["Row"]) -> type["Row"]: return kind
result = make(Row).__name__
""",
    "a comparison that is left to the other": """
class A:
    def __eq__(self, other: object) -> bool: return NotImplemented
result = A() == 1
""",
    "a generator": """
import typing
def rows(n: int) -> typing.Generator[int, str, bool]:
    got = yield n
    return got == "x"
def read() -> object:
    made = rows(1)
    first = next(made)
    try: made.send("x")
    except StopIteration as end: return first, end.value
result = read()
""",
    "line numbers": '''
import traceback
def outer(x: int) -> int:
    """Fail."""
    y: int = x
    return inner(
        y,
    )
@staticmethod
def inner(x: int) -> int:
    raise LookupError
try:
    outer(1)
except LookupError as error:
    result = [it.lineno for it in traceback.extract_tb(error.__traceback__)]
    result += [outer.__code__.co_firstlineno, inner.__func__.__code__.co_firstlineno]
''',
    "an invalid escape": """
def make(x: str) -> str: return "\\d" + x
result = make("1")
""",
}


@pytest.mark.parametrize("source", SAME.values(), ids=SAME)
@pytest.mark.filterwarnings("ignore:.*invalid escape")
def test_a_correct_program_is_the_same(
    load: Load, types: None, events: list[Event], source: str
) -> None:
    """A program gives with the checks what it gives without them."""
    exec(compile(source, "users.py", "exec"), bare := {"__name__": "app.users"})
    assert load(source)["result"] == bare["result"]
    reported = [str(event.error) for event in events]
    assert [it for it in reported if "asked" not in it] == []


def test_functions_that_are_gone_are_forgotten(load: Load) -> None:
    """Functions that are made again and again leave nothing behind."""
    source = "def make():\n    def inner(x: int) -> int: return x\n    return inner(1)"
    load(source)["make"]()
    gc.collect()
    assert all(known.function() is not None for known in checks._known.values())


def test_code_is_pickled_by_value() -> None:
    """The checks inside of code are found again by their name."""
    assert pickle.loads(pickle.dumps(checks.CHECKS)) is checks.CHECKS
