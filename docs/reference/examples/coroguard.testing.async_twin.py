import asyncio

from coroguard.testing import async_twin


def double(number: int) -> int:
    return 2 * number


assert asyncio.run(async_twin(double)(4)) == 8
