"""The command `coroguard gate`, before it runs anything."""

from __future__ import annotations

from coroguard.gates import command
from coroguard.gates.readiness import ExitCode
from coroguard.testing import survivors


def test_an_interpreter_that_frees_coroutines_late(monkeypatch, capsys):
    """No gate is green where its tests cannot answer for what they drop."""
    monkeypatch.setattr(survivors, "ARE_KNOWN", False)
    assert command.gate() == ExitCode.CONFIGURATION
    assert "the gates need CPython" in capsys.readouterr().err
