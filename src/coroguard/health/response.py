"""The answer to a probe: status, headers and body of a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from ..report.health_json import MEDIA_TYPE, VERDICTS, verdict
from .answers import summary

if TYPE_CHECKING:
    from ..report.models import HealthReport

#: The level of detail of an answer: one word, names and statuses, or everything.
Detail: TypeAlias = Literal["none", "status", "full"]
DETAILS: Final = ("none", "status", "full")
METHODS: Final = ("GET", "HEAD")
_JSON: Final = "application/json"
_TEXT: Final = "text/plain"
#: The types of an answer; the first one where a client accepts all alike.
_TYPES: Final = (MEDIA_TYPE, _JSON, _TEXT)


class Response(NamedTuple):
    """An answer to a probe.

    Args:
        status: 200, 503, or 405 for a method other than GET and HEAD.
        headers: Names in lower case, and values.
        body: The body; empty for HEAD, whose headers are those of GET.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def response_of(
    report: HealthReport, *, method: str, accept: str, detail: Detail
) -> Response:
    """Return the answer to a request.

    Args:
        report: A valid report.
        method: The method of the request.
        accept: Its ``Accept`` header; where it asks for no type that there is, the
            answer is ``application/health+json``.
        detail: How much to show.
    """
    if method not in METHODS:
        return not_allowed()
    kind = media_type(accept)
    if kind == _TEXT or detail == "none":
        body = verdict(report) + "\n"
        kind = _TEXT
    elif kind == _JSON:
        body = json.dumps(native_json(report, detail))
    else:
        body = json.dumps(_health_json(report, detail))
    return _made(report.http_status, kind, body.encode(), method)


def not_allowed() -> Response:
    """Return the answer to a method that a probe does not have."""
    made = _made(405, _TEXT, b"method not allowed\n", "GET")
    made.headers.append(("allow", ", ".join(METHODS)))
    return made


def native_json(report: HealthReport, detail: Detail) -> dict[str, Any]:
    """Return the fields of a report as JSON values; without the reasons by default."""
    if detail == "full":
        return report.model_dump(mode="json", exclude_none=True)
    components = {
        name: {"status": it.status} for name, it in report.component_details.items()
    }
    return {
        "healthy": report.healthy,
        "failed_components": [*report.failed_components],
        "component_details": components,
        "error_suggestions": [],
        "timestamp": report.timestamp.isoformat(),
        "summary": summary(components),
    }


def media_type(accept: str) -> str:
    """Return the type that a client likes best.

    Source: RFC 9110, 12.5.1; but of types that it likes alike, the one that it names.
    """
    wanted = [_range(it) for it in accept.lower().split(",")]
    liked = {kind: _liking(kind, wanted) for kind in _TYPES}
    best = max(_TYPES, key=lambda kind: liked[kind])
    return best if liked[best][0] > 0 else MEDIA_TYPE


def _liking(kind: str, wanted: list[tuple[str, float]]) -> tuple[float, int]:
    """Return how much a type is wanted, and how exactly it is named."""
    found = (0.0, 0)
    for exactness, name in enumerate(("*/*", f"{kind.partition('/')[0]}/*", kind)):
        for named, quality in wanted:
            if named == name:
                found = quality, exactness
    return found


def _range(text: str) -> tuple[str, float]:
    """Return a media range and its quality."""
    name, *parameters = (it.strip() for it in text.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return name, 0.0
    return name, 1.0


def _health_json(report: HealthReport, detail: Detail) -> dict[str, Any]:
    if detail == "full":
        return report.to_health_json()
    checks = {
        name.replace(":", "%3A"): [{"status": VERDICTS[it.status]}]
        for name, it in report.component_details.items()
    }
    return {"status": verdict(report), "checks": checks}


def _made(status: int, kind: str, body: bytes, method: str) -> Response:
    kind = f"{kind}; charset=utf-8" if kind == _TEXT else kind
    headers = [
        ("content-type", kind),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
        ("vary", "accept"),
    ]
    return Response(status, headers, b"" if method == "HEAD" else body)
