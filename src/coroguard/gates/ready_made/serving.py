"""ASGI applications, served for a gate in its own process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

_START_S = 60.0


@contextmanager
def serve(app: Any) -> Generator[str, None, None]:
    """Serve an ASGI application on a thread; yield its address, `http://...`.

    Real sockets and a real server, so what a user sees is what is tested.

    Args:
        app: The application.

    Raises:
        RuntimeError: uvicorn is missing, or the application did not start.
    """
    try:
        import uvicorn
    except ImportError:
        raise RuntimeError(
            "serving an application needs uvicorn; run pip install uvicorn"
        ) from None
    config = uvicorn.Config(
        app,
        ws="websockets-sansio" if find_spec("websockets") else "none",
        lifespan="auto",
        log_level="error",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    # By its protocol number asyncio knows TCP, and switches Nagle's algorithm off.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        host, port = listener.getsockname()
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            _wait(server, thread)
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join(_START_S)


def _wait(server: Any, thread: threading.Thread) -> None:
    until = time.monotonic() + _START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise RuntimeError("the application did not start; its log has the reason")
        time.sleep(0.005)
