"""How do colliding names, and guards that were lost, fail a run of pytest?"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .._leaks.errors import GuardUsageError
from ..bindings import protect_configured, verify

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AuditItem", "Guards"]

_SENT = "coroguard_lost_guards"
_AUDIT = (
    "import sys; from coroguard.bindings.command import audit; "
    "sys.exit(audit(packages=sys.argv[1:]))"
)


class AuditItem(pytest.Item):
    """One package whose names must not collide, as a test of its own.

    It runs in a process of its own, as a service that starts would see the
    package, and not as the tests have left it.
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
        """Show what the audit says, and no traceback."""
        if isinstance(excinfo.value, _AuditFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[os.PathLike[str], None, str]:
        """Return what the report of a failure is headed with."""
        return self.config.rootpath, None, self.name


# Typed Any: pytest's own has no types for what it passes on.
_from_parent: Any = pytest.Item.from_parent.__func__  # type: ignore[attr-defined]


class _AuditFailedError(Exception):
    """The package is not clean; the text is the audit's own."""


class Guards:
    """Puts the project's guards on, and tells at the end which of them were lost.

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
        """Look where the guards are; a worker of pytest-xdist sends it home."""
        self._add(str(finding) for finding in verify(ended=True))
        if hasattr(self._config, "workerinput"):
            self._config.workeroutput[_SENT] = self._lost  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        elif self._strict and self._lost and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker sent."""
        self._add(getattr(node, "workeroutput", {}).get(_SENT, ()))

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Tell of each lost guard once."""
        if self._lost:
            terminalreporter.section("coroguard: lost guards")
            for text in self._lost:
                terminalreporter.line(text)

    def _add(self, texts: Iterable[str]) -> None:
        self._lost += [text for text in texts if text not in self._lost]
