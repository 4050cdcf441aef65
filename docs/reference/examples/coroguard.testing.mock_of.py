import asyncio
import inspect

from coroguard.testing import mock_of


class Client:
    async def ping(self) -> bool:
        return True

    def close(self) -> None: ...


client = mock_of(Client)
assert inspect.iscoroutinefunction(client.ping)
assert not inspect.iscoroutinefunction(client.close)
asyncio.run(client.ping())
