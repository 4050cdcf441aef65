"""Users who sign in at once, in many orders."""

from __future__ import annotations

import asyncio
import uuid
from unittest.mock import AsyncMock

import jwt
import pytest

from coroguard.demo import tokens
from coroguard.demo.auth_service import TokenIssuer
from coroguard.demo.tokens import TokenVerifier

USERS = 4
ISSUER = TokenIssuer("chat", "users")


@pytest.fixture
def fetches(monkeypatch):
    """How often the keys were fetched, over a link that takes a few turns."""
    made = []

    async def fetch_keys(*_link):
        made.append(1)
        for _ in range(3):
            await asyncio.sleep(0)
        return jwt.PyJWKSet.from_dict(ISSUER.key_set())

    monkeypatch.setattr(tokens, "fetch_keys", fetch_keys)
    # Nothing is asked over HTTP, and a client costs as much as thirty runs.
    monkeypatch.setattr(tokens.httpx, "AsyncClient", AsyncMock)
    return made


@pytest.mark.schedules(runs=80)
async def test_keys_are_fetched_once_for_all_users(fetches, gate_record):
    """Each user is recognized, and one fetch serves them all, in every order."""
    verifier = TokenVerifier(
        "http://auth", issuer="chat", audience="users", deadline_s=5, ttl_s=600
    )
    users = [str(uuid.uuid4()) for _ in range(USERS)]

    async def sign_in(user, turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        return (await verifier.verify(ISSUER.issue(user))).user_id

    # In asyncio's own order the first one is done before the second one begins.
    signing_in = (sign_in(user, 9 * number) for number, user in enumerate(users))
    assert await asyncio.gather(*signing_in) == users
    await verifier.close()
    assert len(fetches) == 1, f"fetched the keys {len(fetches)} times"
    gate_record.did(users=USERS, scenarios=1)
