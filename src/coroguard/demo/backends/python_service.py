"""The services of the demonstration as processes of their own."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from coroguard.demo.backends.process import Server, ServerProcess

_READY = re.compile(r"^READY (http://\S+)$", re.MULTILINE)


class PythonService(Server):
    """A `python -m coroguard.demo.service` process.

    Args:
        kind: `chat` or `auth`.
        name: What it is called in messages; also the name of its log.
        directory: An existing directory for its log.
        env: Variables to add to the owner's.
        modules: A directory to put before all others on `sys.path`; `None` for none.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        directory: Path,
        *,
        env: Mapping[str, str],
        modules: Path | None = None,
    ) -> None:
        super().__init__(ServerProcess(name, log=directory / f"{name}.log"))
        self._kind = kind
        self._env = environment(env, modules)
        self._url = ""
        self._read_from = 0

    @property
    def url(self) -> str:
        """The address it announced."""
        return self._url

    @property
    def log_text(self) -> str:
        """All that the service has printed."""
        return self.process.log.read_text(encoding="utf-8", errors="replace")

    def spawn(self) -> None:
        """Start the service on its port."""
        log = self.process.log
        self._read_from = len(self.log_text) if log.exists() else 0
        module = ["-m", "coroguard.demo.service", self._kind, str(self.port)]
        self.process.spawn([sys.executable, *module], env=self._env)

    def is_ready(self) -> bool:
        """Return whether the service has announced its address."""
        found = _READY.search(self.log_text, self._read_from)
        if found is not None:
            self._url = found[1]
        return found is not None


def environment(env: Mapping[str, str], modules: Path | None) -> dict[str, str]:
    """Return the owner's variables with others, and a directory put on the path."""
    merged = {**os.environ, **env, "PYTHONUNBUFFERED": "1"}
    if modules is not None:
        before = os.environ.get("PYTHONPATH")
        path = [str(modules), *([before] if before else [])]
        merged["PYTHONPATH"] = os.pathsep.join(path)
    return merged
