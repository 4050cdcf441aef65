"""Verification of tokens against published keys."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass

import httpx
import jwt

from coroguard.demo.deadline import within
from coroguard.demo.errors import ComponentUnavailable, Rejected
from coroguard.demo.settings import redact

JWKS_PATH = "/.well-known/jwks.json"
# Asymmetric only: with a symmetric one, the published key would sign tokens.
_ALGORITHMS = ["EdDSA", "ES256", "RS256"]
_REQUIRED = ["exp", "iat", "aud", "iss", "sub"]
# Anyone can name keys that do not exist, and each costs a request at most this often.
_REFETCH_S = 0.2


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of a token.

    Args:
        user_id: A UUID.
        expires_at: Seconds since the epoch.
    """

    user_id: str
    expires_at: float


class TokenVerifier:
    """A verifier of tokens against the keys that the auth service publishes.

    Args:
        auth_url: The auth service.
        issuer: The `iss` claim a token has to carry.
        audience: The `aud` claim a token has to carry.
        deadline_s: Seconds that fetching the keys may take.
        ttl_s: Seconds that fetched keys are used for; zero fetches always.
    """

    def __init__(
        self,
        auth_url: str,
        *,
        issuer: str,
        audience: str,
        deadline_s: float,
        ttl_s: float,
    ) -> None:
        self._auth_url = auth_url
        self._issuer = issuer
        self._audience = audience
        self._deadline_s = deadline_s
        self._ttl_s = ttl_s
        self._client = httpx.AsyncClient(trust_env=False)
        self._lock = asyncio.Lock()
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = -float("inf")
        self._failed_at = -float("inf")
        self._failure: ComponentUnavailable | None = None

    async def verify(self, token: str) -> Identity:
        """Return the user of the token.

        Raises:
            Rejected: The token is malformed, forged, expired, or not for us.
            ComponentUnavailable: The keys are needed and cannot be fetched.
        """
        if not token:
            raise Rejected(4401, "no token; connect with ?token=...")
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                options={"require": _REQUIRED},
            )
            return Identity(str(uuid.UUID(claims["sub"])), float(claims["exp"]))
        except jwt.InvalidTokenError as refused:
            raise Rejected(4401, f"token refused: {refused}") from None
        except ValueError:
            raise Rejected(4401, "token refused: sub is not a UUID") from None

    async def close(self) -> None:
        """Drop all connections."""
        await self._client.aclose()

    async def _key(self, kid: str | None) -> jwt.PyJWK:
        is_fresh = time.monotonic() - self._fetched_at < self._ttl_s
        if not is_fresh or kid not in self._keys:
            await self._refresh(kid)
        if kid not in self._keys:
            raise jwt.InvalidTokenError("signed with an unknown key")
        return self._keys[kid]

    async def _refresh(self, kid: str | None) -> None:
        asked_at = time.monotonic()
        async with self._lock:
            # The call that held the lock meanwhile has fetched what this one needs.
            if self._fetched_at >= asked_at and kid in self._keys:
                return
            # Its failure is shared too, or the last of many would hang for all
            # their deadlines.
            if self._failure is not None and self._failed_at >= asked_at:
                raise self._failure.with_traceback(None)
            await asyncio.sleep(self._fetched_at + _REFETCH_S - time.monotonic())
            fetching = fetch_keys(self._client, self._auth_url, self._deadline_s)
            try:
                self._keys = {key.key_id: key for key in (await fetching).keys}
            except ComponentUnavailable as failure:
                self._failure, self._failed_at = failure, time.monotonic()
                raise
            self._fetched_at = time.monotonic()


async def fetch_keys(
    client: httpx.AsyncClient, auth_url: str, deadline_s: float
) -> jwt.PyJWKSet:
    """Return the keys that the auth service publishes.

    Raises:
        ComponentUnavailable: It refused, answered with something else, or was silent.
    """

    async def fetch() -> jwt.PyJWKSet:
        answer = await client.get(auth_url + JWKS_PATH, timeout=None)
        answer.raise_for_status()
        return jwt.PyJWKSet.from_dict(answer.json())

    try:
        return await within(deadline_s, fetch())
    except TimeoutError as late:
        raise ComponentUnavailable("auth", str(late), code="AUTH_TIMEOUT") from None
    except (httpx.HTTPError, OSError) as lost:
        text = redact(str(lost) or type(lost).__name__, auth_url)
        raise ComponentUnavailable("auth", text, code="AUTH_UNREACHABLE") from None
    except (ValueError, jwt.PyJWTError) as wrong:
        text = f"no key set at {JWKS_PATH}: {type(wrong).__name__}"
        raise ComponentUnavailable("auth", text, code="AUTH_INVALID") from None
