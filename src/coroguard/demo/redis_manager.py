"""Presence and rate limits in Redis or Valkey."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from redis.asyncio import Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from coroguard.demo.deadline import within
from coroguard.demo.errors import ComponentUnavailable
from coroguard.demo.settings import redact

T = TypeVar("T")

_WINDOW_S = 10
_PRESENCE_S = 300
_RETRIED: Any = (RedisConnectionError, RedisTimeoutError)


class _LiveConnection(Connection):
    """A connection that writes nothing to a socket that was lost.

    From Python 3.12 on, ``writelines()`` of a lost transport lets the loop watch a
    descriptor that is closed, and breaks the next connection that gets its number.

    Source: gh-136234, repaired in Python 3.13.10.
    """

    async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        """Send a command; where the connection was lost, connect again first."""
        writer = self._writer
        if writer is not None and writer.is_closing():
            await self.disconnect(nowait=True)
        await super().send_packed_command(*args, **kwargs)


class RedisManager:
    """The service's link to Redis or Valkey, each operation under a deadline.

    Args:
        url: Where it is; nothing is connected before the first operation.
        deadline_s: Seconds one operation may take.
        rate_limit: Messages a user may send in ten seconds; zero means no limit.
    """

    def __init__(self, url: str, deadline_s: float, *, rate_limit: int = 0) -> None:
        self._url = url
        self._deadline_s = deadline_s
        self._rate_limit = rate_limit
        # One retry, at once: a connection that broke while it was in the pool does
        # not mean that the server is away now.
        self._redis: Redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            connection_class=_LiveConnection,
            retry=Retry(NoBackoff(), 1, supported_errors=_RETRIED),
        )

    async def is_connected(self) -> bool:
        """Return whether the server answers."""
        try:
            await self.ping()
        except ComponentUnavailable:
            return False
        return True

    async def ping(self) -> None:
        """Ask the server for an answer.

        Raises:
            ComponentUnavailable: It refused, broke off, or stayed silent.
        """

        async def ping() -> None:
            answer: Awaitable[bool] = self._redis.ping()  # pyright: ignore[reportUnknownMemberType]
            await answer

        await self._run(ping())

    async def arrive(self, user_id: str, client_id: str) -> int:
        """Note that a socket is there; return how many are.

        Raises:
            ComponentUnavailable: As for `ping()`.
        """

        async def arrive() -> int:
            now = time.time()
            async with self._redis.pipeline() as pipe:
                pipe.zremrangebyscore("chat:online", 0, now - _PRESENCE_S)
                pipe.zadd("chat:online", {f"{user_id}/{client_id}": now})
                pipe.zcard("chat:online")
                return int((await pipe.execute())[-1])

        return await self._run(arrive())

    async def leave(self, user_id: str, client_id: str) -> None:
        """Note that a socket is gone.

        Raises:
            ComponentUnavailable: As for `ping()`.
        """

        async def leave() -> None:
            await self._redis.zrem("chat:online", f"{user_id}/{client_id}")

        await self._run(leave())

    async def may_send(self, user_id: str, client_id: str) -> bool:
        """Count one more message; return whether the user is within the limit.

        Raises:
            ComponentUnavailable: As for `ping()`.
        """

        async def count() -> int:
            now = time.time()
            key = f"chat:rate:{user_id}:{int(now) // _WINDOW_S}"
            async with self._redis.pipeline() as pipe:
                pipe.incr(key)
                pipe.expire(key, 2 * _WINDOW_S)
                pipe.zadd("chat:online", {f"{user_id}/{client_id}": now})
                return int((await pipe.execute())[0])

        counted = await self._run(count())
        return not self._rate_limit or counted <= self._rate_limit

    async def close(self) -> None:
        """Drop all connections."""
        await self._redis.aclose()

    async def _run(self, operation: Coroutine[object, object, T]) -> T:
        try:
            return await within(self._deadline_s, operation)
        except (RedisError, OSError) as lost:
            late = isinstance(lost, TimeoutError)
            code = "REDIS_TIMEOUT" if late else "REDIS_UNREACHABLE"
            text = redact(str(lost) or type(lost).__name__, self._url)
            raise ComponentUnavailable("redis", text, code=code) from None
