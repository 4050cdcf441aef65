"""The command line: which extra is missing, and the exit code of the work."""

from __future__ import annotations

import builtins
import importlib
import subprocess
import sys
from types import SimpleNamespace

import pytest

import coroguard
from coroguard import cli
from coroguard.__main__ import main


def test_without_typer_the_extra_is_named(monkeypatch, capsys):
    """Without its libraries the command names the extra to install."""
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "coroguard.cli", raising=False)
    monkeypatch.delattr(coroguard, "cli", raising=False)
    assert main(["demo"]) == 2
    assert "pip install 'coroguard[cli]'" in capsys.readouterr().err


def test_without_the_servers_the_extra_is_named(monkeypatch, capsys):
    """Without the demo's libraries `demo` names the extra to install."""

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


def test_help_shows_brackets(monkeypatch, capsys):
    """A table of the configuration is shown in the help, and not taken for markup."""
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.main(["gate", "--help"]) == 0
    assert "in the cells of [tool.coroguard.matrix]." in capsys.readouterr().out


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


@pytest.mark.parametrize("replaced", [False, True], ids=["kept", "replaced"])
def test_ctrl_c_during_the_imports_ends_with_130_and_no_traceback(replaced):
    """Ctrl-C ends the imports, even where one turns it into another error."""
    code = (
        "import importlib, os, signal\n"
        "from coroguard import cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "load_other = importlib.import_module\n"
        "def load(name, package=None):\n"
        "    if name != 'coroguard.demo.command':\n"
        "        return load_other(name, package)\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    except KeyboardInterrupt:\n"
        f"        raise {'TypeError' if replaced else ''}\n"
        "importlib.import_module = load\n"
        "raise SystemExit(cli.main(['demo']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (130, "")


def test_ctrl_c_during_the_import_of_the_command_line_ends_with_130(monkeypatch):
    """Ctrl-C is an exit code even before the command line is there."""

    def interrupt(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "coroguard.cli")
    monkeypatch.delattr(coroguard, "cli")
    monkeypatch.setattr(builtins, "__import__", interrupt)
    assert main(["demo"]) == 130


def test_the_help_loads_no_heavy_dependency():
    """`coroguard --help` loads neither what judges values nor what guards paths."""
    code = (
        "import sys; from coroguard.__main__ import main; main(['--help']); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {*done.stderr.split()}
    assert loaded & {"pydantic", "typeguard", "wrapt", "asyncio", "pytest"} == set()
    assert "typer" in loaded


def test_the_status_is_printed(capsys):
    """`coroguard status` shows the mode and who set it."""
    with coroguard.mode("observe"):
        assert main(["status"]) == 0
    assert "mode observe (set by mode()" in capsys.readouterr().out
