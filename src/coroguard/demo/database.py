"""Conversations in PostgreSQL, each read by its owner only."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from coroguard.demo.agent import Found
from coroguard.demo.deadline import within
from coroguard.demo.errors import ComponentUnavailable, Rejected
from coroguard.demo.settings import redact

T = TypeVar("T")

# Errors of a server that is down, going down, or coming up. Any other is our own
# mistake and passes.
LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.InvalidAuthorizationSpecificationError,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS chat_threads (
  thread_id uuid PRIMARY KEY,
  user_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS chat_threads_by_user ON chat_threads (user_id, created_at);
CREATE TABLE IF NOT EXISTS chat_messages (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  thread_id uuid NOT NULL REFERENCES chat_threads ON DELETE CASCADE,
  message_id uuid NOT NULL,
  role text NOT NULL CHECK (role IN ('user', 'agent')),
  text text NOT NULL,
  UNIQUE (thread_id, message_id, role)
);
"""
_SCHEMA_LOCK = 7303014  # two services that start at once create the tables once


class Database:
    """The service's connections to PostgreSQL, each operation under a deadline.

    Args:
        url: Where it is; nothing is connected before the first operation.
        deadline_s: Seconds one operation may take.
    """

    def __init__(self, url: str, deadline_s: float) -> None:
        self._url = url
        self._deadline_s = deadline_s
        self._pool = asyncpg.create_pool(
            url, min_size=0, max_size=20, reset=_keep_session
        )
        self._opened = False
        self._has_tables = False

    async def run(
        self, operation: Callable[[asyncpg.pool.PoolConnectionProxy], Awaitable[T]]
    ) -> T:
        """Run an operation on a connection of the pool.

        Raises:
            ComponentUnavailable: The server refused, broke off, or stayed silent past
                the deadline; then the connection is thrown away, never reused.
        """
        held: list[asyncpg.pool.PoolConnectionProxy] = []

        async def borrow() -> T:
            async with self._pool.acquire() as connection:
                held.append(connection)
                return await operation(connection)

        try:
            await self._open()
            return await within(self._deadline_s, borrow())
        except TimeoutError as late:
            for connection in held:
                # On a slow machine it may have gone back to the pool meanwhile.
                with suppress(asyncpg.InterfaceError):
                    connection.terminate()
            raise self._unavailable(late, "DATABASE_TIMEOUT") from None
        except LOST as lost:
            raise self._unavailable(lost, "DATABASE_UNREACHABLE") from None

    async def make_tables(self) -> None:
        """Create the tables where they do not exist yet.

        Raises:
            ComponentUnavailable: As for `run()`.
        """

        async def make(connection: asyncpg.pool.PoolConnectionProxy) -> None:
            async with connection.transaction():
                await connection.execute(
                    "SELECT pg_advisory_xact_lock($1)", _SCHEMA_LOCK
                )
                await connection.execute(_SCHEMA)

        await self.run(make)
        self._has_tables = True

    async def open_thread(self, user_id: str, thread_id: str | None) -> str:
        """Return the thread to talk in: the one asked for, the latest, or a new one.

        Raises:
            Rejected: The thread belongs to somebody else.
            ComponentUnavailable: As for `run()`.
        """
        user = uuid.UUID(user_id)
        if not self._has_tables:
            await self.make_tables()

        async def find(connection: asyncpg.pool.PoolConnectionProxy) -> Any:
            if thread_id is None:
                latest = await connection.fetchrow(
                    "SELECT thread_id, user_id FROM chat_threads WHERE user_id = $1 "
                    "ORDER BY created_at DESC LIMIT 1",
                    user,
                )
                if latest is not None:
                    return latest
            wanted = uuid.UUID(thread_id) if thread_id else uuid.uuid4()
            await connection.execute(
                "INSERT INTO chat_threads VALUES ($1, $2) ON CONFLICT DO NOTHING",
                wanted,
                user,
            )
            return await connection.fetchrow(
                "SELECT thread_id, user_id FROM chat_threads WHERE thread_id = $1",
                wanted,
            )

        row = await self.run(find)
        if row["user_id"] != user:
            raise Rejected(4403, "this thread belongs to another user")
        return str(row["thread_id"])

    async def close(self) -> None:
        """Drop all connections without waiting for the server."""
        if self._opened:
            self._pool.terminate()

    async def _open(self) -> None:
        if not self._opened:
            self._opened = True
            await self._pool

    def _unavailable(self, problem: Exception, code: str) -> ComponentUnavailable:
        text = redact(str(problem) or type(problem).__name__, self._url)
        return ComponentUnavailable("database", text, code=code)


class ThreadStore:
    """One user's thread; every query names both, so no other is ever read.

    Args:
        database: Where the thread is kept.
        thread_id: The thread.
        user_id: Its owner.
        message_id: The message that is being answered.
    """

    def __init__(
        self, database: Database, *, thread_id: str, user_id: str, message_id: str
    ) -> None:
        self._database = database
        self._thread = uuid.UUID(thread_id)
        self._user = uuid.UUID(user_id)
        self._message = uuid.UUID(message_id)

    async def search(self, words: Sequence[str]) -> Found:
        """Count the user's earlier messages, and those with one of the words."""
        # Among the characters of a word, only the underscore is special to LIKE.
        patterns = ["%" + word.replace("_", r"\_") + "%" for word in words]
        row = await self._database.run(
            lambda connection: connection.fetchrow(
                "SELECT count(*) AS earlier, "
                "count(*) FILTER (WHERE m.text ILIKE ANY ($3)) AS matching "
                "FROM chat_messages m JOIN chat_threads USING (thread_id) "
                "WHERE thread_id = $1 AND user_id = $2 AND role = 'user' "
                "AND message_id <> $4",
                self._thread,
                self._user,
                patterns,
                self._message,
            )
        )
        assert row is not None  # an aggregate without GROUP BY has one row
        return Found(earlier=row["earlier"], matching=row["matching"])

    async def keep(self, text: str, answer: str) -> None:
        """Keep a message and its answer, both or neither, and each only once."""
        await self._database.run(
            lambda connection: connection.execute(
                "INSERT INTO chat_messages (thread_id, message_id, role, text) "
                "SELECT thread_id, $3, role, text FROM chat_threads, "
                "(VALUES (1, 'user', $4::text), (2, 'agent', $5::text)) "
                "AS kept (turn, role, text) "
                "WHERE thread_id = $1 AND user_id = $2 ORDER BY turn "
                "ON CONFLICT DO NOTHING",
                self._thread,
                self._user,
                self._message,
                text,
                answer,
            )
        )

    async def history(self) -> list[dict[str, str]]:
        """Return the thread's latest messages, oldest first."""
        rows = await self._database.run(
            lambda connection: connection.fetch(
                "SELECT * FROM (SELECT position, message_id, role, text "
                "FROM chat_messages JOIN chat_threads USING (thread_id) "
                "WHERE thread_id = $1 AND user_id = $2 "
                "ORDER BY position DESC LIMIT 200) AS latest ORDER BY position",
                self._thread,
                self._user,
            )
        )
        return [
            {"id": str(row["message_id"]), "role": row["role"], "text": row["text"]}
            for row in rows
        ]


async def _keep_session(_connection: object) -> None:
    """Reset nothing: no operation here changes a session, and asking costs a trip."""
