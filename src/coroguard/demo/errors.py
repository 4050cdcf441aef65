"""The errors of the chat service, by who has to act."""

# DemoError
# ├── ConfigError (ValueError)          the operator: an address or a limit is wrong
# ├── InvalidContextError (ValueError)  the caller: one of the five ids is not real
# ├── ComponentUnavailable (OSError)    nobody yet: a component does not answer
# ├── Rejected (PermissionError)        the client: no right to this socket
# └── StartError (RuntimeError)         the operator: a server did not come up

from __future__ import annotations


class DemoError(Exception):
    """Anything the chat service or its demonstration reports by itself."""


class ConfigError(DemoError, ValueError):
    """An address or limit that cannot be used; the message has the fix."""


class InvalidContextError(DemoError, ValueError):
    """An id that is missing, malformed, or a forgotten placeholder."""


class ComponentUnavailable(DemoError, OSError):  # noqa: N818  # a state, as in HTTP
    """A component that refused, broke off, or stayed silent past its deadline.

    Args:
        component: The component's name in the health report, `database` for one.
        problem: What it did, free of secrets.
        code: The error code of the health report, `DATABASE_TIMEOUT` for one.
    """

    def __init__(self, component: str, problem: str, *, code: str) -> None:
        super().__init__(f"{component}: {problem}")
        self.component = component
        self.problem = problem
        self.code = code


class Rejected(DemoError, PermissionError):  # noqa: N818  # a verdict
    """A socket that has to be closed, with the close code and reason to send.

    Args:
        code: The WebSocket close code, 4400 for a bad id, 4401 for a bad token,
            4403 for a thread of another user.
        reason: The close reason, cut at 123 bytes, the limit of the protocol.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:123].decode(errors="ignore")


class StartError(DemoError, RuntimeError):
    """A server of the demonstration that did not come up, with its last words."""
