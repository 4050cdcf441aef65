"""The committed list of the tests that each gate expects."""

from __future__ import annotations

import pytest

from coroguard.gates.errors import GateConfigError
from coroguard.gates.pins import NAME, read_pins, write_pins
from coroguard.gates.verdict import Gate

ODD = 'tests/test_a.py::test_"one"[ä\\\n\x7f]'


def test_pins_are_read_as_they_were_written(tmp_path):
    """Node ids come back letter for letter, sorted, one a line."""
    write_pins(tmp_path, [Gate("b", expected=("z", "y")), Gate("a", expected=(ODD,))])
    assert read_pins(tmp_path) == {"a": [ODD], "b": ["y", "z"]}
    assert '  "y",\n  "z",\n' in (tmp_path / NAME).read_text("utf-8")


def test_without_a_list_nothing_is_pinned(tmp_path):
    """A project that has not pinned anything has no pins."""
    assert read_pins(tmp_path) is None


@pytest.mark.parametrize("text", ["[a", "a = 1", "[a]\ntests = [1]", "[a]"])
def test_a_list_that_cannot_be_read(tmp_path, text):
    """A damaged list is a mistake of the configuration, with what to type."""
    (tmp_path / NAME).write_text(text)
    with pytest.raises(GateConfigError, match="run coroguard gate --pin"):
        read_pins(tmp_path)
