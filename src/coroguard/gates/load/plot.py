"""A plot of latency and errors over time, as SVG with the faults marked."""

# Drawn here: Locust's own report needs scripts of a megabyte, has no percentile of a
# second, and knows nothing of the faults.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .report import LoadReport, Second

_WIDTH, _LEFT, _RIGHT = 900, 60, 16
_TOP, _HIGH, _GAP = 24, 200, 44
_LOW = 110
_LINES = (
    ("p50_ms", "p50", "#2a7f62"),
    ("p95_ms", "p95", "#c77700"),
    ("p99_ms", "p99", "#b3261e"),
)
_TICKS = 5


def plot(report: LoadReport) -> str:
    """Return the plot of a run: percentiles above, requests and errors below."""
    seconds = report.seconds
    height = _TOP + _HIGH + _GAP + _LOW + 36
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="12">',
        "<title>latency and errors over time</title>",
        *_faults(report, seconds, height - 36),
        *_latency(seconds),
        *_amounts(seconds),
        *_time_axis(seconds, height),
        "</svg>",
    ]
    return "\n".join(parts)


def _x(second: float, seconds: Sequence[Second]) -> float:
    span = max(len(seconds), 1)
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(second, 0), span) / span


def _faults(
    report: LoadReport, seconds: Sequence[Second], bottom: int
) -> Iterator[str]:
    for fault in report.faults:
        left, right = _x(fault.began_s, seconds), _x(fault.ended_s, seconds)
        yield (
            f'<rect class="fault" x="{left:.1f}" y="{_TOP}" '
            f'width="{max(right - left, 2):.1f}" height="{bottom - _TOP}" '
            'fill="#b3261e" fill-opacity="0.12"/>'
        )
        yield f'<text x="{left + 3:.1f}" y="{_TOP - 8}">{escape(fault.name)}</text>'


def _latency(seconds: Sequence[Second]) -> Iterator[str]:
    highest = max((it.p99_ms or 0 for it in seconds), default=0) or 1
    yield from _scale(_TOP, _HIGH, highest, "ms")
    for place, (attribute, label, colour) in enumerate(_LINES):
        for points in _unbroken(seconds, attribute):
            path = " ".join(
                f"{_x(second + 0.5, seconds):.1f},{_y(value, highest, _TOP, _HIGH):.1f}"
                for second, value in points
            )
            yield (
                f'<polyline class="{label}" points="{path}" fill="none" '
                f'stroke="{colour}" stroke-width="1.5" stroke-linecap="round"/>'
            )
        x = _WIDTH - _RIGHT - 130 + 45 * place
        yield f'<text x="{x}" y="{_TOP + 12}" fill="{colour}">{label}</text>'


def _unbroken(
    seconds: Sequence[Second], attribute: str
) -> Iterator[list[tuple[int, int]]]:
    """Yield the stretches without a gap: a second without requests has no value."""
    points: list[tuple[int, int]] = []
    for second in seconds:
        value = getattr(second, attribute)
        if value is not None:
            points.append((second.second, value))
        elif points:
            yield points
            points = []
    if points:
        yield points


def _amounts(seconds: Sequence[Second]) -> Iterator[str]:
    top = _TOP + _HIGH + _GAP
    highest = max((it.requests for it in seconds), default=0) or 1
    yield from _scale(top, _LOW, highest, "per second")
    yield f'<text x="{_LEFT}" y="{top - 8}">requests, and errors in red</text>'
    width = max((_WIDTH - _LEFT - _RIGHT) / max(len(seconds), 1) - 0.5, 0.5)
    for second in seconds:
        for amount, colour in (
            (second.requests, "#9bb8d3"),
            (second.failed, "#b3261e"),
        ):
            if amount:
                y = _y(amount, highest, top, _LOW)
                yield (
                    f'<rect x="{_x(second.second, seconds):.1f}" y="{y:.1f}" '
                    f'width="{width:.1f}" height="{top + _LOW - y:.1f}" '
                    f'fill="{colour}"/>'
                )


def _scale(top: int, height: int, highest: int, unit: str) -> Iterator[str]:
    for part, value in ((0.0, 0), (0.5, highest / 2), (1.0, highest)):
        y = top + height * (1 - part)
        yield (
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="#d0d0d0"/>'
        )
        label = f"{value:g} {unit}" if part == 1.0 and unit == "ms" else f"{value:g}"
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _y(value: float, highest: float, top: int, height: int) -> float:
    return top + height * (1 - min(value / highest, 1))


def _time_axis(seconds: Sequence[Second], height: int) -> Iterator[str]:
    step = max(1, len(seconds) // _TICKS)
    for second in range(0, len(seconds) + 1, step):
        x = _x(second, seconds)
        place = f'x="{x:.1f}" y="{height - 10}" text-anchor="middle"'
        yield f"<text {place}>{second} s</text>"
