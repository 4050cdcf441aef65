"""Checks never break a program that is right."""

from __future__ import annotations

import pytest

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
def test_right_program_runs(load: Load, source: str) -> None:
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
    """A source that is no Python is refused as Python does."""
    with pytest.raises(SyntaxError, match=r"users\.py"):
        checked_code(b"def f(:", "users.py")


def test_what_cannot_be_rewritten_runs_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A module on which typeguard fails is run unchecked, and that is said."""

    def fail() -> None:
        raise LookupError("new syntax")

    monkeypatch.setattr("coroguard.strictness.rewriting.TypeguardTransformer", fail)
    with pytest.warns(RuntimeWarning, match=r"users\.py is not checked.*new syntax"):
        code, is_checked = checked_code(b"x = 1", "users.py")
    exec(code, module := {})
    assert (module["x"], is_checked) == (1, False)
