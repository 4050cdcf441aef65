"""A webhook receiver on loopback, which keeps the bodies of its requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_PATIENCE_S = 60.0
_POLL_S = 0.02  # how soon the server notices its end


class Receiver:
    """Keeps the body of each POST; use as a context manager.

    Args:
        statuses: The answers to the first requests; further ones are answered 200.

    Attributes:
        bodies: What came, parsed; one answered with an error, too.
        headers: The headers of each request.
    """

    def __init__(self, *statuses: int) -> None:
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self._statuses = [*statuses]
        self._arrival = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length))
                status = receiver._keep(body, dict(self.headers))
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_request(self, code: object = "-", size: object = "-") -> None:
                """Write nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self) -> Self:
        serve = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), daemon=True
        )
        serve.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """Each alert of the webhook's bodies, in the order of their arrival."""
        found = [body for body in self.bodies if isinstance(body, dict)]
        return [alert for body in found for alert in body["alerts"]]

    def wait_for(
        self, wanted: Callable[[dict[str, Any]], bool], timeout_s: float = _PATIENCE_S
    ) -> dict[str, Any]:
        """Return the first alert that is wanted, once it is here.

        Raises:
            TimeoutError: It did not come; what came instead is named.
        """
        with self._arrival:
            if self._arrival.wait_for(lambda: any(map(wanted, self.alerts)), timeout_s):
                return next(filter(wanted, self.alerts))
        came = [(it["status"], it["labels"]) for it in self.alerts]
        raise TimeoutError(f"no such alert in {timeout_s:g} s; there came {came}")

    def _keep(self, body: Any, headers: dict[str, str]) -> int:
        with self._arrival:
            self.bodies.append(body)
            self.headers.append(headers)
            self._arrival.notify_all()
            return self._statuses.pop(0) if self._statuses else 200
