"""Gate 3: a chat works from the token to the history."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .findings import Findings, usage_error
from .service import ChatService
from .user import ChatUser

if TYPE_CHECKING:
    from ..record import GateRecord
    from .harm import Harm
    from .script import Turn
    from .service import Service, User

_GATE = "end-to-end chat flow"
_FORGED = {"authorization": "Bearer forged.by.nobody"}


async def chat_flow_gate(
    record: GateRecord,
    service: Service,
    *,
    turns: int = 3,
    outages: Sequence[Harm] = (),
) -> None:
    """Hold a whole conversation over a real WebSocket.

    Without a token, or with a forged one, a user is refused. With a valid one, every
    message is answered with its events in order, the same socket survives every outage
    in between, and after a reconnect the history holds each answer once.

    Args:
        record: Where the gate records what it did.
        service: The service to connect to.
        turns: How many messages are sent before, and after each outage.
        outages: What fails in the middle of the conversation, one after another.

    Raises:
        GateFailed: Names everything that went wrong.
        GuardUsageError: There are no turns.
    """
    if turns < 1:
        raise usage_error(f"chat_flow_gate(turns={turns}); pass 1 or more")
    findings = Findings(_GATE)
    flow = _Flow(findings, service)
    await flow.refuse_strangers()
    async with service.user() as user:
        flow.greeted(user.first)
        await flow.talk(user, turns)
        for harm in outages:
            if not findings.enough:
                await flow.through(harm, user)
                await flow.talk(user, turns)
    if service.script.history is not None:
        async with service.user(user.user_id) as again:
            remembered = await again.history()
            findings.equal("reconnect", remembered, flow.answered, "the history")
    record.did(scenarios=flow.scenarios, messages=flow.said, users=1)
    if outages:
        record.did(faults=flow.felt)
    findings.raise_if_any()


class _Flow:
    def __init__(self, findings: Findings, service: Service) -> None:
        self.answered: list[str] = []
        self.said = 0
        self.felt = 0
        self.scenarios = 1
        self._findings = findings
        self._service = service
        self._script = service.script

    async def refuse_strangers(self) -> None:
        """Check that users without a token, or with a forged one, are refused."""
        service = self._service
        if not isinstance(service, ChatService) or not self._script.asks_who:
            return
        for who, headers in (("without a token", {}), ("with a forged token", _FORGED)):
            self.scenarios += 1
            async with ChatUser(service, headers=headers) as stranger:
                turn = stranger.first
                if turn.ending == "answered" and not self._script.greeting:
                    turn = await stranger.send("let me in")
            if turn.ending == "answered":
                self._findings.add(who, "somebody was let in")
            elif turn.ending == "silent":
                self._findings.add(who, turn.fault(self._script))

    def greeted(self, turn: Turn) -> None:
        """Note a socket that did not open as it should."""
        if turn.ending != "answered":
            what = turn.fault(self._script) or f"got {turn.frames}"
            self._findings.add("connecting", what + self._service.last_error())

    async def talk(self, user: User, turns: int) -> None:
        """Send messages; each is answered, event by event, and quoted."""
        for _ in range(turns):
            await self._send(user, f"marker-{uuid.uuid4().hex[:12]} {self.said + 1}")

    async def through(self, harm: Harm, user: User) -> None:
        """Send a message in an outage, and the same once more when it is over."""
        self.scenarios += 1
        text, message_id = f"marker-{uuid.uuid4().hex[:12]}", str(uuid.uuid4())
        self.said += 1
        try:
            harm.begin()
            turn = await user.send(text, message_id)
            self.felt += turn.ending != "answered" or harm.is_felt()
        finally:
            harm.end()
        fault = turn.fault(self._script)
        if fault:
            self._findings.add(harm.name, fault + self._service.last_error())
        else:
            await self._send(user, text, message_id)

    async def _send(self, user: User, text: str, message_id: str | None = None) -> None:
        message_id = message_id or str(uuid.uuid4())
        self.said += 1
        turn = await user.send(text, message_id)
        for _ in range(3):
            if turn.ending != "error":
                break
            # A connection that broke in the outage may still lie in a pool.
            await asyncio.sleep(0)
            turn = await user.send(text, message_id)
        where = f"message {self.said}"
        fault = turn.fault(self._script)
        if turn.ending != "answered" or fault:
            what = (fault or f"got {turn.frames}") + self._service.last_error()
            self._findings.add(where, what)
            return
        self.answered.append(text)
        answer = self._script.answer(turn.frames[-1])
        if text not in answer:
            self._findings.add(where, f"the answer {answer!r} is to something else")
