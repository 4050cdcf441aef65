"""Services that the ready-made gates talk to."""

from __future__ import annotations

import pytest

from coroguard.gates.ready_made import ChatScript, ChatService, service
from coroguard.gates.runs import hints

FOUND_NOTHING = ["tests/test_app.py: ModuleNotFoundError: No module named 'app'"]


def test_missing_websockets_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without websockets there is no service, and the error has the command."""
    monkeypatch.setattr(service, "find_spec", lambda _name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install websockets"):
        ChatService(url="http://localhost", script=ChatScript(events=("answer",)))


@pytest.mark.parametrize(
    ("wrong", "environ", "expected"),
    [
        (FOUND_NOTHING, {"PYTHONPATH": "src"}, True),
        (FOUND_NOTHING, {}, False),
        (["tests/test_app.py: SyntaxError"], {"PYTHONPATH": "src"}, False),
    ],
    ids=["left out", "not set", "another error"],
)
def test_an_import_that_needs_pythonpath_has_a_hint(
    wrong: list[str], environ: dict[str, str], expected: bool
) -> None:
    """Where an import fails and PYTHONPATH is set, the error names both."""
    assert any("PYTHONPATH" in it for it in hints(wrong, environ)) is expected
