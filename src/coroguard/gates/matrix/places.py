"""The interpreter and the environment that a cell's runs get."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from coroguard._version import __version__

from ..environment import known
from ..job import LOOP
from ..signals import came
from .config import FLAGS

if TYPE_CHECKING:
    from .config import MatrixConfig, Value

_OF_FLAGS: dict[str, str | None] = {
    name: None for flag in FLAGS.values() for name in flag
}
_PROBE = Path(__file__).with_name("probe.py")
_PROBE_S = 60.0
_INSTALL_S = 600.0
_LOOK_S = 0.1


class CannotRunError(Exception):
    """A cell cannot be run here; the text is the reason and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """The environment in which the runs of a cell take place.

    Args:
        python: The interpreter.
        variables: Environment variables of its runs; ``None`` unsets one.
        facts: What a run in it reports about itself.
        versions: Versions of Python and of the packages on the axes.
    """

    python: str = sys.executable
    variables: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    versions: Mapping[str, str] = field(default_factory=dict[str, str])

    def check(self, facts: Mapping[str, Any]) -> None:
        """Compare the settings that a run reported with those of the cell.

        Raises:
            CannotRunError: They differ, so the run proves nothing about its cell.
        """
        for name, wanted in self.facts.items():
            if facts[name] != wanted:
                raise CannotRunError(
                    f"its run had {name} {facts[name]!r} and not {wanted!r}: the "
                    "project's own configuration or conftest.py sets it"
                )


class Places:
    """The places of the cells of one matrix; what is installed is shared.

    Args:
        config: The matrix.
        root: The folder that paths of interpreters are relative to.
        folder: Where other versions of packages are installed.
    """

    def __init__(self, config: MatrixConfig, root: Path, folder: Path) -> None:
        self._config = config
        self._root = root
        self._folder = folder
        self._installed: dict[tuple[str, ...], Path] = {}
        self._lock = Lock()

    def of(self, settings: Mapping[str, Value]) -> Place:
        """Return the place for settings, by axis.

        Raises:
            CannotRunError: Something that the cell needs is missing.
        """
        variables, facts = _variables(settings, self._config)
        python = self._python(str(settings.get("python", "")))
        wanted = {
            name: str(settings[name])
            for name in self._config.installed
            if settings[name] is not True
        }
        if wanted:
            variables["PYTHONPATH"] = str(self._install(python, wanted))
        has_uvloop = ["uvloop"] * (settings.get("loop") == "uvloop")
        names = [*self._config.installed, *has_uvloop]
        versions = {"python": platform.python_version()}
        if names or python != sys.executable:
            versions = _probe(python, variables, names)
        return Place(python, variables, facts, versions)

    def _python(self, value: str) -> str:
        if not value or value == "{}.{}".format(*sys.version_info):
            return sys.executable
        if os.sep in value:
            file = self._root / Path(value).expanduser()
            # Not resolved: through its link an environment is known.
            found = str(file) if os.access(file, os.X_OK) else None
        else:
            found = shutil.which(f"python{value}")
        if found is None:
            raise CannotRunError(
                f"the interpreter {value} is not installed; make an environment with "
                "it, install the project and coroguard there, and name its python"
            )
        return found

    def _install(self, python: str, wanted: Mapping[str, str]) -> Path:
        """Install versions into a folder of their own, once, and return it."""
        requirements = sorted(
            name + (version if re.match(r"[<>=!~@]", version) else f"=={version}")
            for name, version in wanted.items()
        )
        with self._lock:
            key = (python, *requirements)
            if key not in self._installed:
                target = self._folder / f"versions-{len(self._installed)}"
                _pip(python, requirements, target)
                self._installed[key] = target
            return self._installed[key]


def _variables(
    settings: Mapping[str, Value], config: MatrixConfig
) -> tuple[dict[str, str | None], dict[str, Any]]:
    """Return the variables of settings, and the settings that a run must report."""
    # Set on every cell, because only with it a run reports the facts.
    variables: dict[str, str | None] = {LOOP: str(settings.get("loop", ""))}
    facts: dict[str, Any] = {}
    if "mode" in settings:
        variables["COROGUARD_MODE"] = facts["mode"] = str(settings["mode"])
    if "loop" in settings:
        facts["loop"] = str(settings["loop"])
    if "flags" in settings:
        flag = FLAGS[str(settings["flags"])]
        variables |= _OF_FLAGS | flag
        facts["optimize"] = int(flag.get("PYTHONOPTIMIZE", 0))
        facts["dev_mode"] = "PYTHONDEVMODE" in flag
        facts["asyncio_debug"] = bool(flag.keys() - {"PYTHONOPTIMIZE"})
    for name in config.env:
        value = settings[name]
        if isinstance(value, str):
            variables[name] = value
        elif not value:
            variables[name] = None
        elif name not in os.environ:
            raise CannotRunError(f"{name} is not set here; set it, or name a value")
    return variables, facts


def environment(variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return the environment of a cell's runs."""
    every: dict[str, str | None] = {**known(os.environ), **variables}
    return {name: value for name, value in every.items() if value is not None}


def _probe(
    python: str, variables: Mapping[str, str | None], names: Sequence[str]
) -> dict[str, str]:
    """Ask an interpreter for versions; raise where something that is needed lacks."""
    needed = ["coroguard", "pytest"] if python != sys.executable else []
    try:
        done = subprocess.run(
            [python, "-P", str(_PROBE), *needed, *names],
            env=environment(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PROBE_S,
            check=True,
        )
        versions: dict[str, str] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        words = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise CannotRunError(f"{python} does not run: {words[-1]}") from None
    missing = [name for name, version in versions.items() if not version]
    if missing:
        raise CannotRunError(
            f"not installed for {python}: {', '.join(missing)}; install it there"
        )
    found = versions.get("coroguard", __version__)
    if found != __version__:
        raise CannotRunError(
            f"{python} has coroguard {found} and this is {__version__}; "
            "install the same"
        )
    return versions


def _pip(python: str, requirements: Sequence[str], target: Path) -> None:
    command = [python, "-m", "pip", "install", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--target", str(target), *requirements]
    log = target.with_suffix(".txt")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            env=known(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        left_s = _INSTALL_S
        while process.poll() is None and left_s > 0 and not came():
            try:
                process.wait(_LOOK_S)
            except subprocess.TimeoutExpired:
                left_s -= _LOOK_S
        process.kill()
    if process.returncode:
        lines = [it for it in log.read_text(errors="replace").splitlines() if it]
        last = lines[-1] if lines else f"pip left with {process.returncode}"
        raise CannotRunError(
            f"{', '.join(requirements)} could not be installed: {last}"
        )
