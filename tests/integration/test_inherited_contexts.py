"""Guards where threads inherit the context of those that start them."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: A pool's thread is started inside a guard, and runs another's job meanwhile.
PROGRAM = """
import asyncio, gc, sys
from concurrent.futures import ThreadPoolExecutor
from coroguard import guard, mode, subscribe

assert sys.flags.thread_inherit_context == 1
blamed = []
subscribe(lambda event: blamed.append(event.guarded))

async def twin(): ...

def drop():
    twin()

async def main(pool):
    started, done = asyncio.Event(), asyncio.Event()

    @guard(returns=None, name="innocent")
    async def innocent():
        await asyncio.get_running_loop().run_in_executor(pool, len, "")
        started.set()
        await done.wait()

    async def careless():
        await started.wait()
        await asyncio.wrap_future(pool.submit(drop))
        done.set()

    await asyncio.gather(innocent(), careless())

for each in ("observe", "enforce", "strict"):
    with mode(each), ThreadPoolExecutor(1) as pool:
        asyncio.run(main(pool))
gc.collect()
print("innocent" in blamed)
"""


@pytest.mark.skipif(
    sys.version_info < (3, 14), reason="-X thread_inherit_context is new in 3.14"
)
def test_a_pool_started_in_a_guard_blames_it_for_no_other_job() -> None:
    """The thread has the guard's context, but the job is another task's."""
    finished = subprocess.run(
        [sys.executable, "-X", "thread_inherit_context=1", "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (finished.stdout, finished.returncode) == ("False\n", 0), finished.stderr
