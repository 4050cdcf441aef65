"""The frames of the socket, in both directions."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

MAX_TEXT = 4000
_KINDS = ("message", "history", "ping")


class FrameError(ValueError):
    """A frame of the client that cannot be read; the message has the fix."""


@dataclass(frozen=True, slots=True)
class ClientFrame:
    """A request of the client.

    Args:
        kind: A chat message, the conversation so far, or a sign of life.
        text: The message; empty for the other kinds.
        message_id: A UUID, the client's or a new one; a message that is sent again
            with the same one is kept once.
    """

    kind: Literal["message", "history", "ping"]
    text: str
    message_id: str


def parse(raw: str) -> ClientFrame:
    """Read a frame: a JSON object with a `type`, or plain text as a message.

    Raises:
        FrameError: Another type, an empty or too long message, or an id that is not
            a UUID.
    """
    data = _fields(raw)
    kind = data.get("type")
    if kind not in _KINDS:
        raise FrameError(f"unknown type {str(kind)[:40]!r}; send {', '.join(_KINDS)}")
    text = _text(data.get("text")) if kind == "message" else ""
    return ClientFrame(kind, text, _message_id(data.get("id")))


def error_frame(
    code: str,
    message: str,
    *,
    failed_components: Iterable[str] = (),
    suggestions: Iterable[str] = (),
    request_id: str | None = None,
) -> dict[str, Any]:
    """Return the frame with what failed, and what the client can do."""
    frame: dict[str, Any] = {
        "type": "error",
        "code": code,
        "message": message,
        "failed_components": list(failed_components),
        "suggestions": list(suggestions),
    }
    return frame if request_id is None else {**frame, "request_id": request_id}


def _fields(raw: str) -> dict[str, Any]:
    if not raw.lstrip().startswith("{"):
        return {"type": "message", "text": raw}
    try:
        data: dict[str, Any] = json.loads(raw)
    except (ValueError, RecursionError):
        raise FrameError("broken JSON; send an object or plain text") from None
    return data


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise FrameError('no text; send {"type": "message", "text": "hello"}')
    if len(value) > MAX_TEXT:
        raise FrameError(f"{len(value)} characters; send at most {MAX_TEXT}")
    # PostgreSQL cannot store a zero byte, nor half of a surrogate pair.
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise FrameError("the text holds a zero byte or a lone surrogate; leave it out")
    return value


def _message_id(value: object) -> str:
    if value is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise FrameError(
            "the id is not a UUID; send str(uuid.uuid4()), or leave it out"
        ) from None
