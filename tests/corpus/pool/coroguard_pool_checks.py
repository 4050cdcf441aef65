"""Guarded functions that a process pool imports by name."""

from typing import Any

from coroguard import guard


async def is_connected():
    return True


@guard(returns=Any)
def healthy(name):
    return {"name": name}


@guard(returns=Any)
def leaking(name):
    return {"name": name, "connected": is_connected()}


@guard(returns=Any, mode="observe")
def dropping(name):
    return {"name": name, "connected": bool(is_connected())}


class Service:
    @guard(returns=Any)
    def check(self, name):
        return {"name": name}


def leak_of(name):
    """Return the leak itself, as a worker would send it home."""
    try:
        leaking(name)
    except TypeError as error:
        return error.leak
    return None
