"""The plugin together with other ways to run a test."""

from __future__ import annotations

import pytest

CALL, SETUP, TEARDOWN = "call failed", "setup failed", "teardown failed"

ASYNCIO = """
import pytest_asyncio
from coroguard._runtime.modes import current
from coroguard import CoroutineLeakError, guard

@pytest.mark.asyncio
async def test_clean():
    assert await fetch() == 1
    assert current() == "strict"

@pytest.mark.asyncio
async def test_leaks():
    fetch()

@pytest.mark.asyncio
async def test_leaks_in_a_task():
    async def child():
        fetch()
    await asyncio.gather(child(), asyncio.to_thread(bool))

@pytest.mark.asyncio
async def test_leaks_in_a_thread():
    await asyncio.to_thread(lambda: bool(fetch()))

@pytest.mark.asyncio
async def test_guard_raises():
    @guard
    async def check():
        return {"healthy": bool(fetch())}
    with pytest.raises(CoroutineLeakError):
        await check()

@pytest_asyncio.fixture
async def leaks_in_setup():
    fetch()
    return 1

@pytest_asyncio.fixture
async def leaks_in_teardown():
    yield 1
    fetch()

@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole_module():
    yield 1
    fetch()

@pytest.mark.asyncio(loop_scope="module")
async def test_of_the_module(whole_module):
    fetch()

@pytest.mark.asyncio(loop_scope="module")
async def test_of_the_module_clean(whole_module):
    await fetch()

@pytest.mark.asyncio
async def test_setup(leaks_in_setup):
    pass

@pytest.mark.asyncio
async def test_teardown(leaks_in_teardown):
    pass

@pytest.mark.asyncio
async def test_pending_task():
    asyncio.get_running_loop().create_task(asyncio.sleep(60))

@pytest.mark.asyncio
async def test_fails():
    fetch().get("x")

def test_sync_after():
    gc.collect()
"""
ASYNCIO_EXPECTED = {
    "test_clean": "passed",
    "test_leaks": CALL,
    "test_leaks_in_a_task": CALL,
    "test_leaks_in_a_thread": CALL,
    "test_guard_raises": "passed",
    "test_of_the_module": CALL,
    "test_of_the_module_clean": "passed",
    "test_setup": SETUP,
    "test_teardown": TEARDOWN,
    "test_pending_task": "passed",
    "test_fails": CALL,
    "test_sync_after": TEARDOWN,  # the module's fixture ends with its last test
}


@pytest.mark.parametrize("asyncio_mode", ["auto", "strict"])
def test_pytest_asyncio(run_suite, asyncio_mode):
    """Async tests and fixtures of pytest-asyncio fail for their own leaks."""
    run = run_suite(
        ASYNCIO,
        "--coroguard=strict",
        f"--asyncio-mode={asyncio_mode}",
        plugins=("asyncio",),
        ini="asyncio_default_fixture_loop_scope = function",
    )
    outcomes = {name: run.outcome(name) for name in run.phases}
    assert outcomes == ASYNCIO_EXPECTED


ANYIO = """
pytestmark = pytest.mark.anyio

@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"

@pytest.fixture(scope="module")
async def whole_module(anyio_backend):
    yield 1
    fetch()

async def test_clean(whole_module):
    assert await fetch() == 1

async def test_leaks(whole_module):
    fetch()

async def test_clean_in_the_same_runner(whole_module):
    await fetch()

async def test_leaks_in_a_child(whole_module):
    import anyio
    async def child():
        fetch()
    async with anyio.create_task_group() as group:
        group.start_soon(child)

@pytest.fixture
async def leaks_in_setup(whole_module):
    fetch()

@pytest.fixture
async def leaks_in_teardown(whole_module):
    yield
    fetch()

async def test_setup(leaks_in_setup):
    pass

async def test_teardown(leaks_in_teardown):
    pass

async def test_last():
    pass
"""


def test_anyio(run_suite):
    """Tests that share anyio's one runner task fail for their own leaks."""
    run = run_suite(ANYIO, "--coroguard=strict", plugins=("anyio",))
    assert {name: run.outcome(name) for name in run.phases} == {
        "test_clean": "passed",
        "test_leaks": CALL,
        "test_clean_in_the_same_runner": "passed",
        "test_leaks_in_a_child": CALL,
        "test_setup": SETUP,
        "test_teardown": TEARDOWN,
        "test_last": TEARDOWN,
    }


UNITTEST = """
import unittest

class Plain(unittest.TestCase):
    def test_clean(self):
        pass

    def test_leaks(self):
        fetch()

    def test_fails_by_itself(self):
        fetch()
        self.fail("itself")

    def test_kept(self):
        self.mock = Mock()
        self.mock(fetch())

class InSetUp(unittest.TestCase):
    def setUp(self):
        fetch()

    def test_it(self):
        pass

class Isolated(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.value = await fetch()

    async def test_clean(self):
        from coroguard._runtime.modes import current
        assert current() == "strict"

    async def test_leaks(self):
        fetch()

    async def test_leaks_in_a_task(self):
        async def child():
            fetch()
        await asyncio.create_task(child())

class NotIsolated(unittest.TestCase):
    async def test_nobody_awaits(self):
        pass
"""


def test_unittest(run_suite):
    """The cases of unittest, plain and async, fail for their own leaks."""
    run = run_suite(UNITTEST, "--coroguard=strict", "-Wignore")
    assert {name: run.outcome(name) for name in run.phases} == {
        "Plain::test_clean": "passed",
        "Plain::test_leaks": CALL,
        "Plain::test_fails_by_itself": CALL,
        "Plain::test_kept": CALL,
        "InSetUp::test_it": CALL,
        "Isolated::test_clean": "passed",
        "Isolated::test_leaks": CALL,
        "Isolated::test_leaks_in_a_task": CALL,
        "NotIsolated::test_nobody_awaits": CALL,
    }
    assert "itself" in run.phases["Plain::test_fails_by_itself"]["call"].text


HYPOTHESIS = """
from hypothesis import given, settings, strategies as st

settings.load_profile("ci")  # no time is judged

@settings(max_examples=200)
@given(st.lists(st.integers()))
def test_clean(numbers):
    assert asyncio.run(fetch()) == 1

@settings(max_examples=200)
@given(st.integers())
def test_leaks(number):
    if number > 50:
        fetch()

@settings(max_examples=50)
@given(st.integers())
def test_fails(number):
    fetch().get("x")

def test_after():
    gc.collect()
"""


def test_hypothesis(run_suite):
    """A property is judged as a whole: what any of its examples leaks fails it."""
    run = run_suite(
        HYPOTHESIS, "--coroguard=strict", "-Wignore", plugins=("hypothesis",)
    )
    assert {name: run.outcome(name) for name in run.phases} == {
        "test_clean": "passed",
        "test_leaks": CALL,
        "test_fails": CALL,
        "test_after": "passed",
    }


ITEMS = """
import pytest

class Item(pytest.Item):
    @property
    def function(self):
        raise RuntimeError("there is no function here")

    def runtest(self):
        async def fetch():
            pass
        fetch()

class File(pytest.File):
    def collect(self):
        return [Item.from_parent(self, name="one")]

def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".case":
        return File.from_parent(parent, path=file_path)
"""


def test_items_without_a_function(run_suite):
    """An item of another plugin, and a doctest, are judged like a test."""
    run = run_suite(
        '"""\n>>> fetch() and 1\n1\n"""',
        "--coroguard=strict",
        "--doctest-modules",
        "-pitems",
        files={"items.py": ITEMS, "a.case": ""},
    )
    assert "Interrupted" not in run.output
    assert run.outcome("one") == CALL
    assert run.phases["one"]["call"].text.endswith("a synchronous twin [CG103]")


def test_a_run_inside_a_run(run_suite):
    """A pytest run in the same process keeps its leaks, and gives back the rest."""
    run = run_suite(
        """
        def test_inner(pytester):
            pytester.makepyfile("async def f(): ...\\n\\ndef test_it():\\n    f()\\n")
            result = pytester.runpytest_inprocess("--coroguard=strict")
            result.assert_outcomes(failed=1)

        def test_outer_again():
            fetch()
        """,
        "--coroguard=strict",
        "-ppytester",
        "-Wignore",
    )
    assert run.outcome("test_inner") == "passed"
    assert run.outcome("test_outer_again") == CALL
