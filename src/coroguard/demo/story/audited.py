"""Step 1: is the collision refused before a service starts beside it?"""

from __future__ import annotations

import asyncio
import shlex
import sys
from typing import TYPE_CHECKING

from coroguard.demo.backends.python_service import environment
from coroguard.demo.backends.stack import TWINS

if TYPE_CHECKING:
    from coroguard.demo.story.stage import Stage

__all__ = ["TITLE", "run"]

TITLE = "before the service starts: coroguard audit"
_PYTHON = shlex.quote(sys.executable)
_AUDIT = f"{_PYTHON} -m coroguard audit coroguard.demo"
_AND_START = f"{_AUDIT} && {_PYTHON} -m coroguard.demo.service chat"
_NAME = "validate_websocket_component_health"


async def run(stage: Stage) -> None:
    """Start a service only if the audit is clean, with the other team and without."""
    (refused, text), (clean, _) = await asyncio.gather(
        _shell(stage, _AND_START, twin="async_check"), _shell(stage, _AUDIT)
    )
    command = "coroguard audit coroguard.demo && python -m coroguard.demo.service chat"
    stage.screen.quote(command, text)
    result = stage.result
    result.equal("beside the other team's module the audit refuses", refused, 1)
    parts = (
        f"{_NAME} is bound twice",
        "websocket_core.py:",
        "chat_probes.py:",
        "fix:",
    )
    result.contains("it names the collision, both places and the fix", text, *parts)
    result.equal("so the service did not start", "READY" in text, False)
    result.equal("without that module the audit is clean", clean, 0)


async def _shell(
    stage: Stage, command: str, twin: str | None = None
) -> tuple[int | None, str]:
    """Return the exit code of a command, and what it printed."""
    shell = await asyncio.create_subprocess_shell(
        command,
        env=environment(stage.stack.addresses, TWINS / twin if twin else None),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await shell.communicate()
    return shell.returncode, printed.decode().strip()
