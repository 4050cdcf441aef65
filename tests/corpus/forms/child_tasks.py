"""Forms in which the coroutine is dropped below the check: in tasks and threads."""

import asyncio
import functools

from .registry import form, is_connected

dropped = functools.partial(form, "DROPPED")


async def careless():
    return bool(is_connected())


def careless_in_thread():
    return bool(is_connected())


@dropped()
async def in_awaited_helper():
    return {"healthy": await careless()}


@dropped()
async def in_gather():
    return {"healthy": all(await asyncio.gather(careless(), careless()))}


@dropped()
async def in_task_group():
    async with asyncio.TaskGroup() as group:
        task = group.create_task(careless())
    return {"healthy": task.result()}


@dropped(placed=False)
async def in_task_awaited_later():
    task = asyncio.create_task(careless())
    await asyncio.sleep(0)
    return {"healthy": await task}


@dropped()
async def in_wait():
    done, _ = await asyncio.wait([asyncio.create_task(careless())])
    return {"healthy": done.pop().result()}


@dropped()
async def in_wait_for():
    return {"healthy": await asyncio.wait_for(careless(), 5)}


@dropped()
async def in_timeout():
    async with asyncio.timeout(5):
        return {"healthy": await careless()}


@dropped()
async def in_shield():
    return {"healthy": await asyncio.shield(careless())}


@dropped()
async def in_as_completed():
    states = [await done for done in asyncio.as_completed([careless(), careless()])]
    return {"healthy": all(states)}


@dropped()
async def in_grandchild():
    async def child():
        return await asyncio.create_task(careless())

    return {"healthy": await asyncio.create_task(child())}


@dropped()
async def in_to_thread():
    return {"healthy": await asyncio.to_thread(careless_in_thread)}


@dropped(placed=False)
async def in_loop_callback():
    done = asyncio.Event()

    def callback():
        is_connected()
        done.set()

    asyncio.get_running_loop().call_soon(callback)
    await done.wait()
    return {"healthy": True}


@dropped(placed=False)
async def in_done_callback():
    done = asyncio.Event()

    def callback(task):
        is_connected()
        done.set()

    asyncio.create_task(asyncio.sleep(0)).add_done_callback(callback)
    await done.wait()
    return {"healthy": True}


@dropped()
async def in_async_generator():
    async def states():
        yield bool(is_connected())

    return {"healthy": [state async for state in states()]}


@dropped()
async def in_async_context_manager():
    class Session:
        async def __aenter__(self):
            is_connected()

        async def __aexit__(self, *error):
            return None

    async with Session():
        return {"healthy": True}


@dropped()
def in_loop_of_its_own():
    return {"healthy": asyncio.run(careless())}


@dropped(placed=False)
async def after_cancellation():
    async def cancelled():
        is_connected()
        await asyncio.Event().wait()

    task = asyncio.create_task(cancelled())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return {"healthy": True}


@dropped()
async def in_handler_of_timeout():
    try:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    except TimeoutError:
        is_connected()
    return {"healthy": True}
