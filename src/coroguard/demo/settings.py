"""The addresses and limits of the chat service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from coroguard.demo.errors import ConfigError

EXAMPLES = {
    "DATABASE_URL": "postgresql://user:password@127.0.0.1:5432/chat",
    "REDIS_URL": "redis://:password@127.0.0.1:6379/0",
    "AUTH_URL": "http://127.0.0.1:8001",
}
_SCHEMES = {
    "DATABASE_URL": ("postgresql", "postgres"),
    "REDIS_URL": ("redis", "rediss", "unix"),
    "AUTH_URL": ("http", "https"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The service's addresses and limits.

    Args:
        database_url: PostgreSQL.
        redis_url: Redis or Valkey.
        auth_url: The issuer of the tokens; also their `iss` claim.
        issuer: The `iss` claim a token has to carry; a name instead of an
            address, so that the auth service can be behind a proxy.
        audience: The `aud` claim a token has to carry.
        deadline_s: Seconds a component may take to serve a chat turn.
        health_deadline_s: Seconds a component may take in the health check.
        jwks_ttl_s: Seconds that fetched keys are used for; zero fetches always.
        rate_limit: Messages a user may send in ten seconds; zero means no limit.
    """

    database_url: str
    redis_url: str
    auth_url: str
    issuer: str = "coroguard-demo-auth"
    audience: str = "coroguard-chat"
    deadline_s: float = 1.0
    health_deadline_s: float = 1.0
    jwks_ttl_s: float = 300.0
    rate_limit: int = 1000

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from environment variables.

        Args:
            environ: The variables; `None` means those of the process.

        Raises:
            ConfigError: An address is missing or malformed, or a limit is not a number.
        """
        env = os.environ if environ is None else environ
        return cls(
            database_url=check_url("DATABASE_URL", env.get("DATABASE_URL")),
            redis_url=check_url("REDIS_URL", env.get("REDIS_URL")),
            auth_url=check_url("AUTH_URL", env.get("AUTH_URL")).rstrip("/"),
            issuer=env.get("AUTH_ISSUER", "coroguard-demo-auth"),
            audience=env.get("AUTH_AUDIENCE", "coroguard-chat"),
            deadline_s=_number(env, "CHAT_DEADLINE_S", 1.0),
            health_deadline_s=_number(env, "CHAT_HEALTH_DEADLINE_S", 1.0),
            jwks_ttl_s=_number(env, "CHAT_JWKS_TTL_S", 300.0),
            rate_limit=int(_number(env, "CHAT_RATE_LIMIT", 1000)),
        )


def check_url(name: str, value: str | None) -> str:
    """Return a usable address unchanged.

    Args:
        name: The environment variable, a key of `EXAMPLES`.
        value: Its value; `None` and empty mean it is not set.

    Raises:
        ConfigError: It is not set, of another scheme, or without host or socket.
    """
    advice = f"set {name}={EXAMPLES[name]}"
    if not value:
        raise ConfigError(f"{name} is not set; {advice}")
    try:
        parts = urlsplit(value)
        usable = parts.port is None or parts.port > 0
    except ValueError:
        raise ConfigError(f"{name} is not a URL; {advice}") from None
    if parts.scheme not in _SCHEMES[name]:
        wanted = " or ".join(_SCHEMES[name])
        raise ConfigError(
            f"{name} starts with {parts.scheme!r}, not {wanted}; {advice}"
        )
    if not usable or not (parts.hostname or parts.scheme == "unix" or parts.query):
        raise ConfigError(f"{name} names no host; {advice}")
    return value


def redact(text: str, *urls: str) -> str:
    """Return the text with the passwords of these URLs replaced by `***`."""
    for url in urls:
        password = urlsplit(url).password
        for secret in {password, unquote(password)} if password else ():
            text = text.replace(secret, "***")
    return text


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise ConfigError(
            f"{name}={text[:120]!r} is not a limit; set {name}={default:g}"
        )
    return number
