"""The user that the service works for, by five ids."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields

from coroguard.demo.errors import InvalidContextError

_ADVICE = "use str(uuid.uuid4())"


@dataclass(frozen=True, slots=True)
class UserExecutionContext:
    """The user, thread, run, request and socket of a piece of work.

    Args:
        user_id: A UUID as text, as are the other four.
        thread_id: The conversation.
        run_id: One run of the agent.
        request_id: One message of the client.
        websocket_client_id: One connection.

    Raises:
        InvalidContextError: An id is not a UUID, or is one that nobody generated
            (all zeros, one digit repeated, a counting sequence).
    """

    user_id: str
    thread_id: str
    run_id: str
    request_id: str
    websocket_client_id: str

    def __post_init__(self) -> None:
        for field in fields(self):
            _refuse_placeholder(field.name, getattr(self, field.name))


def _refuse_placeholder(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidContextError(
            f"Field contains no text: {name} is a {type(value).__name__}; {_ADVICE}"
        )
    if not _is_generated(value):
        raise InvalidContextError(
            f"Field contains placeholder pattern: {name}={value[:120]!r}; {_ADVICE}"
        )


def _is_generated(value: str) -> bool:
    try:
        parsed = uuid.UUID(value)
    except ValueError:
        return False
    # UUID() also reads braces, "urn:uuid:" and missing dashes; one spelling is enough,
    # because the ids are compared as text.
    return str(parsed) == value.lower() and not _is_handmade(parsed.hex)


def _is_handmade(digits: str) -> bool:
    # A generated id of 32 hexadecimal digits shows about 14 different ones; fewer
    # than five happens to less than one in 10^15.
    return len(set(digits)) < 5 or digits.startswith(("01234567", "12345678"))
