"""Does this text tell of a leak? The wordings of CPython 3.11 to 3.14."""

from __future__ import annotations

import functools
import marshal
import re
from typing import Any

from .leak import Leak, LeakKind

__all__ = ["may_tell", "symptom", "telling", "tells_await_of_plain"]

_KIND = (
    r"(?P<{0}>coroutine|async_generator|generator_based_coroutine"
    r"|_asyncio\.Task|_asyncio\.Future)"
)
# ``await`` on a plain object: 3.11 to 3.13, then 3.14.
_AWAIT_OF_PLAIN = (
    r"object (?P<t1>[\w.]+) can't be used in 'await' expression"
    r"|'(?P<t2>[\w.]+)' object can't be awaited"
)

_VERBS = (
    r"has no attribute|is not (?:subscriptable|iterable|callable|an iterator"
    r"|a mapping|reversible|a container or iterable)"
    r"|does not support|doesn't support|cannot be interpreted|can't be"
)
_SYMPTOM = (
    rf"'{_KIND.format('k1')}' object (?:{_VERBS})"
    rf"|coroutine '(?P<n1>[^'\s]+)' was never awaited"
    rf"|<{_KIND.format('k2')} object (?P<n2>\S+) at 0x[0-9a-fA-F]+>"
    rf"|(?:object of type|argument of type) '{_KIND.format('k3')}'"
    rf"|Object of type '?{_KIND.format('k4')}'? is not JSON serializable"
    rf"|cannot unpack non-iterable {_KIND.format('k5')} object"
    rf"|unsupported operand type\(s\) for .+: .*'{_KIND.format('k6')}'"
    rf"|'\S+' not supported between instances of .*'{_KIND.format('k7')}'"
    rf"|sequence item \d+: expected .+, {_KIND.format('k10')} found"
    rf"|can only concatenate \w+ \(not \"{_KIND.format('k11')}\"\)"
    rf"|[\w.]+\(\) argument .*not '?{_KIND.format('k12')}'?"
    rf"|(?:must be|expected|a bytes-like object is required).*"
    rf", (?:not|got) '?{_KIND.format('k13')}'?"
    rf"|'async \w+' requires .*, got {_KIND.format('k14')}"
    rf"|cannot reuse already awaited (?P<k8>coroutine)"
    rf"|(?P<k9>coroutine) is being awaited already"
    rf"|{_AWAIT_OF_PLAIN}"
)
_ERROR_PREFIX = r"(?s:.*(?::\s|\(['\"]))?"
_LONGEST = 20_000
# One of these stands in every text that tells of a leak.
_TELLING_BYTES = (b"corout", b"await", b"async_gen", b"_asyncio.")


def telling(text: str) -> bool:
    """Say quickly whether a text may tell of a leak."""
    return (
        "corout" in text
        or "await" in text
        or "async_gen" in text
        or "_asyncio." in text
    )


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is first needed, not when coroguard is imported."""
    return re.compile(pattern)


def tells_await_of_plain(text: str) -> bool:
    """Say whether an error text is that of ``await`` on a plain object."""
    return _compiled(_AWAIT_OF_PLAIN).search(text) is not None


def may_tell(value: Any) -> bool:
    """Say quickly whether any text in a value may tell of a leak.

    ``marshal`` writes built-in types at C speed and runs no code of theirs;
    what it does not write may tell.
    """
    try:
        written = marshal.dumps(value)
    except ValueError:
        return True
    return any(word in written for word in _TELLING_BYTES)


def symptom(text: str, path: str = "$", *, quoted: bool = True) -> Leak | None:
    """Return the leak that a text tells of, or ``None``.

    Args:
        text: Any string of a value; only its first 20,000 characters are read.
        path: Where in the value the text stands.
        quoted: Also accept an error text in the middle of other words. Without
            it the text has to be the error, or to end a prefix such as
            ``"database: "``: people may talk about an error without having it.
    """
    if not telling(text):
        return None
    match = _compiled(_SYMPTOM).search(text, 0, _LONGEST)
    if match is None:
        return None
    if (
        not quoted
        and not match["n2"]
        and not _compiled(_ERROR_PREFIX).fullmatch(text, 0, match.start())
    ):
        return None
    groups = match.groupdict()
    if groups["t1"] or groups["t2"]:
        what = f"plain {groups['t1'] or groups['t2']}"
    else:
        kinds = (value for key, value in groups.items() if key[0] == "k" and value)
        what = next(kinds, "coroutine").rpartition(".")[2].replace("_", " ").lower()
    name = groups["n1"] or groups["n2"] or ""
    return Leak(kind=LeakKind.SYMPTOM, what=what, name=name, path=path)
