"""Pieces of messages: paths, long values, and hints for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from keyword import iskeyword
from unicodedata import is_normalized

#: Longest value that a message shows.
LONGEST_VALUE = 120
_LONGEST_KEY = 40
_MOST_STEPS = 100


class Mark(str):
    """A step of a path that is not a key, and is written as it is: ``<item>``."""

    __slots__ = ()


def render_path(steps: Sequence[object], *, root: str = "$") -> str:
    """Return a path as Python would read it: ``$.details['odd key'][0].name``.

    The middle of a path of more than 100 steps is left out, so that the cost
    of a path does not depend on its depth.

    Args:
        steps: Names as strings, positions and other keys as they are,
            ``(class, name)`` for attributes, and marks for all other places.
        root: Name of the value that the path starts at. Where it is empty,
            the path starts with its first name.
    """
    if len(steps) <= _MOST_STEPS:
        path = "".join(map(_step, steps))
    else:
        half = _MOST_STEPS // 2
        first, last = "".join(map(_step, steps[:half])), map(_step, steps[-half:])
        path = f"{first}<{len(steps) - 2 * half} more>{''.join(last)}"
    return root + path if root else path.removeprefix(".")


def cut(text: str, limit: int = LONGEST_VALUE) -> str:
    """Return a text of at most ``limit`` characters, without its middle if long."""
    if len(text) <= limit:
        return text
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def closest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most similar to this one, or ``""``."""
    import difflib  # here, because few programs need it

    return next(iter(difflib.get_close_matches(word, list(known), n=1)), "")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?``, or nothing if no known word is similar."""
    close = closest(word, known)
    return f" Did you mean {close!r}?" if close else ""


def _step(key: object) -> str:
    kind = type(key)
    if kind is Mark:
        return f"{key}"
    if kind is tuple:
        return _step(key[1])  # type: ignore[index]
    if kind is str:
        name: str = key  # type: ignore[assignment]
        return f".{name}" if _is_name(name) else f"[{cut(repr(name), _LONGEST_KEY)}]"
    return f"[{_shown(key)}]"


def _is_name(key: str) -> bool:
    # Python reads an identifier in another form of its letters than a key has.
    return key.isidentifier() and not iskeyword(key) and is_normalized("NFKC", key)


def _shown(key: object) -> str:
    """Return a built-in key as it is typed; a huge one has no decimal digits."""
    if type(key) is int and key.bit_length() > 400:
        return cut(hex(key), _LONGEST_KEY)
    return cut(repr(key), _LONGEST_KEY)


def escape_command(text: str, more: str = "") -> str:
    """Escape text for a workflow command. Source: ``actions/toolkit``, command.ts.

    Args:
        text: The message, or the value of a property.
        more: Further characters to escape: ``,:`` in a property.
    """
    for char in "%\r\n" + more:
        text = text.replace(char, f"%{ord(char):02X}")
    return text
