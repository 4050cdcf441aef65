"""Services that are talked to, before a test's word for them counts."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

_TIMEOUT_S = 5.0
_FILES = frozenset({"file", "sqlite"})


class _Protocol(NamedTuple):
    """The usual port, the first message, and how its answer begins."""

    port: int | None = None
    sends: bytes = b""
    answers: bytes = b""
    is_tls: bool = False


# Source: RFC 9110, the protocols of Redis (RESP), PostgreSQL (SSLRequest), MySQL (the
# server greets) and AMQP 0-9-1.
_HTTP = (b"HEAD / HTTP/1.0\r\n\r\n", rb"HTTP/")
_MYSQL = (b"", rb".")
_POSTGRES = (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", rb"[SN]")
_REDIS = (b"PING\r\n", rb"[+-]")
_OTHER = _Protocol()
_PROTOCOLS = {
    "amqp": _Protocol(5672, b"AMQP\x00\x00\x09\x01", rb"\x01|AMQP"),
    "amqps": _Protocol(5671, is_tls=True),
    "http": _Protocol(80, *_HTTP),
    "https": _Protocol(443, *_HTTP, is_tls=True),
    "ldap": _Protocol(389),
    "mariadb": _Protocol(3306, *_MYSQL),
    "memcached": _Protocol(11211),
    "mongodb": _Protocol(27017),
    "mysql": _Protocol(3306, *_MYSQL),
    "nats": _Protocol(4222),
    "postgres": _Protocol(5432, *_POSTGRES),
    "postgresql": _Protocol(5432, *_POSTGRES),
    "redis": _Protocol(6379, *_REDIS),
    "rediss": _Protocol(6379, *_REDIS, is_tls=True),
    "valkey": _Protocol(6379, *_REDIS),
    "ws": _Protocol(80, *_HTTP),
    "wss": _Protocol(443, *_HTTP, is_tls=True),
}


@dataclass(frozen=True, slots=True)
class NotReached:
    """Why a service does not count as real.

    Args:
        why: What was tried and what came of it, without the address.
        is_refuted: Whether the address was understood, and nothing answered there;
            otherwise there was nobody to talk to.
    """

    why: str
    is_refuted: bool


def reach(address: str) -> NotReached | None:
    """Talk to the service at an address; return why it was not reached, or ``None``.

    Understood are URLs with a host, several hosts with commas, ``host:port``,
    connection strings with ``host=`` and ``port=``, sockets and files.
    """
    try:
        scheme, places = _places(address)
    except ValueError:
        scheme, places = "", []
    if not places:
        return NotReached("its address has no host and port", is_refuted=False)
    problems: list[str] = []
    for place in places:
        try:
            _talk(scheme, place)
        except (OSError, ValueError) as error:
            problems.append(f"{type(error).__name__}: {error}")
        else:
            return None
    return NotReached("; ".join(dict.fromkeys(problems)), is_refuted=True)


_Place = tuple[str, int] | Path


def _places(address: str) -> tuple[str, list[_Place]]:
    """Return the protocol of an address and where the service may be."""
    if re.search(r"(?:^|\s)host\s*=", address):
        return _of_connection_string(address)
    if "://" not in address:
        hosts = re.findall(r"([\w.-]+):(\d+)", address)
        return "", [(host, int(port)) for host, port in hosts]
    parts = urlsplit(address)
    scheme, _, driver = parts.scheme.lower().partition("+")
    if scheme in _FILES:
        return "file", [_file(parts)]
    socket_file = parse_qs(parts.query).get("host", [""])[0]
    if scheme == "unix" or driver in ("unix", "socket"):
        return "", [Path(unquote(parts.path))]
    if socket_file.startswith("/"):
        return "", [Path(socket_file) / ".s.PGSQL.5432"]
    return scheme, [*_hosts(parts, _PROTOCOLS.get(scheme, _OTHER).port)]


def _of_connection_string(address: str) -> tuple[str, list[_Place]]:
    pairs = dict(re.findall(r"(\w+)\s*=\s*'?([^'\s]*)", address))
    host, port = pairs["host"], int(pairs.get("port") or 5432)
    if host.startswith("/"):
        return "", [Path(host) / f".s.PGSQL.{port}"]
    return "postgresql", [(host, port)]


def _file(parts: SplitResult) -> Path:
    """Return the file of an address; a URL's path begins one ``/`` early."""
    path = unquote(parts.path)
    return Path(path if parts.scheme == "file" else path.removeprefix("/"))


def _hosts(parts: SplitResult, default: int | None) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for one in parts.netloc.rpartition("@")[2].split(","):
        each = urlsplit(f"//{one}")
        port = each.port or default
        if each.hostname and port:
            found.append((each.hostname, port))
    return found


def _talk(scheme: str, place: _Place) -> None:
    """Connect and exchange the first bytes of the protocol.

    Raises:
        OSError: Nothing answered.
        ValueError: Something else answered.
    """
    if scheme == "file":
        Path(place).stat()  # type: ignore[arg-type]
        return
    with _connected(scheme, place) as connection:
        protocol = _PROTOCOLS.get(scheme, _OTHER)
        if not protocol.answers:
            return
        if protocol.sends:
            connection.sendall(protocol.sends)
        answer = connection.recv(64)
    if not re.match(protocol.answers, answer, re.S):
        raise ValueError(f"what answers does not speak {scheme}")


@contextmanager
def _connected(scheme: str, place: _Place) -> Generator[socket.socket, None, None]:
    if isinstance(place, Path):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(str(place))
            yield connection
        return
    with socket.create_connection(place, _TIMEOUT_S) as connection:
        if not _PROTOCOLS.get(scheme, _OTHER).is_tls:
            yield connection
            return
        # Whether the certificate is right is the business of the tests.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(connection, server_hostname=place[0]) as secured:
            yield secured
