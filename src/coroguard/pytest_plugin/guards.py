"""Colliding names and lost guards as failures of a pytest run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest

from .._leaks.errors import GuardUsageError
from ..bindings import protect_configured, verify

_SENT = "coroguard_lost_guards"
_AUDIT = (
    "import sys; from coroguard.bindings.command import audit; "
    "sys.exit(audit(packages=sys.argv[1:]))"
)


class AuditItem(pytest.Item):
    """One package whose names must not collide, as a test of its own.

    It runs in a process of its own, which sees the package as a starting
    service does, and not as the tests have left it.
    """

    package = ""

    @classmethod
    def of(cls, session: pytest.Session, package: str) -> AuditItem:
        """Make the item of a package."""
        name = f"coroguard-audit[{package}]"
        item: AuditItem = _from_parent(cls, session, name=name, nodeid=name)
        item.package = package
        return item

    def runtest(self) -> None:
        """Audit the package.

        Raises:
            _AuditFailedError: Names collide, or not all modules could be read.
        """
        done = subprocess.run(
            [sys.executable, "-c", _AUDIT, self.package],
            cwd=self.config.rootpath,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise _AuditFailedError((done.stdout + done.stderr).strip())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]
        """Show the output of the audit, without a traceback."""
        if isinstance(excinfo.value, _AuditFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[os.PathLike[str], None, str]:
        """Return the heading of a failure's report."""
        return self.config.rootpath, None, self.name


# Typed Any: pytest's signature has no types for its keyword arguments.
_from_parent: Any = pytest.Item.from_parent.__func__  # type: ignore[attr-defined]


class _AuditFailedError(Exception):
    """The audit has findings; the text is its output."""


class Guards:
    """Puts the project's guards on, and reports at the end which were lost.

    Args:
        strict: Whether a lost guard fails the run.
    """

    def __init__(self, config: pytest.Config, *, strict: bool) -> None:
        self._config = config
        self._strict = strict
        self._lost: list[str] = []
        try:
            protect_configured(config.rootpath)
        except GuardUsageError as error:
            raise pytest.UsageError(str(error)) from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Verify the guards; a worker of pytest-xdist sends its findings."""
        self._add(str(finding) for finding in verify(ended=True))
        if hasattr(self._config, "workerinput"):
            self._config.workeroutput[_SENT] = self._lost  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        elif self._strict and self._lost and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add the findings that a worker sent."""
        self._add(getattr(node, "workeroutput", {}).get(_SENT, ()))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Show each lost guard once."""
        if self._lost:
            terminalreporter.section("coroguard: lost guards")
            for text in self._lost:
                terminalreporter.line(text)

    def _add(self, texts: Iterable[str]) -> None:
        self._lost += [text for text in texts if text not in self._lost]
