from coroguard import LeakKind, watch


async def close():
    pass


with watch(mode="observe") as leaks:
    close()

(leak,) = leaks
assert leak.kind is LeakKind.DROPPED
assert leak.what == "coroutine"
assert leak.name == "close"
