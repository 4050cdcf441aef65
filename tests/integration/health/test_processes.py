"""Collecting in processes of every kind: switched off, forked, patched by gevent."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

LIMIT_S = 60


def run(
    folder: Path, code: str, *options: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    program = folder / "program.py"
    program.write_text(textwrap.dedent(code))
    return subprocess.run(
        [sys.executable, *options, program.name],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def printed(finished: subprocess.CompletedProcess[str]) -> list[str]:
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.split()


LEAKING = """
    import asyncio
    from coroguard import guard
    from coroguard.health import acollect, collect

    async def is_connected():
        return False

    def returned():
        return is_connected()

    def truth_tested():
        return bool(is_connected())

    def swallowed():
        try:
            return is_connected().get("ok")
        except Exception as error:
            return {"error": str(error)}

    async def dropped():
        is_connected()
        return True

    checks = dict(a=returned, b=truth_tested, c=swallowed, d=dropped)
    assert guard(returned) is returned
    guarded = {name: guard(check) for name, check in checks.items()}
    for given in (checks, guarded):
        for report in (
            collect(given, deadline_s=30), asyncio.run(acollect(given, deadline_s=30))
        ):
            print(*(it.error_code for it in report.component_details.values()))
            assert all(
                "'is_connected'" in it.error
                for it in report.component_details.values()
            )
"""


def test_leaks_are_seen_where_the_process_is_off(tmp_path: Path) -> None:
    """With ``COROGUARD_MODE=off`` at the start no guard is on, and no report lies."""
    finished = run(tmp_path, LEAKING, "-W", "ignore", COROGUARD_MODE="off")
    assert printed(finished) == ["COROUTINE_LEAK"] * 16


def test_forked_process_collects(tmp_path: Path) -> None:
    """A child that was forked after a collection has a loop of its own."""
    finished = run(
        tmp_path,
        """
        import os, threading
        from coroguard.health import Checked, collect, left_behind
        from coroguard.health.endpoint import Endpoint

        stuck = threading.Event()

        async def check():
            return True

        endpoint = Endpoint({"it": check}, deadline_s=30, memory_s=0)
        checks = {"it": check, "sync": lambda: stuck.wait(60)}
        late = Checked(checks["sync"], deadline_s=0.05)
        collect({"it": check, "sync": late}, deadline_s=30)
        assert endpoint.respond(None, "GET", "").status == 200
        assert left_behind() == 1
        child = os.fork()
        if not child:
            stuck.set()
            right = (
                left_behind() == 0
                and collect(checks, deadline_s=30).healthy
                and endpoint.respond(None, "GET", "").status == 200
            )
            os._exit(0 if right else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        stuck.set()
        """,
    )
    assert printed(finished) == ["0"]


@pytest.mark.skipif(not find_spec("gevent"), reason="gevent is not installed")
def test_process_patched_by_gevent(tmp_path: Path) -> None:
    """Under gevent the deadline holds, and the greenlets go on meanwhile."""
    finished = run(
        tmp_path,
        """
        from gevent import monkey
        monkey.patch_all()
        import asyncio, gevent, threading, time
        from gevent.monkey import get_original
        from coroguard.health import acollect, collect, left_behind

        sleep = get_original("time", "sleep")
        over = []

        def really_stuck():
            while not over:
                sleep(0.01)

        async def check():
            await asyncio.sleep(0.01)
            return True

        turns = []
        def turn():
            for _ in range(99):
                turns.append(1)
                gevent.sleep(0.001)

        gevent.spawn(turn)
        report = collect({"stuck": really_stuck}, deadline_s=2)
        print(report.component_details["stuck"].error_code, len(turns) > 5)
        checks = {"async": check, "sync": lambda: time.sleep(0.01)}
        print(collect(checks, deadline_s=30).healthy)
        print(asyncio.run(acollect(checks, deadline_s=30)).healthy)
        threads = [
            threading.Thread(
                target=lambda: print(collect(checks, deadline_s=30).healthy)
            )
            for _ in range(3)
        ]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        over.append(1)
        while left_behind():
            gevent.sleep(0.01)
        """,
    )
    assert printed(finished) == ["DEADLINE_PASSED", *["True"] * 6]


@pytest.mark.parametrize("stuck", ["", "stuck"])
def test_process_ends_silently(tmp_path: Path, stuck: str) -> None:
    """No thread, loop or task of a collection disturbs the end of the process."""
    finished = run(
        tmp_path,
        """
        import asyncio, sys, threading
        from coroguard.health import acollect, collect

        async def check():
            if len(sys.argv) == 1 and STUCK:
                await asyncio.sleep(3600)

        def sync():
            if STUCK:
                threading.Event().wait(3600)

        checks = {"async": check, "sync": sync}
        collect(checks, deadline_s=0.05 if STUCK else 30)
        asyncio.run(acollect(checks, deadline_s=0.05 if STUCK else 30))
        """.replace("STUCK", repr(stuck)),
        "-W",
        "error",
    )
    lines = [it for it in finished.stderr.splitlines() if "no answer" not in it]
    lines = [it for it in lines if "an earlier run" not in it]
    assert (finished.returncode, lines) == (0, [])
