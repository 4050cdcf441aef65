"""Judgements of runs under load, from their reports alone."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from coroguard.gates.errors import GateConfigError
from coroguard.gates.load.config import LoadConfig
from coroguard.gates.load.gate import _spread
from coroguard.gates.load.judge import judge
from coroguard.gates.load.metrics import grown, leaks_in
from coroguard.gates.load.page import as_html
from coroguard.gates.load.plot import plot
from coroguard.gates.load.process import Injection, _injected
from coroguard.gates.load.report import Fault, LoadReport, Metrics
from coroguard.gates.load.samples import Bucket, Samples
from coroguard.gates.verdict import Judgement, Verdict

START = 1000
CONFIG = LoadConfig(users=10, error_rate=0.01, recovery_s=2.0, p95_ms={"chat": 100.0})


def run(seconds=20, *, errors=(), slow=(), **more):
    """A run of ten users with ten requests a second, some of which went wrong."""
    samples = Samples()
    for second in range(seconds):
        for number in range(10):
            failed = second in errors and number < 5
            time_ms = 300 if second in slow else 10
            error = "Refused: no" if failed else ""
            samples.note(START + second, "chat", time_ms, error)
    found = LoadReport(samples, float(START), float(seconds), users=10)
    return replace(found, **more)


FAULT = Fault("database down", 5.0, 8.0)


def test_a_sound_run():
    """A run that did enough and broke no limit is PASSED, without any reason."""
    assert judge(run(), CONFIG) == Judgement(Verdict.PASSED)


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (LoadReport(broken="no report"), "no report"),
        (run(0), "0 requests, at least 1"),
        (run(users=9), "9 users, at least 10"),
        (run(users=12), "12 users where 10 were asked for: a worker was too busy"),
        (run(workers=2, lost_workers=("b",)), "1 of 2 workers were lost: b"),
        (run(exceptions={"boom": 3}), "the code of a user raised, 3 times: boom"),
        (
            run(faults=(replace(FAULT, error="no such host"),)),
            "the fault 'database down' could not be injected: no such host",
        ),
        (run(10, faults=(FAULT,)), "no request was made after the fault"),
    ],
    ids=[
        "report",
        "requests",
        "users",
        "twice",
        "worker",
        "exception",
        "fault",
        "after",
    ],
)
def test_a_run_that_proves_nothing(report, reason):
    """What Locust ends with 0 for is INCOMPLETE, whatever the numbers are."""
    judgement = judge(report, CONFIG)
    assert judgement.verdict is Verdict.INCOMPLETE
    assert reason in "\n".join(judgement.reasons)


def test_a_limit_on_a_name_without_requests():
    """A percentile of nothing meets no limit: INCOMPLETE, with the names there are."""
    judgement = judge(run(), LoadConfig(users=10, p99_ms={"chta": 5.0}))
    assert judgement.verdict is Verdict.INCOMPLETE
    assert judgement.reasons == ("no request is named 'chta'; the names are 'chat'",)


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (run(errors={3}), "2.50% errors, at most 1.00%: 5 times Refused: no"),
        (run(slow={3, 4}), "chat p95 300 ms, at most 100 ms"),
        (
            run(errors={11, 12, 13}, faults=(FAULT,)),
            "2 s after 'database down' was over still",
        ),
        (run(metrics=Metrics(2)), "2 coroutines leaked in the service, at most 0"),
    ],
    ids=["errors", "p95", "recovery", "leaks"],
)
def test_a_run_that_breaks_a_limit(report, reason):
    """Each broken limit is FAILED, with the number and the limit."""
    judgement = judge(report, CONFIG)
    assert judgement.verdict is Verdict.FAILED
    assert reason in "\n".join(judgement.reasons)


def test_errors_of_a_fault_are_excused():
    """Errors and delays in a fault and its recovery break no limit."""
    report = run(errors={5, 6, 7, 9}, slow={6, 7, 8}, faults=(FAULT,))
    assert judge(report, CONFIG).verdict is Verdict.PASSED


@pytest.mark.parametrize("error", ["Lost: no answer", "Mixed: another user's"])
def test_no_fault_excuses_a_lost_message(error):
    """A lost or mixed message is FAILED, also in the middle of a fault."""
    report = run(faults=(FAULT,))
    report.samples.note(START + 6, "chat", 10, error)
    judgement = judge(report, CONFIG)
    assert (judgement.verdict, judgement.reasons) == (
        Verdict.FAILED,
        (f"1 times {error}",),
    )


def test_a_metric_that_is_missing():
    """Where the leaks are not known the run is INCOMPLETE."""
    config = LoadConfig(users=10, metrics="http://127.0.0.1:1/metrics")
    judgement = judge(run(metrics=Metrics(problem="no metric")), config)
    assert judgement.verdict is Verdict.INCOMPLETE


def test_a_percentile_is_one_of_the_samples():
    """Percentiles are times that were measured, and nothing has none."""
    bucket = Bucket(Counter({10: 94, 50: 5, 900: 1}))
    assert [bucket.percentile(it) for it in (50, 95, 99, 100)] == [10, 50, 50, 900]
    assert Bucket().percentile(95) is None
    assert Bucket().error_rate is None


def test_samples_of_several_processes_add_up():
    """What processes send home is summed by second and name."""
    one, other, both = Samples(), Samples(), Samples()
    one.note(1, "chat", 10.4)
    other.note(1, "chat", 20, "Refused: no")
    for each in (one, other):
        both.merge(json.loads(json.dumps(each.take())))
    total = both.total("chat")
    assert (total.requests, total.failed, total.percentile(100)) == (2, 1, 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('coroguard_leaks_total{kind="DROPPED"} 3.0\n', {'{kind="DROPPED"}': 3.0}),
        ("# TYPE coroguard_leaks_total counter\n", {}),
        ("# TYPE coroguard_leaks counter\n", {}),
        ("coroguard_leaks_created 1.0\nother_total 1\n", None),
    ],
    ids=["a sample", "no leak yet", "OpenMetrics", "no metric"],
)
def test_leaks_are_read_from_metrics(text, expected):
    """A counter without samples is 0, and a missing one is unknown."""
    assert leaks_in(text) == expected


def test_a_counter_that_began_anew():
    """After a restart of the service, its leaks since then are added."""
    assert grown({"a": 5.0, "b": 1.0}, {"a": 2.0, "b": 3.0, "c": 1.0}) == 5.0


def test_the_plot_marks_faults_and_gaps():
    """The plot parses, has each fault, and no line over seconds without requests."""
    report = run(faults=(replace(FAULT, name="<down> & out"),))
    for second in range(10, 13):
        del report.samples.buckets[START + second, "chat"]
    svg = ET.fromstring(plot(report))
    space = "{http://www.w3.org/2000/svg}"
    lines = [it for it in svg.iter(f"{space}polyline") if it.get("class") == "p95"]
    assert len(lines) == 2
    assert [it.get("class") for it in svg.iter(f"{space}rect")].count("fault") == 1
    assert "<down> & out" in [it.text for it in svg.iter(f"{space}text")]


def test_a_report_without_a_request():
    """A run that did nothing has a page, a plot and JSON like any other."""
    empty = LoadReport()
    assert "<svg" in as_html(empty, Judgement(Verdict.INCOMPLETE, ("<b>",)))
    assert "<b>" not in as_html(empty, Judgement(Verdict.INCOMPLETE, ("<b>",)))
    assert json.dumps(empty.to_json(), allow_nan=False)


@pytest.mark.parametrize("duration_s", [10, 17.9])
def test_a_run_that_is_too_short_for_its_fault(duration_s):
    """It would pass or not by the second in which it began, so it is refused."""
    fault = {"begin": "on", "end": "off", "at_s": 3, "for_s": 2}
    with pytest.raises(
        ValueError, match="'fault' and its recovery; make it at least 18"
    ):
        LoadConfig(duration_s=duration_s, faults=[fault])
    assert LoadConfig(duration_s=18, faults=[fault]).faults


def test_harms_are_spread_over_the_run():
    """Each harm has a part of the run, with time before it and after its recovery."""
    harms = [SimpleNamespace(name=it, begin=list, end=list) for it in ("a", "b")]
    config = LoadConfig(duration_s=24, recovery_s=3)
    spread = [(it.name, it.at_s, it.for_s) for it in _spread(harms, config)]
    assert spread == [("a", 2, 2), ("b", 14, 2)]
    with pytest.raises(GateConfigError, match=r"2 harms and the .* at least 14"):
        _spread(harms, LoadConfig(duration_s=13, recovery_s=3))


def injected(times, fault):
    """Let a run go on at these times since its start; return what was injected."""
    done = []
    injecting = _injected([fault], done, clock=iter(times).__next__)
    next(injecting)
    try:
        while True:
            injecting.send(0.0)
    except (StopIteration, RuntimeError):
        pass
    return done


def test_a_fault_begins_and_ends_in_time():
    """A fault begins at its time, lasts as long as asked, and its times are kept."""
    calls = []
    fault = Injection(
        "f", 5, 2, lambda: calls.append("on"), lambda: calls.append("off")
    )
    (found,) = injected([1, 5, 5, 6, 7.5, 8], fault)
    assert calls == ["on", "off"]
    assert (found.began_s, found.ended_s, found.error) == (5, 8, "")


def test_a_fault_that_cannot_begin():
    """Its reason is kept, and what it may have begun is ended."""
    calls = []
    fault = Injection("f", 1, 2, lambda: 1 / 0, lambda: calls.append("off"))
    (found,) = injected([1, 1, 2], fault)
    assert calls == ["off"]
    assert found.error == "ZeroDivisionError: division by zero"
