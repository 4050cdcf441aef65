from coroguard import watch


async def close():
    pass


with watch(mode="observe") as leaks:
    close()  # not awaited

assert [leak.name for leak in leaks] == ["close"]
