"""Types of the records, the modes and the functions around them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, assert_type

import coroguard
from coroguard import (
    ComponentHealth,
    CoroguardError,
    CoroutineLeakError,
    HealthReport,
    HealthReportError,
    Leak,
    LeakKind,
    Mode,
    NotAwaitableError,
    configure,
    explain,
    guard,
    mode,
    subscribe,
)


def report_fields(report: HealthReport, component: ComponentHealth) -> None:
    assert_type(report.healthy, bool)
    assert_type(report.failed_components, list[str])
    assert_type(report.component_details, dict[str, ComponentHealth])
    assert_type(report.error_suggestions, list[str])
    assert_type(report.timestamp, datetime)
    assert_type(report.summary, str)
    assert_type(component.status, Literal["healthy", "degraded", "failed"])
    assert_type(component.error, str | None)
    assert_type(component.error_code, str | None)
    assert_type(component.duration_ms, float | None)
    assert_type(bool(report), bool)
    del report.helthy  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def leak_fields(leak: Leak) -> None:
    assert_type(leak.kind, LeakKind)
    for text in (leak.what, leak.name, leak.defined, leak.created):
        assert_type(text, str)
    for text in (leak.path, leak.guarded, leak.advice):
        assert_type(text, str)
    leak.name = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def explains(exception: BaseException) -> None:
    assert_type(explain(exception), Leak | None)


def modes() -> None:
    assert_type(Mode("strict"), Mode)
    context: AbstractContextManager[object] = mode("strict")
    with context, mode(Mode.OBSERVE):
        pass
    configure(mode="strict")
    configure(mode=Mode.OFF)
    configure(modus="off")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    guard(mode=Mode.STRICT)


def subscribes() -> None:
    seen: list[tuple[Leak | None, datetime]] = []
    unsubscribe = subscribe(lambda event: seen.append((event.leak, event.at)))
    assert_type(unsubscribe, Callable[[], None])
    unsubscribe()


def errors(
    leak: CoroutineLeakError, shape: HealthReportError, mirror: NotAwaitableError
) -> None:
    ours: list[CoroguardError] = [leak, shape, mirror]
    theirs: list[Exception] = [*ours]
    wrong_type: list[TypeError] = [leak, mirror]
    wrong_value: list[ValueError] = [shape]
    assert_type(leak.leak, Leak)
    assert_type(mirror.leak, Leak)
    del theirs, wrong_type, wrong_value


version: str = coroguard.__version__
