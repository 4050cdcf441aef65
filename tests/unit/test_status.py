"""The status of the process, and what was set too late."""

from __future__ import annotations

import dataclasses
import functools
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest

from coroguard import Mode, configure, guard, mode, status


def python(code: str, **env: str) -> list[str]:
    """Run a program, and return the lines of its output and its log."""
    start = "from coroguard import configure, guard, mode, status\n"
    done = subprocess.run(
        [sys.executable, "-c", start + code],
        env={**os.environ, "COROGUARD_MODE": "", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_it_shows_which_mode_applies_and_who_set_it() -> None:
    """The mode comes with what set it: default, variable, configure or mode."""
    shown = "print(status().mode, status().set_by)"
    assert python(shown) == ["enforce default"]
    assert python(shown, COROGUARD_MODE="strict") == ["strict COROGUARD_MODE"]
    (line,) = python(f"configure(mode='observe'); {shown}")
    assert line == "observe configure() at <string>:2"


@pytest.mark.usefixtures("process_mode")
def test_a_context_has_its_own_mode() -> None:
    """Inside ``with mode()`` the status is that of the context."""
    configure(mode="observe", unclaimed="report")
    with mode("strict"):
        found = status()
    assert (found.mode, found.set_by) == (Mode.STRICT, "mode() in this context")
    assert (status().mode, status().unclaimed) == (Mode.OBSERVE, True)


def test_it_names_the_guards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards are named with their module and counted, and nothing is kept alive."""
    # The tests before this one may have put on more guards than are named.
    monkeypatch.setattr("coroguard._runtime.status._guards", {})
    before = status().guard_count
    name = "a_guard_of_the_status"
    guard(returns=Any, name=name)(lambda: 1)
    guard(returns=Any, name=name)(functools.partial(print))
    found = status()
    assert f"{__name__}:{name}" in found.guards
    assert found.guard_count == before + 2
    assert all(type(it) is str for it in found.guards)


def test_the_names_are_bounded() -> None:
    """A program that guards at each call does not fill the memory with names."""
    code = """
for number in range(1_200):
    guard(name=f"check_{number}")(lambda: 1)
print(len(status().guards), status().guard_count)
"""
    assert python(code) == ["1000 1200"]


def test_it_is_a_frozen_record_that_pickles() -> None:
    """A status is strings and numbers, and does not change."""
    found = status()
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.mode = Mode.OFF  # type: ignore[misc]


def test_it_reads_well() -> None:
    """Printed, it is a headline and labelled lines."""
    code = "guard(name='check')(lambda: 1); print(status())"
    lines = python(code, COROGUARD_MODE="strict")
    assert lines[0].endswith(": mode strict (set by COROGUARD_MODE)")
    assert lines[1:3] == ["  guards:    1: __main__:check", "  unclaimed: reported"]
    assert lines[3].startswith("  hooks:     dropped coroutines")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sys.modules['uvloop'] = sys", "a callback of uvloop"),
        ("sys.modules['_cython_3_1_2'] = sys", "code that Cython compiled"),
        ("sys.modules['app__mypyc'] = sys", "code that mypyc compiled"),
        (
            "import types; sys.modules['gevent.monkey'] = types.SimpleNamespace"
            "(saved={'thread': 1})",
            "gevent patched it",
        ),
    ],
    ids=["uvloop", "Cython", "mypyc", "gevent"],
)
def test_it_lists_what_cannot_be_seen(code: str, words: str) -> None:
    """What this process hides from coroguard is listed."""
    assert python("import sys; print(*status().blind_spots, sep='|')") == [""]
    (line,) = python(f"import sys; {code}; print(*status().blind_spots, sep='|')")
    assert words in line


LATE = "import os; os.environ['COROGUARD_MODE'] = 'strict'\n"


def test_a_variable_that_is_set_too_late_is_a_problem() -> None:
    """A mode from a file that is loaded after the import is not ignored silently."""
    (line,) = python(f"{LATE}print(*status().problems)")
    assert line.startswith("COROGUARD_MODE='strict' was set after coroguard was impo")
    assert "mode enforce still applies" in line


def test_a_late_variable_is_logged_with_the_first_leak() -> None:
    """Without a call of ``status`` the log has it, once."""
    code = f"""{LATE}
from typing import Any
async def twin(): ...
check = guard(returns=Any, mode="observe")(lambda: twin())
check().close()
check().close()
"""
    lines = [line for line in python(code) if "was set after" in line]
    assert len(lines) == 1


def test_a_late_variable_does_not_matter_after_configure() -> None:
    """A program that sets its mode itself has no problem."""
    code = f"{LATE}configure(mode='observe'); print(status().problems)"
    assert python(code) == ["()"]


def test_guards_that_stay_bare_are_a_problem() -> None:
    """Strict mode after guards were put on in mode off is logged, not ignored."""
    code = """
guard(lambda: 1)
print(status().problems)
configure(mode="strict")
print(*status().problems)
"""
    before, logged, after = python(code, COROGUARD_MODE="off")
    assert before == "()"
    assert logged == after
    assert after.startswith("1 function was guarded in mode off and stays bare")


@pytest.mark.parametrize("is_early", [True, False], ids=["early", "late"])
def test_the_mode_is_logged_once_at_info(is_early: bool) -> None:
    """A program that logs at INFO sees one record of the mode, whenever it starts."""
    log = "import logging; logging.basicConfig(level='INFO', format='log %(message)s')"
    use = "from coroguard import configure, guard"
    code = f"{log}\n{use}" if is_early else f"{use}\n{log}"
    code += "\nguard(lambda: 1)\nconfigure(mode='strict')"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert line.startswith("log coroguard ")
    assert ": mode enforce" in line
