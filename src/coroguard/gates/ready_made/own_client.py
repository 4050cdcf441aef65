"""Services that a user reaches with client code of their own, over any protocol."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from coroguard._leaks.errors import CoroguardError

from .script import ChatScript, Turn
from .service import BaseService
from .user import OneUser

if TYPE_CHECKING:
    from .script import Ending, Frame

Ask: TypeAlias = Callable[[str, str, str], Awaitable[str]]
Remembered: TypeAlias = Callable[[str], Awaitable[list[str]]]


class Refused(CoroguardError, RuntimeError):  # noqa: N818  # an answer
    """The service refused on purpose, with a message for its user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientService(BaseService):
    """A running service and the lines of code that a client of it needs.

    Args:
        ask: Gets a user's id, a text and the id of the message, and returns the
            answer, which has to quote the text. It raises `Refused` with the
            service's message where the service reports an error as agreed, such as
            a status 503 with a body; any other exception is a connection that broke.
        remembered: Gets a user's id and returns what this user sent, the oldest
            first; ``None`` where the service keeps no history.
        deadline_s: Seconds within which a user has to hear that a component failed.
        slack_s: Seconds that a busy machine may add.
        log: All that the service has logged so far.
    """

    ask: Ask
    remembered: Remembered | None = None
    script: ChatScript = field(init=False)

    def __post_init__(self) -> None:
        history: Frame | None = None if self.remembered is None else {}
        script = ChatScript(events=("answer",), history=history)
        object.__setattr__(self, "script", script)

    def user(self, user_id: str | None = None) -> ClientUser:
        """Return a user of the service; ``None`` is a new one."""
        return ClientUser(self, user_id)


class ClientUser(OneUser):
    """One user, whose client code connects with each call.

    Args:
        service: The service.
        user_id: The user's id, a UUID; ``None`` makes a new one.
    """

    def __init__(self, service: ClientService, user_id: str | None = None) -> None:
        super().__init__(user_id, Turn((), "answered", "", 0.0))
        self._service = service

    async def send(self, text: str, message_id: str | None = None) -> Turn:
        """Send a text and return its answer."""
        started = time.monotonic()
        asked = self._service.ask(self.user_id, text, message_id or str(uuid.uuid4()))
        frame: Frame
        ending: Ending
        try:
            answer = await asyncio.wait_for(asked, self._service.patience_s)
        except Refused as refused:
            frame, ending, why = _frame("error", message=str(refused)), "error", ""
        except TimeoutError:
            return Turn((), "silent", "", time.monotonic() - started)
        except Exception as error:
            # A connection breaks in as many forms as there are clients.
            why = f"{type(error).__name__}: {error}"
            return Turn((), "broke", why, time.monotonic() - started)
        else:
            frame, ending, why = _frame("answer", text=answer), "answered", ""
        return Turn((frame,), ending, why, time.monotonic() - started)

    async def history(self) -> list[str] | None:
        """Return this user's messages as the service remembers them, or ``None``."""
        remembered = self._service.remembered
        if remembered is None:
            return None
        return await asyncio.wait_for(
            remembered(self.user_id), self._service.patience_s
        )

    async def ping(self) -> float:
        """Return 0: between calls there is no connection to ping."""
        return 0.0

    async def vanish(self, text: str, message_id: str) -> None:
        """Begin a call and give it up before the answer."""
        calling = asyncio.ensure_future(self.send(text, message_id))
        await asyncio.sleep(0)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)


def _frame(kind: str, **fields: str) -> Frame:
    return {"type": kind, **fields}
