"""Managers of sockets, one for each, on behalf of one user."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from coroguard.demo.errors import ComponentUnavailable

if TYPE_CHECKING:
    from coroguard.demo.context import UserExecutionContext

__all__ = ["Socket", "WebSocketManager", "WebSocketManagerFactory", "factory"]


class Socket(Protocol):
    """The part of a connection that a manager needs."""

    async def send_text(self, data: str) -> None:
        """Send one text frame."""
        ...


class WebSocketManager:
    """A sender on one socket, on behalf of one user.

    Args:
        context: Whose socket it is.
        socket: The connection; `None` for a manager that sends nothing.
    """

    def __init__(self, context: UserExecutionContext, socket: Socket | None) -> None:
        self.context = context
        self._socket = socket

    async def send(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        if self._socket is not None:
            await self._socket.send_text(json.dumps(frame, ensure_ascii=False))


class WebSocketManagerFactory:
    """A factory of one manager for each socket, up to a capacity.

    Args:
        capacity: How many sockets there may be at once.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._managers: dict[str, WebSocketManager] = {}

    @property
    def in_use(self) -> int:
        """The number of sockets that have a manager."""
        return len(self._managers)

    def create_manager(
        self, context: UserExecutionContext, socket: Socket | None = None
    ) -> WebSocketManager:
        """Return a new manager.

        Raises:
            ComponentUnavailable: All are in use, or this socket has one already.
        """
        client = context.websocket_client_id
        if len(self._managers) >= self._capacity:
            problem = f"all {self._capacity} managers are in use"
            raise ComponentUnavailable(
                "manager_factory", problem, code="MANAGER_FACTORY_FULL"
            )
        if client in self._managers:
            raise ComponentUnavailable(
                "manager_factory",
                f"socket {client} has a manager already",
                code="MANAGER_FACTORY_CONFLICT",
            )
        self._managers[client] = WebSocketManager(context, socket)
        return self._managers[client]

    def release(self, manager: WebSocketManager) -> None:
        """Forget a manager; one that is forgotten already is fine."""
        self._managers.pop(manager.context.websocket_client_id, None)


factory = WebSocketManagerFactory()
