"""The ids that a user's context accepts."""

from __future__ import annotations

import uuid
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from coroguard.demo.context import UserExecutionContext
from coroguard.demo.errors import InvalidContextError

NAMES = [field.name for field in fields(UserExecutionContext)]
PLACEHOLDERS = {
    "empty": "",
    "word": "test-user",
    "template": "{user_id}",
    "zeros": str(uuid.UUID(int=0)),
    "one digit": "11111111-1111-1111-1111-111111111111",
    "counted": "12345678-1234-5678-1234-567812345678",
    "braces": "{" + str(uuid.UUID(int=2**127 + 12345678901234567)) + "}",
    "no dashes": "8f14e45fceea467fa0a2b3c4d5e6f708",
}


@pytest.fixture
def context() -> UserExecutionContext:
    return UserExecutionContext(*(str(uuid.uuid4()) for _ in NAMES))


def test_the_context_has_the_five_ids_of_the_seed():
    """The context holds exactly the seed's five ids, in its order."""
    assert NAMES == [
        "user_id",
        "thread_id",
        "run_id",
        "request_id",
        "websocket_client_id",
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", PLACEHOLDERS.values(), ids=PLACEHOLDERS)
def test_a_placeholder_is_refused(context, name, value):
    """An id that nobody generated is refused, by name, with the fix."""
    with pytest.raises(InvalidContextError) as refused:
        replace(context, **{name: value})
    message = str(refused.value)
    assert message.startswith(f"Field contains placeholder pattern: {name}=")
    assert message.endswith("use str(uuid.uuid4())")


def test_an_id_that_is_not_text_is_refused(context):
    """A UUID object is refused, because ids travel as text."""
    with pytest.raises(InvalidContextError, match="run_id is a UUID"):
        replace(context, run_id=uuid.uuid4())


def test_generated_ids_are_never_refused():
    """Generated ids all pass."""
    for _ in range(2000):
        UserExecutionContext(*(str(uuid.uuid4()) for _ in NAMES))


def test_a_context_cannot_be_changed(context):
    """No one can swap an id in a context that was checked."""
    with pytest.raises(FrozenInstanceError):
        context.user_id = str(uuid.uuid4())
