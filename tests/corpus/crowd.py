"""Guarded calls by the crowd, each of which knows what it must be blamed for."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from coroguard import CoroguardError, LeakKind, guard

FORMS = ("returned", "nested", "dropped", "below", "fine", "crashing")
KINDS = {
    "returned": LeakKind.RETURNED,
    "nested": LeakKind.NESTED,
    "dropped": LeakKind.DROPPED,
    "below": LeakKind.DROPPED,
}


def connector(label: object) -> Callable[[], Any]:
    """Make an async function named after its label."""

    async def connect() -> object:
        return label

    connect.__qualname__ = connect.__name__ = f"connect_{label}"
    return connect


def expected_of(label: str, form: str) -> list[tuple[str, str, LeakKind]]:
    """Return which `(guard, leaked function, kind)` one call must cause."""
    if form not in KINDS:
        return []
    return [(f"check_{label}", f"connect_{label}", KINDS[form])]


def sync_check(label: str, form: str) -> Callable[[], Any]:
    """Make a guarded sync check that leaks in one form."""
    connect = connector(label)

    def below() -> bool:
        return bool(connect())

    @guard(returns=Any, name=f"check_{label}")
    def check():
        match form:
            case "returned":
                return connect()
            case "nested":
                return {"connected": connect()}
            case "dropped":
                return {"healthy": bool(connect())}
            case "below":
                return {"healthy": below()}
            case "crashing":
                raise ConnectionError(label)
        return {"healthy": True}

    return check


def async_check(label: str, form: str) -> Callable[[], Any]:
    """Make a guarded async check that leaks in one form."""
    connect = connector(label)

    async def below() -> bool:
        await asyncio.sleep(0)
        return bool(connect())

    @guard(returns=Any, name=f"check_{label}")
    async def check():
        await asyncio.sleep(0)
        match form:
            case "returned":
                return connect()
            case "nested":
                return {"connected": connect()}
            case "dropped":
                healthy = bool(connect())
                await asyncio.sleep(0)
                return {"healthy": healthy}
            case "below":
                return {"healthy": await asyncio.create_task(below())}
            case "crashing":
                raise ConnectionError(label)
        return {"healthy": await connect()}

    return check


def release(value: Any) -> None:
    """Close what observe mode returned, as a tidy caller would."""
    value = value.get("connected") if isinstance(value, dict) else value
    if hasattr(value, "close"):
        value.close()


def call_sync(label: str, form: str) -> None:
    with contextlib.suppress(CoroguardError, ConnectionError):
        release(sync_check(label, form)())


async def call_async(label: str, form: str) -> None:
    with contextlib.suppress(CoroguardError, ConnectionError):
        release(await async_check(label, form)())


def plan(prefix: str, count: int) -> list[tuple[str, str]]:
    """List calls that leak in every form by turns."""
    return [(f"{prefix}{i}", FORMS[i % len(FORMS)]) for i in range(count)]


async def run_all(calls: list[tuple[str, str]]) -> None:
    await asyncio.gather(*(call_async(*call) for call in calls))


@dataclass
class Nest:
    """A call that drops a coroutine before, between and after the calls it makes."""

    label: str
    is_async: bool
    guarded: bool
    children: list[tuple[str, Nest]] = field(default_factory=list)

    @classmethod
    def grow(cls, chance: random.Random, label: str = "n", depth: int = 4) -> Nest:
        """Grow a random nest; its root is guarded."""
        nest = cls(label, chance.random() < 0.6, label == "n" or chance.random() < 0.6)
        for index in range(chance.randint(0, 2) if depth else 0):
            child = cls.grow(chance, f"{label}{index}", depth - 1)
            nest.children.append((chance.choice(nest.ways(child)), child))
        return nest

    def ways(self, child: Nest) -> list[str]:
        """Return the ways in which this call may make another."""
        if self.is_async and child.is_async:
            return ["await", "task", "late", "gather", "group", "wait_for", "loop"]
        if self.is_async:
            # A bare executor thread inherits no context: only a guard knows itself.
            call = [] if child.runs_a_loop() else ["call"]
            return [*call, "to_thread", *["executor"] * child.guarded]
        if child.is_async:
            return ["run"]
        return ["call", *["thread"] * child.guarded]

    def runs_a_loop(self) -> bool:
        """Return whether it runs an event loop in the thread that calls it."""
        return any(
            way == "run" or (way == "call" and child.runs_a_loop())
            for way, child in self.children
        )

    def blame(
        self,
        owners: tuple[str, ...] = (),
        *,
        is_known: bool = True,
        in_bare_loop: bool = False,
    ) -> dict[str, tuple[tuple[str, ...], bool]]:
        """Return the guards around each drop of the nest, the innermost last.

        With each comes whether outside strict mode, too, the way to the innermost is
        known. It is not for a task before its parent awaits it, nor for the threads
        of a loop in which no guard awaits them.
        """
        if self.guarded:
            owners = (*owners, f"check_{self.label}")
            is_known, in_bare_loop = True, False
        total = {
            f"connect_{self.label}_{index}": (owners, is_known)
            for index in range(len(self.children) + 1)
        }
        for way, child in self.children:
            is_lost = in_bare_loop and way in {"to_thread", "executor", "loop"}
            total |= child.blame(
                owners,
                is_known=is_known and not is_lost and way not in {"late", "group"},
                in_bare_loop=in_bare_loop or way in {"run", "loop"},
            )
        return total

    def function(self, mode: str | None) -> Callable[[], Any]:
        """Return the call, guarded or not, of its own colour; it never raises."""
        function = self._acall if self.is_async else self._call
        if not self.guarded:
            return lambda: function(mode)
        make = _calm_async if self.is_async else _calm_sync
        return make(lambda: function(mode), name=f"check_{self.label}", mode=mode)

    def _drop(self, index: int) -> None:
        bool(connector(f"{self.label}_{index}")())

    def _call(self, mode: str | None) -> None:
        self._drop(0)
        for index, (way, child) in enumerate(self.children, 1):
            function = child.function(mode)
            if way == "call":
                function()
            elif way == "run":
                asyncio.run(function())
            else:
                thread = threading.Thread(target=function)
                thread.start()
                thread.join()
            self._drop(index)

    async def _acall(self, mode: str | None) -> None:
        self._drop(0)
        for index, (way, child) in enumerate(self.children, 1):
            await _make(way, child.function(mode))
            self._drop(index)


def _calm_sync(function: Callable[[], Any], **options: Any) -> Callable[[], Any]:
    """Guard a sync function, and swallow what its guard raises."""

    @guard(returns=Any, **options)
    def check():
        return function()

    def calm():
        with contextlib.suppress(CoroguardError):
            check()

    return calm


def _calm_async(function: Callable[[], Any], **options: Any) -> Callable[[], Any]:
    """Guard an async function, and swallow what its guard raises."""

    @guard(returns=Any, **options)
    async def check():
        return await function()

    async def calm():
        with contextlib.suppress(CoroguardError):
            await check()

    return calm


async def _make(way: str, function: Callable[[], Any]) -> None:
    loop = asyncio.get_running_loop()
    match way:
        case "call":
            function()
        case "await":
            await function()
        case "task":
            await asyncio.create_task(function())
        case "late":
            task = asyncio.create_task(function())
            await asyncio.sleep(0)
            await task
        case "gather":
            await asyncio.gather(function(), asyncio.sleep(0))
        case "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(function())
                await asyncio.sleep(0)
        case "wait_for":
            await asyncio.wait_for(function(), 30)
        case "to_thread":
            await asyncio.to_thread(function)
        case "loop":
            await asyncio.to_thread(lambda: asyncio.run(function()))
        case "executor":
            await loop.run_in_executor(None, function)
