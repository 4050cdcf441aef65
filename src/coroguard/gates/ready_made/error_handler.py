"""Gate 2: every user hears of a failed component, and is served again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from .findings import Findings, usage_error

if TYPE_CHECKING:
    from ..record import GateRecord
    from .harm import Harm
    from .script import Turn
    from .service import Service, User

_GATE = "error handler resilience"
_VICTIMS = 3
_PING_PAUSE_S = 0.02


async def error_handler_gate(
    record: GateRecord,
    *trials: tuple[Service, Sequence[Harm]],
    victims: int = _VICTIMS,
) -> None:
    """Make a service's components fail one by one while users are in a chat.

    Within the service's deadline each user has to get a structured error frame or a
    clean close, others have to be served, and the same sockets have to work again
    when the component is back.

    Args:
        record: Where the gate records what it did.
        trials: Services with the harms done to them. Trials run side by side, so a
            harm done to one service must not touch another.
        victims: How many users of each service are in the middle of a chat.

    Raises:
        GateFailed: Names everything that went wrong.
        GuardUsageError: There is no trial, no harm in one, or no victim.
    """
    if not trials or not all(harms for _, harms in trials) or victims < 1:
        raise usage_error(
            "error_handler_gate() needs a service, something done to it, and a "
            "victim; pass (service, [harm]) and victims=1 or more"
        )
    findings = Findings(_GATE, enough=3)
    trying = (
        _Trial(record, findings, service, victims).suffer(harms)
        for service, harms in trials
    )
    await asyncio.gather(*trying)
    findings.raise_if_any()


class _Trial:
    def __init__(
        self,
        record: GateRecord,
        findings: Findings,
        service: Service,
        victims: int,
    ) -> None:
        self._record = record
        self._findings = findings
        self._service = service
        self._victims = [service.user() for _ in range(victims)]
        self._bystander = service.user()
        self._heard_s: list[float] = []
        self._said = 0

    async def suffer(self, harms: Sequence[Harm]) -> None:
        """Go through all that is done, or until enough is found."""
        done = felt = 0
        async with AsyncExitStack() as sockets:
            for user in (*self._victims, self._bystander):
                await sockets.enter_async_context(user)
            for harm in harms:
                if self._findings.enough:
                    break
                felt += await self._through(harm)
                done += 1
        self._record.did(
            scenarios=done,
            faults=felt,
            messages=self._said,
            users=len(self._victims) + 1,
        )
        if self._heard_s:
            slowest_ms = max(self._heard_s) * 1000
            self._record.measure("slowest error", round(slowest_ms), "ms")

    async def _through(self, harm: Harm) -> bool:
        """Make one component fail and recover, and check every user meanwhile.

        Returns:
            Whether the harm was seen: by a user, or beside the error handler.
        """
        if not await self._all_are_served(f"before {harm.name}"):
            return False
        async with AsyncExitStack() as sockets:
            struck = self._victims
            if harm.strikes == "connect":
                struck = [self._service.user() for _ in self._victims]
                sockets.push_async_callback(_leave, struck)
            try:
                harm.begin()
                turns = await self._strike(harm, struck)
                felt = harm.is_felt() or any(t.ending != "answered" for t in turns)
            finally:
                harm.end()
            if not felt:
                text = "nobody noticed it; pass Harm(felt=...), which looks at it"
                self._findings.add(harm.name, text)
            if not self._findings.enough:
                await self._recover(harm, struck)
        return felt

    async def _strike(self, harm: Harm, struck: Sequence[User]) -> list[Turn]:
        """Check users that meet the fault, and one beside them."""
        if harm.strikes == "connect":
            running = asyncio.gather(*(user.open() for user in struck))
            beside = self._talk_beside(harm)
        else:
            running = asyncio.gather(*(self._send(user, "anybody?") for user in struck))
            beside = self._ping_beside(harm, running)
        turns, _ = await asyncio.gather(running, beside)
        for turn in turns:
            self._judge(harm, turn)
        return turns

    def _judge(self, harm: Harm, turn: Turn) -> None:
        fault = turn.fault(self._service.script)
        if fault:
            self._findings.add(harm.name, fault + self._service.last_error())
        elif turn.ending == "answered":
            # It may serve without the component.
            return
        self._heard_s.append(turn.took_s)

    async def _talk_beside(self, harm: Harm) -> None:
        """Check that a user who is connected already is still served."""
        turn = await self._send(self._bystander, "I am in already")
        if turn.ending != "answered":
            what = turn.fault(self._service.script) or f"got {turn.frames}"
            self._findings.add(harm.name, f"a user who was in already: {what}")

    async def _ping_beside(
        self, harm: Harm, running: asyncio.Future[list[Turn]]
    ) -> None:
        """Check that the socket of a bystander answers all the while."""
        while not running.done():
            took_s = await self._bystander.ping()
            if took_s > self._service.slack_s:
                text = f"a bystander waited {took_s:.2f} s for a ping"
                self._findings.add(harm.name, text)
                return
            await asyncio.sleep(_PING_PAUSE_S)

    async def _recover(self, harm: Harm, struck: Sequence[User]) -> None:
        users = [*struck, self._bystander]
        turns = await asyncio.gather(*(self._served_again(user) for user in users))
        for turn in turns:
            if turn.ending != "answered":
                what = turn.fault(self._service.script) or f"still got {turn.frames}"
                text = f"the same socket does not recover: {what}"
                self._findings.add(harm.name, text + self._service.last_error())

    async def _served_again(self, user: User) -> Turn:
        """Send messages until one is answered; reconnect after a close."""
        until = time.monotonic() + self._service.patience_s
        while True:
            turn = await self._send(user, "hello again")
            if turn.ending in ("closed", "broke", "silent"):
                await user.leave()
                await user.open()
            if turn.ending not in ("error", "closed") or time.monotonic() > until:
                return turn

    async def _all_are_served(self, where: str) -> bool:
        users = [*self._victims, self._bystander]
        turns = await asyncio.gather(*(self._served_again(user) for user in users))
        wrong = [turn for turn in turns if turn.ending != "answered"]
        if wrong:
            text = wrong[0].fault(self._service.script) or f"got {wrong[0].frames}"
            self._findings.add(where, text + self._service.last_error())
        return not wrong

    async def _send(self, user: User, text: str) -> Turn:
        self._said += 1
        return await user.send(text)


async def _leave(users: Sequence[User]) -> None:
    for user in users:
        await user.leave()
