"""The chat, for users with a right to it and for others."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from contextlib import suppress

import jwt
import pytest
from websockets.exceptions import ConnectionClosed

from coroguard.demo.agent import EVENTS
from coroguard.demo.client import ChatClient

from .conftest import PATIENCE_S


async def rejection(service, token, **options):
    """Return the close code and reason of a socket that is rejected."""
    options.setdefault("patience_s", PATIENCE_S)
    async with ChatClient(service.url, token, **options) as client:
        with pytest.raises(ConnectionClosed) as closed:
            await client.receive()
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def test_a_message_is_answered_event_by_event(chat, enter):
    """A turn has five events in order, all of the same request and run."""
    async with enter(chat) as client:
        frames = await client.ask("hello world")
    assert tuple(frame["type"] for frame in frames) == EVENTS
    for key in ("request_id", "run_id", "message_id"):
        assert len({str(uuid.UUID(frame[key])) for frame in frames}) == 1


async def test_history_survives_a_reconnect(chat, enter, user):
    """A user who comes back finds the thread and all of its messages."""
    user_id, token = user()
    async with enter(chat, token) as client:
        assert client.first["user_id"] == user_id
        before = client.first["thread_id"]
        answers = [(await client.ask(text))[-1]["text"] for text in ("one", "two")]
    async with enter(chat, token) as client:
        assert client.first["thread_id"] == before
        kept = [(m["role"], m["text"]) for m in await client.history()]
    assert kept == [
        ("user", "one"),
        ("agent", answers[0]),
        ("user", "two"),
        ("agent", answers[1]),
    ]


async def test_the_tool_searches_the_conversation(chat, enter):
    """The tool's result is counted from the user's own earlier messages."""
    async with enter(chat) as client:
        await client.ask("the weather is fine")
        await client.ask("nothing else")
        frames = await client.ask("weather 100%_")
    assert frames[3]["result"] == {"earlier": 2, "matching": 1}


async def test_a_thread_of_somebody_else_is_refused(chat, enter, user):
    """A thread opens for its owner only, even if others know its id."""
    async with enter(chat) as owner:
        thread_id = owner.first["thread_id"]
        code, reason = await rejection(chat, user()[1], thread_id=thread_id)
    assert (code, reason) == (4403, "this thread belongs to another user")


async def test_nobody_sees_another_users_messages(chat, enter):
    """Neither history nor search nor events ever hold another user's words."""
    async with enter(chat) as one, enter(chat) as other:
        turns = await asyncio.gather(one.ask("secret apple"), other.ask("secret pear"))
        again = await other.ask("apple secret")
        assert again[3]["result"] == {"earlier": 1, "matching": 1}
        assert "pear" not in str(turns[0])
        assert [m["text"] for m in await one.history() if m["role"] == "user"] == [
            "secret apple"
        ]


async def test_a_placeholder_as_thread_is_refused(chat, user):
    """A thread id that nobody generated closes the socket with its name."""
    code, reason = await rejection(chat, user()[1], thread_id="test-thread")
    assert code == 4400
    assert "placeholder pattern: thread_id" in reason


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"ttl_s": -10}, "expired"),
        ({"aud": "another-service"}, "Audience"),
        ({"iss": "another-issuer"}, "issuer"),
        ({"sub": "admin"}, "sub is not a UUID"),
        ({"exp": None}, "exp"),
    ],
    ids=["expired", "other audience", "other issuer", "user is not an id", "endless"],
)
async def test_a_token_that_is_not_for_us_is_refused(chat, user, wishes, words):
    """A genuine token that is not valid here closes the socket with the reason."""
    code, reason = await rejection(chat, user(**wishes)[1])
    assert code == 4401
    assert words.lower() in reason.lower()


async def test_a_forged_token_is_refused(chat, user):
    """A token whose claims were changed, or that nobody signed, opens nothing."""
    head, _, signature = user()[1].split(".")
    _, other_claims, _ = user()[1].split(".")
    claims = jwt.decode(user()[1], options={"verify_signature": False})
    symmetric = jwt.encode(claims, "k" * 32, "HS256", headers={"kid": "x"})
    unsigned = jwt.encode(claims, "", "none")
    for token in (f"{head}.{other_claims}.{signature}", symmetric, unsigned, "x", None):
        assert (await rejection(chat, token))[0] == 4401


async def test_a_token_that_expires_during_the_chat_ends_it(chat, enter, user):
    """A socket does not outlive its token."""
    code = None
    lifetime_s = 2
    while code is None:
        expires_at = math.ceil(time.time()) + lifetime_s
        token = user(exp=expires_at)[1]
        with suppress(ConnectionClosed):  # it expired before a busy machine let it in
            async with enter(chat, token) as client:
                await asyncio.sleep(expires_at + 0.05 - time.time())
                await client.send(type="ping")
                with pytest.raises(ConnectionClosed) as closed:
                    await client.receive()
                code = closed.value.rcvd.code
        lifetime_s *= 2
    assert code == 4401


async def test_a_new_signing_key_is_trusted_at_once(chat, enter, stack):
    """A key that was published after the last look is fetched when it is met."""
    async with enter(chat):
        stack.rotate_keys()
        async with enter(chat) as client:
            assert client.first["type"] == "ready"


async def test_a_message_that_is_sent_again_is_kept_once(chat, enter):
    """A client may repeat a message it is unsure about."""
    same = str(uuid.uuid4())
    async with enter(chat) as client:
        for _ in range(2):
            await client.ask("once", message_id=same)
        assert [m["role"] for m in await client.history()] == ["user", "agent"]


async def test_a_wrong_frame_does_not_end_the_chat(chat, enter):
    """A frame that cannot be read gets an error frame, and the next one works."""
    async with enter(chat) as client:
        await client.send(type="shout")
        assert (await client.receive())["code"] == "BAD_FRAME"
        assert (await client.ask("hello"))[-1]["type"] == "agent_completed"


async def test_a_user_over_the_limit_is_slowed_down(linked, enter):
    """Over the limit a message gets an error frame, and others are not affected."""
    async with enter(linked) as loud, enter(linked) as calm:
        codes = set()
        while "RATE_LIMITED" not in codes:
            codes.add((await loud.ask("spam"))[-1].get("code"))
        assert codes == {None, "RATE_LIMITED"}
        assert (await calm.ask("hello"))[-1]["type"] == "agent_completed"


async def test_presence_counts_who_is_there(chat, enter):
    """Every socket counts once, and no longer when it is closed."""
    # The service notices late who left, so each answer is waited for.
    risen = 0
    while risen != 1:
        async with enter(chat) as first, enter(chat) as second:
            before = first.first["online"]
            risen = second.first["online"] - before
    online = before + 1
    while online > before:
        async with enter(chat) as third:
            online = third.first["online"]
