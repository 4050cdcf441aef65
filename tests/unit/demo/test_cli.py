"""Does the command line say what to type, and return what was returned?"""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace

import pytest

from coroguard import cli


def test_without_typer_the_extra_is_named(monkeypatch, capsys):
    """Without its libraries the command says which extra to install."""
    monkeypatch.setitem(sys.modules, "typer", None)
    assert cli.main(["demo"]) == 2
    assert "pip install 'coroguard[cli]'" in capsys.readouterr().err


def test_without_the_servers_the_extra_is_named(monkeypatch, capsys):
    """Without the demo's libraries `demo` says which extra to install."""

    import_module = importlib.import_module

    def without_asyncpg(name, package=None):
        if name == "coroguard.demo.command":
            raise ModuleNotFoundError("No module named 'asyncpg'", name="asyncpg")
        return import_module(name, package)

    monkeypatch.setattr(importlib, "import_module", without_asyncpg)
    assert cli.main(["demo"]) == 2
    assert "pip install 'coroguard[demo]'" in capsys.readouterr().err


def test_an_unknown_command_is_refused(capsys):
    """A command that does not exist is refused with the nearest one."""
    assert cli.main(["dem"]) == 2
    assert "demo" in capsys.readouterr().err


def test_the_help_names_the_commands(capsys):
    """The help lists what can be typed."""
    assert cli.main(["--help"]) == 0
    assert "demo" in capsys.readouterr().out


@pytest.mark.parametrize("code", [0, 1, 3, 130])
def test_the_exit_code_is_the_work_s(monkeypatch, code):
    """What the work returns is what the process leaves with."""
    asked = []

    def demo(*, serve):
        asked.append(serve)
        return code

    module = SimpleNamespace(demo=demo)
    monkeypatch.setitem(sys.modules, "coroguard.demo.command", module)
    assert cli.main(["demo", "--serve"]) == code
    assert asked == [True]
