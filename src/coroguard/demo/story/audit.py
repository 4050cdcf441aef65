"""Step 1: an audit that refuses the collision before the service starts."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from coroguard.demo.backends.python_service import environment
from coroguard.demo.backends.stack import TWINS
from coroguard.demo.story.evidence import Claim, contains, equal

if TYPE_CHECKING:
    from coroguard.demo.story.screen import Screen

#: The module of another team that the audit refuses.
TWIN = "async_check"
_SHOWN = "coroguard audit coroguard.demo && python -m coroguard.demo.service chat"
_PYTHON = shlex.quote(sys.executable)
_AUDIT = f"{_PYTHON} -m coroguard audit coroguard.demo"
_AND_START = f"{_AUDIT} && {_PYTHON} -m coroguard.demo.service chat"


async def run(addresses: Mapping[str, str], screen: Screen) -> list[Claim]:
    """Start a service only if the audit is clean, with the other team and without."""
    (refused, text), (clean, _) = await asyncio.gather(
        _shell(_AND_START, environment(addresses, TWINS / TWIN)),
        _shell(_AUDIT, environment(addresses, None)),
    )
    screen.quote(_SHOWN, text)
    return [
        equal("beside the other team's module the audit refuses", refused, 1),
        contains(
            "it names the collision, both places and the fix",
            text,
            "validate_websocket_component_health is bound twice",
            "websocket_core.py:",
            "chat_probes.py:",
            "fix:",
        ),
        equal("so the service did not start", "READY" in text, False),
        equal("without that module the audit is clean", clean, 0),
    ]


async def _shell(command: str, env: dict[str, str]) -> tuple[int | None, str]:
    """Return the exit code of a command, and its output."""
    shell = await asyncio.create_subprocess_shell(
        command,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await shell.communicate()
    return shell.returncode, printed.decode().strip()
