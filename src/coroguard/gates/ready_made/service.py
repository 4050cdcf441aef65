"""Services and their users, as the ready-made gates need them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

from .script import last_error, no_log
from .user import ChatUser

if TYPE_CHECKING:
    from .own_client import ClientService, ClientUser
    from .script import ChatScript

    #: A service, and one of its users, as the gates need them.
    Service: TypeAlias = "ChatService | ClientService"
    User: TypeAlias = ChatUser | ClientUser


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseService:
    """The times and the log of a service, however a user reaches it."""

    deadline_s: float = 2.0
    slack_s: float = 2.0
    log: Callable[[], str] = no_log

    @property
    def patience_s(self) -> float:
        """Seconds without an answer after which a user hangs."""
        return self.deadline_s + self.slack_s

    def last_error(self) -> str:
        """Return the last line of the log that names an exception, or nothing."""
        return last_error(self.log())


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatService(BaseService):
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

    def __post_init__(self) -> None:
        if find_spec("websockets") is None:
            raise ModuleNotFoundError(
                "a ChatService needs websockets; run python -m pip install websockets",
                name="websockets",
            )

    def user(self, user_id: str | None = None) -> ChatUser:
        """Return a user of the service; ``None`` is a new one."""
        return ChatUser(self, user_id)
