"""Scripts of a chat: messages, and the expected answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from coroguard._leaks.symptoms import symptom

Frame: TypeAlias = dict[str, Any]
Ending: TypeAlias = Literal["answered", "error", "closed", "broke", "silent"]


def _message(text: str, message_id: str) -> Frame:
    return {"type": "message", "id": message_id, "text": text}


def _answer(frame: Mapping[str, Any]) -> str:
    return str(frame["text"])


def no_log() -> str:
    """Return nothing, for a service whose log is not kept."""
    return ""


def _no_headers(_user_id: str) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatScript:
    """The words of a chat over a WebSocket, in JSON frames with a `type`.

    Args:
        events: The types of a turn's frames, in order; the last is the answer.
        path: Where the WebSocket is.
        greeting: The type of the frame that a new socket gets; empty means none.
        error: The type of an error frame.
        error_keys: The other keys that an error frame has to have.
        headers: Returns the headers that authenticate a user, given as a new UUID,
            such as a bearer token. Without it users are not authenticated.
        message: The frame for a text and the id of the message, a new UUID; it keeps
            its id when it is sent again.
        answer: The text of the last frame; it has to quote what the user sent.
        history: The frame that asks for the conversation; `None` without one.
        remembered: What the user sent, oldest first, from the frame that answers it.
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


def last_error(log: str) -> str:
    """Return the last line of a log that names an exception, or nothing."""
    lines = [line for line in log.splitlines() if _names_an_error(line)]
    return f" (log: {lines[-1]})" if lines else ""


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer that a user got to one message, or to connecting.

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
        """Return the fault of an answer to a user who may be refused, or nothing."""
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
