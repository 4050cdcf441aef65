from coroguard.testing import sync_twin


async def double(number: int) -> int:
    return 2 * number


assert sync_twin(double)(4) == 8
