"""Races that asyncio's own order hides, each beside a program that is right.

A module has a coroutine function ``race``, which passes in asyncio's own order and
fails in some other one, and ``correct``, which passes in every order. Where a module
needs loops of its own, the two are plain functions.
"""

from __future__ import annotations

import asyncio


async def network(turns: int = 1) -> None:
    """Wait for a peer whose answer takes this many turns of the loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
