"""Gate 4: each user gets all of their own answers, and no one else's."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .crowd import Crowd
from .findings import Findings, usage_error
from .leaks import leaks_in, reported_leaks

if TYPE_CHECKING:
    from ..record import GateRecord
    from .crowd import Member
    from .harm import Harm
    from .service import Service

_GATE = "concurrent user protection"


async def concurrent_users_gate(
    record: GateRecord,
    service: Service,
    *,
    users: int = 200,
    turns: int = 3,
    harms: Sequence[Harm] = (),
    seed: int = 0,
) -> None:
    """Run many users at once, each with its own marker, through mixed faults.

    A user who gets an error frame sends the same message again, with the same id. One
    user in ten loses the connection in the middle of a turn. In the end no message may
    be lost, doubled or delivered to another user, and nothing may have leaked.

    Args:
        record: Where the gate records what it did, and how long the turns took.
        service: The service to connect to.
        users: The number of users.
        turns: How many messages each of them sends.
        harms: What is done meanwhile, one after another.
        seed: The seed of who loses the connection, and when.

    Raises:
        GateFailed: Names everything that went wrong.
        GuardUsageError: There are no users, or no turns.
    """
    if users < 1 or turns < 1:
        raise usage_error(
            f"concurrent_users_gate(users={users}, turns={turns}); pass 1 or more"
        )
    findings = Findings(_GATE)
    crowd = Crowd(service, findings, users=users, turns=turns, seed=seed)
    with reported_leaks() as leaks:
        try:
            await crowd.enter()
            started = time.monotonic()
            if not findings.enough:
                await crowd.talk(harms)
            took_s = time.monotonic() - started
            if service.script.history is not None and not findings.enough:
                await crowd.remember()
                _compare(findings, crowd.members)
        finally:
            await crowd.leave()
    for leak in dict.fromkeys([*leaks, *leaks_in(service.log())]):
        findings.add("leak", leak)
    answered = sum(len(member.texts) for member in crowd.members)
    record.did(messages=answered, users=users, faults=crowd.felt + len(crowd.vanishing))
    _measure(record, crowd, answered / took_s)
    findings.raise_if_any()


def _compare(findings: Findings, members: Sequence[Member]) -> None:
    """Compare the service's history of every user with the messages sent."""
    for number, member in enumerate(members):
        where = f"history of user {number}"
        remembered = member.remembered
        if remembered is None:
            findings.add(where, "it was not returned")
            continue
        lost = [text for text in member.texts if text not in remembered]
        crossed = [text for text in remembered if member.marker not in text]
        if lost:
            findings.add(where, f"lost: {lost}")
        elif crossed:
            findings.add(where, f"is another user's: {crossed}")
        elif len(remembered) > len(member.texts):
            findings.add(where, f"doubled: {remembered}")
        else:
            findings.equal(where, remembered, member.texts, "the order")


def _measure(record: GateRecord, crowd: Crowd, turns_per_s: float) -> None:
    """Record how long the turns took, those that were sent again included."""
    if len(crowd.turn_ms) < 2:
        return
    cuts = statistics.quantiles(crowd.turn_ms, n=100, method="inclusive")
    for percent in (50, 95, 99):
        record.measure(f"turn p{percent}", round(cuts[percent - 1]), "ms")
    record.measure("turn max", round(max(crowd.turn_ms)), "ms")
    record.measure("turns", round(turns_per_s), "1/s")
    record.measure("sent again", crowd.sent_again)
