"""Step 6: a truth-tested coroutine that hides a dead Valkey."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import httpx

from coroguard.demo.redis_manager import RedisManager
from coroguard.demo.story.evidence import Claim, contains, equal, kill, labelled_lines

if TYPE_CHECKING:
    from coroguard.demo.backends.python_service import PythonService
    from coroguard.demo.backends.valkey import Valkey
    from coroguard.demo.story.screen import Screen

DROPPED = r".*coroguard\.leak: .*left a coroutine behind"


async def run(
    own: PythonService, twins: Sequence[PythonService], valkey: Valkey, screen: Screen
) -> list[Claim]:
    """Ask four services for the health of the same dead Valkey.

    Args:
        own: A guarded service with its own check.
        twins: Services with the other team's check, by mode: off, enforce, strict.
        valkey: The server to kill.
        screen: Where the answers are shown.
    """
    off, enforce, _strict = twins
    killed = kill(valkey)
    naive = await _health(off, "/naive-health")
    # Python's own warning goes to standard error, past the log and its alarms, and is
    # shown once in the life of the process.
    log = off.log_text
    answers = [await _health(service) for service in (own, *twins)]
    valkey.restart()
    rows = [
        ("the twin", "/naive-health", "off", naive),
        ("own check", "/health", "enforce", answers[0]),
        *(
            ("the twin", "/health", mode, answer)
            for mode, answer in zip(
                ("off", "enforce", "strict"), answers[1:], strict=True
            )
        ),
    ]
    screen.table(
        ("check", "GET", "COROGUARD_MODE", "status", "body"),
        [
            (check, path, mode, f"{status} {body.get('status')}", _output(body))
            for check, path, mode, (status, body) in rows
        ],
    )
    warned = [line for line in log.splitlines() if "never awaited" in line]
    screen.quote("standard error, COROGUARD_MODE=off", "\n".join(warned) or "nothing")
    logged = re.findall(r"^(?:WARNING|ERROR|CRITICAL) .*", log, re.M)
    record = labelled_lines(enforce.log_text, DROPPED)
    screen.quote("log of the service, COROGUARD_MODE=enforce", record)
    place = f"redis_manager.py:{inspect.getsourcelines(RedisManager.is_connected)[1]}"
    honest, *guarded = map(_status, answers)
    back = _status(await _health(own))
    return [
        killed,
        equal("unguarded, the twin reports healthy", _status(naive), (200, "pass")),
        equal("and writes nothing to its log", logged, []),
        equal("the service's own check sees it", honest, (503, "fail")),
        contains("guarded, the log names it", record, "is_connected", place),
        equal("the endpoint sees it in every mode", guarded, [(503, "fail")] * 3),
        equal("Valkey is back, and healthy", back, (200, "pass")),
    ]


async def _health(
    service: PythonService, path: str = "/health"
) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        answer = await client.get(service.url + path, timeout=30)
    return answer.status_code, answer.json()


def _status(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, body = answer
    return status, str(body.get("status"))


def _output(body: dict[str, Any]) -> str:
    return str(body.get("output") or "; ".join(body.get("notes", [])))
