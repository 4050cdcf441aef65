"""`coroguard monitor` as a process: signals, metrics, alerts and a real lock."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from coroguard.demo.receiver import Receiver

pytestmark = pytest.mark.slow(reason="a signal, a port and a lock need a process")

PATIENCE_S = 60
MONITOR = ("-m", "coroguard", "monitor", "service.checks:CHECKS", "--deadline-s=60")
CHECKS = """
from pathlib import Path


async def is_connected():
    return True


def redis():
    if Path("planted").exists():
        return is_connected()


CHECKS = {"redis": redis}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "__init__.py").touch()
    (tmp_path / "service" / "checks.py").write_text(CHECKS)
    return tmp_path


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COROGUARD_")}
    return {**kept, "NO_PROXY": "127.0.0.1", **more}


@contextmanager
def monitoring(folder, *options, **env) -> Iterator[tuple[subprocess.Popen, Iterator]]:
    """Run the monitor; yield it and its lines."""
    process = subprocess.Popen(
        [sys.executable, "-u", *MONITOR, *options],
        cwd=folder,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process, iter(process.stdout.readline, "")
        finally:
            process.kill()


def first(lines, pattern):
    """Return the first match in the lines of a process; they end when it does."""
    seen = []
    for line in lines:
        seen.append(line)
        found = re.search(pattern, line)
        if found:
            return found
    raise AssertionError("".join(seen))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_its_usual_end(number, project):
    """It ends with 0 and without a traceback, although a check has failed."""
    (project / "planted").touch()
    with monitoring(project, "--every", "1h") as (process, lines):
        first(lines, "failed   redis: COROUTINE_LEAK")
        process.send_signal(number)
        rest = "".join(lines)
        assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in rest


def test_metrics_and_alerts_follow_the_checks(project):
    """A planted leak is an alert and a metric within a run, and so is its end."""
    pytest.importorskip("prometheus_client", reason="an optional package")
    with (
        Receiver() as receiver,
        monitoring(
            project,
            "--every=1s",
            "--port=0",
            "--alert",
            COROGUARD_ALERT_URL=receiver.url,
        ) as (process, lines),
    ):
        url = first(lines, r"metrics at (\S+)")[1]
        first(lines, " healthy  1 of 1")
        assert 'coroguard_check_healthy{check="redis"} 1.0' in fetched(url)
        (project / "planted").touch()
        fired = receiver.wait_for(is_unhealthy("firing"))
        assert fired["labels"]["check"] == "redis"
        assert fired["annotations"]["title"] == "Health check redis fails"
        assert "coroutine 'is_connected'" in fired["annotations"]["message"]
        leak = receiver.wait_for(
            lambda it: it["labels"]["alertname"] == "CoroutineLeak"
        )
        assert leak["labels"]["function"] == "redis"
        metrics = fetched(url)
        assert 'coroguard_check_healthy{check="redis"} 0.0' in metrics
        assert re.search(r'coroguard_leaks_total\{.*kind="returned"\} ', metrics)
        (project / "planted").unlink()
        receiver.wait_for(is_unhealthy("resolved"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


def is_unhealthy(status):
    return lambda it: (
        (it["status"], it["labels"]["alertname"]) == (status, "HealthCheckUnhealthy")
    )


def fetched(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=PATIENCE_S) as answer:
        return answer.read().decode()


def test_drift_from_a_real_lock_is_found(project):
    """A function that has become async since it was locked fails the run."""
    run = [sys.executable, "-m", "coroguard"]
    options = {"cwd": project, "env": environment(), "check": False, "text": True}
    locked = subprocess.run([*run, "lock", "service"], **options, capture_output=True)
    assert locked.returncode == 0, locked.stderr
    once = [sys.executable, *MONITOR, "--once"]
    before = subprocess.run(once, **options, capture_output=True)
    assert (before.returncode, before.stderr) == (0, "")
    assert "2 of 2 checks are healthy" in before.stdout
    checks = project / "service" / "checks.py"
    checks.write_text(checks.read_text().replace("def redis", "async def redis"))
    after = subprocess.run(once, **options, capture_output=True)
    assert after.returncode == 1
    assert "failed   lock: " in after.stdout
    assert "service.checks:redis was sync and is async now" in after.stdout
