"""Whole programs under strict mode, started as users start them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from .conftest import LEAKED, STRICT, USERS, Run, Write


def test_nothing_is_changed_without_it(leaking: None, run: Run) -> None:
    """The program runs through where nobody checks it."""
    assert run("python", "main.py").returncode == 0


@pytest.mark.parametrize(
    "program",
    [
        ["main.py"],
        ["python", "main.py"],
        ["-m", "main"],
        ["-c", "import main"],
        ["-X", "dev", "main.py"],
        ["sh", "-c", "exec python main.py"],
    ],
    ids=" ".join,
)
def test_program_of_any_kind(leaking: None, run: Run, program: list[str]) -> None:
    """Scripts, modules, code and whatever starts them are checked unchanged."""
    done = run(*STRICT, *program)
    assert LEAKED in done.stderr
    assert "leaked:   coroutine 'find' (async def, app/users.py:4)" in done.stderr
    assert "where:    argument 'user'" in done.stderr
    assert "never awaited" not in done.stderr
    assert done.returncode == 1


def test_failed_program_keeps_its_own_exit(write: Write, run: Run) -> None:
    """Where the program crashed, nothing is added to its traceback."""
    write(app__users=USERS, main="1 / 0")
    done = run(*STRICT, "main.py")
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_helper_processes_are_not_the_program(write: Write, run: Run) -> None:
    """A child that imports nothing of the package is not a finding."""
    write(
        app__users=USERS,
        main=(
            "import subprocess, sys\nfrom app import users\n"
            "subprocess.run([sys.executable, '-c', 'print(1)'], check=True)\n"
        ),
    )
    done = run(*STRICT, "main.py")
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_child_process_is_checked(leaking: None, write: Write, run: Run) -> None:
    """A Python that the program starts is checked as the program is."""
    code = "import subprocess, sys\nimport app\n"
    write(start=code + "subprocess.run([sys.executable, 'main.py'])")
    assert LEAKED in run(*STRICT, "start.py").stderr


PROTECT = '[tool.coroguard]\nprotect = [{ path = "app.users:leak", returns = "any" }]\n'


@pytest.mark.parametrize("program", ["import app.users; app.users.leak()", ""])
def test_the_project_s_guards_are_put_on(
    write: Write, run: Run, tmp_path: Path, program: str
) -> None:
    """What pyproject.toml protects is guarded, in a child that works elsewhere too."""
    (tmp_path / "pyproject.toml").write_text(PROTECT)
    inner = "import sys; sys.path.insert(0, '..'); import app.users; app.users.leak()"
    child = "import subprocess, sys, os; os.mkdir('elsewhere'); "
    child += f"subprocess.run([sys.executable, '-c', {inner!r}], cwd='elsewhere')"
    write(app__users="async def find(): ...\ndef leak(): return find()\n")
    done = run("coroguard", "run", "--", "-c", program or child)
    assert "coroguard.CoroutineLeakError: leak() let a coroutine escape" in done.stderr


def test_a_wrong_entry_stops_the_program(run: Run, tmp_path: Path) -> None:
    """A path that is written wrongly ends the program before it begins."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.coroguard]\nprotect = ["app.users.leak"]\n'
    )
    done = run("coroguard", "run", "--", "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean app.users:leak?" in done.stderr


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_multiprocessing_is_checked(write: Write, run: Run, method: str) -> None:
    """A worker of multiprocessing is checked, however it is started."""
    write(
        app__users=USERS,
        main=(
            "import multiprocessing\nfrom app import users\n"
            "if __name__ == '__main__':\n"
            f"    context = multiprocessing.get_context({method!r})\n"
            "    process = context.Process(target=users.leak)\n"
            "    process.start()\n"
            "    process.join()\n"
            "    print(process.exitcode)\n"
        ),
    )
    done = run(*STRICT, "python", "-W", "ignore", "main.py")
    assert done.stderr.count(LEAKED) == 1
    assert "RuntimeWarning" not in done.stderr
    assert done.stdout == "1\n"


def test_users_sitecustomize_is_kept(write: Write, run: Run) -> None:
    """The start-up file behind ours runs, and is the one that is imported."""
    write(
        site__sitecustomize="import sys\nsys.mine = True\nNAME = 'mine'\n",
        app__users=USERS,
        main=(
            "import sys, sitecustomize\nprint(sys.mine, sitecustomize.NAME)\n"
            "from app import users\nusers.leak()\n"
        ),
    )
    done = run(*STRICT, "main.py", PYTHONPATH="site")
    assert done.stdout == "True mine\n"
    assert LEAKED in done.stderr


def test_users_broken_sitecustomize_is_reported_as_ever(write: Write, run: Run) -> None:
    """Its error is shown as Python shows it, and the program is guarded still."""
    write(
        site__sitecustomize="1 / 0",
        app__users=USERS,
        main="from app import users\nusers.leak()",
    )
    done = run(*STRICT, "main.py", PYTHONPATH="site")
    assert "Error in sitecustomize" in done.stderr
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert LEAKED in done.stderr


def test_run_inside_a_run(leaking: None, run: Run) -> None:
    """A run inside a run is one."""
    done = run(*STRICT, "coroguard", "run", "--package", "main", "--", "main.py")
    assert done.stderr.count(LEAKED) == 1


@pytest.mark.parametrize("code", [0, 1, 7])
def test_exit_code_is_the_programs(write: Write, run: Run, code: int) -> None:
    """The run leaves with the program's code."""
    write(main=f"raise SystemExit({code})")
    assert run("coroguard", "run", "--", "main.py").returncode == code


def test_signal_is_the_programs(write: Write, run: Run) -> None:
    """A program that a signal ends is seen to be ended by it."""
    write(main="import os, signal\nos.kill(os.getpid(), signal.SIGTERM)")
    done = run("coroguard", "run", "--", "main.py")
    assert done.returncode == -signal.SIGTERM


def test_broken_pipe_is_not_ignored(run: Run) -> None:
    """A program that is not Python gets the signals as a shell gives them."""
    code = "trap - PIPE; kill -PIPE $$; echo ignored"
    assert run("coroguard", "run", "--", "sh", "-c", code).stdout == ""


def test_wrong_mode_stops_the_program(leaking: None, run: Run) -> None:
    """Where coroguard refuses its own settings, the program does not begin."""
    done = run(
        *("coroguard", "run", "--", "sh", "-c", "COROGUARD_MODE=loud python main.py")
    )
    assert done.returncode == 2
    assert done.stderr.startswith("coroguard: COROGUARD_MODE='loud' is not a mode")


@pytest.fixture
def other_python(tmp_path: Path) -> str:
    """An interpreter without coroguard."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", "bare"],
        cwd=tmp_path,
        check=True,
    )
    return str(tmp_path / "bare/bin/python")


def test_interpreter_without_coroguard(
    leaking: None, write: Write, run: Run, other_python: str
) -> None:
    """A program that cannot be guarded is refused; a helper is reported and runs."""
    done = run(*STRICT, other_python, "main.py")
    assert done.returncode == 2
    assert "cannot import coroguard" in done.stderr
    assert f"{other_python} -m pip install coroguard" in done.stderr
    assert done.stderr.count("\n") == 1
    write(
        start=f"import app, subprocess\nsubprocess.run([{other_python!r}, 'main.py'])"
    )
    done = run(*STRICT, "start.py")
    assert done.returncode == 0
    assert "this child process runs unguarded" in done.stderr


ASGI = """
from typing import Any

async def load() -> dict[str, bool]:
    return {"up": True}

def report() -> bytes:
    body: dict[str, bool] = load()
    return str(body).encode()

async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise RuntimeError("http only")
    body = report()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


def test_uvicorn(write: Write, tmp_path: Path, environment: dict[str, str]) -> None:
    """A service under uvicorn answers 500 with the leak in its log, unchanged."""
    write(app__main=ASGI)
    serve = ["uvicorn", "app.main:app", "--port", "0", "--lifespan", "off"]
    with subprocess.Popen(
        [*STRICT, *serve],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stderr is not None
        log = []
        for line in server.stderr:
            log.append(line)
            if "running on" in line:
                break
        address = log[-1].partition("http://")[2].split()[0]
        status = httpx.get(f"http://{address}/health").status_code
        server.send_signal(signal.SIGINT)
        log.extend(server.stderr)
    assert status == 500
    text = "".join(log)
    assert "coroguard.CoroutineLeakError: report() let a coroutine escape" in text
    assert "where:    variable 'body'" in text
    assert "leaked:   coroutine 'load' (async def, app/main.py:4)" in text
