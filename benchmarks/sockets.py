"""The throughput that a guarded WebSocket service keeps."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks.frames import Line
from benchmarks.table import Section, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.timing import Effort

    # Sends so many messages to a service; returns the seconds that passed, and the
    # processor seconds that the service took, or 0 where the system has no figure.
    Drive = Callable[[int], tuple[float, float]]

__all__ = ["echo_process", "measure_sockets", "processor_s", "race"]

_MODES = ("off", "enforce")
_REPLY = "healthy: True"  # of the echo service, whatever it receives
_LINES = 8
_USERS = 8
_CHAT = "chat service, a whole turn"
_PATHS = {
    "bare echo, a guarded yes or no": "/leaks",
    "bare echo, a full report check": "/report",
}


def measure_sockets(effort: Effort) -> Section:
    """Race services that differ in their mode alone, in rounds that take turns."""
    rows: list[tuple[str, ...]] = []
    targets: list[Target] = []
    notes = [
        "The bare echoes do nothing but answer: no database, no agent, so they show "
        "the most that a guard can cost a message.",
        "The last column compares what the service's own thread took off the processor "
        "for the same messages: other work on the machine does not count in it.",
    ]

    def add(name: str, drives: dict[str, Drive], messages: int) -> None:
        rates, costs = race(drives, messages, effort.socket_rounds)
        kept = [on / off for off, on in zip(*rates.values(), strict=True)]
        rows.append(_row(name, rates, kept, costs))
        off, enforce = (median(costs[mode]) for mode in _MODES)
        if off and enforce:
            claim = f"throughput kept by the {name}, by processor time"
            percent = 100 * off / enforce
            limit = 99 if name == _CHAT else 90
            targets.append(Target(claim, percent, limit, unit=" %", at_least=True))

    if effort.chat:
        try:
            with _chat_services() as drives:
                add(_CHAT, drives, max(_USERS, effort.messages // 20))
        except Exception as problem:
            reason = str(problem).partition("\n")[0]
            notes.append(f"The chat service could not be measured here: {reason}")
    for name, path in _PATHS.items():
        with ExitStack() as stack:
            drives = {m: stack.enter_context(_echo_service(m, path)) for m in _MODES}
            add(name, drives, effort.messages)
    return Section(
        "Throughput of a guarded WebSocket service",
        ("service", "off", "enforce", "kept", "middle half", "by processor time"),
        rows,
        targets,
        tuple(notes),
    )


def race(
    drives: dict[str, Drive], messages: int, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return messages per second, and processor seconds, of each round by mode."""
    rates: dict[str, list[float]] = {mode: [] for mode in drives}
    costs: dict[str, list[float]] = {mode: [] for mode in drives}
    for drive in drives.values():
        drive(messages)  # warms up
    for turn in range(rounds):
        for mode in list(drives)[:: -1 if turn % 2 else 1]:
            took_s, cpu_s = drives[mode](messages)
            rates[mode].append(messages / took_s)
            costs[mode].append(cpu_s)
    return rates, costs


def _row(
    name: str,
    rates: dict[str, list[float]],
    kept: list[float],
    costs: dict[str, list[float]],
) -> tuple[str, ...]:
    low, high = min(kept), max(kept)
    if len(kept) > 1:
        low, _, high = quantiles(kept, n=4)
    off, enforce = (median(costs[mode]) for mode in _MODES)
    return (
        name,
        *(f"{median(rates[mode]):,.0f}/s" for mode in _MODES),
        f"{100 * median(kept):.1f} %",
        f"{100 * low:.1f} to {100 * high:.1f} %",
        f"{100 * off / enforce:.1f} %" if off and enforce else "unknown",
    )


def processor_s(pid: int) -> float:
    """Return the processor seconds of a process's main thread; Linux alone has them."""
    try:
        text = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return int(text.split()[0]) / 1e9


def _worker(pid: int) -> int:
    """Return the process that does the work where this one only looks after it."""
    import psutil  # comes with the extra `demo`

    children = psutil.Process(pid).children()
    return int(children[0].pid) if children else pid


@contextmanager
def echo_process(**env: str) -> Iterator[tuple[int, int]]:
    """Start the echo service; yield its process and its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.echo_service"],
        env={**os.environ, **env, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    try:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=10)


@contextmanager
def _echo_service(mode: str, path: str) -> Iterator[Drive]:
    """Start the echo service in a mode and connect to it."""
    with echo_process(COROGUARD_MODE=mode) as (pid, port), ExitStack() as stack:
        lines = [
            Line(port, path, message="hello", expect=_REPLY) for _ in range(_LINES)
        ]
        for line in lines:
            stack.callback(line.close)

        def drive(messages: int) -> tuple[float, float]:
            turns = max(1, messages // _LINES)
            cpu_s, started = processor_s(pid), time.perf_counter()
            for _ in range(turns):
                for line in lines:
                    line.send()
                for line in lines:
                    line.receive()
            took_s = time.perf_counter() - started
            return took_s * messages / (turns * _LINES), processor_s(pid) - cpu_s

        yield drive


@contextmanager
def _chat_services() -> Iterator[dict[str, Drive]]:
    """Start the demonstration's chat once for each mode, on the same databases."""
    from coroguard.demo.backends.stack import Stack
    from coroguard.demo.client import ChatClient

    with ExitStack() as cleanup:
        stack = cleanup.enter_context(Stack())
        loop = asyncio.new_event_loop()
        cleanup.callback(loop.close)
        env = {"CHAT_RATE_LIMIT": "0"}
        services = {
            mode: stack.chat(f"chat-{mode}", mode=mode, env=env) for mode in _MODES
        }
        drives: dict[str, Drive] = {}
        for mode, service in services.items():
            service.wait_ready()
            clients = [
                ChatClient(service.url, stack.token(str(uuid.uuid4())))
                for _ in range(_USERS)
            ]
            loop.run_until_complete(_connect(clients))
            cleanup.callback(_disconnect, loop, clients)
            drives[mode] = _conversation(loop, clients, _worker(service.process.pid))
        yield drives


def _conversation(
    loop: asyncio.AbstractEventLoop, clients: list[object], pid: int
) -> Drive:
    async def talk(client: object, turns: int) -> None:
        for _ in range(turns):
            frames = await client.ask("is the database healthy?")  # type: ignore[attr-defined]
            if frames[-1]["type"] != "agent_completed":
                raise RuntimeError(f"no answer: {frames[-1]}")

    async def everyone(turns: int) -> float:
        started = time.perf_counter()
        await asyncio.gather(*(talk(client, turns) for client in clients))
        return time.perf_counter() - started

    def drive(messages: int) -> tuple[float, float]:
        turns = max(1, messages // _USERS)
        cpu_s = processor_s(pid)
        took_s = loop.run_until_complete(everyone(turns))
        return took_s * messages / (turns * _USERS), processor_s(pid) - cpu_s

    return drive


async def _connect(clients: list[object]) -> None:
    for client in clients:
        await client.__aenter__()  # type: ignore[attr-defined]
        await client.receive()  # type: ignore[attr-defined]


def _disconnect(loop: asyncio.AbstractEventLoop, clients: list[object]) -> None:
    async def leave() -> None:
        for client in clients:
            await client.__aexit__(None, None, None)  # type: ignore[attr-defined]

    loop.run_until_complete(leave())
