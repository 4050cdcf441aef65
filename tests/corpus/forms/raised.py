"""Forms in which the crash itself leaves the check as an ordinary error."""

import functools
import json

from .registry import form, is_connected
from .returned import Manager, stream

misused = functools.partial(form, "MISUSED")
mirrored = functools.partial(form, "NOT_AWAITABLE", leaked=None)


def plain():
    return {"connected": True}


@misused()
def attribute():
    report = is_connected()
    return report.get("error_suggestions", [])


@misused()
def attribute_of_temporary():
    return is_connected().get("error_suggestions", [])


@misused()
def subscript():
    report = is_connected()
    return report["healthy"]


@misused()
def item_assignment():
    report = is_connected()
    report["healthy"] = True


@misused()
def iteration():
    names = is_connected()
    return [name for name in names]  # noqa: C416


@misused()
def unpacking():
    pair = is_connected()
    connected, latency = pair
    return connected, latency


@misused()
def double_star():
    details = is_connected()
    return dict(**details)


@misused()
def length():
    rows = is_connected()
    return len(rows)


@misused()
def ordering():
    latency = is_connected()
    return latency > 5


@misused()
def arithmetic():
    latency = is_connected()
    return latency + 1


@misused()
def container_test():
    names = is_connected()
    return "redis" in names


@misused()
def call():
    handler = is_connected()
    return handler()


@misused()
def integer():
    latency = is_connected()
    return int(latency)


@misused()
def context_manager():
    session = is_connected()
    with session:
        return True


@misused()
def serialised():
    report = {"healthy": is_connected()}
    return json.dumps(report)


@misused()
async def attribute_in_async_check():
    report = is_connected()
    return report.get("error_suggestions", [])


@misused()
async def async_iteration():
    rows = is_connected()
    return [row async for row in rows]


@misused()
async def async_context_manager_of_coroutine():
    session = is_connected()
    async with session:
        return True


@misused(leaked="stream")
def async_generator_subscript():
    users = stream()
    return users["data"]


@misused(leaked="stream")
def async_generator_iteration():
    users = stream()
    return list(users)


@mirrored()
async def await_of_none():
    await None


@mirrored()
async def await_of_dict():
    return await plain()


@mirrored()
async def await_of_bool():
    return await bool(plain())


@mirrored()
async def await_of_object():
    return await Manager()


@mirrored()
async def async_with_plain():
    async with Manager():
        return True


@mirrored()
async def async_for_plain():
    return [row async for row in plain()]


@mirrored()
async def await_of_helper():
    async def helper():
        return await plain()

    return await helper()
