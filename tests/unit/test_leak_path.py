"""The way of a leak through the files of the core."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import coroguard
from coroguard import CoroutineLeakError, guard, mode
from coroguard._runtime import events

if TYPE_CHECKING:
    from types import FrameType

_ROOT = Path(coroguard.__file__).parent
_CORE = tuple(
    f"{_ROOT / wing}/"
    for wing in ("_guard", "_runtime", "_leaks", "_inspect", "report")
)
_MOST = 44

pytestmark = pytest.mark.allow_leaks("*", reason="these tests leak on purpose")


@pytest.fixture
def undisturbed(collected_by_hand: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a collection nor a subscriber comes between."""
    monkeypatch.setattr(events._of_events, "callbacks", ())


def files_of(call: Any) -> list[str]:
    """Return the file of every call and return of the core, in order."""
    seen: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        if event in ("call", "return") and file.startswith(_CORE):
            seen.append(file)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    except CoroutineLeakError:
        return seen
    finally:
        sys.setprofile(before)
    raise AssertionError("nothing was raised")


@pytest.mark.usefixtures("undisturbed")
def test_a_nested_leak_changes_files_at_most_44_times() -> None:
    """A leak can be followed through the source without many jumps.

    A change is where consecutive calls and returns are in different files. There
    were 88 once, by helpers of other files that were called for each line of text
    and for each node, and by facts that were found out again where they could have
    been passed on. The second call counts: the first also imports and builds.
    """

    async def connected() -> bool:
        return True

    @guard
    def report():
        return {"component_details": {"redis": connected()}}

    with mode("enforce"):
        files_of(report)
        files = files_of(report)
    assert len(files) > _MOST
    assert sum(a != b for a, b in itertools.pairwise(files)) <= _MOST
