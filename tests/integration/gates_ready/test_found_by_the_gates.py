"""Faults that the gates have found in the chat service stay found."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from coroguard.demo.backends.stack import Stack
from coroguard.demo.errors import ComponentUnavailable
from coroguard.demo.tokens import TokenVerifier
from coroguard.gates.faults import FaultProxy, Timeout

USERS = 10
DEADLINE_S = 0.2


@pytest.fixture(scope="module")
def token_and_url():
    # Only the auth service is wanted; the two others are never asked.
    elsewhere = {"DATABASE_URL": "unused", "REDIS_URL": "unused"}
    stack = Stack(elsewhere)
    stack._preflight = lambda: None
    with stack:
        yield stack.token("5f3c1a52-9a0e-4b6e-8d57-2f6f0c1b7e94"), stack.auth


async def test_a_silent_auth_service_costs_its_deadline_once(token_and_url):
    """Users who wait for the same keys share the failure, so the last does not hang."""
    token, auth = token_and_url
    with FaultProxy.before(auth.url) as link:
        link.add(Timeout())
        verifier = TokenVerifier(
            link.url(auth.url),
            issuer="coroguard-demo-auth",
            audience="coroguard-chat",
            deadline_s=DEADLINE_S,
            ttl_s=0,
        )
        verifying = (verifier.verify(token) for _ in range(USERS))
        failures = await asyncio.gather(*verifying, return_exceptions=True)
        await verifier.close()
    assert [type(failure) for failure in set(failures)] == [ComponentUnavailable]


def test_answers_do_not_wait_for_nagle(token_and_url):
    """Head and body of an answer leave together: no 40 ms between them."""
    _, auth = token_and_url
    url = auth.url + "/.well-known/jwks.json"
    with httpx.Client(trust_env=False, verify=False) as client:
        # However busy the machine is, one of many is quick; with the pause, none is.
        took_s = 1.0
        for _ in range(300):
            started = time.perf_counter()
            client.get(url)
            took_s = min(took_s, time.perf_counter() - started)
            if took_s < 0.03:
                break
    assert took_s < 0.03
