"""Metrics and events of OpenTelemetry, as a receiver of OTLP over HTTP gets them."""

from __future__ import annotations

import gzip
import inspect
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider

from coroguard import CoroutineLeakError, guard, mode
from coroguard.integrations.opentelemetry import install

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.allow_leaks("*", reason="these tests leak on purpose"),
]


class Receiver:
    """A receiver of OTLP over HTTP, and what a service sends to it."""

    def __init__(self, url: str) -> None:
        self.bodies: dict[str, list[bytes]] = {"/v1/metrics": [], "/v1/logs": []}
        readers = PeriodicExportingMetricReader(
            OTLPMetricExporter(f"{url}/v1/metrics"), export_interval_millis=3_600_000
        )
        self.meters = MeterProvider([readers], exemplar_filter=AlwaysOnExemplarFilter())
        self.loggers = LoggerProvider()
        self.loggers.add_log_record_processor(
            SimpleLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs"))
        )

    def metrics(self) -> dict[str, Any]:
        """Return what arrived at last, by name."""
        self.meters.force_flush()
        request = ExportMetricsServiceRequest()
        request.ParseFromString(self.bodies["/v1/metrics"][-1])
        return {
            metric.name: metric
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def logs(self) -> list[Any]:
        """Return the records that arrived."""
        found: list[Any] = []
        for body in self.bodies["/v1/logs"]:
            request = ExportLogsServiceRequest()
            request.ParseFromString(body)
            for resource in request.resource_logs:
                for scope in resource.scope_logs:
                    assert scope.scope.name == "coroguard"
                    found += scope.log_records
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, dict[str, Receiver]]]:
    current: dict[str, Receiver] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            current["receiver"].bodies[self.path].append(body)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}", current
        http.shutdown()
        thread.join()


@pytest.fixture
def receiver(server: tuple[str, dict[str, Receiver]]) -> Iterator[Receiver]:
    url, current = server
    current["receiver"] = made = Receiver(url)
    uninstall = install(meter_provider=made.meters, logger_provider=made.loggers)
    yield made
    uninstall()
    made.meters.shutdown()
    made.loggers.shutdown()


def attributes(record: Any) -> dict[str, Any]:
    return {
        it.key: it.value.int_value or it.value.string_value for it in record.attributes
    }


async def twin() -> bool:
    return True


@guard(returns=Any, name="check_redis")
def leaky() -> Any:
    return {"connected": twin()}


@guard(name="check")
def healthy() -> Any:
    return {
        "healthy": True,
        "failed_components": [],
        "component_details": {},
        "error_suggestions": [],
        "timestamp": datetime.now(UTC),
        "summary": "",
    }


def leak() -> None:
    with mode("observe"):
        leaky()["connected"].close()


def test_leaks_and_durations_arrive(receiver: Receiver) -> None:
    """The counter and the histogram have units, attributes and the right buckets."""
    leak()
    leak()
    healthy()
    metrics = receiver.metrics()
    leaks = metrics["coroguard.leaks"]
    (point,) = leaks.sum.data_points
    assert (leaks.unit, leaks.sum.is_monotonic, point.as_int) == ("{leak}", True, 2)
    assert attributes(point) == {
        "coroguard.leak.kind": "nested",
        "coroguard.action": "reported",
        "code.function.name": "check_redis",
    }
    durations = metrics["coroguard.check.duration"]
    (point,) = durations.histogram.data_points
    assert (durations.unit, point.count) == ("s", 1)
    assert list(point.explicit_bounds)[:2] == [0.005, 0.01]
    assert attributes(point) == {
        "coroguard.check.name": "check",
        "coroguard.check.outcome": "healthy",
    }


def test_an_observed_leak_is_an_event_with_its_exception(receiver: Receiver) -> None:
    """Also what is not raised has the error, the stack and the user's line."""
    leak()
    (record,) = receiver.logs()
    found = attributes(record)
    assert (record.event_name, record.severity_text) == ("coroguard.leak", "WARN")
    assert record.body.string_value == "check_redis() let a coroutine escape"
    assert found["exception.type"] == "coroguard.CoroutineLeakError"
    assert "leaked:" in found["exception.message"]
    assert "leaky()[" in found["exception.stacktrace"]
    assert "coroguard/_" not in found["exception.stacktrace"]
    assert found["coroguard.leak.path"] == "$.connected"
    assert (found["code.file.path"], found["code.function.name"]) == (__file__, "leaky")
    _, first = inspect.getsourcelines(inspect.unwrap(leaky))
    assert found["code.line.number"] == first
    assert "" not in found.values()
    assert "None" not in found.values()


def test_a_raised_leak_is_an_error(receiver: Receiver) -> None:
    """What is raised is emitted before, at the level of errors."""
    with pytest.raises(CoroutineLeakError):
        leaky()
    (record,) = receiver.logs()
    assert record.severity_text == "ERROR"


def test_the_trace_is_in_the_exemplar_and_the_event(receiver: Receiver) -> None:
    """Where a span is active, its trace is in both metrics and the event."""
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("request") as span:
        leak()
        healthy()
    trace = span.get_span_context().trace_id.to_bytes(16, "big")
    metrics = receiver.metrics()
    points = [
        *metrics["coroguard.leaks"].sum.data_points,
        *metrics["coroguard.check.duration"].histogram.data_points,
    ]
    assert [it.exemplars[0].trace_id for it in points] == [trace, trace]
    assert [it.trace_id for it in receiver.logs()] == [trace]


def test_twice_installed_counts_once(receiver: Receiver) -> None:
    """A second call for the same providers changes nothing."""
    again = install(meter_provider=receiver.meters, logger_provider=receiver.loggers)
    leak()
    (point,) = receiver.metrics()["coroguard.leaks"].sum.data_points
    assert (point.as_int, len(receiver.logs())) == (1, 1)
    again()
    leak()
    assert len(receiver.logs()) == 1


def test_without_an_sdk_nothing_happens() -> None:
    """The API alone has no effect, and costs no error."""
    uninstall = install()
    leak()
    healthy()
    uninstall()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the API, one sentence names the command that installs it."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    words = r"opentelemetry is not installed; run pip install 'coroguard\[otel\]'"
    with pytest.raises(ModuleNotFoundError, match=f"^{words}$"):
        install()
