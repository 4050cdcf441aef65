"""Health views for Django, and a system check for views that are not guarded."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Unpack

from django.apps import AppConfig
from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver

from .._inspect.callables import WRAPPERS, name_of, reaches_guard, unwrap
from .._runtime.modes import started_off
from ..health import Checked
from ..health.endpoint import Endpoint

if TYPE_CHECKING:
    from ..health.endpoint import Options
    from ..health.response import Response

__all__ = [
    "Checked",
    "CoroguardConfig",
    "ahealth_view",
    "find_unguarded_views",
    "health_view",
]

_WORD: Final = re.compile(r"[a-z_]+")
#: Last words of routes that answer probes.
_HEALTH: Final = (
    *("health", "healthz", "healthcheck", "health_check"),
    *("ready", "readyz", "readiness", "live", "livez", "liveness", "alive"),
    *("startup", "heartbeat"),
)
_HEALTH_WING: Final = "coroguard.health"
_OURS: Final = "coroguard_health"


class CoroguardConfig(AppConfig):  # type: ignore[misc]
    """The application to put into ``INSTALLED_APPS`` for the system check."""

    name = "coroguard.integrations.django"
    label = "coroguard"
    path = os.path.dirname(__file__)

    def ready(self) -> None:
        """Register the system check."""
        checks.register(find_unguarded_views, checks.Tags.urls)


def health_view(
    check: Any = None, **options: Unpack[Options]
) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that answers probes; under WSGI and ASGI.

    Args:
        check: Checks by the names of their components, or a function that returns a
            report, sync or async.
        **options: Those of a health endpoint: ``probe``, ``deadline_s``,
            ``memory_s``, ``expected`` and ``reveal``, which gets the request.

    Raises:
        GuardUsageError: A wrong option, or ``check`` is not a check.
    """
    endpoint = Endpoint(check, by="health_view()", takes_async=False, **options)

    def health(request: HttpRequest) -> HttpResponse:
        return _made(endpoint.respond(request, *_asked(request)))

    view: Callable[[HttpRequest], HttpResponse] = _as_view(health)
    return view


def ahealth_view(
    check: Any = None, **options: Unpack[Options]
) -> Callable[[HttpRequest], Awaitable[HttpResponse]]:
    """Return an async view that answers probes, whose checks run in the loop of ASGI.

    Args:
        check: Checks by the names of their components, or a function that returns a
            report, sync or async.
        **options: Those of ``health_view``.

    Raises:
        GuardUsageError: A wrong option, or ``check`` is not a check.
    """
    endpoint = Endpoint(check, by="ahealth_view()", **options)

    async def health(request: HttpRequest) -> HttpResponse:
        return _made(await endpoint.arespond(request, *_asked(request)))

    view: Callable[[HttpRequest], Awaitable[HttpResponse]] = _as_view(health)
    return view


def find_unguarded_views(**_options: Any) -> list[checks.CheckMessage]:
    """Return a warning for each route of a health view that no guard protects.

    Views that use a guarded function, or collect checks, are protected too.
    """
    if started_off():
        return []
    from django.conf import settings

    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    found: list[checks.CheckMessage] = []
    for route, view in _views(get_resolver().url_patterns, ""):
        words = _WORD.findall(route.lower())
        if words and words[-1] in _HEALTH and not _is_protected(view):
            found.append(
                checks.Warning(
                    f"the view {name_of(view)} of {route!r} is not guarded",
                    hint="Use coroguard.integrations.django.health_view, or put "
                    "@guard on the function that returns the report.",
                    obj=view,
                    id="coroguard.W001",
                )
            )
    return found


def _as_view(view: Any) -> Any:
    """Exempt the view from CSRF checks, and mark it as a health view."""
    view.csrf_exempt = True  # or POST would be 403
    setattr(view, _OURS, True)
    return view


def _asked(request: HttpRequest) -> tuple[str, str]:
    return request.method or "", request.META.get("HTTP_ACCEPT", "")


def _made(answer: Response) -> HttpResponse:
    made = HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
    # Else Django logs each 503 as an error: one for each probe of an outage.
    setattr(made, "_has_been_logged", True)  # noqa: B010
    return made


def _views(patterns: Any, before: str) -> Iterator[tuple[str, Any]]:
    """Yield each route of the project with its view."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _views(pattern.url_patterns, route)
        else:
            yield route, pattern.callback


def _is_protected(view: Any) -> bool:
    if getattr(view, _OURS, False) or reaches_guard(view):
        return True
    kind = getattr(view, "view_class", None)
    functions = [view] if kind is None else vars(kind).values()
    return any(_uses_protected(unwrap(it, through=WRAPPERS)) for it in functions)


def _uses_protected(function: Any) -> bool:
    """Return whether a function is guarded, or uses a function that is."""
    if reaches_guard(function):
        return True
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    held = [function.__globals__.get(name) for name in code.co_names]
    held += [
        vars(it).get(name)
        for it in held
        if type(it) is ModuleType
        for name in code.co_names
    ]
    return any(
        reaches_guard(it) or str(getattr(it, "__module__", "")).startswith(_HEALTH_WING)
        for it in held
        if it is not None
    )
