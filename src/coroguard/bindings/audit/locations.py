"""Places in the source, and the comments that accept a finding."""

from __future__ import annotations

import contextlib
import linecache
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._inspect.callables import original_of
from ..._inspect.colours import Colour, colour_of, plain_function
from ..._leaks.leak import short
from ..._leaks.origins import place
from ..findings import Finding

if TYPE_CHECKING:
    from ..findings import FindingKind

# The reason after it is for the reader.
_MEANT = re.compile(r"#\s*coroguard:\s*ok\b")
_DEFINES = re.compile(r"\s*(async\s+)?def\s")
_WORDS: dict[Colour | None, str] = {
    Colour.ASYNC: "async def",
    Colour.ASYNC_ITERATOR: "async iterator",
    Colour.ASYNC_CONTEXT: "async context manager",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a source file, with what is there.

    Args:
        file: The file.
        line: Its line, from 1.
        what: What is there.
    """

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.at}, {self.what}"

    @property
    def at(self) -> str:
        """The file and line alone."""
        return place(self.file, self.line)

    @property
    def is_meant(self) -> bool:
        """Whether the line has a comment ``# coroguard: ok``."""
        return _MEANT.search(linecache.getline(self.file, self.line)) is not None


def place_of(target: object) -> Place | None:
    """Return where a callable is defined; ``None`` if not in Python source."""
    function = plain_function(target)
    if function is None:
        return None
    if function.__code__.co_filename == contextlib.__file__:
        function = original_of(function) or function
    code = function.__code__
    word = _WORDS.get(colour_of(target), "def")
    line = _line_of_def(code.co_filename, code.co_firstlineno)
    name = short(function.__qualname__)
    return Place(code.co_filename, line, f"{word} {name}")


def _line_of_def(file: str, first: int) -> int:
    """Return the line of ``def`` behind the decorators, where code begins."""
    for line in range(first, first + 50):
        text = linecache.getline(file, line)
        if not text:
            break
        if _DEFINES.match(text):
            return line
    return first


def report(
    kind: FindingKind,
    name: str,
    headline: str,
    first: Place | None,
    second: Place | None,
    fix: str,
) -> Iterator[Finding]:
    """Yield a finding, unless a place is unknown or has a comment that accepts it."""
    if first and second and not (first.is_meant or second.is_meant):
        yield Finding(
            kind=kind,
            name=name,
            headline=headline,
            first=str(first),
            second=str(second),
            advice=fix,
        )
