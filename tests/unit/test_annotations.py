"""The reader of annotations."""

from __future__ import annotations

import collections.abc
import sys
import types
import typing
from typing import Any

import pytest

from coroguard._inspect.annotations import annotations_of, return_annotation

RAN: list[str] = []
# Text under ``from __future__ import annotations``; before 3.14 evaluated without.
SOURCE = """
import collections.abc
import typing

def runs(*anything):
    RAN.append("a call")
    return int

class Meta(type):
    def __or__(cls, other):
        RAN.append("an operator")
        return cls

    def __getattr__(cls, name):
        RAN.append(f"the metaclass, for {name}")

class Known(metaclass=Meta):
    class Inner: ...

class Reads:
    def __class_getitem__(cls, item):
        RAN.append("a subscript")
        return cls

Alias = "int | None"
"""


def module(annotation: str, future: bool = True) -> dict[str, Any]:
    """Make a module with a function that has this return annotation."""
    flags = __import__("__future__").annotations.compiler_flag if future else 0
    names: dict[str, Any] = {"__name__": "annotated", "RAN": RAN}
    run(f"{SOURCE}\ndef f() -> {annotation}: ...", names, flags)
    RAN.clear()
    return names


def run(text: str, names: dict[str, Any], flags: int = 0) -> None:
    """Run code without the future statement of this file."""
    exec(compile(text, "annotated.py", "exec", flags, dont_inherit=True), names)


KNOWN: dict[str, object] = {
    "int": int,
    "None": None,
    "'int'": int,
    "typing.Any": Any,
    "list[int]": list[int],
    "dict[str, 'int']": dict[str, int],
    "collections.abc.Mapping[str, int]": collections.abc.Mapping[str, int],
    "typing.Optional[int]": typing.Optional[int],  # noqa: UP045
    "int | None": typing.Optional[int],  # noqa: UP045
    "typing.Callable[[int], str]": typing.Callable[[int], str],
    "collections.abc.Callable[..., int]": collections.abc.Callable[..., int],
    "collections.abc.Callable[[int], str]": collections.abc.Callable[[int], str],
    "typing.Literal['a', 1]": typing.Literal["a", 1],
    "typing.Annotated[int, 'unit']": typing.Annotated[int, "unit"],
    "tuple[int, ...]": tuple[int, ...],
    "Alias": typing.Optional[int],  # noqa: UP045
}


@pytest.mark.parametrize("annotation", KNOWN)
def test_known_names_are_evaluated(annotation: str) -> None:
    """An annotation whose names are all known becomes the object it names."""
    assert return_annotation(module(annotation)["f"]) == KNOWN[annotation]


@pytest.mark.parametrize(
    "annotation",
    ["Later", "list[Later]", "module.Later", "Later | None", "lambda: 1", "1 +"],
)
def test_unknown_names_stay_text(annotation: str) -> None:
    """A name that only type checkers know is a word and not an error."""
    names = module(repr(annotation), future=False)
    assert return_annotation(names["f"]) == annotation


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("runs()", "runs()"),
        ("list[runs()]", "list[runs()]"),
        ("Reads[int]", "Reads"),
        ("Known.Inner", "Inner"),
        ("Known.Other", "Known.Other"),
        ("Known | None", "Known"),
        ("typing.Annotated[int, runs()]", "int"),
    ],
)
def test_no_code_of_the_users_runs(annotation: str, expected: str) -> None:
    """Calls, subscripts, operators and metaclasses in annotations do not run."""
    found = return_annotation(module(annotation)["f"])
    assert RAN == []
    assert expected in repr(found)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="evaluated by Python itself")
@pytest.mark.parametrize("annotation", ["runs()", "Reads[int]", "Known | None", "X"])
def test_lazy_annotations_run_no_code(annotation: str) -> None:
    """Annotations that Python evaluates late are read and not run."""
    names = module(annotation, future=False)
    assert return_annotation(names["f"]) is not Any
    assert RAN == []


@pytest.mark.skipif(sys.version_info < (3, 15), reason="there are no lazy imports")
@pytest.mark.parametrize(
    ("statement", "annotation"),
    [
        ("lazy import colorsys", "colorsys.Hue"),
        ("lazy from colorsys import hls_to_rgb as Hue", "Hue"),
    ],
    ids=["module", "name"],
)
def test_a_lazily_imported_name_is_not_imported(
    statement: str, annotation: str
) -> None:
    """An annotation that names what is imported lazily does not import it."""
    sys.modules.pop("colorsys", None)
    names: dict[str, Any] = {"__name__": "annotated"}
    run(f"{statement}\ndef f() -> {annotation}: ...", names)
    assert return_annotation(names["f"]) == annotation
    assert "colorsys" not in sys.modules


def test_a_class_is_found_by_its_own_name() -> None:
    """A method that is annotated with its class finds it once it is defined."""
    names: dict[str, Any] = {"__name__": "annotated"}
    run("class C:\n    def same(self) -> 'C': ...", names)
    assert return_annotation(names["C"].same) is names["C"]


def test_names_of_a_function_are_found() -> None:
    """An annotation may name a class of the function around it, and of the class."""
    code = """
def outer():
    class Local: ...
    class Owner:
        class Inner: ...
        field: Inner
        def method(self) -> Inner: ...
    def f() -> Local: return Local
    return f, Owner
"""
    names: dict[str, Any] = {"__name__": "annotated"}
    run(code, names)
    f, owner = names["outer"]()
    assert return_annotation(f) is f()
    assert return_annotation(owner.method) is owner.Inner
    assert annotations_of(owner) == {"field": owner.Inner}


def test_a_hostile_class_is_not_asked() -> None:
    """A class whose metaclass raises has annotations like any other."""
    names: dict[str, Any] = {"__name__": "annotated"}
    code = """
class Hostile(type):
    def __getattribute__(cls, name):
        raise RuntimeError(name)

class C(metaclass=Hostile):
    field: int
"""
    run(code, names)
    assert annotations_of(names["C"]) == {"field": int}


@pytest.mark.parametrize(
    "target",
    [3, None, len, types.SimpleNamespace(), object()],
    ids=lambda target: type(target).__name__,
)
def test_what_has_no_annotations_has_none(target: object) -> None:
    """Any object can be asked."""
    assert (return_annotation(target), annotations_of(target)) == (Any, {})
