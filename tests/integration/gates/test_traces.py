"""Leaks, failures and outcomes that no report shows: none of them ends green."""

from __future__ import annotations

import pytest

HEAD = "import pytest\npytestmark = pytest.mark.gate('chat')\nasync def ping(): pass\n"

RED = {
    "a fixture returns it": (
        "@pytest.fixture\ndef pong(): return ping()\n"
        "def test_chat(pong): assert pong\n",
        "test_chat left a coroutine un-awaited: coroutine 'ping'",
    ),
    "a module keeps it": (
        "KEPT = []\ndef test_chat(): KEPT.append(ping())\n",
        "kept until the process ended",
    ),
    "an exit handler drops it": (
        "import atexit\ndef test_chat(): atexit.register(lambda: bool(ping()))\n",
        "outside any test: un-awaited coroutine 'ping'",
    ),
    "a child process drops it": (
        "import subprocess, sys\n"
        "CODE = 'async def ping(): pass\\nping()'\n"
        "def test_chat(): subprocess.run([sys.executable, '-c', CODE], check=True)\n",
        "test_chat left a coroutine un-awaited: coroutine 'ping'",
    ),
    "a child process keeps it": (
        "import subprocess, sys\n"
        "CODE = 'async def ping(): pass\\nkept = [ping()]'\n"
        "def test_chat(): subprocess.run([sys.executable, '-c', CODE], check=True)\n",
        "test_chat left a coroutine un-awaited: coroutine 'ping'",
    ),
    "a forked process drops it": (
        "import multiprocessing\n"
        "def test_chat():\n"
        "    fork = multiprocessing.get_context('fork')\n"
        "    child = fork.Process(target=lambda: bool(ping()))\n"
        "    child.start(); child.join()\n",
        "test_chat left a coroutine un-awaited: coroutine 'ping'",
    ),
    "a later test drops it, which may leak": (
        "KEPT = []\n"
        "def test_chat(): KEPT.append(ping())\n"
        "@pytest.mark.allow_leaks('*', reason='the subject')\n"
        "def test_later(): KEPT.clear()\n",
        "test_chat left a coroutine un-awaited: coroutine 'ping'",
    ),
    "a thread fails": (
        "import threading\n"
        "def test_chat():\n"
        "    thread = threading.Thread(target=lambda: 1 / 0)\n"
        "    thread.start(); thread.join()\n",
        "ZeroDivisionError: division by zero",
    ),
    "a lost task fails": (
        "import asyncio\n"
        "async def send(): raise OSError('bounced')\n"
        "async def main():\n"
        "    asyncio.create_task(send())\n"
        "    await asyncio.sleep(0)\n"
        "def test_chat(): asyncio.run(main())\n",
        "Task exception was never retrieved: OSError: bounced",
    ),
    "a finalizer fails": (
        "class Lock:\n    def __del__(self): raise OSError('locked')\n"
        "def test_chat(): Lock()\n",
        "OSError: locked",
    ),
}
PLACE = """
@pytest.fixture(autouse=True)
def place():
    {setup}
    yield
    {teardown}

def test_chat():
    {call}
"""
SWALLOWED = {
    "setup": "def pytest_runtest_setup(item):",
    "call": "def pytest_pyfunc_call(pyfuncitem):",
    "teardown": "def pytest_runtest_teardown(item, nextitem):",
}


@pytest.mark.parametrize("way", RED)
def test_a_trace_is_red(project, way):
    """What a test leaves behind it fails its gate, in the words of the finding."""
    body, reason = RED[way]
    project.write("tests/test_chat.py", HEAD + body)
    ran = project.gate()
    assert ran.verdicts == {"chat": "FAILED"}, ran.out
    assert reason in ran.reasons


GREEN = {
    "a coroutine that a later test awaits": (
        "import asyncio\nKEPT = []\n"
        "def test_chat(): KEPT.append(ping())\n"
        "def test_later(): asyncio.run(KEPT.pop())\n"
    ),
    "a coroutine that was made before the fork": (
        "import asyncio, multiprocessing, os\n"
        "def child(kept): kept.clear(); os._exit(0)\n"
        "def test_chat():\n"
        "    kept = [ping()]\n"
        "    fork = multiprocessing.get_context('fork')\n"
        "    other = fork.Process(target=child, args=(kept,))\n"
        "    other.start(); other.join()\n"
        "    asyncio.run(kept.pop())\n"
    ),
    "a failure in a thread that the test expects": (
        "import threading\n"
        "def test_chat(monkeypatch):\n"
        "    seen = []\n"
        "    monkeypatch.setattr(threading, 'excepthook', seen.append)\n"
        "    thread = threading.Thread(target=lambda: 1 / 0)\n"
        "    thread.start(); thread.join()\n"
        "    assert seen\n"
        "@pytest.mark.filterwarnings("
        "'ignore::pytest.PytestUnhandledThreadExceptionWarning')\n"
        "def test_marked():\n"
        "    thread = threading.Thread(target=lambda: 1 / 0)\n"
        "    thread.start(); thread.join()\n"
    ),
    "a case of unittest, async too": (
        "import unittest\n"
        "class ChatTest(unittest.IsolatedAsyncioTestCase):\n"
        "    async def test_async(self): await ping()\n"
        "    def test_sync(self): self.assertTrue(True)\n"
        "    def test_parts(self):\n"
        "        with self.subTest(1): self.assertTrue(True)\n"
    ),
    "a leak while observing on purpose": (
        "from coroguard import watch\n"
        "def test_chat():\n"
        "    with watch(mode='observe'): ping()\n"
    ),
}


@pytest.mark.parametrize("way", GREEN)
def test_what_looks_like_a_trace_is_green(project, way):
    """What a sound test does, and only looks like a trace, fails no gate."""
    project.write("tests/test_chat.py", HEAD + GREEN[way])
    ran = project.gate()
    assert ran.verdicts == {"chat": "PASSED"}, ran.out


@pytest.mark.parametrize("phase", SWALLOWED)
def test_a_swallowed_exception_is_not_green(project, phase):
    """An exception that a hook swallows around a phase still counts."""
    project.write(
        "tests/conftest.py",
        "import pytest\n@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        f"{SWALLOWED[phase]}\n    try: return (yield)\n"
        "    except OSError: return True\n",
    )
    lines = dict.fromkeys(SWALLOWED, "pass") | {phase: "raise OSError('swallowed')"}
    project.write("tests/test_chat.py", HEAD + PLACE.format(**lines))
    ran = project.gate()
    assert ran.verdicts == {"chat": "FAILED" if phase == "call" else "ERROR"}
    assert "OSError: swallowed" in ran.reasons


def test_a_function_that_is_replaced_after_collecting(project):
    """A test whose function a hook replaces has not run."""
    hook = """
        def pytest_collection_modifyitems(items):
            for item in items:
                item.obj = lambda: None
        """
    project.write("tests/conftest.py", hook)
    ran = project.gate()
    assert ran.verdicts["chat"] in ("INCOMPLETE", "NOT_RUN")


def test_a_leak_of_conftest(project):
    """A coroutine that conftest.py drops when imported is seen."""
    project.write("tests/conftest.py", "async def load(): pass\n\nload()\n")
    ran = project.gate()
    assert "outside any test: un-awaited coroutine 'load'" in ran.reasons
