"""A crowd of users that talk at once, each with a marker of its own."""

from __future__ import annotations

import asyncio
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .findings import Findings
    from .harm import Harm
    from .script import Turn
    from .service import Service

_MARKER = re.compile(r"marker-[0-9a-f]{32}")
_AT_THE_DOOR = 25  # so many connect at the same time
_VANISHING = 10  # one of so many loses the connection in the middle of a turn
_PAUSE_S = 0.05  # before something is sent again
_PATIENCES = 4  # after so many times its patience a user gives up


class Member:
    """One user of the crowd, and its messages."""

    def __init__(self, service: Service) -> None:
        self.user = service.user()
        self.marker = f"marker-{uuid.uuid4().hex}"
        self.texts: list[str] = []
        self.remembered: list[str] | None = None

    def foreign(self, turn: Turn) -> set[str]:
        """Return the markers of others in what this user got."""
        return set(_MARKER.findall(str(turn.frames))) - {self.marker}


class Crowd:
    """Many users of one service.

    Args:
        service: The service to connect to.
        findings: Takes what goes wrong.
        users: The number of users.
        turns: How many messages each of them sends.
        seed: The seed of who loses the connection, and when.
    """

    def __init__(
        self,
        service: Service,
        findings: Findings,
        *,
        users: int,
        turns: int,
        seed: int,
    ) -> None:
        self.members = [Member(service) for _ in range(users)]
        self.turn_ms: list[float] = []
        self.sent_again = 0
        self.felt = 0
        self._service = service
        self._findings = findings
        self._turns = turns
        self._door = asyncio.Semaphore(_AT_THE_DOOR)
        self._progress = asyncio.Event()
        chance = random.Random(seed)
        self.vanishing = {
            number: chance.randrange(turns)
            for number in chance.sample(range(users), users // _VANISHING)
        }

    async def enter(self) -> None:
        """Connect every user."""
        await asyncio.gather(*(self._enter(member) for member in self.members))

    async def talk(self, harms: Sequence[Harm]) -> None:
        """Make every user talk, and run the steps at even parts of the progress."""
        talks = (self._talk(n, member) for n, member in enumerate(self.members))
        talking = asyncio.gather(*talks)
        talking.add_done_callback(lambda _done: self._progress.set())
        whole = len(self.members) * self._turns
        try:
            for step, harm in enumerate(harms, 1):
                enough = whole * step // (len(harms) + 1)
                while len(self.turn_ms) < enough and not talking.done():
                    await self._next()
                await self._suffer(harm, whole // (2 * len(harms) + 2), talking)
            await talking
        finally:
            talking.cancel()

    async def remember(self) -> None:
        """Ask for the history of every user."""
        await asyncio.gather(*(self._remember(member) for member in self.members))

    async def leave(self) -> None:
        """Disconnect every user."""
        await asyncio.gather(*(member.user.leave() for member in self.members))

    async def _enter(self, member: Member) -> None:
        async with self._door:
            turn = await self._insist(member.user.open)
        if turn.ending != "answered":
            self._note("connecting", turn)

    async def _talk(self, number: int, member: Member) -> None:
        for count in range(self._turns):
            if self._findings.enough:
                return
            text, message_id = f"{member.marker} {count + 1}", str(uuid.uuid4())
            if self.vanishing.get(number) == count:
                await member.user.vanish(text, message_id)
                await self._enter(member)
            started = time.monotonic()
            turn = await self._insist(partial(member.user.send, text, message_id))
            self.turn_ms.append((time.monotonic() - started) * 1000)
            self._judge(f"user {number}, message {count + 1}", member, text, turn)
            self._progress.set()

    async def _insist(self, ask: Callable[[], Awaitable[Turn]]) -> Turn:
        """Ask until it is answered; a component that fails now may be back soon."""
        until = time.monotonic() + _PATIENCES * self._service.patience_s
        while True:
            turn = await ask()
            over = self._findings.enough or time.monotonic() > until
            if turn.ending != "error" or turn.fault(self._service.script) or over:
                return turn
            self.sent_again += 1
            self._progress.set()
            await asyncio.sleep(_PAUSE_S)

    def _judge(self, where: str, member: Member, text: str, turn: Turn) -> None:
        if foreign := member.foreign(turn):
            self._findings.add(where, f"got what is another user's: {foreign}")
        if turn.ending != "answered" or turn.fault(self._service.script):
            # A member that stopped because enough was found has found nothing.
            if turn.ending != "error" or not self._findings.enough:
                self._note(where, turn)
            return
        member.texts.append(text)
        answer = self._service.script.answer(turn.frames[-1])
        if text not in answer:
            self._findings.add(where, f"the answer {answer!r} is to something else")

    def _note(self, where: str, turn: Turn) -> None:
        what = turn.fault(self._service.script) or f"{turn.ending}: {turn.frames}"
        self._findings.add(where, what + self._service.last_error())

    async def _remember(self, member: Member) -> None:
        async with self._door:
            member.remembered = await member.user.history()

    async def _suffer(
        self, harm: Harm, answers: int, talking: asyncio.Future[list[None]]
    ) -> None:
        """Keep up a harm until a user notices it, or enough turns were answered."""
        if talking.done():
            return
        # Each user may have an answer on its way that the harm came too late for.
        on_their_way = len(self.members)
        before = self.sent_again
        enough = len(self.turn_ms) + on_their_way + answers
        try:
            harm.begin()
            seen = harm.is_felt()
            while not (
                self.sent_again > before
                or len(self.turn_ms) >= enough
                or talking.done()
            ):
                await self._next()
            self.felt += seen or self.sent_again > before
        finally:
            harm.end()

    async def _next(self) -> None:
        self._progress.clear()
        await self._progress.wait()
