"""Each known way to fool a gate, as a real process: none of them ends green."""

from __future__ import annotations

import pytest

from coroguard.gates.readiness import ExitCode

HEAD = "import os, pytest\npytestmark = pytest.mark.gate('chat')\n"
PASSES = "def test_sound(): pass\n"


def test_a_sound_gate_is_green(project):
    """A gate whose every test passed is ready, and the report agrees."""
    ran = project.gate()
    assert (ran.code, ran.verdicts, ran.report["ready"]) == (
        0,
        {"chat": "PASSED"},
        True,
    )


WAYS = {
    "all tests skipped": (
        "@pytest.mark.skip(reason='no time')\ndef test_chat(): pass\n",
        (ExitCode.INCOMPLETE, "INCOMPLETE", "was skipped: no time"),
    ),
    "one of two skipped": (
        PASSES + "def test_chat(): pytest.skip('no redis')\n",
        (ExitCode.INCOMPLETE, "INCOMPLETE", "was skipped: no redis"),
    ),
    "expected to fail": (
        PASSES + "@pytest.mark.xfail(reason='known')\ndef test_chat(): assert 0\n",
        (ExitCode.INCOMPLETE, "INCOMPLETE", "xfailed: known"),
    ),
    "expected to fail and passed": (
        PASSES + "@pytest.mark.xfail(strict=False)\ndef test_chat(): pass\n",
        (ExitCode.INCOMPLETE, "INCOMPLETE", "xpassed"),
    ),
    "setup broke": (
        "@pytest.fixture\ndef service(): raise OSError('refused')\n"
        "def test_chat(service): pass\n",
        (ExitCode.INTERNAL, "ERROR", "failed in setup or teardown: OSError: refused"),
    ),
    "teardown broke": (
        "@pytest.fixture\ndef service():\n    yield\n    raise OSError('left open')\n"
        "def test_chat(service): pass\n",
        (ExitCode.INTERNAL, "ERROR", "failed in setup or teardown: OSError: left"),
    ),
    "a test failed": (
        PASSES + "def test_chat(): assert 'coroutine' == 'dict'\n",
        (ExitCode.FAILED, "FAILED", "test_chat.py::test_chat failed: AssertionError"),
    ),
    "an async test that nobody awaited": (
        PASSES + "async def test_chat(): assert 0\n",
        (ExitCode.FAILED, "FAILED", "async def functions are not natively supported"),
    ),
    "a coroutine that nobody awaited": (
        "async def check(): pass\ndef test_chat(): check()\n",
        (ExitCode.FAILED, "FAILED", "left a coroutine un-awaited: coroutine 'check'"),
    ),
    "a coroutine in a reference cycle": (
        "async def check(): pass\n"
        "def test_chat():\n    cycle = [check()]\n    cycle.append(cycle)\n",
        (ExitCode.FAILED, "FAILED", "left a coroutine un-awaited: coroutine 'check'"),
    ),
    "os._exit(0)": (
        PASSES + "def test_chat(): os._exit(0)\n",
        (ExitCode.INTERNAL, "ERROR", "pytest left with 0 and wrote no report"),
    ),
    "os._exit(0) after the tests": (
        "import atexit\ndef test_chat(): atexit.register(os._exit, 0); assert 0\n",
        (ExitCode.INTERNAL, "ERROR", "pytest left with 0, and its report has 1"),
    ),
    "pytest.exit with 0": (
        PASSES + "def test_chat(): pytest.exit('done', returncode=0)\n",
        (ExitCode.INTERNAL, "ERROR", "Exit ended the run: done"),
    ),
    "killed by a signal": (
        PASSES + "def test_chat(): os.kill(os.getpid(), 9)\n",
        (ExitCode.INTERNAL, "ERROR", "pytest was killed by SIGKILL"),
    ),
    "killed by SIGINT": (
        PASSES + "def test_chat(): os.kill(os.getpid(), 2)\n",
        (ExitCode.INTERNAL, "ERROR", "KeyboardInterrupt ended the run"),
    ),
    "a missing service": (
        PASSES + "def test_chat(gate_record):\n"
        "    gate_record.missing('redis', 'refused on 6379')\n",
        (ExitCode.INCOMPLETE, "INCOMPLETE", "redis is missing: refused on 6379"),
    ),
    "a missing service that was swallowed": (
        PASSES + "def test_chat(gate_record):\n"
        "    try: gate_record.missing('redis', 'refused')\n"
        "    except BaseException: pass\n",
        (ExitCode.INCOMPLETE, "INCOMPLETE", "lacked a service"),
    ),
    "a missing service in a fixture": (
        "from coroguard.gates import MissingService\n"
        "@pytest.fixture(scope='session')\n"
        "def redis(): raise MissingService('redis', 'refused')\n"
        "def test_chat(redis): pass\n",
        (ExitCode.INCOMPLETE, "INCOMPLETE", "redis is missing: refused"),
    ),
    "nothing done": (
        "def test_chat(gate_record): gate_record.did(users=0)\n",
        (ExitCode.INCOMPLETE, "INCOMPLETE", "0 users, at least 1"),
    ),
    "deselected by a conftest": (
        PASSES + "def test_chat(): assert 0\n",
        (ExitCode.INCOMPLETE, "INCOMPLETE", "test_chat.py::test_chat was not run"),
    ),
    "an exit code that a plugin set": (
        "def test_chat(): assert 0\n",
        (ExitCode.INTERNAL, "ERROR", "although a test failed"),
    ),
}
CONFTESTS = {
    "deselected by a conftest": """
        def pytest_collection_modifyitems(config, items):
            if not config.option.collectonly:
                items[:] = [item for item in items if item.name != 'test_chat']
        """,
    "an exit code that a plugin set": """
        def pytest_sessionfinish(session):
            session.exitstatus = 0
        """,
}


@pytest.mark.parametrize("way", WAYS)
def test_way_is_not_green(project, way):
    """No way of not really passing ends green, and the reason is given."""
    body, (code, verdict, reason) = WAYS[way]
    project.write("tests/test_chat.py", HEAD + body)
    if way in CONFTESTS:
        project.write("tests/conftest.py", CONFTESTS[way])
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (code, {"chat": verdict})
    assert reason in ran.reasons
    assert "BLOCKS DEPLOYMENT: yes" in ran.out


def test_warnings_ignored_hide_no_coroutine(project):
    """A coroutine that nobody awaited is seen although warnings are ignored."""
    project.write("pytest.ini", "[pytest]\nfilterwarnings = ignore")
    body = "async def check(): pass\ndef test_chat(): check()\n"
    project.write("tests/test_chat.py", HEAD + body)
    assert project.gate().verdicts == {"chat": "FAILED"}


def test_an_allowed_leak_is_no_failure(project):
    """A coroutine that its test is allowed to leave fails no gate; another does."""
    project.write("pytest.ini", "[pytest]\nmarkers = allow_leaks")
    body = (
        "async def check(): pass\nasync def other(): pass\n"
        "@pytest.mark.allow_leaks('check', reason='the subject')\n"
        "def test_chat(): check()\n"
    )
    project.write("tests/test_chat.py", HEAD + body)
    assert project.gate().verdicts == {"chat": "PASSED"}
    project.write("tests/test_chat.py", HEAD + body.replace(": check()", ": other()"))
    assert project.gate().verdicts == {"chat": "FAILED"}


def test_nothing_collected(project):
    """A gate for which nothing was collected was not run."""
    (project.root / "tests/test_chat.py").unlink()
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INCOMPLETE, {"chat": "NOT_RUN"})
    assert "no test was collected for it" in ran.reasons


def test_deselected_by_addopts(project):
    """A test that `-k` in the project's own options takes away is missed."""
    project.write("pytest.ini", "[pytest]\naddopts = -k sound")
    project.write("tests/test_chat.py", HEAD + PASSES + "def test_chat(): assert 0\n")
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INCOMPLETE, {"chat": "INCOMPLETE"})
    assert "test_chat was deselected" in ran.reasons


def test_all_deselected(project):
    """A gate of which every test is deselected was not run."""
    project.write("pytest.ini", "[pytest]\naddopts = -k nothing")
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INCOMPLETE, {"chat": "NOT_RUN"})


def test_collected_only(project):
    """Collecting instead of running passes no gate."""
    project.write("pytest.ini", "[pytest]\naddopts = --collect-only")
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INCOMPLETE, {"chat": "NOT_RUN"})


def test_a_listed_test_that_is_gone(project):
    """A test that the configuration lists and nobody collects is missed."""
    config = project.root / "pyproject.toml"
    config.write_text(config.read_text() + 'tests = ["tests/test_lost.py"]\n')
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INCOMPLETE, {"chat": "INCOMPLETE"})
    assert "tests/test_lost.py is expected and was not collected" in ran.reasons


def test_a_module_that_skips_itself(project):
    """A marked module that skips itself when it is imported is missed."""
    body = "pytest.importorskip('surely_not_installed')\n" + PASSES
    project.write("tests/test_more.py", HEAD + body)
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INCOMPLETE, {"chat": "INCOMPLETE"})
    assert "tests/test_more.py (skipped as a whole" in ran.reasons


def test_a_file_that_cannot_be_collected(project):
    """Where a file cannot be imported, no gate can be judged."""
    project.write("tests/test_broken.py", "import surely_not_installed")
    ran = project.gate()
    assert ran.code == ExitCode.INTERNAL
    assert not ran.report["ready"]
    assert "surely_not_installed" in ran.report["problem"]


def test_a_file_that_breaks_in_the_run(project):
    """A file that is collected first and cannot be imported then is an error."""
    body = (
        "import os\nif 'second' in os.listdir(): raise OSError\nopen('second', 'w')\n"
    )
    project.write("tests/test_chat.py", HEAD + body + PASSES)
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INTERNAL, {"chat": "ERROR"})


def test_rerun_then_passed(project):
    """A test that passed only when it was run again makes its gate flaky."""
    project.write(
        "pytest.ini", "[pytest]\naddopts = -p pytest_rerunfailures --reruns=2"
    )
    body = (
        "tried = []\ndef test_chat():\n"
        "    tried.append(1)\n    assert len(tried) == 2\n"
    )
    project.write("tests/test_chat.py", HEAD + body)
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.FLAKY, {"chat": "FLAKY"})
    assert "passed only when it was run again" in ran.reasons


def test_rerun_that_nobody_reports(project):
    """An attempt that failed is seen although no plugin reports it (as `flaky`)."""
    plugin = """
        from _pytest.runner import call_and_report, runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            call_and_report(item, "setup", log=False)
            call_and_report(item, "call", log=False)
            runtestprotocol(item, nextitem=nextitem)
            return True
        """
    project.write("tests/conftest.py", plugin)
    body = (
        "tried = []\ndef test_chat():\n"
        "    tried.append(1)\n    assert len(tried) == 2\n"
    )
    project.write("tests/test_chat.py", HEAD + body)
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.FLAKY, {"chat": "FLAKY"})


@pytest.mark.parametrize("death", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_a_worker_died(project, death):
    """A worker of pytest-xdist that dies makes the gate an error."""
    project.write("pytest.ini", "[pytest]\naddopts = -p xdist -n2")
    project.write("tests/test_chat.py", f"{HEAD}{PASSES}def test_chat(): {death}\n")
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INTERNAL, {"chat": "ERROR"})
    assert "worker" in ran.reasons


def test_workers_send_their_evidence_home(project):
    """Evidence and leaks on a worker of pytest-xdist count as elsewhere."""
    project.write("pytest.ini", "[pytest]\naddopts = -p xdist -n2")
    body = (
        "async def check(): pass\n"
        "def test_counts(gate_record): gate_record.did(users=3)\n"
        "def test_leaks(): check()\n"
        "def test_cycle():\n    cycle = [check()]\n    cycle.append(cycle)\n"
    )
    project.write("tests/test_chat.py", HEAD + body)
    ran = project.gate()
    assert ran.verdicts == {"chat": "FAILED"}
    assert ran.report["gates"][0]["amounts"] == {"users": {"done": 3, "minimum": 0}}
    assert "test_leaks left a coroutine un-awaited" in ran.reasons
    assert "test_cycle left a coroutine un-awaited" in ran.reasons


def test_fail_fast_on_workers(project):
    """A failed test is FAILED, also where it ends a run of pytest-xdist early."""
    project.write("pytest.ini", "[pytest]\naddopts = -p xdist -n2")
    project.write("tests/test_chat.py", f"{HEAD}{PASSES}def test_chat(): assert 0\n")
    ran = project.gate("--fail-fast")
    assert (ran.code, ran.verdicts) == (ExitCode.FAILED, {"chat": "FAILED"})


FORGERIES = {
    "forged": "report.write_text('0' * 64 + chr(10) + '{}'); os._exit(0)",
    "stale": "report.write_bytes(Path('kept').read_bytes()); os._exit(0)",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_report_of_another_hand(project, forgery):
    """A report that this run did not write, or that was changed, is not believed."""
    first = (
        "import atexit, json, os, shutil\nfrom pathlib import Path\n"
        "job = json.loads(Path(os.environ['COROGUARD_GATE_JOB']).read_text())\n"
        "report = Path(job['folder'], 'report.json')\n"
    )
    keep = "def test_chat(): atexit.register(shutil.copy, report, 'kept')\n"
    project.write("tests/test_chat.py", HEAD + first + keep)
    assert project.gate().code == 0
    body = f"def test_chat():\n    {FORGERIES[forgery]}\n"
    project.write("tests/test_chat.py", HEAD + first + body)
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INTERNAL, {"chat": "ERROR"})
    assert "stale, torn or forged" in ran.reasons


def test_a_report_that_an_exit_handler_changes(project):
    """A report that is changed while the process exits is written anew."""
    body = (
        "import atexit, json, os\nfrom pathlib import Path\n"
        "job = json.loads(Path(os.environ['COROGUARD_GATE_JOB']).read_text())\n"
        "report = Path(job['folder'], 'report.json')\n"
        "def test_chat():\n"
        "    atexit.register(lambda: report.write_text("
        "report.read_text().replace('failed', 'passed')))\n    assert 0\n"
    )
    project.write("tests/test_chat.py", HEAD + body)
    assert project.gate().verdicts == {"chat": "FAILED"}


def test_tests_cannot_read_the_nonce(project):
    """Neither the environment nor a file shows a test the key of the seal."""
    body = (
        "def test_chat():\n"
        "    assert 'COROGUARD_GATE_NONCE_FD' not in os.environ\n"
        "    assert 'nonce' not in open(os.environ['COROGUARD_GATE_JOB']).read()\n"
    )
    project.write("tests/test_chat.py", HEAD + body)
    assert project.gate().code == 0


def test_a_full_disk_in_the_run(project):
    """A report that could not be written whole is an error."""
    body = (
        "import resource\ndef test_chat():\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
    )
    project.write("tests/test_chat.py", HEAD + body)
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INTERNAL, {"chat": "ERROR"})
    assert "wrote no report" in ran.reasons


@pytest.mark.parametrize("option", ["--json", "--junit", "--markdown"])
def test_a_full_disk_in_the_end(project, option):
    """Where the readiness cannot be written, nothing is ready."""
    ran = project.gate(option, "/dev/full")
    assert ran.code == ExitCode.INTERNAL
    assert "was not written" in ran.out
    assert "READY: " not in ran.out
    assert ran.report == {}


def test_below_the_minimum(project):
    """A gate that did less than it has to is incomplete."""
    config = project.root / "pyproject.toml"
    config.write_text(config.read_text() + "minimum = { scenarios = 3 }\n")
    body = "def test_chat(gate_record): gate_record.did(scenarios=2)\n"
    project.write("tests/test_chat.py", HEAD + body)
    ran = project.gate()
    assert (ran.code, ran.verdicts) == (ExitCode.INCOMPLETE, {"chat": "INCOMPLETE"})
    assert "2 scenarios, at least 3" in ran.reasons


def test_a_service_that_is_not_real(project):
    """A stand-in is fine, unless real services are demanded."""
    body = "def test_chat(gate_record): gate_record.service('redis', real=False)\n"
    project.write("tests/test_chat.py", HEAD + body)
    assert project.gate().code == 0
    ran = project.gate("--real-services")
    assert (ran.code, ran.verdicts) == (ExitCode.INCOMPLETE, {"chat": "INCOMPLETE"})
    assert "'redis' was not the real one" in ran.reasons


def test_a_stale_export(project):
    """What an earlier run wrote is gone, even when nothing could be run."""
    assert project.gate().report["ready"]
    project.write("pyproject.toml", "[tool.coroguard]\nplease = 1")
    ran = project.gate()
    assert ran.code == ExitCode.CONFIGURATION
    assert not ran.report["ready"]
