"""The program that runs one service of the demonstration."""

# `python -m coroguard.demo.service chat|auth [PORT]` prints `READY http://...` when it
# takes connections, and runs until it is stopped.

from __future__ import annotations

import asyncio
import importlib
import logging
import socket
import sys
from collections.abc import Sequence

import uvicorn

from coroguard.demo.errors import ConfigError


class AnnouncedServer(uvicorn.Server):
    """A server that prints its address when it takes connections."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and print the address."""
        await super().startup(sockets)
        if sockets and self.started:
            host, port = sockets[0].getsockname()[:2]
            sys.stdout.write(f"READY http://{host}:{port}\n")
            sys.stdout.flush()


def main(argv: Sequence[str]) -> int:
    """Run one of the two services; return the exit code."""
    kind, port = argv[0], int(argv[1]) if len(argv) > 1 else 0
    logging.basicConfig(
        stream=sys.stdout, level="INFO", format="%(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel("WARNING")
    try:
        return asyncio.run(_serve(kind, port))
    except ConfigError as wrong:
        sys.stdout.write(f"{wrong}\n")
        return 2
    except KeyboardInterrupt:
        return 0


async def _serve(kind: str, port: int) -> int:
    # Only one is wanted, and each brings libraries of its own.
    module = {"auth": "auth_service", "chat": "app"}[kind]
    app = importlib.import_module(f"coroguard.demo.{module}").create_app()
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        ws_max_size=65_536,
        timeout_graceful_shutdown=1,
    )
    # With the protocol number asyncio recognizes TCP and switches Nagle's algorithm
    # off, which delays the second of two writes by 40 ms.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        # A service that was killed comes back on its port at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        server = AnnouncedServer(config)
        await server.serve([listener])
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
