"""`coroguard lock` writes what callers count on, and `--check` holds the code to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coroguard.bindings.lock.lockfile import write_lock
from coroguard.bindings.lock.record import Lock

Run = Callable[..., "subprocess.CompletedProcess[str]"]

MANAGER = """\
class RedisManager:
    def is_connected(self):
        return True
"""
HEALTH = """\
from app.redis_manager import RedisManager
from coroguard import guard


@guard
def check():
    manager = RedisManager()
    return {"healthy": bool(manager.is_connected())}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a package ``app``."""
    for name, text in {
        "pyproject.toml": "",
        "app/__init__.py": "",
        "app/redis_manager.py": MANAGER,
        "app/health.py": HEALTH,
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tmp_path


@pytest.fixture
def lock(project: Path) -> Run:
    """Run `coroguard lock` in the project."""

    def run(
        *arguments: str, cwd: Path = project, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {it: os.environ[it] for it in os.environ if "COROGUARD" not in it}
        return subprocess.run(
            [sys.executable, "-m", "coroguard", "lock", *arguments],
            cwd=cwd,
            # The first folder of the path is what -m adds; scripts have another.
            env={**kept, "PYTHONSAFEPATH": "1", "COLUMNS": "80", **environment},
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    return run


def flip(project: Path) -> None:
    """Make what the health check calls async."""
    file = project / "app/redis_manager.py"
    file.write_text(MANAGER.replace("def is_connected", "async def is_connected"))


def test_writes_the_lock(project: Path, lock: Run) -> None:
    """The lock is written in the project's folder, and one line reports how much."""
    finished = lock("app")
    assert finished.stdout == (
        "coroguard.lock: 2 functions, 1 contract; written anew\n"
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    text = (project / "coroguard.lock").read_text()
    assert '"app.redis_manager:RedisManager.is_connected" = "sync"\n' in text
    assert '"app.health:check" = "HealthReport"\n' in text
    assert str(project) not in text


def test_two_runs_are_byte_equal(project: Path, lock: Run) -> None:
    """The text depends on nothing but the code: not on seed, folder or run."""
    file = project / "coroguard.lock"
    written = set()
    for seed, cwd in (("1", project), ("2", project), ("3", project / "app")):
        file.unlink(missing_ok=True)
        assert lock("app", PYTHONHASHSEED=seed, cwd=cwd).returncode == 0
        written.add(file.read_bytes())
    assert len(written) == 1


def test_unchanged_code_is_checked_green(project: Path, lock: Run) -> None:
    """The check of what was just locked, from any folder inside, finds nothing."""
    lock("app")
    finished = lock("--check", cwd=project / "app")
    assert finished.stdout == (
        "coroguard.lock: 2 functions, 1 contract; nothing changed\n"
    )
    assert finished.returncode == 0


def test_changed_colour(project: Path, lock: Run) -> None:
    """The golden text of a check that finds a colour changed."""
    lock("app")
    flip(project)
    finished = lock("--check")
    assert (
        finished.stdout
        == """\
app.redis_manager:RedisManager.is_connected was sync and is async now
  was:      sync
  now:      async, app/redis_manager.py:2
  callers:  app/health.py:8, check uses it as a value
  fix:      await each call of it, or make it sync again; if it is meant, run \
coroguard lock

coroguard.lock: 2 functions, 1 contract; 1 changed
"""
    )
    assert (finished.returncode, finished.stderr) == (1, "")


def test_renewed_lock_accepts_the_change(project: Path, lock: Run) -> None:
    """The command that the check shows makes it green again."""
    lock("app")
    flip(project)
    assert lock().stdout.endswith("; 1 changed\n")
    assert lock("--check").returncode == 0


def test_guard_that_was_taken_away(project: Path, lock: Run) -> None:
    """A guard that is gone fails the check, and is named with its contract."""
    lock("app")
    (project / "app/health.py").write_text(HEALTH.replace("@guard\n", ""))
    finished = lock("--check")
    assert "app.health:check has no guard now\n" in finished.stdout
    assert "  was:      guarded, HealthReport\n" in finished.stdout
    assert finished.returncode == 1


def test_new_functions_are_named_only(project: Path, lock: Run) -> None:
    """A new function is named, with what to type, and fails nothing."""
    lock("app")
    (project / "app/new.py").write_text("async def fetch(): ...\n")
    finished = lock("--check")
    assert finished.stdout.splitlines()[:2] == [
        "new: app.new:fetch, async",
        "to take these into the lock, run coroguard lock",
    ]
    assert finished.returncode == 0


def test_module_that_fails_makes_the_check_incomplete(project: Path, lock: Run) -> None:
    """A module that cannot be imported is named, and the check is not green."""
    lock("app")
    (project / "app/health.py").write_text("import nowhere\n")
    finished = lock("--check")
    assert finished.stdout.splitlines()[0] == (
        "could not import app.health: ModuleNotFoundError: No module named 'nowhere'"
    )
    assert finished.returncode == 4


def test_change_outranks_a_module_that_fails(project: Path, lock: Run) -> None:
    """A change is a change also where another module could not be imported."""
    lock("app")
    flip(project)
    (project / "app/health.py").write_text("import nowhere\n")
    assert lock("--check").returncode == 1


def test_lock_is_not_written_from_half_a_package(project: Path, lock: Run) -> None:
    """Where a module fails to be imported the old lock stays."""
    lock("app")
    before = (project / "coroguard.lock").read_bytes()
    (project / "app/health.py").write_text("raise SystemExit(0)\n")
    finished = lock("app")
    assert "could not import app.health: SystemExit: 0\n" in finished.stdout
    assert finished.returncode == 4
    assert (project / "coroguard.lock").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "run coroguard lock PACKAGE, the name that one imports"),
        (("--check",), "coroguard.lock; run coroguard lock PACKAGE to write it"),
        (("--check", "app"), "coroguard.lock; run coroguard lock app to write it"),
        (("ap",), "there is no package 'ap' here"),
        (("app", "--file", "app"), "Is a directory"),
        (("app", "--file", "pyproject.toml"), "is not a lock of coroguard"),
        (("app", "--file", "no/x.lock"), "No such file or directory"),
    ],
    ids=[
        *("no package", "no lock", "no lock of this", "unknown package"),
        *("a folder", "another file", "no folder"),
    ],
)
def test_wrong_use(lock: Run, arguments: tuple[str, ...], why: str) -> None:
    """Wrong use exits with 2 and shows the right usage."""
    finished = lock(*arguments)
    assert why in finished.stderr
    assert finished.stderr.startswith("coroguard: ")
    assert (finished.returncode, finished.stdout) == (2, "")


def test_package_that_is_not_in_the_lock(lock: Run) -> None:
    """A check of a package that was never locked fails."""
    lock("app")
    finished = lock("--check", "json")
    assert finished.stderr == (
        "coroguard: json is not in coroguard.lock; run coroguard lock app json "
        "[CG214]\n"
    )
    assert finished.returncode == 2


@pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["lock", "check"])
def test_merge_conflict(project: Path, lock: Run, arguments: tuple[str, ...]) -> None:
    """Marks of a merge conflict are named by line, with what renews the lock."""
    lock("app")
    file = project / "coroguard.lock"
    file.write_text(file.read_text().replace("[colours]", "<<<<<<< HEAD\n[colours]"))
    finished = lock(*arguments)
    assert finished.stderr == (
        "coroguard: coroguard.lock:9 has the mark of a merge conflict; "
        "write it anew: coroguard lock app\n"
    )
    assert finished.returncode == 2
    assert lock("app").returncode == 0
    assert lock("--check").returncode == 0


def test_mode_off_hides_no_guard(project: Path, lock: Run) -> None:
    """A process without guards neither locks nor checks them."""
    finished = lock("app", COROGUARD_MODE="off")
    assert "run COROGUARD_MODE=enforce coroguard lock" in finished.stderr
    assert finished.returncode == 2
    assert not (project / "coroguard.lock").exists()


def test_file_of_another_name(project: Path, lock: Run) -> None:
    """The command that the check shows names a lock of another name."""
    lock("app", "--file", "app.lock")
    flip(project)
    finished = lock("--check", "--file", "app.lock")
    assert "if it is meant, run coroguard lock --file app.lock\n" in finished.stdout
    assert not (project / "coroguard.lock").exists()


def test_package_that_is_left_out_is_named(project: Path, lock: Run) -> None:
    """A lock of fewer packages names those left out, and the command for all."""
    (project / "lib.py").write_text("def f(): ...\n")
    lock("app", "lib")
    finished = lock("lib")
    assert finished.stdout.splitlines()[0] == (
        "no longer locked: app; to lock all, run coroguard lock app lib"
    )


def test_nothing_is_left_beside_the_lock(project: Path, lock: Run) -> None:
    """The lock is written at once; no draft stays."""
    before = {*project.iterdir()}
    lock("app")
    assert {*project.iterdir()} - before == {project / "coroguard.lock"}


def test_lock_that_cannot_be_replaced_stays(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that could not be written whole leaves the old one, and no draft."""
    file = project / "coroguard.lock"
    file.write_text("the old one")
    before = {*project.iterdir()}

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="full"):
        write_lock(file, Lock(("app",), {}, {}, {}))
    assert file.read_text() == "the old one"
    assert {*project.iterdir()} == before


def test_lock_behind_a_link_stays_behind_it(project: Path, lock: Run) -> None:
    """A lock that is kept elsewhere is written there, and the link stays."""
    elsewhere = project / "kept.lock"
    (project / "coroguard.lock").symlink_to(elsewhere)
    lock("app")
    assert (project / "coroguard.lock").is_symlink()
    assert elsewhere.is_file()


def test_what_is_excluded_is_not_locked(project: Path, lock: Run) -> None:
    """A module that the project excludes keeps no lock from being written."""
    (project / "app/broken.py").write_text("import nowhere\n")
    assert lock("app").returncode == 4
    (project / "pyproject.toml").write_text(
        '[tool.coroguard]\nexclude = ["app.broken"]\n'
    )
    assert lock("app").returncode == 0
    assert lock("--check").returncode == 0


def test_a_library_is_locked_as_far_as_it_is_used(lock: Run, project: Path) -> None:
    """A colour that changed on the library's side is seen before anything runs."""
    library = project / "driver"
    library.mkdir()
    (library / "__init__.py").write_text(
        "class Client:\n    def ping(self): return True\n    def quit(self): ...\n"
    )
    (library / "extra.py").write_text("import nowhere\n")
    (project / "app/use.py").write_text("def use(client): return client.ping()\n")
    written = lock("app", "--with", "driver")
    assert (written.returncode, written.stderr) == (0, "")
    text = (project / "coroguard.lock").read_text()
    assert '"driver:Client.ping" = "sync"' in text
    assert "quit" not in text
    assert lock("--check").returncode == 0
    (library / "__init__.py").write_text(
        "class Client:\n    async def ping(self): return True\n"
    )
    checked = lock("--check")
    assert "driver:Client.ping was sync and is async now" in checked.stdout
    assert checked.returncode == 1


def test_a_lock_keeps_its_libraries(lock: Run, project: Path) -> None:
    """The lock is renewed with the libraries that it had."""
    (project / "driver.py").write_text("def is_connected(): return True\n")
    lock("app", "--with", "driver")
    before = (project / "coroguard.lock").read_text()
    assert '"driver:is_connected" = "sync"' in before
    assert lock().returncode == 0
    assert (project / "coroguard.lock").read_text() == before
