"""The texts that CPython 3.11 to 3.15 writes about leaks."""

# Each pattern starts with a literal and repeats nothing without a bound, so that
# a search takes time in proportion to the text.

from __future__ import annotations

import functools
import itertools
import re

from .leak import Leak, LeakKind

_KINDS = (
    "coroutine|async_generator|generator_based_coroutine"
    r"|_asyncio\.Task|_asyncio\.Future"
)
# ``{K}`` is the type of a coroutine and ``{T}`` any type.
_AS_A_VALUE = (
    r"'(?:builtins\.)?{K}' object (?:has no|is not|is no|does not support"
    r"|doesn't support|cannot be|can't be) ",
    r"'[<>=!]{1,2}' not supported between instances of '{K}'",
    r"'[<>=!]{1,2}' not supported between instances of '[^'\n]{1,80}' and '{K}'",
    r"'async \w{1,9}' requires an object with \w{1,20} method, got {K}\b",
    r"<{K} object (?P<name1>\S{1,500}) at 0x[0-9a-fA-F]{1,16}>",
    r"Object of type '?{K}'? is not JSON serializable",
    r"argument of type '{K}' is not ",
    r"bad operand type for [^\n:]{1,12}: '{K}'",
    r"can only concatenate \w{1,20} \(not \"{K}\"\)",
    r"can't concat {K} to ",
    r"can't multiply sequence by non-int of type '{K}'",
    r"cannot 'yield from' a {K} object",
    r"cannot convert '{K}' object to ",
    r"cannot pickle '{K}' object",
    r"cannot reuse already awaited {K}",
    r"cannot unpack non-iterable {K} object",
    r"conversion from {K} to \w{1,20} is not supported",
    r"coroutine '(?P<name2>[^'\s]{1,500})' was never awaited",
    r"{K} is being awaited already",
    r"coroutines cannot be used with \w{1,40}\(\)",
    r"object of type '{K}' has no len",
    r"sequence item \d{1,20}: expected [^\n]{1,60}?, {K} found",
    r"type {K} doesn't define __\w{1,20}__ method",
    r"unsupported format string passed to {K}\.__format__",
    r"unsupported operand type\(s\) for \S{1,11}(?: or pow\(\))?: "
    r"(?:'[^'\n]{1,80}'(?: and |, )){0,2}'{K}'",
    r"unsupported type for timedelta \w{1,20} component: {K}\b",
)
# These begin in the middle of the sentence.
_OF_ARGUMENTS = (
    r"(?:must be|should be|expect|require|argument|indices|after \*)"
    r"[^\n]{0,100}?, (?:not|got) '?{K}\b",
    r"(?:expected|need) [^\n]{1,60}?,? (?:but )?{K} found",
)
_OF_PLAIN = (
    r"object {T} can't be used in 'await' expression",
    r"'{T}' object can't be awaited",
    r"'(?:builtins\.)?{T}' object does not support the asynchronous context manager",
    r"'async for' requires an object with __aiter__ method, got {T}",
    r"'{T}' object is not an async iter(?:ator|able)\b",
)
#: Each of the texts has one of these words.
SUSPECT = ("corout", "await", "async")
# Longer than any text from its first to its last word, and the windows in which
# these texts are searched around a suspect word.
_REACH, _WINDOW = 700, 7_000


def is_suspect(text: str) -> bool:
    """Return quickly whether a text may be that of a leak."""
    return "corout" in text or "await" in text or "async" in text


def is_suspect_bytes(written: bytes) -> bool:
    """Return whether marshalled texts may include that of a leak."""
    # One by one, which is twice as fast as a loop.
    return b"corout" in written or b"await" in written or b"async" in written


def symptom(text: str, *, quoted: bool = True) -> Leak | None:
    """Return the leak that a text is a symptom of, or ``None``.

    Args:
        text: Any string of a value.
        quoted: Also accept an error text in the middle of other words. Without
            it the text has to be the error, or to end a prefix such as
            ``"database: "``: people may talk about an error without having it.
    """
    match = _find(text)
    if match is None or not (quoted or match["name1"] or _is_whole(match)):
        return None
    groups = [(key, found) for key, found in match.groupdict().items() if found]
    kind = next((found for key, found in groups if key[0] == "k"), "coroutine")
    plain = next((found for key, found in groups if key[0] == "t"), "")
    if plain and not _compiled(_KINDS).fullmatch(plain):
        what = f"plain {plain}"
    else:
        what = (plain or kind).rpartition(".")[2].replace("_", " ").lower()
    name = match["name1"] or match["name2"] or ""
    return Leak(kind=LeakKind.SYMPTOM, what=what, name=name, path="$")


def _find(text: str) -> re.Match[str] | None:
    """Search only around the words that each of the texts contains."""
    at = 0
    while word := _compiled("|".join(SUSPECT)).search(text, at):
        start, end = max(word.start() - _REACH, 0), word.start() + _WINDOW
        match = _compiled(_pattern()).search(text, start, end)
        if match is not None:
            return match
        at = end - _REACH
    return None


def _is_whole(match: re.Match[str]) -> bool:
    """Return whether an error text is not part of a longer sentence."""
    start = match.start()
    before = match.string[max(start - 80, 0) : start]
    if match["argument"] is not None:
        before = before.replace("\n", ": ")
        return ": " in before or start < 80
    return not before or before[-2:] in (": ", ":\n", "('", '("')


@functools.cache
def _pattern() -> str:
    numbers = itertools.count()

    def numbered(pattern: str) -> str:
        kind = f"(?P<k{next(numbers)}>{_KINDS})"
        return pattern.replace("{K}", kind).replace(
            "{T}", rf"(?P<t{next(numbers)}>[\w.]{{1,200}})"
        )

    of_arguments = "|".join(map(numbered, _OF_ARGUMENTS))
    others = map(numbered, (*_AS_A_VALUE, *_OF_PLAIN))
    return "|".join((*others, f"(?P<argument>{of_arguments})"))


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is first needed, not when coroguard is imported."""
    return re.compile(pattern)
