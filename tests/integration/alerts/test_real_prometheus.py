"""The seed's leak as an alert, through a real Prometheus and Alertmanager."""

from __future__ import annotations

import datetime
import json
import shutil
import urllib.request
from pathlib import Path

import pytest

import coroguard.alerts
from coroguard.alerts import Alert, Alerts, AlertSettings
from coroguard.demo.receiver import Receiver

psutil = pytest.importorskip("psutil", reason="psutil is not installed")
pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")
pytest.importorskip("starlette", reason="starlette is not installed")

from servers import running  # noqa: E402

from coroguard.demo.backends.process import ServerProcess  # noqa: E402

pytestmark = [
    pytest.mark.slow(reason="it waits for scrapes, and for an alert to end"),
    pytest.mark.timeout(300),  # its own deadlines, one after the other
]

FILES = Path(coroguard.alerts.__file__).with_name("files")
#: Takes the place of the rules' ten minutes.
WINDOW_S = 10
FIELDS = ("title", "message", "impact", "urgency")
SERVICE = """
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, multiprocess
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from coroguard import CoroutineLeakError, guard
from coroguard.integrations import prometheus

prometheus.install()
PLANTED = Path("planted")


async def async_twin():
    return {}


@guard
def validate_websocket_component_health():
    if PLANTED.exists():
        return async_twin()
    return {
        "healthy": True,
        "failed_components": [],
        "component_details": {"database": {"status": "healthy"}},
        "error_suggestions": [],
        "timestamp": "2026-01-01T00:00:00Z",
        "summary": "all is well",
    }


async def health(request):
    try:
        report = validate_websocket_component_health()
        return JSONResponse({"suggestions": report.get("error_suggestions", [])})
    except CoroutineLeakError as leak:
        return PlainTextResponse(str(leak), 503)


async def metrics(request):
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return PlainTextResponse(generate_latest(registry).decode())


app = Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])
"""


def fetch(url: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def start(folder, program, *options):
    """Start a server of Debian's on a free port; skip where it is not installed."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"not run: {program} is not installed (apt install {program})")
    process = ServerProcess(program, log=folder / f"{program}.log")
    process.spawn([path, "--web.listen-address=127.0.0.1:0", *options], cwd=folder)
    urls = []

    def is_ready():
        ports = [
            it.laddr.port
            for it in psutil.Process(process.pid).net_connections("tcp")
            if it.status == psutil.CONN_LISTEN
        ]
        urls[:] = [f"http://127.0.0.1:{port}" for port in ports]
        return bool(urls) and fetch(f"{urls[0]}/-/ready")[0] == 200

    try:
        process.wait_until(is_ready, timeout_s=60)
    except BaseException:
        process.stop()
        raise
    return process, urls[0]


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def alertmanager(receiver, tmp_path):
    """The address of a real Alertmanager with the shipped example, only faster."""
    example = (FILES / "alertmanager.yml").read_text()
    placeholder = "http://alerts.example.com/hook"
    assert placeholder in example
    config = example.replace(placeholder, receiver.url)
    for slow, fast in (("group_wait: 10s", "0s"), ("group_interval: 1m", "1s")):
        assert slow in config
        config = config.replace(slow, f"{slow.partition(':')[0]}: {fast}")
    (tmp_path / "alertmanager.yml").write_text(config)
    process, url = start(
        tmp_path,
        "prometheus-alertmanager",
        "--config.file=alertmanager.yml",
        "--storage.path=alertmanager",
        "--cluster.listen-address=",
    )
    yield url
    process.stop()


@pytest.fixture
def service(tmp_path):
    """The address of a guarded service with two workers."""
    folder = tmp_path / "service"
    shared = folder / "metrics"
    shared.mkdir(parents=True)
    (folder / "chat.py").write_text(SERVICE)
    command = ("uvicorn", "chat:app", "--host", "127.0.0.1", "--port", "0")
    env = {"PROMETHEUS_MULTIPROC_DIR": str(shared), "COROGUARD_MODE": "enforce"}
    with running(folder, *command, "--workers", "2", env=env) as url:
        yield url, folder / "planted"


@pytest.fixture
def prometheus(alertmanager, service, tmp_path):
    """The address of a real Prometheus with the shipped rules, and a short window."""
    rules = (FILES / "prometheus-rules.yml").read_text().replace("10m", f"{WINDOW_S}s")
    (tmp_path / "rules.yml").write_text(rules)
    target = service[0].removeprefix("http://")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {"job_name": "chat", "static_configs": [{"targets": [target]}]}
        ],
        "alerting": {
            "alertmanagers": [
                {"static_configs": [{"targets": [alertmanager.split("//")[1]]}]}
            ]
        },
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    process, url = start(
        tmp_path,
        "prometheus",
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=prometheus",
    )
    yield url
    process.stop()


def test_the_seeds_leak_is_an_alert(service, prometheus, receiver):
    """One leak in one of two workers arrives with all four fields, and resolves."""
    url, planted = service
    assert fetch(f"{url}/health")[0] == 200

    def is_leak(status):
        return lambda alert: (
            (alert["status"], alert["labels"]["alertname"]) == (status, "CoroutineLeak")
        )

    planted.touch()
    sent = None
    for _ in range(3):  # a machine that stalls for the window misses the first
        status, text = fetch(f"{url}/health")
        assert (status, "coroutine 'async_twin'" in text) == (503, True)
        try:
            sent = receiver.wait_for(is_leak("firing"), timeout_s=20)
            break
        except TimeoutError as error:
            missed = error
    assert sent is not None, missed
    planted.unlink()
    assert sent["labels"] == {
        "alertname": "CoroutineLeak",
        "function": "validate_websocket_component_health",
        "job": "chat",
        "kind": "returned",
        "severity": "critical",
        "urgency": "immediate",
    }
    notes = sent["annotations"]
    assert [notes[name] for name in FIELDS] == [
        "Coroutine leak in validate_websocket_component_health",
        "chat: a coroutine got away un-awaited in validate_websocket_component_health "
        "(returned); the log of coroguard.leak names its line and the fix",
        "health answers and decisions that depend on it are wrong",
        "immediate",
    ]
    ended = receiver.wait_for(is_leak("resolved"))
    assert ended["labels"] == sent["labels"]


def test_alertmanager_takes_our_own_alerts(alertmanager, receiver):
    """The sink's alert passes through Alertmanager's API whole, and so does its end."""
    alerts = Alerts(AlertSettings(url=f"{alertmanager}/api/v2/alerts"))
    alert = Alert(
        labels=(("alertname", "CoroutineLeak"), ("job", "chat")),
        title="t",
        message="first line\n  second:  line",
        impact="i",
        urgency="immediate",
        started=datetime.datetime.now(datetime.UTC),
    )
    alerts.fire(alert)
    sent = receiver.wait_for(lambda it: it["status"] == "firing")
    assert [sent["annotations"][name] for name in FIELDS] == [
        "t",
        "first line\n  second:  line",
        "i",
        "immediate",
    ]
    alerts.resolve(alert.labels)
    receiver.wait_for(lambda it: it["status"] == "resolved")
    alerts.close()
