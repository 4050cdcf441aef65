"""Step 5: who notices that a coroutine was truth-tested, while Valkey is dead?"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import httpx

from coroguard.demo.redis_manager import RedisManager
from coroguard.demo.story.logs import leak_record
from coroguard.demo.story.stage import refuses

if TYPE_CHECKING:
    from coroguard.demo.backends.python_service import PythonService
    from coroguard.demo.story.stage import Stage

__all__ = ["TITLE", "run"]

TITLE = "the silent twin: Valkey is killed, and `if not manager.is_connected()`"


async def run(stage: Stage) -> None:
    """Ask four services about the same dead Valkey."""
    cast, result = stage.cast, stage.result
    stage.valkey.kill()
    dead = refuses(stage.valkey.port)
    result.equal("Valkey was killed: its port refuses", dead, True)
    honest, silent = await _health(cast.plain_on), await _health(cast.silent_off)
    named, strict = await _health(cast.silent_on), await _health(cast.silent_strict)
    stage.valkey.restart()
    stage.screen.table(
        ("GET /health", "COROGUARD_MODE", "status", "body"),
        [
            _row("own check", "enforce", honest),
            _row("the twin", "off", silent),
            _row("the twin", "enforce", named),
            _row("the twin", "strict", strict),
        ],
    )
    # Python's own warning goes to standard error, past the log and its alarms, and is
    # shown once in the life of the process.
    own = [
        row for row in cast.silent_off.log_text.splitlines() if "never awaited" in row
    ]
    stage.screen.quote(
        "standard error, COROGUARD_MODE=off", "\n".join(own) or "nothing"
    )
    record = leak_record(cast.silent_on.log_text, "left a coroutine behind")
    stage.screen.quote("log of the service, COROGUARD_MODE=enforce", record)
    result.equal("the service's own check sees it", _verdict(honest), (503, "fail"))
    result.equal("unguarded, the twin says healthy", _verdict(silent), (200, "pass"))
    told = re.findall(r"^(?:WARNING|ERROR|CRITICAL) .*", cast.silent_off.log_text, re.M)
    result.equal("and writes nothing to its log", told, [])
    line = inspect.getsourcelines(RedisManager.is_connected)[1]
    where = f"redis_manager.py:{line}"
    result.contains("guarded, the log names it", record, "is_connected", where)
    result.equal("strict, the report is refused", _verdict(strict), (503, "fail"))
    back = await _health(cast.plain_on)
    result.equal("Valkey is back, and healthy", _verdict(back), (200, "pass"))


async def _health(service: PythonService) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        answer = await client.get(service.url + "/health", timeout=10)
    return answer.status_code, answer.json()


def _verdict(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, body = answer
    return status, str(body.get("status"))


def _row(who: str, mode: str, answer: tuple[int, dict[str, Any]]) -> tuple[str, ...]:
    status, body = answer
    said = body.get("output") or "; ".join(body.get("notes", []))
    return who, mode, f"{status} {body.get('status')}", str(said)
