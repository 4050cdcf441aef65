"""Services for the ready-made gates: what users send, and what has to come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from coroguard._leaks.symptoms import symptom

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from .user import ChatUser

__all__ = [
    "ChatScript",
    "ChatService",
    "Ending",
    "Frame",
    "Service",
    "Turn",
    "User",
    "last_error",
]

Frame: TypeAlias = dict[str, Any]
Ending: TypeAlias = Literal["answered", "error", "closed", "broke", "silent"]


def _message(text: str, message_id: str) -> Frame:
    return {"type": "message", "id": message_id, "text": text}


def _answer(frame: Mapping[str, Any]) -> str:
    return str(frame["text"])


def _no_headers(_user_id: str) -> Mapping[str, str]:
    return {}


def _nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatScript:
    """The words of a chat over a WebSocket, in JSON frames with a `type`.

    Args:
        events: The types of a turn's frames, in order; the last is the answer.
        path: Where the WebSocket is.
        greeting: The type of the frame that a new socket gets; empty means none.
        error: The type of an error frame.
        error_keys: What an error frame has to say besides.
        headers: The headers by which a user, given as a new UUID, is let in, such as
            a bearer token. Without it nobody is asked who they are.
        message: The frame for a text and the id of the message, a new UUID; it keeps
            its id when it is sent again.
        answer: The text of the last frame; it has to quote what the user said.
        history: The frame that asks for the conversation; `None` if there is none.
        remembered: What the user said, oldest first, from the frame that answers it.
    """

    events: Sequence[str]
    path: str = "/ws"
    greeting: str = ""
    error: str = "error"
    error_keys: Sequence[str] = ("message",)
    headers: Callable[[str], Mapping[str, str]] = _no_headers
    message: Callable[[str, str], Frame] = _message
    answer: Callable[[Mapping[str, Any]], str] = _answer
    history: Frame | None = None
    remembered: Callable[[Mapping[str, Any]], list[str]] = list

    @property
    def asks_who(self) -> bool:
        """Whether the service lets in only users that it knows."""
        return self.headers is not _no_headers


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatService:
    """A running service and the script to talk to it.

    Args:
        url: Its address, `http://...`.
        script: What is said.
        deadline_s: Seconds within which a user is told that a component failed.
        slack_s: Seconds that a busy machine may add.
        log: All that the service has logged so far; leaks are looked for in it, and
            its last error is told with a connection that broke.
    """

    url: str
    script: ChatScript
    deadline_s: float = 2.0
    slack_s: float = 2.0
    log: Callable[[], str] = _nothing

    @property
    def patience_s(self) -> float:
        """Seconds after which a user who heard nothing is one who hangs."""
        return self.deadline_s + self.slack_s

    def last_error(self) -> str:
        """Return the last line of the log that names an exception, or nothing."""
        return last_error(self.log())

    def user(self, user_id: str | None = None) -> ChatUser:
        """Return a user of the service; ``None`` is a new one."""
        from .user import ChatUser  # uses this module

        return ChatUser(self, user_id)


class User(Protocol):
    """One user of a service, as the gates need one."""

    user_id: str
    first: Turn

    async def __aenter__(self) -> Any: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

    async def open(self) -> Turn:
        """Connect, again if need be, and return what came with it."""
        ...

    async def say(self, text: str, message_id: str | None = None) -> Turn:
        """Send a text and return what came until the answer, an error or the end."""
        ...

    async def history(self) -> list[str] | None:
        """Return what this user sent, as the service remembers it."""
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
        """What a turn has to look like."""
        ...

    @property
    def slack_s(self) -> float:
        """Seconds that a busy machine may add."""
        ...

    @property
    def patience_s(self) -> float:
        """Seconds after which a user who got nothing hangs."""
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


def last_error(log: str) -> str:
    """Return the last line of a log that names an exception, or nothing."""
    lines = [line for line in log.splitlines() if _names_an_error(line)]
    return f" (log: {lines[-1]})" if lines else ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a user got for one message, or for connecting.

    Args:
        frames: Everything that came.
        ending: The answer, an error frame, a clean close, a connection that broke,
            or silence until patience ended.
        why: How the connection ended; empty while it is open.
        took_s: Seconds until then.
    """

    frames: tuple[Frame, ...]
    ending: Ending
    why: str
    took_s: float

    def fault(self, script: ChatScript) -> str:
        """Return what is wrong with it for somebody who may be refused, or nothing."""
        if self.ending == "silent":
            return f"nothing came for {self.took_s:.1f} s: the handler hangs"
        if self.ending == "broke":
            return f"the connection broke: {self.why}"
        text = str(self.frames)
        if "Traceback (most recent call last)" in text:
            return f"a traceback was sent: {text[:120]}"
        leak = symptom(text)
        if leak is not None:
            return f"a coroutine attribution error was sent: {leak.advice}"
        if self.ending == "error":
            return _unstructured(self.frames[-1], script)
        if self.ending == "answered":
            return _out_of_order(self.frames, script)
        return ""


def _unstructured(frame: Mapping[str, Any], script: ChatScript) -> str:
    missing = [key for key in script.error_keys if not frame.get(key)]
    return f"an error frame without {', '.join(missing)}" if missing else ""


def _out_of_order(frames: Sequence[Frame], script: ChatScript) -> str:
    types = [frame.get("type") for frame in frames]
    if types == list(script.events):
        return ""
    return f"the events are {types}, not {list(script.events)}"


def _names_an_error(line: str) -> bool:
    name, colon, _ = line.partition(": ")
    return bool(colon) and name.replace(".", "").isidentifier() and "Error" in name
