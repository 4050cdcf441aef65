"""Services and their users, as the ready-made gates need them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from .script import last_error, no_log
from .user import ChatUser

if TYPE_CHECKING:
    from .script import ChatScript, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatService:
    """A running service and the script to talk to it.

    Args:
        url: Its address, `http://...`.
        script: The words of the chat.
        deadline_s: Seconds within which a user has to hear that a component failed.
        slack_s: Seconds that a busy machine may add.
        log: All that the service has logged so far; leaks are looked for in it, and
            its last error is reported with a connection that broke.
    """

    url: str
    script: ChatScript
    deadline_s: float = 2.0
    slack_s: float = 2.0
    log: Callable[[], str] = no_log

    def __post_init__(self) -> None:
        if find_spec("websockets") is None:
            raise ModuleNotFoundError(
                "a ChatService needs websockets; run python -m pip install websockets",
                name="websockets",
            )

    @property
    def patience_s(self) -> float:
        """Seconds without an answer after which a user hangs."""
        return self.deadline_s + self.slack_s

    def last_error(self) -> str:
        """Return the last line of the log that names an exception, or nothing."""
        return last_error(self.log())

    def user(self, user_id: str | None = None) -> ChatUser:
        """Return a user of the service; ``None`` is a new one."""
        return ChatUser(self, user_id)


class User(Protocol):
    """One user of a service, as the gates need one."""

    user_id: str
    first: Turn

    async def __aenter__(self) -> Any: ...

    async def __aexit__(self, *_error: object) -> None: ...

    async def open(self) -> Turn:
        """Connect, with retries, and return the first frames."""
        ...

    async def send(self, text: str, message_id: str | None = None) -> Turn:
        """Send a text and return the frames up to the answer, an error or the end."""
        ...

    async def history(self) -> list[str] | None:
        """Return this user's messages as the service remembers them."""
        ...

    async def ping(self) -> float:
        """Return the seconds in which the connection answers."""
        ...

    async def leave(self) -> None:
        """Close the connection."""
        ...

    async def vanish(self, text: str, message_id: str) -> None:
        """Send a text and be gone before the answer."""
        ...


class Service(Protocol):
    """A running service, as the gates need one."""

    @property
    def script(self) -> ChatScript:
        """The expected form of a turn."""
        ...

    @property
    def slack_s(self) -> float:
        """Seconds that a busy machine may add."""
        ...

    @property
    def patience_s(self) -> float:
        """Seconds without an answer after which a user hangs."""
        ...

    @property
    def log(self) -> Callable[[], str]:
        """All that the service has logged so far."""
        ...

    def last_error(self) -> str:
        """Return the last line of the log that names an exception, or nothing."""
        ...

    def user(self, user_id: str | None = None) -> User:
        """Return a user of the service; ``None`` is a new one."""
        ...
