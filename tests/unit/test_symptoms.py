"""The texts of leaks, in every form in which a coroutine can be used as a value."""

# ruff: noqa: F633, FLY002, PT017, SIM115, T201, UP030, UP031, UP032

from __future__ import annotations

import base64
import contextlib
import copy
import datetime
import decimal
import fractions
import functools
import hashlib
import heapq
import io
import itertools
import json
import math
import operator
import os
import pathlib
import random
import re
import string
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coroguard import LeakKind, explain
from coroguard._leaks import symptoms
from coroguard._leaks.symptoms import symptom
from coroguard._runtime.collector import collect

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


@pytest.fixture(autouse=True, scope="module")
def collected() -> Iterator[None]:
    """Let go of what the tracebacks hold before another module's tests begin."""
    yield
    collect()


async def fetch(*args: Any) -> Any:
    return 1


def with_() -> Any:
    with fetch():  # type: ignore[attr-defined]
        pass


def unpacked() -> Any:
    _a, _b = fetch()


def looped() -> Any:
    for _ in fetch():  # type: ignore[attr-defined]
        pass


def augmented() -> Any:
    answer: Any = fetch()
    answer["a"] += 1


def delegated() -> Any:
    def generator() -> Any:
        yield from fetch()

    list(generator())


def decorated() -> Any:
    @fetch()  # type: ignore[misc]
    def function() -> None: ...


FORMS: dict[str, Callable[[], Any]] = {
    form.__name__.strip("_"): form
    for form in (with_, unpacked, looped, augmented, delegated, decorated)
}
FORMS |= {
    "attribute": lambda: fetch().get("a"),
    "set attribute": lambda: setattr(fetch(), "a", 1),
    "subscript": lambda: fetch()["a"],
    "slice": lambda: fetch()[1:2],
    "set item": lambda: operator.setitem(fetch(), "a", 1),
    "delete item": lambda: operator.delitem(fetch(), "a"),
    "call": lambda: fetch()(),
    "iterate": lambda: [one for one in fetch()],  # noqa: C416
    "list": lambda: list(fetch()),
    "set": lambda: set(fetch()),
    "next": lambda: next(fetch()),
    "star": lambda: [*fetch()],
    "star argument": lambda: print(*fetch()),
    "double star": lambda: {**fetch()},
    "double star argument": lambda: print(**fetch()),
    "in": lambda: 1 in fetch(),
    "not in": lambda: 1 not in fetch(),
    "in text": lambda: fetch() in "abc",
    "len": lambda: len(fetch()),
    "reversed": lambda: reversed(fetch()),
    "sorted": lambda: sorted(fetch()),
    "zip": lambda: zip([1], fetch(), strict=False),
    "map": lambda: list(map(fetch(), [1])),
    "sum": lambda: sum([fetch()]),
    "min": lambda: min([fetch(), 1]),
    "plus": lambda: fetch() + 1,
    "plus number": lambda: 1 + fetch(),
    "plus text": lambda: "a" + fetch(),
    "plus list": lambda: [1] + fetch(),  # noqa: RUF005
    "plus bytes": lambda: b"a" + fetch(),
    "times text": lambda: "a" * fetch(),
    "minus": lambda: fetch() - 1,
    "power": lambda: fetch() ** 2,
    "power with modulus": lambda: pow(2, fetch(), 3),
    "divmod": lambda: divmod(fetch(), 2),
    "shift": lambda: print >> fetch(),  # type: ignore[operator]
    "negative": lambda: -fetch(),
    "absolute": lambda: abs(fetch()),
    "round": lambda: round(fetch()),
    "less": lambda: fetch() < 1,
    "greater": lambda: 1 > fetch(),  # noqa: SIM300
    "int": lambda: int(fetch()),
    "float": lambda: float(fetch()),
    "complex": lambda: complex(fetch()),
    "hex": lambda: hex(fetch()),
    "ord": lambda: ord(fetch()),
    "range": lambda: range(fetch()),
    "index of a list": lambda: [1, 2][fetch()],
    "index of a text": lambda: "ab"[fetch()],
    "slice of a list": lambda: [1, 2][fetch() :],
    "bytes": lambda: bytes(fetch()),
    "memoryview": lambda: memoryview(fetch()),
    "%d": lambda: "%d" % fetch(),
    "%.1f": lambda: "%.1f" % fetch(),
    "%x": lambda: "%x" % fetch(),
    "%c": lambda: "%c" % fetch(),
    "%s %s": lambda: "%s %s" % fetch(),
    "%(a)s": lambda: "%(a)s" % fetch(),
    "%d in bytes": lambda: b"%d" % fetch(),
    "f-string": lambda: f"{fetch():>10}",
    "format": lambda: f"{fetch():d}",
    "format attribute": lambda: string.Formatter().format("{0.a}", fetch()),
    "format item": lambda: "{0[a]}".format(fetch()),
    "join": lambda: ",".join(fetch()),
    "join item": lambda: ",".join([fetch()]),
    "join bytes": lambda: b",".join([fetch()]),
    "split": lambda: "a".split(fetch()),
    "replace": lambda: "a".replace("a", fetch()),
    "startswith": lambda: "a".startswith(fetch()),
    "find": lambda: "a".find(fetch()),
    "strip": lambda: "a".strip(fetch()),
    "encode": lambda: "a".encode(fetch()),
    "str": lambda: str(fetch(), "utf-8"),
    "json": lambda: json.dumps(fetch()),
    "json inside": lambda: json.dumps({"a": [fetch()]}),
    "json key": lambda: json.dumps({fetch(): 1}),
    "json text": lambda: json.loads(fetch()),
    "open": lambda: open(fetch()),
    "path": lambda: pathlib.Path(fetch()),
    "path part": lambda: pathlib.Path("a") / fetch(),
    "os path": lambda: os.path.join("a", fetch()),
    "environment": lambda: os.environ.get(fetch()),
    "regular expression": lambda: re.match("a", fetch()),
    "isinstance": lambda: isinstance(1, fetch()),
    "sleep": lambda: time.sleep(fetch()),
    "square root": lambda: math.sqrt(fetch()),
    "timedelta": lambda: datetime.timedelta(seconds=fetch()),
    "decimal": lambda: decimal.Decimal(fetch()),
    "fraction": lambda: fractions.Fraction(fetch()),
    "deep copy": lambda: copy.deepcopy(fetch()),
    "update": lambda: {}.update(fetch()),
    "extend": lambda: [].extend(fetch()),
    "union": lambda: {1} | fetch(),
    "chain": lambda: list(itertools.chain(fetch())),
    "reduce": lambda: functools.reduce(max, fetch()),
    "choice": lambda: random.choice(fetch()),
    "heap": lambda: heapq.heappush([1], fetch()),
    "base64": lambda: base64.b64encode(fetch()),
    "hash": lambda: hashlib.sha256(fetch()),
    "stream": lambda: io.StringIO(fetch()),
    "exit stack": lambda: contextlib.ExitStack().enter_context(fetch()),
}

NAMELESS = {
    "%c",
    "%s %s",
    "%(a)s",
    "join",
    "strip",
    "slice of a list",
    "isinstance",
    "fraction",
    "reduce",
    "hash",
}


@pytest.mark.parametrize("form", FORMS)
def test_explain_names_the_coroutine_in_every_form(form: str) -> None:
    """The coroutine is named, however it was used and CPython words the error."""
    try:
        FORMS[form]()
    except Exception as error:
        leak = explain(error)
        assert leak is not None, error
        assert (leak.kind, leak.name) == (LeakKind.MISUSED, "fetch"), error
    else:
        raise AssertionError("nothing was raised")


@pytest.mark.parametrize("form", sorted(FORMS.keys() - NAMELESS))
@pytest.mark.parametrize("prefix", ["", "database: ", "TypeError('"])
def test_the_text_of_every_form_is_a_symptom(form: str, prefix: str) -> None:
    """The interpreter's own text, alone or after a prefix, is a symptom."""
    try:
        FORMS[form]()
    except Exception as error:
        leak = symptom(f"{prefix}{error}", quoted=False)
        assert leak is not None, error
        assert leak.what == "coroutine"


PROSE = [
    "the coroutine pool is full; awaiting a free slot",
    "we expect an answer of the async worker, not a timeout",
    "await the result of the coroutine before it is used",
    "the asynchronous context manager of the database is closed",
    "an argument against coroutines: threads are simpler",
]


@pytest.mark.parametrize("text", PROSE)
def test_words_about_coroutines_are_no_symptom(text: str) -> None:
    """A text that only speaks of asynchronous code is not a symptom."""
    assert symptom(text) is None


def test_an_error_in_a_sentence_counts_in_reports_only() -> None:
    """People quote an error without having it; a report does not."""
    text = "somebody wrote 'coroutine' object is not iterable in the chat"
    assert symptom(text, quoted=False) is None
    assert symptom(text) is not None


@pytest.mark.parametrize("before", [0, 600, 6_500, 7_001, 100_000])
def test_a_symptom_is_found_anywhere_in_a_long_text(before: int) -> None:
    """The length of a text, and suspect words before it, hide no symptom."""
    for filler in ("x", "await "):
        text = filler * (before // len(filler)) + "'coroutine' object is not iterable"
        assert symptom(text) is not None


def repeats(parsed: Any) -> Iterator[tuple[Any, int]]:
    """Yield how often each part of a parsed pattern may repeat."""
    for operation, argument in parsed:
        if str(operation) in ("MAX_REPEAT", "MIN_REPEAT"):
            yield operation, argument[1]
            yield from repeats(argument[2])
        elif str(operation) == "SUBPATTERN":
            yield from repeats(argument[3])
        elif str(operation) == "BRANCH":
            for branch in argument[1]:
                yield from repeats(branch)


def test_no_part_of_a_pattern_repeats_without_bound() -> None:
    """A pattern can fail at a position only after a bounded number of steps."""
    from re import _parser  # type: ignore[attr-defined]

    bounds = [most for _, most in repeats(_parser.parse(symptoms._pattern()))]
    assert len(bounds) > 10
    assert max(bounds) <= 500


REPEATED = [
    "a.",
    "'",
    "unsupported operand type(s) for : '",
    "<coroutine object ",
    "coroutine '",
    "sequence item 1: expected ",
    "argument must be ",
    "'async 'async for' requires an object with a",
    "await ",
]


@pytest.mark.parametrize("part", REPEATED)
def test_a_search_is_linear(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the text is searched in about ten times as many windows."""
    searched: list[int] = []
    compiled = symptoms._compiled

    class Counting:
        def __init__(self, pattern: str) -> None:
            self.pattern = compiled(pattern)

        def search(self, text: str, start: int, end: int | None = None) -> Any:
            searched.append((end or start) - start)
            return self.pattern.search(text, start, *([end] if end else []))

    monkeypatch.setattr(symptoms, "_compiled", Counting)
    sums = []
    for size in (20_000, 200_000):
        searched.clear()
        symptom("await " + part * (size // len(part)))
        sums.append(sum(searched))
    assert sums[1] <= 12 * max(sums[0], 7_000)
