"""Claims about what happened in a step, and the parts of logs that show it."""

from __future__ import annotations

import errno
import re
import socket
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coroguard.demo.backends.postgres import Postgres
    from coroguard.demo.backends.valkey import Valkey

SEED_ERROR = "AttributeError: 'coroutine' object has no attribute 'get'"
_LABELLED = re.compile(r"  \w+: ")


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that must have happened.

    Args:
        text: The claim in words.
        held: Whether it is true.
        seen: What was found instead; empty where it is true.
    """

    text: str
    held: bool
    seen: str = ""


def equal(text: str, actual: object, expected: object) -> Claim:
    """Claim that two values are equal."""
    held = actual == expected
    seen = "" if held else f"{actual!r} instead of {expected!r}"
    return Claim(text, held, seen[:300])


def contains(text: str, whole: str, *parts: str) -> Claim:
    """Claim that a text has all of these parts; without parts the claim fails."""
    missing = [part for part in parts if part not in whole]
    seen = f"no {', '.join(missing)} in {whole[-200:]!r}" if missing else ""
    return Claim(text, bool(parts) and not missing, seen)


def kill(server: Postgres | Valkey) -> Claim:
    """Kill a server, and claim that nothing listens on its port any more."""
    server.kill()
    with socket.socket() as probe:
        probe.settimeout(1)
        code = probe.connect_ex(("127.0.0.1", server.port))
    text = f"{server.process.name} was killed: its port refuses"
    return equal(text, errno.errorcode.get(code, code), "ECONNREFUSED")


def labelled_lines(log: str, headline: str) -> str:
    """Return the first line that matches a pattern, and the labelled lines below it.

    Args:
        log: The text to search.
        headline: A regular expression for the start of the line.

    Returns:
        The lines; empty where no line matches.
    """
    lines = iter(log.splitlines())
    for line in lines:
        if re.match(headline, line):
            return "\n".join([line, *takewhile(_LABELLED.match, lines)])
    return ""


def last_error(log: str) -> str:
    """Return the end of the last traceback of the seed's error; empty without one."""
    lines = log.splitlines()
    ends = [number for number, line in enumerate(lines) if line == SEED_ERROR]
    if not ends:
        return ""
    block = lines[: ends[-1] + 1]
    starts = [n for n, line in enumerate(block) if line.startswith("  File ")]
    return "\n".join(block[starts[-2] :])
