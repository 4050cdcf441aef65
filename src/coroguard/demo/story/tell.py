"""In which order is the story told, and did all of it happen?"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING

from coroguard.demo.errors import ConfigError
from coroguard.demo.story import audited, chatting, cost, outage, silent
from coroguard.demo.story.claims import StepResult
from coroguard.demo.story.stage import USERS, Cast, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coroguard.demo.backends.stack import Stack
    from coroguard.demo.story.screen import Screen

__all__ = ["STEPS", "tell"]

STEPS: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    (audited.TITLE, audited.run),
    (chatting.TITLE, chatting.run),
    (outage.TITLE_OFF, outage.run_off),
    (outage.TITLE_ON, outage.run_on),
    (silent.TITLE, silent.run),
    (cost.TITLE, cost.run),
)


def tell(stack: Stack, screen: Screen) -> int:
    """Tell the story on servers that run; return 0 only when all of it happened.

    Raises:
        ConfigError: The servers belong to somebody else.
    """
    if stack.postgres is None or stack.valkey is None:
        raise ConfigError(
            "the story kills PostgreSQL and Valkey, and those of DATABASE_URL and "
            "REDIS_URL are not ours to kill; type env -u DATABASE_URL -u REDIS_URL "
            "coroguard demo, or coroguard demo --serve to chat with yours"
        )
    started = time.perf_counter()
    with screen.progress(len(STEPS)) as bar:
        cast = Cast.spawn(stack)
        tokens = tuple(stack.token(str(uuid.uuid4())) for _ in range(USERS))
        for service in cast.all():
            service.wait_ready()
        results: list[StepResult] = []
        for number, (title, run) in enumerate(STEPS, 1):
            bar.update(bar.task_ids[0], description=title, completed=number - 1)
            result = StepResult(title)
            screen.title(number, len(STEPS), title)
            stage = Stage(
                stack=stack,
                postgres=stack.postgres,
                valkey=stack.valkey,
                cast=cast,
                tokens=tokens,
                screen=screen,
                result=result,
            )
            asyncio.run(_attempt(run, stage))
            screen.claims(result)
            results.append(result)
    return _sum_up(results, screen, time.perf_counter() - started)


async def _attempt(run: Callable[[Stage], Awaitable[None]], stage: Stage) -> None:
    try:
        async with asyncio.timeout(20):
            await run(stage)
    except Exception as error:
        stage.result.broke(error)


def _sum_up(results: list[StepResult], screen: Screen, took_s: float) -> int:
    failed = [number for number, r in enumerate(results, 1) if not r.happened]
    screen.line()
    if failed:
        numbers = ", ".join(map(str, failed))
        screen.line(f"did not happen as told: step {numbers}", style="bold red")
        return 1
    claims = sum(len(result.claims) for result in results)
    screen.line(
        f"all {len(results)} steps happened as told: {claims} claims in {took_s:.1f} s",
        style="bold green",
    )
    return 0
