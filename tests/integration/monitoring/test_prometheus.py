"""Metrics of Prometheus, in one process and in several."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from servers import PATIENCE_S, ask, running

from coroguard import configure, guard, mode
from coroguard.integrations.prometheus import install

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


@pytest.fixture
def registry() -> Iterator[CollectorRegistry]:
    made = CollectorRegistry()
    uninstall = install(made)
    yield made
    uninstall()


async def twin() -> bool:
    return True


def leak(name: str) -> None:
    with mode("observe"):
        guard(returns=Any, name=name)(lambda: twin())().close()


def report(healthy: bool) -> dict[str, Any]:
    return {
        "healthy": healthy,
        "failed_components": [] if healthy else ["redis"],
        "component_details": {} if healthy else {"redis": {"status": "failed"}},
        "error_suggestions": [],
        "timestamp": datetime.now(UTC),
        "summary": "",
    }


def value(registry: CollectorRegistry, metric: str, **labels: str) -> float | None:
    return registry.get_sample_value(metric, labels)


def test_leaks_are_counted_by_function_and_kind(registry: CollectorRegistry) -> None:
    """Each leak counts once, under the guarded function and the kind."""
    leak("check_redis")
    leak("check_redis")
    labels = {"function": "check_redis", "kind": "returned"}
    assert value(registry, "coroguard_leaks_total", **labels) == 2


def test_checks_are_timed_and_their_health_is_shown(
    registry: CollectorRegistry,
) -> None:
    """The response time of every call is observed, and the last outcome kept."""
    for healthy in (True, False):
        guard(report, name="check")(healthy)
    count = value(registry, "coroguard_check_duration_seconds_count", check="check")
    total = value(registry, "coroguard_check_duration_seconds_sum", check="check")
    assert (count, value(registry, "coroguard_check_healthy", check="check")) == (2, 0)
    assert total is not None
    assert 0 < total < PATIENCE_S
    guard(report, name="check")(True)
    assert value(registry, "coroguard_check_healthy", check="check") == 1


def test_a_leaking_check_is_not_healthy(registry: CollectorRegistry) -> None:
    """A leak makes the gauge 0 in every mode."""

    def leaky() -> Any:
        return {**report(True), "summary": twin()}

    with mode("observe"):
        guard(leaky, name="leaky")()["summary"].close()
    assert value(registry, "coroguard_check_healthy", check="leaky") == 0


def test_the_mode_is_shown(registry: CollectorRegistry, process_mode: None) -> None:
    """The mode of the process is 1, and the others are 0."""
    configure(mode="observe")
    names = ("off", "observe", "enforce", "strict")
    shown = [value(registry, "coroguard_mode", mode=name) for name in names]
    assert shown == [0, 1, 0, 0]


def test_twice_installed_counts_once(registry: CollectorRegistry) -> None:
    """A second call for the same registry changes nothing."""
    uninstall = install(registry)
    leak("once")
    labels = {"function": "once", "kind": "returned"}
    assert value(registry, "coroguard_leaks_total", **labels) == 1
    uninstall()
    uninstall()
    assert value(registry, "coroguard_leaks_total", **labels) is None


def test_two_registries_count_the_same(registry: CollectorRegistry) -> None:
    """Each registry has metrics of its own."""
    other = CollectorRegistry()
    uninstall = install(other)
    leak("both")
    uninstall()
    leak("both")
    labels = {"function": "both", "kind": "returned"}
    assert value(registry, "coroguard_leaks_total", **labels) == 2
    assert value(other, "coroguard_leaks_total", **labels) is None


def test_labels_are_bounded(registry: CollectorRegistry) -> None:
    """Names that hold data end in one common label."""
    for number in range(1_100):
        leak(f"check_{number}")
    labels = {"function": "other", "kind": "returned"}
    assert value(registry, "coroguard_leaks_total", **labels) == 100


def test_a_label_is_never_what_leaked_or_where(registry: CollectorRegistry) -> None:
    """Neither a key of the user's data nor a message becomes a label."""

    def holds() -> Any:
        return {"user@example.com": twin()}

    with mode("observe"):
        guard(returns=Any, name="holds")(holds)()["user@example.com"].close()
    samples = [it for metric in registry.collect() for it in metric.samples]
    assert "example.com" not in str(samples)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the client, one sentence names the command that installs it."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        install()
    words = (
        "prometheus_client is not installed; run pip install 'coroguard[prometheus]'"
    )
    assert str(caught.value) == words
    assert caught.value.__suppress_context__


SERVICE = """
import os
import time
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from coroguard import configure, guard
from coroguard.integrations.prometheus import install

configure(mode="observe")
install()
install()


async def twin():
    return True


@guard(returns=Any)
def check():
    return twin()


async def leak(request):
    check().close()
    time.sleep(0.02)  # so that the other worker gets the next request
    return PlainTextResponse(str(os.getpid()))


def metrics(request):
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return PlainTextResponse(generate_latest(registry))


app = Starlette(routes=[Route("/leak", leak), Route("/metrics", metrics)])
"""


@pytest.mark.slow(reason="starts a server with two workers")
def test_two_workers_are_one_service(tmp_path: Path) -> None:
    """Scraping either of two uvicorn workers gives the leaks of both."""
    (tmp_path / "service.py").write_text(SERVICE)
    (folder := tmp_path / "metrics").mkdir()
    env = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    command = ("uvicorn", "service:app", "--port", "0", "--workers", "2")
    with running(tmp_path, *command, env=env) as url, ThreadPoolExecutor(8) as pool:
        workers: list[str] = []
        ends = time.monotonic() + PATIENCE_S
        while len(set(workers)) < 2 and time.monotonic() < ends:
            workers += [text for _, text in pool.map(ask, [f"{url}/leak"] * 8)]
        families = text_string_to_metric_families(ask(f"{url}/metrics")[1])
        samples = {
            (it.name, *it.labels.values()): it.value
            for family in families
            for it in family.samples
        }
    assert len(set(workers)) == 2
    assert samples["coroguard_leaks_total", "check", "returned"] == len(workers)
    assert samples["coroguard_mode", "observe"] == 1
