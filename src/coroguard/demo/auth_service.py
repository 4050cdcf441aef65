"""The auth service, which signs tokens and publishes its keys."""

from __future__ import annotations

import base64
import hmac
import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from coroguard.demo.tokens import JWKS_PATH

if TYPE_CHECKING:
    from starlette.requests import Request


class TokenIssuer:
    """A signer that uses its newest key and publishes all it ever used.

    Args:
        issuer: The `iss` claim.
        audience: The `aud` claim.
        keys_file: Where the private keys are kept, so that tokens outlive a restart;
            `None` keeps them in memory.
    """

    def __init__(
        self, issuer: str, audience: str, keys_file: Path | None = None
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys_file = keys_file
        self._keys = _read_keys(keys_file)
        if not self._keys:
            self.rotate()

    def rotate(self) -> str:
        """Sign with a new key from now on; return its id."""
        kid = uuid.uuid4().hex
        self._keys[kid] = Ed25519PrivateKey.generate()
        if self._keys_file is not None:
            self._keys_file.touch(mode=0o600)
            kept = {
                kid: key.private_bytes_raw().hex() for kid, key in self._keys.items()
            }
            self._keys_file.write_text(json.dumps(kept), encoding="ascii")
        return kid

    def issue(self, user_id: str, *, ttl_s: float = 3600, **claims: Any) -> str:
        """Return a signed token.

        Args:
            user_id: The `sub` claim.
            ttl_s: Seconds until it expires; zero or less gives an expired one.
            claims: Claims to add or to overrule; `None` leaves one out.
        """
        now = time.time()
        standard = {
            "sub": user_id,
            "iss": self._issuer,
            "aud": self._audience,
            "iat": int(now),
            "exp": int(now + ttl_s),
        }
        kid = list(self._keys)[-1]
        key = self._keys[kid]
        given = {k: v for k, v in (standard | claims).items() if v is not None}
        return jwt.encode(given, key, "EdDSA", headers={"kid": kid})

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys, as RFC 7517 and 8037 write them."""
        return {"keys": [_public(kid, key) for kid, key in self._keys.items()]}


def create_app() -> Starlette:
    """Return the auth service, as the environment sets it up.

    `AUTH_CLIENT_SECRET` is what `POST /token` and `POST /rotate` ask for; empty or
    missing locks both. `AUTH_KEYS_FILE` is where the private keys are kept.
    """
    keys_file = os.environ.get("AUTH_KEYS_FILE")
    secret = os.environ.get("AUTH_CLIENT_SECRET", "")
    issuer = TokenIssuer(
        os.environ.get("AUTH_ISSUER", "coroguard-demo-auth"),
        os.environ.get("AUTH_AUDIENCE", "coroguard-chat"),
        Path(keys_file) if keys_file else None,
    )

    async def keys(_request: Request) -> Response:
        return JSONResponse(issuer.key_set())

    async def token(request: Request) -> Response:
        wish = await request.json()
        return JSONResponse({"token": issuer.issue(**wish)})

    async def rotate(_request: Request) -> Response:
        return JSONResponse({"kid": issuer.rotate()})

    return Starlette(
        routes=[
            Route(JWKS_PATH, keys),
            Route("/token", _locked(token, secret), methods=["POST"]),
            Route("/rotate", _locked(rotate, secret), methods=["POST"]),
        ]
    )


def _locked(endpoint: Callable[[Request], Any], secret: str) -> Callable[..., Any]:
    async def guarded(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not secret or not hmac.compare_digest(given, f"Bearer {secret}"):
            return JSONResponse({"error": "wrong client secret"}, 401)
        answer: Response = await endpoint(request)
        return answer

    return guarded


def _read_keys(path: Path | None) -> dict[str, Ed25519PrivateKey]:
    if path is None or not path.exists():
        return {}
    kept: dict[str, str] = json.loads(path.read_text(encoding="ascii"))
    read = Ed25519PrivateKey.from_private_bytes
    return {kid: read(bytes.fromhex(key)) for kid, key in kept.items()}


def _public(kid: str, key: Ed25519PrivateKey) -> dict[str, str]:
    point = base64.urlsafe_b64encode(key.public_key().public_bytes_raw())
    x = point.rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": x}
