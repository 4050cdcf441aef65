"""The committed list of the tests that each gate expects."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from coroguard._files import toml_string, write_whole

from .errors import GateConfigError

if TYPE_CHECKING:
    from .verdict import Gate

NAME = "coroguard-gates.lock"
_HEAD = """\
# Written by `coroguard gate --pin`. Commit it: a change shows what a gate gained or
# lost, and a gate is INCOMPLETE while a test of this list is not collected.
"""


def read_pins(root: Path) -> dict[str, list[str]] | None:
    """Return the pinned tests by gate; ``None`` where nothing is pinned.

    Raises:
        GateConfigError: The file cannot be read as such a list.
    """
    file = root / NAME
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
        return {name: _texts(table["tests"]) for name, table in tables.items()}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GateConfigError(
            f"{file} cannot be read ({error}); run coroguard gate --pin"
        ) from None


def _texts(tests: object) -> list[str]:
    if not isinstance(tests, list) or not all(isinstance(it, str) for it in tests):
        raise TypeError("tests is not a list of texts")
    return tests


def write_pins(root: Path, gates: Iterable[Gate]) -> Path:
    """Write the tests of each gate, one a line, and return the file.

    Raises:
        OSError: It could not be written.
    """
    lines = [_HEAD]
    for gate in sorted(gates, key=lambda gate: gate.name):
        tests = "".join(f"  {toml_string(test)},\n" for test in sorted(gate.expected))
        lines.append(f"[{toml_string(gate.name)}]\ntests = [\n{tests}]\n")
    write_whole(root / NAME, "\n".join(lines))
    return root / NAME
