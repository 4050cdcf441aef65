import asyncio

from coroguard.testing.schedules import explore

balance = 0


async def deposit():
    global balance
    seen = balance
    await asyncio.sleep(0)
    balance = seen + 1


async def two_deposits():
    global balance
    balance = 0
    await asyncio.gather(deposit(), deposit())
    assert balance == 2


found = explore(two_deposits, runs=200)
assert found.failure is not None
print(found.failure.token)
