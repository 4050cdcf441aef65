"""Coroutines that are made now and awaited later, or closed on purpose."""

import asyncio
import collections
import contextvars
import functools
import inspect
from typing import Any

import anyio

from .registry import probe, program

language = contextvars.ContextVar("language", default="en")


@program
async def queue_of_coroutines(guard):
    queue = asyncio.Queue()

    @guard(returns=Any)
    def plan():
        for name in ("redis", "database"):
            queue.put_nowait(probe(name))
        return queue.qsize()

    plan()
    return [await queue.get_nowait() for _ in range(queue.qsize())]


@program
async def list_gathered_later(guard):
    pending = []

    @guard(returns=bool)
    def plan(name):
        pending.append(probe(name))
        return True

    plan("redis")
    plan("database")
    return await asyncio.gather(*pending)


@program
async def dict_awaited_later_in_the_check(guard):
    @guard(returns=dict)
    async def check():
        pending = {name: probe(name) for name in ("redis", "database")}
        return {name: await state for name, state in pending.items()}

    return await check()


@program
async def started_lazily(guard):
    class Lazy:
        def __init__(self):
            self.starting = self.start()

        async def start(self):
            return "started"

    @guard(returns=Any)
    def build():
        return Lazy()

    return await build().starting


@program
async def kept_in_a_closure(guard):
    @guard(returns=Any)
    def build():
        state = probe()

        async def finish():
            return await state

        return finish

    return await build()()


@program
async def kept_in_a_partial(guard):
    @guard(returns=Any)
    def build():
        return functools.partial(asyncio.gather, probe(), probe())

    return await build()()


@program
async def made_before_the_check(guard):
    @guard(returns=str)
    async def check(state):
        return await state

    return await check(probe())


@program
async def made_before_and_kept(guard):
    state = probe()

    @guard(returns=bool)
    def check(pending):
        return pending is not None and bool(pending)

    seen = check(state)
    return seen, await state


@program
def closed_without_starting(guard):
    @guard(returns=str)
    def check():
        state = probe()
        state.close()
        return "closed"

    return check()


@program
def inspected_and_closed(guard):
    @guard(returns=dict)
    def check():
        state = probe()
        try:
            return {
                "coroutine": inspect.iscoroutine(state),
                "state": inspect.getcoroutinestate(state),
                "awaitable": inspect.isawaitable(state),
            }
        finally:
            state.close()

    return check()


@program
async def awaited_when_awaitable(guard):
    @guard(returns=list)
    async def check():
        states = []
        for function in (probe, lambda: "plain"):
            state = function()
            states.append(await state if inspect.isawaitable(state) else state)
        return states

    return await check()


@program
async def async_generator_closed_early(guard):
    async def rows():
        for row in range(10):
            yield row

    @guard(returns=int)
    async def check():
        stream = rows()
        async for row in stream:
            if row == 3:
                break
        await stream.aclose()
        return row

    return await check()


@program
async def async_generator_never_started(guard):
    async def rows():
        yield 1

    @guard(returns=bool)
    async def check():
        stream = rows()
        await stream.aclose()
        return True

    return await check()


@program
async def async_generator_left_to_the_loop(guard):
    async def rows():
        for row in range(10):
            yield row

    @guard(returns=int)
    async def check():
        async for row in rows():
            if row == 3:
                break
        return row

    return await check()


@program
def run_inside(guard):
    @guard(returns=str)
    def check():
        return asyncio.run(probe())

    return check()


@program
def runner_inside(guard):
    @guard(returns=list)
    def check():
        with asyncio.Runner() as runner:
            return [runner.run(probe(name)) for name in ("redis", "database")]

    return check()


@program
def anyio_inside(guard):
    async def main():
        async with anyio.create_task_group() as group:
            group.start_soon(probe)
            with anyio.move_on_after(0):
                await anyio.sleep_forever()
        return await anyio.to_thread.run_sync(lambda: "done")

    @guard(returns=str)
    def check():
        return anyio.run(main)

    return check()


@program
async def driven_by_hand(guard):
    @guard(returns=str)
    def check():
        state = probe()
        try:
            state.send(None)
        except StopIteration as finished:
            return finished.value
        return "not finished"

    return check()


@program
async def context_variable_stays_set(guard):
    @guard(returns=str)
    async def login():
        language.set("de")
        await asyncio.sleep(0)
        return language.get()

    await login()
    return language.get()


@program
async def context_variable_of_sync_check_stays_set(guard):
    @guard(returns=str)
    def login():
        language.set("fr")
        return language.get()

    login()
    return language.get()


@program
async def context_variable_token_crosses_the_guard(guard):
    @guard(returns=Any)
    async def enter():
        return language.set("it")

    @guard(returns=str)
    async def leave(token):
        language.reset(token)
        return language.get()

    token = await enter()
    inside = language.get()
    return inside, await leave(token), language.get()


@program
async def recursion(guard):
    @guard(returns=int)
    async def count(depth):
        return 0 if depth == 0 else 1 + await count(depth - 1)

    return await count(50)


@program
def sync_recursion(guard):
    @guard(returns=int)
    def count(depth):
        return 0 if depth == 0 else 1 + count(depth - 1)

    return count(50)


@program
async def reentrant_checks(guard):
    @guard(returns=int)
    async def check(depth):
        if depth == 0:
            return 1
        return sum(await asyncio.gather(check(depth - 1), check(depth - 1)))

    return await check(5)


@program
def generator_passes_through(guard):
    @guard(returns=Any)
    def names():
        return (name for name in ("redis", "database"))

    return list(names())


@program
def generator_kept_open(guard):
    def numbers():
        yield from range(3)

    @guard(returns=Any)
    def check(stream):
        return next(stream)

    stream = numbers()
    return [check(stream), check(stream), next(stream)]


@program
def many_calls(guard):
    @guard(returns=int)
    def check(number):
        return number

    return collections.Counter(check(number % 3) for number in range(300))
